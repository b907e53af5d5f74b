"""Backups: the database as it stands at one moment, keys and uploaded files, sealed in one file that is read back.

On SQLite the picture is taken by the online backup of SQLite itself, on PostgreSQL by ``pg_dump``: neither holds up who
writes, so a backup may be taken while a sitting runs. A backup carries its name only after it was opened again and
every file in it had the hash that was written down.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from qbank.kernel import migrations
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.kernel.sealed_stream import OpeningReader, SealingWriter, Secret
from qbank.kernel.settings import Settings
from qbank.kernel.store import COPIES, Store

FOLDER = "backups"
ENDING = ".backup"
UNFINISHED = ".part"
SQLITE, POSTGRESQL = "database.sqlite3", "database.dump"
MANIFEST = "manifest.json"
MEDIA = "media"
FILES = "files/"  # before the path of everything that lies in the installation's folder
DATABASE_FILE = "examroom.sqlite3"
# Of the folder: the database itself, what is made anew, what belongs to this machine only.
LEFT_OUT = {FOLDER, "video", MEDIA, COPIES, "epoch", "superseded", "standby.token", "jobs.sqlite3", "standby.sqlite3", DATABASE_FILE}
LEFT_OUT_BEGINNINGS = ("rehearsal-", "taking-", "jobs.sqlite3-", f"{DATABASE_FILE}-", "standby.")
OLDEST = timedelta(days=1)
CHUNK = 2**20
Opening = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Made:
    """A finished backup."""

    file: Path
    files: int
    size: int
    rows: int


def newest(settings: Settings) -> tuple[Path, datetime] | None:
    """The newest finished backup in the installation's folder, and of when it is."""
    folder = settings.folder / FOLDER
    held = [file for file in folder.rglob("*") if file.is_file() and file.suffix != UNFINISHED] if folder.is_dir() else []
    if not held:
        return None
    file = max(held, key=lambda one: one.stat().st_mtime)
    return file, datetime.fromtimestamp(file.stat().st_mtime, UTC)


def make(settings: Settings, database: Database, secret: Secret, *, now: datetime, folder: Path | None = None, media: bool = True) -> Made:
    """Take a backup, read it back, and give it its name. Refuses where ``pg_dump`` is missing or too old.

    Uploaded files are in it wherever they lie, unless ``media`` says otherwise: for a bucket that keeps versions of its own.
    """
    folder = folder or settings.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"examroom-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    draft = folder / f"{target.stem}-{secrets.token_hex(4)}{UNFINISHED}"
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as stream, tempfile.TemporaryDirectory(dir=settings.folder, prefix="taking-") as place:
            picture, rows = _picture(settings, database, Path(place))
            _write(stream, secret, picture, settings, database, now, database.media if media else None)
            stream.flush()
            os.fsync(stream.fileno())
        with draft.open("rb") as stream:
            listed = verify(stream, secret)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return Made(target, len(listed), target.stat().st_size, rows)


def prune(settings: Settings, keep: int, folder: Path | None = None) -> list[Path]:
    """Delete all but the ``keep`` newest backups."""
    held = sorted((folder or settings.folder / FOLDER).glob(f"examroom-*{ENDING}"))
    old = held[:-keep] if keep > 0 else []
    for file in old:
        file.unlink()
    return old


def verify(stream: IO[bytes], secret: Secret) -> dict[str, str]:
    """Open a backup to its end: names and hashes of what is in it. Refuses what is not as it was written down."""
    found: dict[str, str] = {}
    manifest: dict[str, str] | None = None
    for name, content in contents(stream, secret):
        if name == MANIFEST:
            manifest = json.loads(content.read())["files"]
        else:
            found[name] = hash_of(content)
    if manifest != found:
        raise Refused("backup_incomplete", "备份的内容与它的清单不一致，这份备份不能用。请重新备份。")
    return found


def contents(stream: IO[bytes], secret: Secret) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of everything in a backup, one after the other; the manifest is last."""
    reader = OpeningReader(stream, secret)
    try:
        with tarfile.open(fileobj=reader, mode="r|") as packed:
            for entry in packed:
                content = packed.extractfile(entry)
                if content is None or entry.name.startswith("/") or ".." in Path(entry.name).parts:
                    raise Refused("backup_incomplete", "备份里有不该有的内容，这份备份不能用。")
                yield entry.name, content
        while reader.read(CHUNK):  # to the seal of the last piece
            pass
    except tarfile.TarError as error:
        raise Refused("backup_incomplete", "备份的内容残缺，这份备份不能用。") from error


def hash_of(content: IO[bytes]) -> str:
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # a part of a stream is enough


def program(name: str, server: int) -> str:
    """The path of a program of PostgreSQL that is at least as new as the server. Refuses with what to install."""
    found = shutil.which(name)
    if found is None:
        raise Refused("no_pg_program", f"本机找不到 {name}。请安装 PostgreSQL {server} 的客户端程序（Debian/Ubuntu：apt install "
                                       f"postgresql-client-{server}），或把它所在的文件夹加进 PATH，再重试。")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603  # found on PATH
    version = next((int(word.split(".")[0]) for word in said.split() if word[0].isdigit()), 0)
    if version < server:
        raise Refused("old_pg_program", f"{found} 是 {version} 版，数据库是 PostgreSQL {server}。"
                                         f"请安装不低于 {server} 版的客户端程序并让它在 PATH 中排在前面。")
    return found


def server_version(engine: sa.Engine) -> int:
    """The major version of a PostgreSQL server."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000


def _picture(settings: Settings, database: Database, place: Path) -> tuple[Path, int]:
    """The database as it stands now, in a file, and how many entries its audit trail has."""
    if database.engine.dialect.name == "sqlite":
        return _of_sqlite(Path(str(database.engine.url.database)), place / SQLITE)
    picture = place / POSTGRESQL
    run_pg("pg_dump", database.engine, ["--format=custom", "--no-owner", "--no-privileges", f"--file={picture}"])
    run_pg("pg_restore", database.engine, ["--list", str(picture)], connected=False)
    with database.engine.connect() as connection:
        return picture, connection.scalar(sa.text("SELECT count(*) FROM audit_entries")) or 0


def _of_sqlite(source: Path, target: Path) -> tuple[Path, int]:
    """All pages in one step: one moment of the database, which goes on being written beside it (WAL)."""
    reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    with closing(reading) as opened, closing(sqlite3.connect(target)) as copy:
        try:
            opened.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            said = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
            rows: int = copy.execute("SELECT count(*) FROM audit_entries").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said, rows = [str(error)], 0
    if said != ["ok"]:
        raise Refused("database_damaged", "数据库自检没有通过，备份没有完成。请保留现场，用最近一份完好的备份恢复到新文件夹核对。", said[:5])
    return target, rows


def run_pg(name: str, engine: sa.Engine, arguments: list[str], *, connected: bool = True) -> None:
    """Run a program of PostgreSQL; the password goes by the environment, never by the command line."""
    url = engine.url
    found = program(name, server_version(engine))
    environment = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    where = [f"--dbname={url.set(drivername='postgresql', password=None).render_as_string(hide_password=False)}"] if connected else []
    ended = subprocess.run([found, *where, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # found on PATH
    if ended.returncode:
        raise Refused("pg_program_failed", f"{name} 没有完成，结果不能用。", ended.stderr.strip().splitlines()[-5:])


def _write(stream: IO[bytes], secret: Secret, picture: Path, settings: Settings, database: Database, now: datetime, media: Store | None) -> None:
    hashes: dict[str, str] = {}
    with closing(SealingWriter(stream, secret)) as sealed, tarfile.open(fileobj=sealed, mode="w|", format=tarfile.PAX_FORMAT) as packed:
        parts: Iterator[tuple[str, Opening]] = chain([(picture.name, partial(_opened, picture))], _files(settings.folder), _uploaded(media))
        for name, opened in parts:
            with suppress(FileNotFoundError), opened() as content:  # put aside or taken away in the meantime
                entry = packed.gettarinfo(arcname=name, fileobj=content)
                counted = _Hashing(content, entry.size)
                packed.addfile(entry, counted)
                hashes[name] = counted.digest.hexdigest()
        told = json.dumps({"at": now.isoformat(), "database": database.engine.dialect.name,
                           "schema": migrations.revisions(database.engine)[0], "files": hashes}).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(told)
        packed.addfile(entry, BytesIO(told))


def _files(folder: Path) -> Iterator[tuple[str, Opening]]:
    """Keys, certificates: all that lies in the folder but the database, uploaded files and what is made anew."""
    for top in sorted(folder.iterdir()):
        if top.name in LEFT_OUT or top.name.startswith(LEFT_OUT_BEGINNINGS) or top.suffix == UNFINISHED:
            continue
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and not file.is_symlink():
                yield f"{FILES}{file.relative_to(folder).as_posix()}", partial(_opened, file)


def _opened(file: Path) -> AbstractContextManager[IO[bytes]]:
    return file.open("rb")


def _uploaded(media: Store | None) -> Iterator[tuple[str, Opening]]:
    """Uploaded files, as they will lie in the folder that a restore makes."""
    if media is not None:
        for sha256 in sorted(media.held()):
            yield f"{FILES}{MEDIA}/{sha256[:2]}/{sha256}", partial(media.reading, sha256)


class _Hashing:
    """Reads exactly ``size`` bytes, as the head of the entry says, and hashes them: a log may grow meanwhile."""

    def __init__(self, content: IO[bytes], size: int) -> None:
        self._content, self._left, self.digest = content, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._content.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self.digest.update(piece)
        return piece
