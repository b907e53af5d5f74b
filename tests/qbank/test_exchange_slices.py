"""Large batches are written in slices: whoever is killed between two of them, the batch arrives whole, or goes whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from qbank.exchange import applying, batches, work
from qbank.items import bank
from qbank.items.models import ImportBatch, Item, ItemVersion, Review, ReviewTask, SecondKey
from qbank.items.states import BatchState, ItemState, RowVerdict, Verdict
from qbank.kernel import audit
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.jobs import Job, JobState, enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import book, row

ROOT = Path(__file__).parents[2]


@pytest.fixture
def waiting(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock,
            monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    """Ten good rows that wait to be applied, three in a slice."""
    monkeypatch.setattr(applying, "SLICE", 3)
    made = batches.upload(session, table, people.home.id, "题库.xlsx", book(*(row(number) for number in range(1, 11))), chen, now=clock())
    session.commit()
    return made


def advance(session: Session, batch: ImportBatch, who: Viewer, clock: TestClock) -> None:
    applying.advance(session, batch, who, now=clock(), size=3)
    session.commit()


def counted(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count(Item.id))) or 0


def sweep(session: Session, clock: TestClock) -> None:
    work.take_up(session, clock())
    session.commit()


def test_a_batch_that_stopped_between_two_slices_is_taken_up_again(
        session: Session, waiting: ImportBatch, chen: Viewer, clock: TestClock) -> None:
    assert applying.begin(session, waiting, chen, now=clock()) == 10
    session.commit()
    advance(session, waiting, chen, clock)
    advance(session, waiting, chen, clock)
    assert (waiting.state, waiting.added, counted(session)) == (BatchState.APPLYING, 6, 6)
    with pytest.raises(Refused, match="正在导入"):
        batches.revert(session, waiting, chen, now=clock())
    sweep(session, clock)  # somebody may still be at it
    assert counted(session) == 6
    clock.forward(minutes=3)
    sweep(session, clock)  # jobs run inside the commit in tests
    session.expire_all()
    assert (waiting.state, waiting.added, counted(session)) == (BatchState.APPLIED, 10, 10)
    assert batches.counts(session, waiting)[RowVerdict.IMPORTED] == 10
    assert {version.author_id for version in session.scalars(sa.select(ItemVersion))} == {chen.account_id}
    sweep(session, clock)
    assert len(session.scalars(sa.select(Job).where(Job.kind == "exchange.apply")).all()) == 1
    assert audit.verify(session) == []


def test_reverting_is_taken_up_again_too(session: Session, waiting: ImportBatch, chen: Viewer, clock: TestClock) -> None:
    batches.apply(session, waiting, chen, now=clock())
    assert applying.begin_revert(session, waiting, chen, now=clock()) == 10
    applying.retreat(session, waiting, now=clock(), size=3)
    session.commit()
    assert (waiting.state, counted(session)) == (BatchState.REVERTING, 7)
    clock.forward(minutes=3)
    sweep(session, clock)
    session.expire_all()
    assert (waiting.state, counted(session)) == (BatchState.REVERTED, 0)
    assert batches.counts(session, waiting)[RowVerdict.GOOD] == 10


def test_an_item_used_while_the_batch_is_taken_back_stops_it(
        session: Session, waiting: ImportBatch, chen: Viewer, clock: TestClock) -> None:
    batches.apply(session, waiting, chen, now=clock())
    applying.begin_revert(session, waiting, chen, now=clock())
    applying.retreat(session, waiting, now=clock(), size=3)
    newest = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id.desc())).first()
    assert newest
    newest.state = ItemState.IN_USE
    while waiting.state is BatchState.REVERTING:
        applying.retreat(session, waiting, now=clock(), size=3)
    assert (waiting.state, waiting.added, counted(session)) == (BatchState.APPLIED, 1, 1)
    assert f"题 {newest.item_id}" in waiting.notes[-1]


def test_two_jobs_for_one_batch_add_everything_once(
        session: Session, waiting: ImportBatch, chen: Viewer, clock: TestClock) -> None:
    for _ in range(2):
        enqueue(session, "exchange.apply", {"batch": waiting.id, "result": "/"}, chen, now=clock())
    session.commit()
    session.expire_all()
    jobs = session.scalars(sa.select(Job).order_by(Job.id)).all()
    assert [job.state for job in jobs] == [JobState.DONE, JobState.REFUSED]
    assert (jobs[0].total, counted(session), waiting.state) == (10, 10, BatchState.APPLIED)


def test_reviewed_items_go_with_their_reviews_and_the_trail_remembers_them(
        session: Session, people: People, waiting: ImportBatch, chen: Viewer, clock: TestClock) -> None:
    batches.apply(session, waiting, chen, now=clock())
    version, other = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)).all()[:2]
    li = people.account("李明", Role.ITEM_REVIEWER)
    bank.submit(session, version, chen, now=clock())
    version.state = ItemState.APPROVED
    version.reviews.append(Review(reviewer_id=li.id, verdict=Verdict.ACCEPT, comment="题干清楚", at=clock()))
    session.add_all([SecondKey(version_id=version.id, reviewer_id=li.id, answer="A", agrees=True, at=clock()),
                     ReviewTask(version_id=other.id, reviewer_id=li.id, due=clock().date(), asked_by_id=chen.account_id, asked_at=clock())])
    session.commit()
    assert batches.revert(session, waiting, chen, now=clock()) == 10
    session.commit()
    assert counted(session) == 0
    gone = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "delete")).all()
    assert {"item_versions", "reviews", "second_keys", "review_tasks"} <= {entry.table_name for entry in gone}
    assert any("题干清楚" in entry.changes for entry in gone)
    assert audit.verify(session) == []


KILLED = """
import os, sys, time
from qbank.kernel.settings import Settings
from pathlib import Path
from app import create_app
from qbank.exchange import applying, work
folder, url, job = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
applying.SLICE = 3
advance = applying.advance
def slow(session, batch, who, *, now):
    if batch.added >= 3:
        print("slice", flush=True)
        time.sleep(60)  # the test kills us here, inside the second slice, with the first one committed
    advance(session, batch, who, now=now, size=3)
applying.advance = slow
app = create_app(Settings(folder=folder, database_url=url, secret_key=b"s" * 32, identity_key=b"i" * 32, jobs_inline=True))
app.extensions["examroom"]["jobs"].run(job)
"""


def test_a_process_killed_in_the_middle_of_an_import_leaves_nothing_half_done(
        app: Flask, session: Session, waiting: ImportBatch, chen: Viewer, clock: TestClock, settings: Settings,
        tmp_path: Path) -> None:
    job = Job(kind="exchange.apply", title="导入试题", arguments={"batch": waiting.id, "result": "/"}, account_id=chen.account_id,
              created_at=clock())
    session.add(job)
    session.commit()
    script = tmp_path / "killed.py"
    script.write_text(KILLED, "utf-8")
    with subprocess.Popen([sys.executable, str(script), str(tmp_path), settings.database_url, str(job.id)], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        said = process.stdout.readline() if process.stdout else ""
        process.send_signal(signal.SIGKILL)
    assert said == "slice\n"
    session.expire_all()
    session.rollback()
    assert (waiting.state, waiting.added, counted(session)) == (BatchState.APPLYING, 3, 3)
    began = waiting.applied_at
    assert began
    session.rollback()  # SQLite has one writer, and this session takes the lock when it reads
    clock.moment = began + timedelta(minutes=3)
    app.extensions["examroom"]["jobs"].sweep()
    session.rollback()
    session.expire_all()
    assert (waiting.state, waiting.added, counted(session)) == (BatchState.APPLIED, 10, 10)


def test_a_slice_writes_no_more_than_its_share_under_one_lock(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> None:
    batch = batches.upload(session, table, people.home.id, "题库.xlsx", book(*(row(number) for number in range(1, 1001))), chen, now=clock())
    session.commit()
    applying.begin(session, batch, chen, now=clock())
    session.commit()
    written = []
    while batch.state is BatchState.APPLYING:
        before = counted(session)
        applying.advance(session, batch, chen, now=clock())
        session.commit()
        written.append(counted(session) - before)
    assert written == [applying.SLICE] * 5 + [0]  # the last one finds nothing left


