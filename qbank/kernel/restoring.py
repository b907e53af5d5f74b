"""A backup becomes an installation again: in an empty place only, so that nothing that still lives is written over."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qbank.kernel import audit, backup
from qbank.kernel.backup import DATABASE_FILE, FILES, MANIFEST, POSTGRESQL, SQLITE
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.kernel.sealed_stream import Secret


def restore(file: Path, secret: Secret, folder: Path, url: str = "") -> dict[str, Any]:
    """Bring ``file`` back into the empty ``folder`` (and, for PostgreSQL, the empty database at ``url``).

    Returns the manifest with the head of the audit trail and its breaks. Everything is opened and checked aside first.
    """
    _require_empty(folder, url)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".restoring-") as place:
        aside = Path(place) / "installation"
        aside.mkdir(mode=0o700)
        manifest = _unpack(file, secret, aside)
        _bring_database(aside, manifest, url)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
    return manifest | _trail(url or f"sqlite:///{(folder / DATABASE_FILE).absolute()}")


def _require_empty(folder: Path, url: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("not_empty", f"{folder} 不是空文件夹。恢复只能恢复到空文件夹，以免覆盖还有用的数据；请换一个新文件夹。")
    if url:
        with engine_at(url) as engine:
            if tables := sa.inspect(engine).get_table_names():
                raise Refused("not_empty", f"目标数据库里已有 {len(tables)} 张表。恢复只能恢复到空数据库；请新建一个数据库。")


def _unpack(file: Path, secret: Secret, aside: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        backup.verify(stream, secret)
    manifest: dict[str, Any] = {}
    with file.open("rb") as stream:
        for name, content in backup.contents(stream, secret):
            if name == MANIFEST:
                manifest = json.loads(content.read())
                continue
            target = aside / (DATABASE_FILE if name == SQLITE else name.removeprefix(FILES))
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
                shutil.copyfileobj(content, written, backup.CHUNK)
                written.flush()
                os.fsync(written.fileno())
    return manifest


def _bring_database(aside: Path, manifest: dict[str, Any], url: str) -> None:
    if manifest["database"] == "sqlite":
        if url:
            raise Refused("other_database", "这是 SQLite 的备份，先恢复到文件夹，再用 examroom move 迁到 PostgreSQL；不要指定数据库地址。")
        with closing(sqlite3.connect(aside / DATABASE_FILE)) as opened:
            if opened.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise Refused("database_damaged", "备份里的数据库自检没有通过，这份备份不能用。请换用另一份。")
            opened.execute("PRAGMA journal_mode=WAL")
        return
    if not url:
        raise Refused("other_database", "这是 PostgreSQL 的备份，请用 --database 指定一个空的 PostgreSQL 数据库。")
    picture = aside / POSTGRESQL
    with engine_at(url) as engine:
        backup.run_pg("pg_restore", engine, ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(picture)])
    picture.unlink()


def _trail(url: str) -> dict[str, Any]:
    """What the audit trail of the restored database says of itself."""
    database = Database(url)
    try:
        with database.open(None, reads_only=True) as session:
            return {"head": audit.head(session), "breaks": [found.sentence for found in audit.verify(session)]}
    except sa.exc.DatabaseError:
        return {"head": "", "breaks": []}  # of an older schema: it is verified after the upgrade
    finally:
        database.engine.dispose()


@contextmanager
def engine_at(url: str) -> Iterator[sa.Engine]:
    """An engine that is disposed of at the end."""
    engine = sa.create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
