"""Working days, the route of a plan, and its pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examroom.plans import amending, arranging, calendars, desk
from examroom.plans.calendar import YearTable, is_working_day, latest_submission, read_days, working_days_between
from examroom.plans.commands import group
from examroom.plans.models import ExamPlan, PlanState
from examroom.plans.tickets import ticket_number
from examroom.plans.todo import todo
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import spoken
from qbank.standards.models import StoredRulePack
from tests.arranged import arrange
from tests.conftest import MONDAY, People, TestClock
from tests.plan_world import FIRST_DAY, PlanWorld, run


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def test_working_days_are_counted_strictly_between_and_know_the_holidays() -> None:
    # June 2026: 1 is a Monday; 19 (Friday) is the Dragon Boat festival, off work; 20 and 21 are its weekend.
    assert not is_working_day(date(2026, 6, 19), {})
    # Between Mon 1 and Tue 16: 2-5 (4), 8-12 (5), 15 (1) = 10.
    assert working_days_between(date(2026, 6, 1), date(2026, 6, 16), {}) == 10
    # Between Fri 12 and Tue 23: 15-18 (4), not 19, 22 (1) = 5.
    assert working_days_between(date(2026, 6, 12), date(2026, 6, 23), {}) == 5
    assert latest_submission(date(2026, 6, 16), 10, {}) == date(2026, 6, 1)
    # A Saturday at work (调休): 2026-10-10.
    assert is_working_day(date(2026, 10, 10), {})


@given(st.dates(date(2024, 3, 1), date(2026, 12, 31)), st.integers(1, 30))
def test_the_latest_submission_is_in_time_and_a_day_later_is_not(starts_on: date, needed: int) -> None:
    latest = latest_submission(starts_on, needed, {})
    assert working_days_between(latest, starts_on, {}) == needed
    assert working_days_between(date.fromordinal(latest.toordinal() + 1), starts_on, {}) < needed


def test_a_year_nobody_has_is_refused_and_the_offices_table_is_used() -> None:
    with pytest.raises(Refused, match="2031 年"):
        working_days_between(date(2031, 1, 1), date(2031, 1, 5), {})
    own = YearTable(2031, frozenset({date(2031, 1, 1)}), frozenset({date(2031, 1, 4)}))
    # 2031-01-01 is a Wednesday (off), 2 and 3 work, 4 is a Saturday at work, 5 a Sunday.
    assert working_days_between(date(2030, 12, 31), date(2031, 1, 6), {2031: own}) == 3


def test_typed_days_are_read_with_spans() -> None:
    assert read_days("2031-01-01，2031-01-03\n2031-02-01至2031-02-03", 2031, "放假") == {
        date(2031, 1, 1), date(2031, 1, 3), date(2031, 2, 1), date(2031, 2, 2), date(2031, 2, 3)}
    assert read_days("1月1日（周三）\n1月30日至2月1日、10月1日（周三）至3日（周五）", 2031, "放假") == {
        date(2031, 1, 1), date(2031, 1, 30), date(2031, 1, 31), date(2031, 2, 1), *(date(2031, 10, day) for day in (1, 2, 3))}
    for bad in ("1月32日", "1日", "2032年1月1日", "2032-01-01", "2031-02-03至2031-02-01", "2031-01-01至2031-01-02至2031-01-03"):
        with pytest.raises(Refused, match="放假"):
            read_days(bad, 2031, "放假")


def test_a_school_enters_a_missing_year_and_only_the_offices_change_it(world: PlanWorld) -> None:
    off, source = [date(2031, 1, 1)], "国办发明电〔2030〕1号"
    calendars.store_year(world.session, 2031, off, [], source, world.liu)
    with pytest.raises(Refused, match="已经录入"):
        calendars.store_year(world.session, 2031, off, [], source, world.liu)
    calendars.store_year(world.session, 2031, off, [date(2031, 1, 4)], source, world.tan)
    assert calendars.tables(world.session)[2031].workdays == {date(2031, 1, 4)}
    with pytest.raises(Refused, match="已内置"):
        calendars.store_year(world.session, 2026, off, [], source, world.tan)
    for holidays, workdays, words in (([], [], source), (off, [date(2031, 1, 2)], source), (off, [date(2030, 1, 5)], source),
                                      ([*off, date(2031, 1, 4)], [date(2031, 1, 4)], source), (off, [], " ")):
        with pytest.raises(Refused):
            calendars.store_year(world.session, 2031, holidays, workdays, words, world.tan)


def test_ticket_numbers_are_fourteen_digits() -> None:
    assert ticket_number(2026, 17, 4, 23) == "26000174000023"
    for plan_id, level, serial in ((100_000, 4, 1), (1, 6, 1), (1, 4, 0), (1, 4, 1_000_000)):
        with pytest.raises(ValueError, match="no ticket number"):
            ticket_number(2026, plan_id, level, serial)


def test_a_plan_outside_the_filed_scope_is_refused(world: PlanWorld) -> None:
    for level, day in ((3, FIRST_DAY), (4, date(2027, 1, 1))):
        with pytest.raises(Refused, match="五\\(六\\)"):
            desk.draft_plan(world.session, world.school, world.standard, level, "计划", world.liu, starts_on=day, now=MONDAY)


def test_ten_working_days_ahead_or_not_at_all(world: PlanWorld) -> None:
    plan = world.arranged(starts_on=date(2026, 6, 16))
    with pytest.raises(Refused, match="2026年6月1日") as refusal:  # the refusal names the day it would have been in time
        desk.submit(world.session, plan, world.liu, now=datetime(2026, 6, 2, 1, tzinfo=UTC))
    assert "只有 9 个工作日" in refusal.value.sentence
    assert desk.deadline(world.session, plan).latest == date(2026, 6, 1)
    # 23:59 on 1 June in China is still 1 June, though 15:59 in London; it is in time.
    desk.submit(world.session, plan, world.liu, now=datetime(2026, 6, 1, 15, 59, tzinfo=UTC))
    assert plan.state is PlanState.SUBMITTED


def test_the_day_is_that_of_china(world: PlanWorld) -> None:
    plan = world.arranged(starts_on=date(2026, 6, 16))
    with pytest.raises(Refused, match="最迟"):  # 16:30 UTC on the 1st is half past midnight on the 2nd in China
        desk.submit(world.session, plan, world.liu, now=datetime(2026, 6, 1, 16, 30, tzinfo=UTC))


def test_a_province_may_ask_for_more_days(world: PlanWorld) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"plan_working_days": 15}'))
    plan = world.arranged(starts_on=date(2026, 6, 16))
    with pytest.raises(Refused, match="15 个工作日"):
        desk.submit(world.session, plan, world.liu, now=MONDAY)


def test_a_plan_into_an_unknown_year_asks_for_the_table(world: PlanWorld) -> None:
    world.file(valid_from=date(2031, 1, 1))
    now = datetime(2031, 1, 6, 1, tzinfo=UTC)
    plan = desk.draft_plan(world.session, world.school, world.standard, 4, "2031", world.liu, starts_on=date(2031, 3, 3), now=now)
    assert "2031 年" in desk.deadline(world.session, plan).problem
    with pytest.raises(Refused, match="工作日历"):
        desk.submit(world.session, plan, world.liu, now=now)
    calendars.store_year(world.session, 2031, [date(2031, 1, 1)], [], "国办通知", world.liu)
    plan.contact = "刘老师"
    arrange(world.session, world.people, plan, world.liu, watchers=world.watchers, now=now)
    desk.submit(world.session, plan, world.liu, now=now)
    assert plan.state is PlanState.SUBMITTED


@pytest.mark.parametrize(("level", "after_city"), [(5, PlanState.APPROVED), (4, PlanState.APPROVED), (3, PlanState.CITY_FILED),
                                                   (2, PlanState.CITY_FILED), (1, PlanState.CITY_FILED)])
def test_the_level_chooses_the_route(world: PlanWorld, level: int, after_city: PlanState) -> None:
    plan = world.arranged(level)
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    with pytest.raises(Refused, match="市鉴定中心"):
        desk.decide(world.session, plan, world.yao, True, "", now=MONDAY)  # the province does not skip the city
    desk.decide(world.session, plan, world.tan, True, "", now=MONDAY)
    assert plan.state is after_city
    if after_city is PlanState.CITY_FILED:
        with pytest.raises(Refused, match="省鉴定中心"):
            desk.decide(world.session, plan, world.tan, True, "", now=MONDAY)
        desk.decide(world.session, plan, world.yao, True, "", now=MONDAY)
    assert plan.state is PlanState.APPROVED
    with pytest.raises(Refused, match="没有等待审核"):
        desk.decide(world.session, plan, world.tan, True, "", now=MONDAY)


def test_a_returned_plan_is_edited_and_sent_again(world: PlanWorld) -> None:
    plan = world.arranged()
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    with pytest.raises(Refused, match="只有草稿或已退回"):
        desk.edit_plan(world.session, plan, "改", world.liu, starts_on=FIRST_DAY, contact="", now=MONDAY)
    with pytest.raises(Refused, match="写明"):
        desk.decide(world.session, plan, world.tan, False, "  ", now=MONDAY)
    desk.decide(world.session, plan, world.tan, False, "请补充联系人", now=MONDAY)
    assert plan.state is PlanState.RETURNED
    desk.edit_plan(world.session, plan, "电工认定（修改）", world.liu, starts_on=FIRST_DAY, contact="刘老师", now=MONDAY)
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    desk.decide(world.session, plan, world.tan, True, "", now=MONDAY)
    assert [decision.state for decision in plan.decisions] == [PlanState.RETURNED, PlanState.APPROVED]


def test_another_citys_officer_and_the_drafter_may_not_decide(world: PlanWorld) -> None:
    plan = world.arranged()
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    zhang = world.people("常德张", scopes=[Scope(Role.CITY_OFFICER, region="4307")])
    both = Viewer(world.liu.account_id, "liu", "刘建平", 1, (*world.liu.scopes, Scope(Role.CITY_OFFICER, region="4301")))
    with pytest.raises(Refused, match="不包括该校"):
        desk.decide(world.session, plan, zhang, True, "", now=MONDAY)
    with pytest.raises(Refused, match="自己的方案"):
        desk.decide(world.session, plan, both, True, "", now=MONDAY)
    with pytest.raises(Refused, match="首考日"):
        desk.decide(world.session, plan, world.tan, True, "", now=datetime(2026, 7, 1, 1, tzinfo=UTC))


def test_seeing_as_one_role_is_not_acting_as_another(world: PlanWorld) -> None:
    """An exam officer of school A who supervises school B sees B's plan and cannot touch it."""
    plan = world.arranged()
    other = world.people.school("他校")
    mixed = world.people("两职", scopes=[Scope(Role.EXAM_OFFICER, other.id), Scope(Role.QUALITY_SUPERVISOR, region="4301")])
    with pytest.raises(Refused, match="不包括该校"):
        desk.submit(world.session, plan, mixed, now=MONDAY)


def test_the_work_list_says_whose_turn_it_is(world: PlanWorld, session: Session) -> None:
    plan = world.arranged(3)
    waiting = todo(session, world.liu, now=MONDAY)
    assert [(one.title, spoken(one.due)) for one in waiting] == [("报送考务方案：2026年电工认定", "2026年6月15日 23:59")]
    desk.submit(session, plan, world.liu, now=MONDAY)
    assert [one.title for one in todo(session, world.tan, now=MONDAY)] == ["审核考务方案：2026年电工认定"]
    assert todo(session, world.yao, now=MONDAY) == []
    away = todo(session, world.liu, now=MONDAY)[0]  # the school reads whom it waits for, and until when
    assert (away.waits_for, spoken(away.due), away.clause) == ("市鉴定中心", "2026年6月30日 23:59", "四（一）")
    desk.decide(session, plan, world.tan, True, "", now=MONDAY)
    assert len(todo(session, world.yao, now=MONDAY)) == 1
    desk.decide(session, plan, world.yao, False, "日期不对", now=MONDAY)
    assert [one.detail for one in todo(session, world.liu, now=MONDAY)] == ["日期不对"]


def test_an_amendment_waits_in_turn_and_a_missing_calendar_is_asked_for(world: PlanWorld, session: Session) -> None:
    plan = world.arranged(3)
    plan.state = PlanState.APPROVED
    amendment = amending.start(session, plan, world.liu, now=MONDAY)
    assert [one.title for one in todo(session, world.liu, now=MONDAY)] == ["报送方案变更：2026年电工认定 第 1 次变更"]
    assert todo(session, world.tan, now=MONDAY) == []
    arranging.drop_site(session, amendment, "s3", world.liu)
    amending.submit(session, amendment, "一间实训室停用", world.liu, now=MONDAY)
    assert [one.title for one in todo(session, world.tan, now=MONDAY)] == ["审核方案变更：2026年电工认定 第 1 次变更"]
    assert [one.waits_for for one in todo(session, world.liu, now=MONDAY)] == ["市鉴定中心"]
    plan.state, plan.starts_on = PlanState.DRAFT, date(2031, 3, 3)
    assert "录入 2031 年工作日历" in [one.title for one in todo(session, world.liu, now=MONDAY)]


def test_pages_carry_a_plan_to_its_approval(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient],
                                            clock: TestClock) -> None:
    world.file()
    session.commit()
    liu = enter(world.liu)
    assert liu.get("/plans/new").status_code == 200
    data = {"scope_id": 1, "title": "电工四级", "starts_on": "2026-07-01", "contact": "刘"}
    for bad in ({"scope_id": "9x"}, {"title": " "}, {"starts_on": "7/1"}, {"starts_on": "2026-05-01"}, {"starts_on": "2027-05-01"}):
        answer = liu.post("/plans/new", data=data | bad)
        assert answer.status_code == 409, bad
        assert "notice-danger" in answer.get_data(as_text=True)
    assert liu.post("/plans/new", data=data | {"scope_id": 99}).status_code == 404
    assert liu.post("/plans/new", data={}).status_code == 409
    assert liu.post("/plans/new", data=data).headers["Location"] == "/plans/1/arrangement"
    assert "最迟报送日" in liu.get("/plans/1/arrangement").get_data(as_text=True)
    page = liu.get("/plans/1").get_data(as_text=True)
    assert "最迟报送日 2026年6月15日" in page  # 16-18, 22-26, 29, 30 June are the ten working days
    assert "2026年10月" not in page
    assert liu.post("/plans/1/edit", data=data | {"title": "电工四级二"}).status_code == 302
    assert liu.post("/plans/1/edit", data=data | {"row_version": 1}).status_code == 409  # drawn from an older state
    assert liu.post("/plans/1/submit").status_code == 409  # nothing is arranged
    arrange(session, world.people, session.get_one(ExamPlan, 1), world.liu, watchers=world.watchers)
    session.commit()
    assert liu.post("/plans/1/submit").status_code == 302
    assert liu.post("/plans/1/submit").status_code == 409
    assert liu.get("/plans/1/edit").status_code == 409
    tan = enter(world.tan)
    assert "批准方案" in tan.get("/plans/1").get_data(as_text=True)
    assert "批准方案" not in liu.get("/plans/1").get_data(as_text=True)
    assert tan.post("/plans/1/decide", data={"verdict": "return"}).status_code == 409
    assert tan.post("/plans/1/decide", data={}).status_code == 409
    assert tan.post("/plans/1/decide", data={"verdict": "approve", "row_version": "x"}).status_code == 302
    assert "已批准" in liu.get("/plans/?state=approved&q=电工").get_data(as_text=True)


def test_the_calendar_page_stores_a_year(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    session.commit()
    liu = enter(world.liu)
    data = {"year": "2031", "holidays": "2031-01-01", "workdays": "", "source": "国办通知"}
    for bad in ({"year": "明年"}, {"year": "2026"}, {"holidays": "元旦"}, {"holidays": ""}, {"source": ""}):
        answer = liu.post("/plans/calendars", data=data | bad)
        assert answer.status_code == 409, bad
        assert "国办通知" in answer.get_data(as_text=True) or bad == {"source": ""}  # nothing typed is lost
    assert liu.post("/plans/calendars", data=data).status_code == 302
    assert "2031-01-01" in liu.get("/plans/calendars").get_data(as_text=True)


def test_the_console_lists_plans_and_stores_a_calendar(world: PlanWorld, session: Session, settings: Settings) -> None:
    world.draft()
    session.commit()
    assert "2026-07-01" in run(group, settings, "list", "--state", "draft")
    order = ["calendar", "2031", "--as", world.liu.login, "--holidays", "2031-01-01", "--source", "国办"]
    assert run(group, settings, *order) == "2031: stored\n"
    assert "已经录入" in run(group, settings, *order)
