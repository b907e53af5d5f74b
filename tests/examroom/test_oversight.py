"""Quality supervisors: who may be sent, what they file, who reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.oversight import desk
from examroom.oversight.commands import group
from examroom.oversight.todo import todo
from examroom.plans import guard
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import MONDAY, People, TestClock
from tests.plan_world import PlanWorld, run

EXAM_DAY = datetime(2026, 7, 1, 8, tzinfo=UTC)
REPORT = "全程在场，考场秩序良好，监考员履职到位，未发现问题。"


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def supervisor(world: PlanWorld, name: str = "罗正明", region: str = "4301") -> Viewer:
    return world.people(name, scopes=[Scope(Role.QUALITY_SUPERVISOR, region=region)], school=world.people.school(f"{name}的单位"))


def test_a_supervisor_covers_the_school_and_has_no_part_in_it(world: PlanWorld) -> None:
    plan = world.approved()
    good = supervisor(world)
    far = supervisor(world, "常德督导", "4307")
    staff = world.people("本校教师", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])
    helper = world.people("兼职监考", school=world.people.school("别处"),
                          scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301"), Scope(Role.INVIGILATOR, world.school.id)])
    assert [account.id for account in desk.eligible(world.session, plan)] == [good.account_id]
    for person in (far, staff, helper, world.liu):
        with pytest.raises(Refused, match="不能督导"):
            desk.assign(world.session, plan, person.account_id, world.tan, now=MONDAY)
    for who in (world.liu, world.yao):
        with pytest.raises(Refused, match="市鉴定中心"):
            desk.assign(world.session, plan, good.account_id, who, now=MONDAY)
    desk.assign(world.session, plan, good.account_id, world.tan, now=MONDAY)
    with pytest.raises(Refused, match="已派往"):
        desk.assign(world.session, plan, good.account_id, world.tan, now=MONDAY)


def test_who_watches_a_plan_is_not_examined_in_it(world: PlanWorld) -> None:
    plan, luo = world.approved(), supervisor(world)
    desk.assign(world.session, plan, luo.account_id, world.tan, now=MONDAY)
    assert guard.staff_of(world.session, plan)[luo.account_id] == "质量督导员"
    assert list(guard.barred_candidates(world.session, plan, [luo.account_id])) == [luo.account_id]


def test_a_draft_is_not_supervised(world: PlanWorld) -> None:
    plan = world.draft()
    with pytest.raises(Refused, match="报送后"):
        desk.assign(world.session, plan, supervisor(world).account_id, world.tan, now=MONDAY)


def test_the_report_is_the_supervisors_own_filed_once_and_not_before_the_exam(world: PlanWorld) -> None:
    plan = world.approved()
    luo, other = supervisor(world), supervisor(world, "另一督导")
    sent = desk.assign(world.session, plan, luo.account_id, world.tan, now=MONDAY)
    with pytest.raises(Refused, match="本人"):
        desk.report(world.session, sent, REPORT, other, now=EXAM_DAY)
    with pytest.raises(Refused, match="考试开始后"):
        desk.report(world.session, sent, REPORT, luo, now=MONDAY)
    with pytest.raises(Refused, match="至少 10 个字"):
        desk.report(world.session, sent, " 好 ", luo, now=EXAM_DAY)
    assert [one.title for one in todo(world.session, luo, now=EXAM_DAY)] == ["提交督导报告：2026年电工认定"]
    desk.report(world.session, sent, REPORT, luo, now=EXAM_DAY)
    assert todo(world.session, luo, now=EXAM_DAY) == []
    with pytest.raises(Refused, match="不能再改"):
        desk.report(world.session, sent, REPORT, luo, now=EXAM_DAY)
    with pytest.raises(Refused, match="不能撤回"):
        desk.withdraw(world.session, sent, world.tan)


def test_the_city_is_reminded_of_a_plan_without_supervisor(world: PlanWorld) -> None:
    plan = world.approved()
    near = datetime(2026, 6, 20, tzinfo=UTC)
    assert len(todo(world.session, world.tan, now=near)) == 1
    desk.assign(world.session, plan, supervisor(world).account_id, world.tan, now=near)
    assert todo(world.session, world.tan, now=near) == []


def test_pages_from_the_assignment_to_the_printed_report(world: PlanWorld, session: Session, clock: TestClock,
                                                         enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    world.sitting(plan)
    luo, other = supervisor(world), supervisor(world, "另一督导")
    stranger = world.people("他市", scopes=[Scope(Role.CITY_OFFICER, region="4307")])
    far_school = world.people("他校考务", Role.EXAM_OFFICER, school=world.people.school("他校"))
    session.commit()
    tan = enter(world.tan)
    assert tan.post("/oversight/plans/1", data={"supervisor_id": "x"}).status_code == 409
    assert tan.post("/oversight/plans/1", data={"supervisor_id": 999}).status_code == 409
    assert tan.post("/oversight/plans/1", data={"supervisor_id": luo.account_id}).status_code == 302
    mine = enter(luo)
    assert "2026年电工认定" in mine.get("/oversight/").get_data(as_text=True)
    for url in ("/plans/1", "/plans/1/candidates", "/plans/sittings/1", "/oversight/1"):
        assert mine.get(url).status_code == 200, url
    for url in ("/plans/1/submit", "/plans/1/decide", "/plans/sittings/1/seats", "/oversight/plans/1"):
        assert mine.post(url).status_code == 403, url  # read-only
    assert mine.post("/oversight/1", data={"report": REPORT}).status_code == 409  # too early
    theirs = enter(other)
    assert "2026年电工认定" not in theirs.get("/oversight/").get_data(as_text=True)
    assert theirs.get("/oversight/1").status_code == 404
    assert theirs.post("/oversight/1", data={"report": REPORT}).status_code == 404
    assert enter(stranger).get("/oversight/plans/1").status_code == 404
    assert enter(stranger).post("/oversight/1/withdraw").status_code == 404
    assert enter(far_school).get("/oversight/1").status_code == 404
    clock.moment = EXAM_DAY
    mine, tan = enter(luo), enter(world.tan)  # a month later everybody signs in again
    short = mine.post("/oversight/1", data={"report": "短"})
    assert short.status_code == 409
    assert "短</textarea>" in short.get_data(as_text=True)
    assert "未提交" in tan.get("/oversight/?report=missing").get_data(as_text=True)
    assert mine.post("/oversight/1", data={"report": REPORT}).status_code == 302
    assert "没有符合条件" in tan.get("/oversight/?report=missing").get_data(as_text=True)
    assert REPORT in enter(world.liu).get("/oversight/1").get_data(as_text=True)


def test_an_assignment_without_report_can_be_taken_back(world: PlanWorld, session: Session,
                                                        enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    desk.assign(session, plan, supervisor(world).account_id, world.tan, now=MONDAY)
    session.commit()
    tan = enter(world.tan)
    assert tan.post("/oversight/1/withdraw").status_code == 302
    assert "还没有派遣" in tan.get("/oversight/plans/1").get_data(as_text=True)


def test_the_console_lists_missing_reports(world: PlanWorld, session: Session, settings: Settings) -> None:
    desk.assign(session, world.approved(), supervisor(world).account_id, world.tan, now=MONDAY)
    session.commit()
    assert "罗正明\tno report" in run(group, settings, "list", "--missing")
