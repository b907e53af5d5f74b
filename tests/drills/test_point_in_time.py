"""Somebody drops a table in mid-exam, at a minute that is known: PostgreSQL goes back to the moment before, as the README says."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.drills.client import Book, leave
from tests.drills.postgres import Postgres
from tests.drills.room import Hall, Nursery, Program, free_port, furnish
from tests.drills.verify import compare

CANDIDATES = 8
SAVES = 60  # acknowledged before the base backup, between it and the moment, and after the moment


@dataclass
class Archived:
    """A database whose log is kept segment by segment, and where a base backup of it will lie."""

    folder: Path
    database: Postgres
    hall: Hall

    @property
    def segments(self) -> Path:
        return self.folder / "wal"

    def base_backup(self) -> Postgres:
        (place := self.folder / "base").mkdir()
        return Postgres(place, source=self.database)

    def archived(self) -> None:
        """Wait until the log as it is now lies in the archive."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            newest = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert newest is not None
        until = time.monotonic() + 60
        while not (self.segments / newest[0]).exists():
            assert time.monotonic() < until, self.database.log()[-2000:]
            time.sleep(0.05)


@pytest.fixture
def archived() -> Iterator[Archived]:
    with tempfile.TemporaryDirectory(prefix="examroom-point-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("hall", "database", "wal"):
            (folder / part).mkdir()
        with Postgres(folder / "database") as database:
            made = Archived(folder, database, furnish(folder / "hall", CANDIDATES, database.url.replace("postgresql:", "postgresql+psycopg:")))
            made.segments.chmod(0o777)  # the server runs as a user of its own
            database.tell("ALTER SYSTEM SET archive_mode = on",
                          f"ALTER SYSTEM SET archive_command = 'test ! -f {made.segments}/%f && cp %p {made.segments}/%f'")
            database.stop()
            database.start()
            yield made


@contextmanager
def gone_back(base: Postgres, segments: Path, moment: str) -> Iterator[Postgres]:
    """The base backup, played forward to ``moment`` and no further."""
    (base.data / "standby.signal").unlink()
    (base.data / "recovery.signal").touch()
    with (base.data / "postgresql.auto.conf").open("a") as file:
        file.write(f"restore_command = 'cp {segments}/%f %p'\nrecovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\narchive_mode = off\n")
    if base.user:
        shutil.chown(base.data / "recovery.signal", base.user["user"])
    with base:
        _promoted(base)
        yield base


def _promoted(base: Postgres) -> None:
    """It takes readers before it has played its log to the end."""
    until = time.monotonic() + 60
    with psycopg.connect(base.url, autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < until, base.log()[-2000:]
            time.sleep(0.05)


async def _answers(archived: Archived, program: Program, book: Book) -> tuple[Postgres, str, set[tuple[int, int]]]:
    """Eight people answer; a base backup in between; then the moment; then more answers, and the table is dropped."""
    await program.ready()
    crowd = archived.hall.candidates(program.port, book)
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over, 0.02)) for one in crowd]
    await _further(book)
    base = await asyncio.to_thread(archived.base_backup)
    await _further(book)
    held = {(line["sheet"], line["sequence"]) for line in map(json.loads, book.file.read_text("utf-8").splitlines())}
    with psycopg.connect(archived.database.url) as connection:
        told = connection.execute("SELECT clock_timestamp()::text").fetchone()
    await _further(book)
    over = True
    await asyncio.gather(*answering)
    leave(crowd)
    program.kill()
    assert told is not None
    return base, told[0], held


async def _further(book: Book) -> None:
    goal = book.acknowledged + SAVES
    while book.acknowledged < goal:
        await asyncio.sleep(0.005)


def test_a_dropped_table_comes_back_as_of_the_moment_before(archived: Archived, nursery: Nursery) -> None:
    with Program(archived.hall, free_port(), nursery) as program, Book(archived.folder / "acknowledged.jsonl") as book:
        base, moment, held = asyncio.run(asyncio.wait_for(_answers(archived, program, book), 170))
        archived.database.tell("DROP TABLE answer_events CASCADE")
        archived.archived()
        archived.database.kill()
        with gone_back(base, archived.segments, moment) as again:
            found = compare(again.url, book.file, book.sent)
    lost = {(int(words[1]), int(words[3])) for words in map(str.split, found.missing)}
    assert held
    assert not lost & held, "what was acknowledged before the moment is missing"
    assert len(lost) >= CANDIDATES, "nothing came after the moment: this proves nothing"
    assert [found.changed, found.foreign, found.disorder, found.chain] == [[], [], [], []]
