"""An installation with one open room in mid-exam, and the real program that serves it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from examroom.plans.models import RoomInvigilator
from qbank.kernel.access import Role
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from tests.conftest import People
from tests.drills.client import Book, Candidate, serving
from tests.sitting_world import SittingWorld

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 120.0  # a process that imports everything on a busy machine
SAYS_NOTHING = {"PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Person:
    """A candidate as the door knows them."""

    sheet: int
    ticket: str
    identity: str
    enrolment: int


@dataclass
class Hall:
    """The folder, the database and the candidates of one exam that runs now."""

    folder: Path
    url: str
    people: list[Person] = field(default_factory=list)

    def candidates(self, port: int | Callable[[], tuple[str, int]], book: Book) -> list[Candidate]:
        address = port if callable(port) else (lambda: ("127.0.0.1", port))
        return [Candidate(address, person.sheet, person.ticket, person.identity, book) for person in self.people]


def furnish(folder: Path, candidates: int, url: str = "", *, questions: tuple[int, int, int] = (20, 5, 15),
            minutes: int = 600) -> Hall:
    """An upgraded installation, its room open and its exam begun ten minutes ago."""
    where = url or f"sqlite:///{folder / 'examroom.sqlite3'}"
    settings = Settings.from_environment({"EXAMROOM_DATABASE_URL": where.replace("+psycopg", "")}, folder=folder)
    database = Database.of(settings)
    if url:
        upgrade(database.engine)
    else:
        shutil.copy(_empty(), folder / "examroom.sqlite3")
    single, multiple, judge = questions
    with database.open(Actor(None, "drill")) as session:
        now = datetime.now(UTC) - timedelta(minutes=70)
        made = SittingWorld(session, People(session), IdentityCipher(settings.identity_key), single=single, multiple=multiple,
                            judge=judge, candidates=candidates).make(now, minutes=minutes)
        for number in range(max(0, -(-candidates // 15) - 2)):  # one invigilator for fifteen candidates
            extra = made.people.account(f"监考{number + 3}", Role.INVIGILATOR, school=made.school)
            made.room.invigilators.append(RoomInvigilator(account_id=extra.id))
        made.running()
        session.commit()
        sheets = {sheet.enrolment_id: sheet.id for sheet in session.query(type(made.sheet(made.enrolments[0].candidate.name)))}
        people = [Person(sheets[one.id], one.ticket_number, made.numbers[one.candidate.name], one.id) for one in made.enrolments]
        session.rollback()
    database.engine.dispose()
    return Hall(folder, where.replace("+psycopg", ""), people)


@cache
def _empty() -> Path:
    """An empty database with the newest schema, made once."""
    folder = tempfile.TemporaryDirectory(prefix="examroom-empty-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "empty.sqlite3"
    made = Database(f"sqlite:///{file}")
    upgrade(made.engine)
    made.engine.dispose()
    return file


def tidy_when_stopped() -> None:
    """A drill that is told to stop takes down what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Nursery:
    """A process that has imported everything and forks what is asked of it (``tests.drills.nursery``).

    ``module`` is another one, with a build that is wrong on purpose; ``environment`` holds what counts before a process
    begins (``LD_PRELOAD``); ``root`` is another checkout.
    """

    def __init__(self, environment: dict[str, str] | None = None, module: str = "tests.drills.nursery", root: Path = ROOT) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", module], cwd=root, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env={**os.environ, **SAYS_NOTHING, **(environment or {})},
                                        start_new_session=True)
        self._told()

    def fork(self, hall: Hall, arguments: list[str]) -> int:
        assert self.process.stdin is not None
        line = [{"EXAMROOM_DATABASE_URL": hall.url}, arguments, str(hall.folder / "server.log")]
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return int(self._told())

    def _told(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        assert ready, f"the nursery said nothing for {ANSWER_SECONDS} s"
        line = self.process.stdout.readline()
        assert line, "the nursery died"
        return line

    def close(self) -> None:
        self.process.kill()
        self.process.wait(ANSWER_SECONDS)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@dataclass
class Program:
    """``examroom serve`` (or another command) as a process group of its own, so that a kill leaves none of it."""

    hall: Hall
    port: int
    nursery: Nursery
    command: tuple[str, ...] = ("serve", "--host", "127.0.0.1", "--no-worker")
    pid: int = 0
    address: str = "127.0.0.1"

    def start(self) -> Program:
        self.pid = self.nursery.fork(self.hall, ["--dir", str(self.hall.folder), *self.command, "--port", str(self.port)])
        return self

    async def ready(self, seconds: float = 60.0) -> float:
        """Wait until it serves; how long that took. What it said last if it ends instead."""
        waiting = asyncio.ensure_future(serving(self.port, seconds=seconds, host=self.address))
        while not waiting.done():
            await asyncio.wait([waiting], timeout=0.2)
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                waiting.cancel()
                raise RuntimeError(f"the server ended by itself: {self.log()[-2000:]}") from None
        return waiting.result()

    def begin(self, *arguments: str) -> None:
        """Another command of the console, to go on beside."""
        self.pid = self.nursery.fork(self.hall, list(arguments))

    def run(self, *arguments: str, seconds: float = 60.0) -> None:
        """Another command of the console, to its end."""
        self.begin(*arguments)
        until = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(self.pid, 0)
                assert time.monotonic() < until, f"{arguments} does not end"
                time.sleep(0.005)
        self.pid = 0

    def kill(self) -> None:
        """SIGKILL: nothing of it gets to do anything any more."""
        if self.pid:
            self.signal(signal.SIGKILL)
            until = time.monotonic() + 60
            with contextlib.suppress(ProcessLookupError):
                while True:
                    os.kill(self.pid, 0)
                    assert time.monotonic() < until, f"process {self.pid} outlives SIGKILL"
                    time.sleep(0.002)
            self.pid = 0

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def log(self) -> str:
        file = self.hall.folder / "server.log"
        return file.read_text("utf-8", errors="replace") if file.exists() else ""

    def __enter__(self) -> Program:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
