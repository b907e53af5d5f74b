"""5,000 candidates of one plan: merged, listed and written to Excel, off the request, with progress; one JSON object a line.

    python tests/benchmarks/results.py [--candidates 5000]

Processor time of this process, job rows and the audit trail included; the cohort is written in bulk below the trail.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import openpyxl
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from app import create_app
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.marking.models import TheoryScore
from examroom.plans.models import Enrolment, Room, Seat, Sitting, SittingRoom, SittingState
from qbank.kernel import accounts
from qbank.kernel.accounts import Account
from qbank.kernel.db import Actor, Database
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from scoring.practical.models import GroupAssessor, GroupMember, Mark, MarkSheet, PracticalGroup, PracticalScore
from scoring.reports.catalogue import CATALOGUE
from scoring.reports.models import ReportFile
from tests.conftest import PASSWORD, People, TestClock
from tests.scoring.outcome_world import NOW, World

GROUP = 20  # candidates before the same assessors
CLASS = 40


def say(name: str, value: float, unit: str, target: float | None = None) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit, "target": target,
                      "ok": target is None or value <= target}, ensure_ascii=False), flush=True)


@contextmanager
def timed(name: str, spent: list[float]) -> Iterator[None]:
    began = time.process_time()
    yield
    spent.append(time.process_time() - began)
    say(name, spent[-1], "s CPU")


def rows(session: Session, model: Any, values: list[dict[str, Any]]) -> list[int]:
    """Written below the audit trail, with keys of their own."""
    first = (session.scalar(sa.select(sa.func.max(model.id))) or 0) + 1
    for key, row in enumerate(values, first):
        row["id"] = key
    session.connection().execute(sa.insert(model.__table__), values)
    return list(range(first, first + len(values)))


class Cohort:
    """A plan whose theory is marked and whose assessors have all signed."""

    def __init__(self, session: Session, count: int) -> None:
        self.session, self.count, self.drawn = session, count, random.Random(7)
        self.world = World(session, People(session))
        self.world.plan.title = "电工四级 大规模认定"
        self.people = self.enrolments()
        self.theory()
        self.practical()
        session.commit()

    def enrolments(self) -> list[int]:
        plan = self.world.plan
        people = rows(self.session, Account, [
            {"login": f"c{place:05d}", "name": f"考生{place:05d}", "institution_id": plan.institution_id, "must_change_password": False,
             "generation": 1, "active": True, "row_version": 1, "identity_masked": "430102********1234"} for place in range(self.count)])
        return rows(self.session, Enrolment, [
            {"plan_id": plan.id, "account_id": key, "ticket_number": f"T{place:06d}", "student_number": f"S{place:06d}", "row_version": 1,
             "class_name": f"电气{place // CLASS + 1:03d}班"} for place, key in enumerate(people)])

    def theory(self) -> None:
        session, plan = self.session, self.world.plan
        sitting = Sitting(plan=plan, name="第一场", starts_at=NOW, minutes=90, state=SittingState.MARKED)
        room = SittingRoom(sitting=sitting, room=Room(institution_id=plan.institution_id, name="机房", seats=self.count))
        session.add_all([sitting, room.room, room])
        session.flush()
        seats = rows(session, Seat, [{"sitting_id": sitting.id, "sitting_room_id": room.id, "enrolment_id": key, "number": place}
                                     for place, key in enumerate(self.people, 1)])
        absent = {key for key in self.people if self.drawn.random() < 0.02}
        sheets = rows(session, Sheet, [
            {"sitting_id": sitting.id, "enrolment_id": key, "seat_id": seat, "seed": "0", "layout": [], "state": SheetState.HANDED_IN,
             "handed_in_at": NOW, "row_version": 1, "handed_in_how": HandIn.ABSENT if key in absent else HandIn.CANDIDATE}
            for key, seat in zip(self.people, seats, strict=True)])
        rows(session, TheoryScore, [
            {"sheet_id": sheet, "half_points": self.score(), "earned": {}, "void": False, "reasons": [], "marked_at": NOW, "row_version": 1}
            for key, sheet in zip(self.people, sheets, strict=True) if key not in absent])

    def practical(self) -> None:
        session, world = self.session, self.world
        rubric = world.rubric(veto="带电作业未验电")
        judges = [one.account_id for one in world.assessors("考评甲", "考评乙", "考评丙")]
        groups = rows(session, PracticalGroup, [
            {"plan_id": world.plan.id, "rubric_id": rubric.id, "name": f"第 {place + 1} 组", "place": "实训室", "starts_at": NOW, "row_version": 1}
            for place in range(-(-self.count // GROUP))])
        rows(session, GroupAssessor, [{"group_id": group, "account_id": judge} for group in groups for judge in judges])
        members = rows(session, GroupMember, [{"group_id": groups[place // GROUP], "enrolment_id": key}
                                              for place, key in enumerate(self.people)])
        sheets = rows(session, MarkSheet, [{"member_id": member, "assessor_id": judge, "signed_at": NOW, "row_version": 1}
                                           for member in members for judge in judges])
        rows(session, Mark, [
            {"mark_sheet_id": sheet, "row_id": row.id, "half_points": self.drawn.randint(row.most // 2, row.most) if row.most else None,
             "violated": None if row.most else False} for sheet in sheets for row in rubric.rows])
        rows(session, PracticalScore, [
            {"enrolment_id": key, "half_points": self.score(), "vetoed": False, "reasons": [], "joined_at": NOW, "row_version": 1}
            for key in self.people])

    def score(self) -> int:
        return max(0, min(200, round(self.drawn.gauss(142, 22))))


def run(folder: Path, count: int) -> None:
    settings = Settings(folder=folder, database_url=f"sqlite:///{folder}/x.sqlite3", secret_key=b"s" * 32, identity_key=b"i" * 32,
                        jobs_inline=True)
    made = Database.of(settings)
    upgrade(made.engine)
    made.engine.dispose()
    app = create_app(settings, clock=TestClock())
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    database: Database = app.extensions["examroom"]["database"]
    with database.open(Actor(None, "基准"), clock=TestClock()) as session:
        session.info["jobs"] = app.extensions["examroom"]["jobs"]
        cohort = Cohort(session, count)
        plan_id, login = cohort.world.plan.id, cohort.world.officer.login
    browser = app.test_client()
    assert browser.post("/accounts/sign-in", data={"login": login, "password": PASSWORD}).status_code == 302
    measure(browser, database, plan_id, count)


def measure(browser: Any, database: Database, plan_id: int, count: int) -> None:
    spent: list[float] = []
    with timed(f"{count} candidates: merged, in a job", spent):
        ordered(browser.post(f"/results/plans/{plan_id}/merge"), database)
    with timed(f"{count} candidates: the page of the list", spent):
        page = browser.get(f"/results/plans/{plan_id}")
        assert page.status_code == 200
        assert f"<b>{count}</b>" in page.get_data(as_text=True)
    with timed(f"{count} candidates: written to Excel, in a job", spent):
        ordered(browser.post(f"/reports/plans/{plan_id}/make", data={"kind": "summary", "form": "xlsx"}), database)
    say(f"{count} candidates: merged, listed and written to Excel", sum(spent), "s CPU", 20.0)
    with database.open(None, reads_only=True) as session:
        content = session.scalars(sa.select(ReportFile.content)).one()
    sheet = openpyxl.load_workbook(BytesIO(content or b""), read_only=True)["名册"]
    rows = sum(isinstance(row[0], int) for row in sheet.iter_rows(values_only=True))
    say("candidates on the worksheet that is read back", abs(count - rows), "missing", 0)
    for kind in CATALOGUE.values():
        for form in kind.makers:
            if kind.key in {"summary", "rates", "scores", "head"} and (kind.key, form) != ("summary", "xlsx"):
                with timed(f"{count} candidates: {kind.title} ({form})", []):
                    assert browser.post(f"/reports/plans/{plan_id}/make", data={"kind": kind.key, "form": form}).status_code in {200, 302}
    with timed(f"{count} candidates: the page of plots", []):
        assert browser.get(f"/reports/plans/{plan_id}/plots").status_code == 200


def ordered(answer: Any, database: Database) -> None:
    """The browser was sent to the page of a job, and the job has said how far it was."""
    assert answer.status_code == 302
    with database.open(None, reads_only=True) as session:
        job = session.get_one(Job, int(answer.location.rpartition("/")[2]))
        assert (job.state, job.total > 0) == (JobState.DONE, True), job.message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=5000)
    count = parser.parse_args().candidates
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), count)


if __name__ == "__main__":
    main()
