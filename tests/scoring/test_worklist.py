"""The first page: what waits for whom and until when, with the clause; the month with its working days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans.calendar import YearTable
from examroom.plans.models import Sitting, WorkingCalendar
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.todo import Asked, Todo, WorkList
from scoring.practical.todo import todo as practical_todo
from scoring.results.models import ResultState
from scoring.results.todo import todo as results_todo
from scoring.worklist import month
from scoring.worklist.clauses import CLAUSES, sorted_clauses
from scoring.worklist.month import DayKind, Event, EventKind
from tests.conftest import People
from tests.scoring.final_world import FinalWorld
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
LATER, LATE = NOW + timedelta(days=20), NOW - timedelta(days=2)


@pytest.fixture
def world(session: Session, people: People) -> FinalWorld:
    return FinalWorld(session, people)


def page(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.get_data(as_text=True).split("<main")[1]


# The list

LINES = [Todo("没有期限", "home"), Todo("以后", "home", due=LATER, clause="四（一）"), Todo("逾期", "home", due=LATE, clause="四（三）"),
         Todo("等市里", "home", due=NOW + timedelta(days=3), waits_for="长沙市鉴定中心", clause="四（三）"), Todo("备案到期", "home", due=LATER, alarm=True)]


def test_what_is_late_comes_first_and_what_has_no_day_comes_last() -> None:
    work = WorkList.of(LINES)
    assert [one.title for one in work.own] == ["逾期", "以后", "没有期限"]
    assert ([one.title for one in work.alarms], [one.title for one in work.others]) == (["备案到期"], ["等市里"])
    assert work.counts(NOW) == {"": 5, "overdue": 1, "soon": 1, "others": 1, "alarms": 1}


@pytest.mark.parametrize(("asked", "titles"), [
    (Asked("overdue"), ["逾期"]), (Asked("soon"), ["等市里"]), (Asked(clause="四（三）"), ["逾期", "等市里"]), (Asked(text="长沙"), ["等市里"]),
    (Asked("alarms", text="备案"), ["备案到期"]), (Asked("nonsense"), ["备案到期", "逾期", "以后", "没有期限", "等市里"])])
def test_the_list_is_narrowed_by_day_clause_and_word(asked: Asked, titles: list[str]) -> None:
    assert [one.title for one in WorkList.of(LINES).narrowed(asked, NOW)] == titles


def test_every_clause_of_the_notice_has_a_name_and_a_place() -> None:
    """六 in 一, three each in 二 and 三, four in 四, seven in 五, and the two annexes."""
    assert len(CLAUSES) == 6 + 3 + 3 + 4 + 7 + 2
    assert sorted_clauses({"五（六）", "附件1", "一（三）", "未知", "四（四）"}) == ["一（三）", "四（四）", "五（六）", "附件1", "未知"]


# Who waits for whom

def test_the_school_sees_that_the_city_then_the_province_has_its_results_and_the_city_too(world: FinalWorld) -> None:
    tan = world.people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    for state, of_school, of_city in ((ResultState.SUBMITTED, "市鉴定中心", ""), (ResultState.CITY_CHECKED, "省鉴定中心", "省鉴定中心")):
        world.results.state = state
        world.session.flush()
        line, = results_todo(world.session, world.officer, now=NOW)
        assert (line.waits_for, line.clause, line.title) == (of_school, "四（三）", "认定结果审核中")
        line, = results_todo(world.session, tan, now=NOW)
        assert (line.waits_for, line.clause) == (of_city, "四（三）")
    assert results_todo(world.session, world.stranger(), now=NOW) == []


def test_a_notice_that_runs_waits_for_its_last_day(world: FinalWorld) -> None:
    world.results.state, world.results.notice_ends_at = ResultState.NOTICED, NOW + timedelta(days=8)
    world.session.flush()
    line, = results_todo(world.session, world.officer, now=NOW)
    assert (line.title, line.waits_for, line.clause) == ("结果公示中", "公示期满", "四（二）")
    assert line.due == NOW + timedelta(days=8, minutes=-1)


def test_the_officer_sees_which_assessors_have_not_signed(session: Session, people: People) -> None:
    world = World(session, people)
    zhang, li, wang = world.assessors("张伟", "李娜", "王磊")
    zhao, = world.enrol("赵一")
    group = world.group([zhao], [zhang, li, wang])
    world.mark(group, zhang, zhao, 150)
    line, = [one for one in practical_todo(session, world.officer, now=NOW + timedelta(hours=1)) if one.waits_for]
    assert sorted(line.waits_for.removeprefix("考评员 ").split("、")) == ["李娜", "王磊"]
    assert (line.clause, line.due) == ("五（三）", datetime(2026, 6, 1, 15, 59, tzinfo=UTC))  # until the end of its day in China
    assert not [one for one in practical_todo(session, world.officer, now=NOW) if one.waits_for]  # it has not begun


def test_the_first_page_names_clause_office_and_the_working_days_that_are_left(world: FinalWorld, enter: Enter) -> None:
    world.results.state = ResultState.SUBMITTED
    world.session.commit()
    client = enter(world.officer)
    shown = page(client, "/")
    assert "等待他人办理" in shown
    assert "湘人社函〔2020〕47号 四（三） 结果审核" in shown
    world.results.state, world.results.notice_ends_at = ResultState.NOTICED, NOW + timedelta(days=8)
    world.session.commit()
    # from Monday 2026-06-01 to Tuesday 2026-06-09: 2 to 5 June, 8 and 9 June: six working days
    assert "还有 6 个工作日" in page(client, "/?show=others")
    assert "没有符合筛选条件的事项" in page(client, "/?show=overdue&q=公示")


def test_a_long_list_shows_its_most_urgent_lines_and_folds_the_rest(app: Flask, world: FinalWorld, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Todo(f"事项{number:03}", "home", due=NOW + timedelta(days=number)) for number in range(53)]
    monkeypatch.setitem(app.config, "WORK_LIST", lambda session, person, now: list(reversed(many)))
    world.session.commit()
    first, rest = page(enter(world.officer), "/").split("<details class=\"rest\"><summary>其余 3 项")
    assert [number for number in range(53) if f"事项{number:03}" in first] == list(range(50))
    assert [number for number in range(53) if f"事项{number:03}" in rest] == [50, 51, 52]


# The month

def test_days_off_adjusted_days_and_years_nobody_knows() -> None:
    """The State Council's days of 2026: 1 to 3 January off, Sunday the 4th worked for it; 2028 is not published yet."""
    assert [month.day_kind(date(2026, 1, day), {}) for day in (1, 3, 4, 5, 10)] == [
        (DayKind.HOLIDAY, "元旦"), (DayKind.HOLIDAY, "元旦"), (DayKind.ADJUSTED, "元旦"), (DayKind.WORKING, ""), (DayKind.WEEKEND, "")]
    assert month.day_kind(date(2028, 1, 3), {}) == (DayKind.UNKNOWN, "")
    own = {2028: YearTable(2028, frozenset({date(2028, 1, 3)}), frozenset({date(2028, 1, 8)}))}
    assert [month.day_kind(date(2028, 1, day), own)[0] for day in (3, 4, 8, 9)] == [
        DayKind.HOLIDAY, DayKind.WORKING, DayKind.ADJUSTED, DayKind.WEEKEND]


def test_a_month_has_whole_weeks_and_counts_its_working_days() -> None:
    weeks = month.weeks(date(2026, 10, 1), [Event(date(2026, 10, 9), EventKind.EXAM, "考", "home")], {})
    assert (weeks[0][0].on, weeks[-1][-1].on) == (date(2026, 9, 28), date(2026, 11, 1))
    assert [day.on for week in weeks for day in week if day.events] == [date(2026, 10, 9)]
    assert month.working_days(weeks) == 18  # 31 days, 9 at weekends of which the 10th is worked, 5 more off by the 7th: 22 - 5 + 1
    assert month.working_days(month.weeks(date(2028, 10, 1), [], {})) is None


def test_how_long_there_is_still_time_is_never_guessed() -> None:
    today = date(2026, 9, 30)
    assert month.left(date(2026, 10, 9), today, {}) == "还有 2 个工作日"  # 8 and 9 October
    assert month.left(today, today, {}) == "今天"
    assert month.left(date(2026, 9, 28), today, {}) == "已逾期 2 天"
    assert month.left(date(2028, 1, 3), today, {}) == ""
    assert month.earliest_start(date(2026, 6, 1), 10, {}) == date(2026, 6, 16)  # ten working days, 2 to 15 June, lie between
    assert month.earliest_start(date(2027, 12, 31), 10, {}) is None


@pytest.mark.parametrize(("text", "first"), [("2026-10", date(2026, 10, 1)), ("", date(2026, 6, 1)), ("2026-13", date(2026, 6, 1)),
                                             ("0001-01", date(2026, 6, 1)), ("２０２６-10", date(2026, 6, 1)), ("x" * 99, date(2026, 6, 1))])
def test_a_month_that_cannot_be_read_is_this_one(text: str, first: date) -> None:
    assert month.month_asked(text, date(2026, 6, 1)) == first


def test_the_calendar_stops_at_its_ends() -> None:
    assert (month.beside(date(2000, 1, 1), -1), month.beside(date(2100, 12, 1), 1)) == (None, None)
    assert month.beside(date(2026, 12, 1), 1) == date(2027, 1, 1)


def test_the_month_shows_exams_notices_and_last_days_to_those_who_may_see_them(world: FinalWorld, enter: Enter) -> None:
    starts = datetime(2026, 6, 17, 1, 0, tzinfo=UTC)
    world.session.add(Sitting(plan=world.plan, name="第一场", starts_at=starts, minutes=90))
    world.results.state, world.results.noticed_at, world.results.notice_ends_at = ResultState.NOTICED, NOW, NOW + timedelta(days=8)
    stranger = world.stranger()
    world.session.commit()
    shown = page(enter(world.officer), "/worklist/calendar?month=2026-06")
    assert re.search(r'datetime="2026-06-17".*?09:00 理论考试：电工认定', shown, re.S)
    assert shown.count(">公示中：") == 8
    assert shown.count(">公示最后一日：") == 1
    assert "结果公示中（等待公示期满）" in shown  # its last day is a deadline too
    assert "首考日最早为 2026年6月16日" in shown
    foreign = page(enter(stranger), "/worklist/calendar?month=2026-06")
    assert "电工认定" not in foreign


def test_a_year_without_a_table_is_shown_as_unknown_until_the_office_enters_it(world: FinalWorld, enter: Enter) -> None:
    world.session.commit()
    client = enter(world.officer)
    shown = page(client, "/worklist/calendar?month=2028-05")
    assert "还没有 2028 年的工作日历" in shown
    assert shown.count("day-unknown") == 35 + 1  # five weeks, and the key below
    world.session.add(WorkingCalendar(year=2028, holidays=["2028-05-01"], workdays=[], source="国办发明电〔2027〕1号"))
    world.session.commit()
    shown = page(client, "/worklist/calendar?month=2028-05")
    assert "国办发明电〔2027〕1号" in shown
    assert "本月 22 个工作日" in shown  # 23 weekdays less the first of May


def test_candidates_have_no_calendar_and_their_list_names_no_clause(world: FinalWorld, enter: Enter, people: People) -> None:
    zhao = people("赵小明", Role.CANDIDATE)
    world.session.commit()
    client = enter(zhao)
    assert client.get("/worklist/calendar").status_code == 403
    assert "依据" not in page(client, "/")
