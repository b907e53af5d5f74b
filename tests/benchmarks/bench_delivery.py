"""A whole cohort starts in the same minute and answers: one JSON object a line with name, value, unit, target, ok.

A real server (waitress, SQLite with synchronous=FULL) on the loopback address; each candidate is a thread with a
connection of its own. Speed is told as ratios measured in one run. Run: python tests/benchmarks/bench_delivery.py
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import sqlite3
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import waitress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from examroom.plans.models import RoomInvigilator
from qbank.kernel.access import Role
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from tests.conftest import People
from tests.sitting_world import SittingWorld

COHORT = 60
EVENTS = 20


class Candidate:
    """One candidate's browser, as far as the server sees it."""

    def __init__(self, port: int, ticket: str, number: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = self.csrf = self.token = ""
        self.ticket, self.number = ticket, number

    def ask(self, method: str, path: str, body: Any = None, form: bool = False) -> tuple[int, str]:
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.csrf, "X-Page-Token": self.token, "Accept": "application/json"}
        payload = None
        if body is not None:
            payload = urlencode(body) if form else json.dumps(body)
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        self.connection.request(method, path, payload, headers)
        answer = self.connection.getresponse()
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        return answer.status, answer.read().decode()

    def sign_in(self) -> None:
        self.csrf = self._csrf(self.ask("GET", "/exam")[1])
        self.ask("POST", "/exam", {"ticket": self.ticket, "identity_number": self.number, "csrf_token": self.csrf}, form=True)
        self.csrf = self._csrf(self.ask("GET", "/exam/hall")[1])

    def start(self, sheet: int) -> None:
        status, text = self.ask("POST", f"/exam/sheets/{sheet}/open", {"machine": f"m{self.ticket}"})
        assert status == 200, text
        self.token = json.loads(text)["token"]
        status, text = self.ask("GET", f"/exam/sheets/{sheet}/state")
        assert status == 200, text

    def save(self, sheet: int, sequence: int) -> None:
        event = {"sequence": sequence, "number": sequence, "answer": "A", "flagged": False}
        status, text = self.ask("POST", f"/exam/sheets/{sheet}/events", {"events": [event]})
        assert status == 200, text
        assert json.loads(text)["acknowledged"] == sequence, text

    @staticmethod
    def _csrf(page: str) -> str:
        found = re.search(r'name="csrf[-_]token" (?:content|value)="([^"]+)"', page)
        assert found, page[:400]
        return found.group(1)


def seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def durable_commit(folder: Path) -> float:
    """The median time of one bare durable commit on this disk: what no server can beat."""
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (x)")
    return statistics.median(seconds(lambda: connection.execute("INSERT INTO t VALUES (1)")) for _ in range(200))


def world(folder: Path) -> tuple[Any, SittingWorld, dict[str, int]]:
    settings = Settings.from_environment({"EXAMROOM_JOBS_INLINE": "1"}, folder=folder)
    database = Database.of(settings)
    upgrade(database.engine)
    with database.open(Actor(None, "bench")) as session:
        now = datetime.now(UTC) - timedelta(minutes=70)
        made = SittingWorld(session, People(session), IdentityCipher(settings.identity_key), single=60, multiple=10, judge=30,
                            candidates=COHORT).make(now)
        for number in range(COHORT // 15 - 2):  # one invigilator for fifteen candidates
            extra = made.people.account(f"监考{number + 3}", Role.INVIGILATOR, school=made.school)
            made.room.invigilators.append(RoomInvigilator(account_id=extra.id))
        made.running()
        session.commit()
        sheets = {enrolment.ticket_number: made.sheet(enrolment.candidate.name).id for enrolment in made.enrolments}
        session.commit()
    return create_app(settings), made, sheets


def main() -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        app, made, sheets = world(Path(name))
        server = waitress.create_server(app, host="127.0.0.1", port=0, threads=16)
        threading.Thread(target=server.run, daemon=True).start()
        people = [Candidate(server.effective_port, enrolment.ticket_number, made.numbers[enrolment.candidate.name])
                  for enrolment in made.enrolments]
        with ThreadPoolExecutor(COHORT) as crowd:
            list(crowd.map(Candidate.sign_in, people))
            alone = people[0]
            first = seconds(lambda: alone.start(sheets[alone.ticket]))
            storm = list(crowd.map(lambda one: seconds(lambda: one.start(sheets[one.ticket])), people[1:]))
            single = [seconds(lambda n=n: alone.save(sheets[alone.ticket], n)) for n in range(1, EVENTS + 1)]  # type: ignore[misc]  # n is bound at once

            def answer(one: Candidate) -> list[float]:
                return [seconds(lambda n=n: one.save(sheets[one.ticket], n)) for n in range(1, EVENTS + 1)]  # type: ignore[misc]  # as above

            began = perf_counter()
            times = [time for each in crowd.map(answer, people[1:]) for time in each]
            spent = perf_counter() - began
        bare = durable_commit(Path(name))
        held = Database.of(Settings.from_environment({}, folder=Path(name))).engine
        with held.connect() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM answer_events").scalar()
    p95 = statistics.quantiles(times, n=20)[-1]
    rows = [
        ("slowest start of a cohort / start of one alone", max(storm) / first, "x", 2.0 * COHORT),
        ("one acknowledged answer / bare durable commit", statistics.median(single) / bare, "x", 150.0),
        ("95th percentile answer in the storm / number at once, in single answers", p95 / statistics.median(single) / COHORT,
         "x", 2.0),
        ("acknowledged answers missing in the database", len(times) + EVENTS - (stored or 0), "answers", 0),
        ("answers acknowledged per second", len(times) / spent, "1/s", None),
        ("slowest start of the cohort", max(storm), "s", None),
        ("95th percentile answer in the storm", p95, "s", None),
    ]
    for what, value, unit, target in rows:
        ok = target is None or value <= target
        print(json.dumps({"name": what, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}))


if __name__ == "__main__":
    main()
