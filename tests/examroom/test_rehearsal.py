"""A rehearsal looks at everything, sits the exam on a scratch copy, and leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Answer, AnswerEvent, ExamPage, Sheet, SheetBody, SheetState
from examroom.invigilation import load, readiness, rehearsal
from examroom.invigilation.models import Rehearsal
from examroom.plans.models import SittingState
from qbank.kernel import backup
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job, JobState, enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def test_zhou_rehearses_a_dealt_sitting_and_no_sheet_is_touched(session: Session, world: SittingWorld, settings: Settings,
                                                              enter: Any) -> None:
    world.deal()
    session.commit()
    enqueue(session, rehearsal.REHEARSE, {"sitting": world.sitting.id, "seconds": 1}, world.officer, now=world.now)
    session.commit()  # the work is done here, in line
    job = session.scalars(sa.select(Job).execution_options(populate_existing=True)).one()
    assert job.state is JobState.DONE, (job.message, job.details)
    found = session.scalars(sa.select(Rehearsal)).one()
    by_subject = {str(one["subject"]): one for one in found.findings}
    for subject in ("答卷", "图片", "监考员", "时钟", "磁盘", "模拟考试：没有出错", "模拟考试：确认过的作答都在", "模拟考试：全部交卷"):
        assert by_subject[subject]["well"], by_subject[subject]
    assert not by_subject["备份"]["well"]
    assert by_subject["备份"]["remedy"]
    assert not by_subject["考生访问地址"]["well"]  # nobody serves there in a test
    assert not found.well
    assert {row["act"]: row["count"] for row in found.figures} == {"开始答题": 3, "保存作答": 3, "交卷": 3}
    assert {state for state, in session.execute(sa.select(Sheet.state))} == {SheetState.DEALT}
    for model in (AnswerEvent, Answer, ExamPage):
        assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 0
    assert not list(settings.folder.glob("rehearsal-*"))
    if settings.database_url.startswith("postgresql"):
        assert session.scalar(sa.text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rehearsal%'")) == 0
    session.commit()
    officer, address = enter(world.officer), f"/invigilation/rehearsals/{found.id}"
    assert "考前检查单" in officer.get(address).get_data(as_text=True)
    assert officer.get(f"{address}/sheet.pdf").data.startswith(b"%PDF-")
    assert officer.get(f"/invigilation/sittings/{world.sitting.id}/readiness").status_code == 200


def test_nobody_rehearses_while_an_exam_runs_or_before_the_sheets_are_dealt(session: Session, world: SittingWorld) -> None:
    def refused(minutes: float) -> str:
        with pytest.raises(Refused) as refusal:
            rehearsal.require_rehearsable(session, world.sitting, world.officer, now=world.sitting.starts_at + timedelta(minutes=minutes))
        return refusal.value.code

    assert refused(-60) == "not_dealt"
    world.deal()
    assert (refused(-29), refused(0), refused(89)) == ("exam_running",) * 3
    rehearsal.require_rehearsable(session, world.sitting, world.officer, now=world.sitting.starts_at - timedelta(minutes=31))
    world.sitting.state = SittingState.CLOSED
    assert refused(200) == "not_dealt"
    with pytest.raises(Refused):
        rehearsal.require_rehearsable(session, world.sitting, world.invigilator, now=world.now)


def test_what_lacks_is_said_with_a_remedy(session: Session, world: SittingWorld, settings: Settings) -> None:
    """A picture that somebody changed on the disk, an old backup, a paper that says otherwise than its fingerprint."""
    world.deal()
    (settings.folder / backup.FOLDER).mkdir()
    (settings.folder / backup.FOLDER / "monday.sqlite3").write_bytes(b"x")
    found = {one.subject: one for one in readiness.look(session, world.sitting, settings, now=world.now)}
    assert found["答卷"].well
    assert "打开 3 份" in found["答卷"].detail
    body = session.get_one(SheetBody, world.sheet("刘洋").id)
    body.content = body.content[:200]
    session.flush()
    assert "2 号 刘洋" in next(one for one in readiness.look(session, world.sitting, settings, now=world.now) if one.subject == "答卷").detail
    later = {one.subject: one for one in readiness.look(session, world.sitting, settings, now=world.now + timedelta(days=9000))}
    assert not later["备份"].well
    assert later["备份"].remedy
    session.commit()  # the trail is of now: a clock of yesterday is wrong
    early = {one.subject: one for one in readiness.look(session, world.sitting, settings, now=world.now - timedelta(days=1))}
    assert not early["时钟"].well


def test_lost_answers_errors_and_slowness_turn_the_sheet_red() -> None:
    outcome = load.Outcome(times={"开始答题": [100.0, 5000.0], "保存作答": [10.0] * 99 + [900.0], "交卷": [50.0, 60.0]},
                           acknowledged={1: 5, 2: 5}, handed_in={1}, errors=["保存作答：断了"])
    well = {one.subject: one.well for one in rehearsal.judged(outcome, {1: 5, 2: 4})}
    assert well == {"模拟考试：没有出错": False, "模拟考试：确认过的作答都在": False, "模拟考试：全部交卷": False,
                    "模拟考试：开始答题的速度": False, "模拟考试：保存作答的速度": False, "模拟考试：交卷的速度": True}


@pytest.fixture
def lying_server() -> Iterator[str]:
    """Opens every sheet, and answers every save with an error."""

    class Lying(BaseHTTPRequestHandler):
        def _say(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._say(200, '{"questions": [1, 2], "acknowledged": 0}' if self.path.endswith("/state") else "<html></html>")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._say(*((200, '{"token": "t"}') if self.path.endswith("/open") else (503, "busy")))

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Lying)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_fails_is_noticed(lying_server: str) -> None:
    outcome = load.sit(lying_server, [(1, "session=a"), (2, "session=b")], seconds=0.1, every=0.1)
    assert len(outcome.times["开始答题"]) == 2
    assert len(outcome.errors) == 4  # two saves, two hand-ins
    assert outcome.acknowledged == {}
