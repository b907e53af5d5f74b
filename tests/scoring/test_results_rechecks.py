"""A candidate has a score looked at again within the working days of the rule pack; two officers, an answer, an outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans.calendar import working_day_after
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from scoring.practical.models import PracticalScore
from scoring.results import desk, rechecks
from scoring.results.case_models import Recheck, RecheckOutcome
from scoring.results.merge import PRACTICAL, THEORY
from scoring.results.models import Result, ResultList
from scoring.results.todo import todo
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
AFTER_NOTICE = NOW + timedelta(days=7, hours=15)


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


@pytest.fixture
def posted(world: World) -> ResultList:
    world.scored({"陈晓": (150, 140), "吴静": (119, 118)})
    return world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def own(world: World, posted: ResultList, name: str) -> tuple[Result, Viewer]:
    result = next(one for one in posted.results if one.enrolment.candidate.name == name)
    return result, world.as_candidate(result.enrolment)


def asked(world: World, posted: ResultList, part: str = PRACTICAL, now: datetime = NOW) -> Recheck:
    result, wu = own(world, posted, "吴静")
    return rechecks.ask(world.session, result, part, "请核对合分", wu, now=now)


def test_working_days_are_counted_from_the_day_after_and_skip_weekends_and_holidays() -> None:
    assert working_day_after(date(2026, 6, 1), 10, {}) == date(2026, 6, 15)  # 2-5, 8-12, 15 June
    assert working_day_after(date(2026, 6, 15), 10, {}) == date(2026, 6, 30)  # 19 June is 端午节


def test_the_window_ends_with_the_tenth_working_day_and_each_part_is_asked_once(world: World, posted: ResultList) -> None:
    # Posted on Monday 1 June: the tenth working day is Monday 15 June; it ends at 24:00 in China, 16:00 UTC.
    assert rechecks.last_day_to_ask(world.session, posted) == date(2026, 6, 15)
    made = asked(world, posted, now=datetime(2026, 6, 15, 15, 59, tzinfo=UTC))
    assert (made.before, made.due_on) == (118, date(2026, 6, 30))
    assert code_of(lambda: asked(world, posted)) == "already"
    assert code_of(lambda: asked(world, posted, THEORY, datetime(2026, 6, 15, 16, 0, tzinfo=UTC))) == "too_late"
    assert code_of(lambda: asked(world, posted, "综合评审")) == "no_such_part"
    chen, _ = own(world, posted, "陈晓")
    assert code_of(lambda: rechecks.ask(world.session, chen, THEORY, "替他问问", own(world, posted, "吴静")[1], now=NOW)) == "not_your_duty"


def test_nothing_is_posted_while_the_working_days_of_its_rechecks_are_unknown(world: World) -> None:
    world.scored({"陈晓": (150, 140)})
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    december = datetime(2099, 12, 20, 1, 0, tzinfo=UTC)
    desk.check(world.session, found, world.checker, now=NOW)
    with pytest.raises(Refused, match="还没有 2099 年的工作日历"):
        desk.publish(world.session, found, world.officer, now=december)
    desk.publish(world.session, found, world.officer, now=NOW)
    found.noticed_at = december  # posted by an older version of this program
    assert rechecks.known_last_day(world.session, found) is None  # its pages still open


def test_one_officer_looks_and_another_decides(world: World, posted: ResultList) -> None:
    recheck = asked(world, posted)
    assert [(one.title, one.due) for one in todo(world.session, world.officer, now=NOW) if not one.waits_for] == [
        ("核查成绩复核", datetime(2026, 6, 15, 15, 59, tzinfo=UTC))]
    assert code_of(lambda: rechecks.decide(world.session, recheck, RecheckOutcome.UPHELD, "无误无误", world.officer, now=NOW)) == "not_looked"
    rechecks.look(world.session, recheck, "三张评分表合分无误", world.officer, now=NOW)
    assert code_of(lambda: rechecks.decide(world.session, recheck, RecheckOutcome.UPHELD, "经复核无误", world.officer, now=NOW)) == "same_person"
    assert [(one.title, one.waits_for) for one in todo(world.session, world.officer, now=NOW)] == [
        ("结果公示中", "公示期满"), ("等待决定成绩复核", "另一名考务员")]
    assert [one.title for one in todo(world.session, world.checker, now=NOW) if not one.waits_for] == ["决定成绩复核"]
    rechecks.decide(world.session, recheck, RecheckOutcome.UPHELD, "经复核无误", world.checker, now=NOW)
    assert code_of(lambda: rechecks.decide(world.session, recheck, RecheckOutcome.CORRECTED, "改主意了", world.checker, now=NOW)) == "decided"
    desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)


def test_an_open_recheck_and_an_uncorrected_score_hold_the_list(world: World, posted: ResultList) -> None:
    recheck = asked(world, posted)
    assert code_of(lambda: desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)) == "rechecks_open"
    rechecks.look(world.session, recheck, "第二张评分表少加 2 分", world.officer, now=NOW)
    rechecks.decide(world.session, recheck, RecheckOutcome.CORRECTED, "更正为 60 分", world.checker, now=NOW + timedelta(hours=1))
    assert code_of(lambda: desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)) == "rechecks_open"
    score = world.session.scalars(sa.select(PracticalScore).where(PracticalScore.half_points == 118)).one()
    score.half_points = 120
    desk.withdraw(world.session, posted, world.officer, "复核更正", now=NOW + timedelta(days=1))
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW + timedelta(days=1))
    assert own(world, posted, "吴静")[0].practical == 120
    world.post(posted, now=NOW + timedelta(days=1))
    desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE + timedelta(days=1))


def test_a_candidate_asks_on_the_page_and_reads_the_answer_there(world: World, posted: ResultList, enter: Enter, clock: Any) -> None:
    wu_result, wu = own(world, posted, "吴静")
    chen_result, _ = own(world, posted, "陈晓")
    world.session.commit()
    client = enter(wu)
    page = client.get("/results/mine").get_data(as_text=True)
    assert "在 2026年6月15日（含当日）前申请复核" in page
    url = f"/results/mine/{wu_result.id}/recheck"
    assert client.post(f"/results/mine/{chen_result.id}/recheck", data={"part": THEORY, "reason": "看看别人的"}).status_code == 404
    assert client.post(url, data={"part": THEORY, "reason": ""}).status_code == 409
    assert client.post(url, data={"part": THEORY, "reason": "请核对理论得分"}).status_code == 302
    assert "正在复核" in client.get("/results/mine").get_data(as_text=True)
    assert client.get("/results/rechecks").status_code == 403
    officer = enter(world.officer)
    assert "吴静" in officer.get("/results/rechecks?state=open&q=吴").get_data(as_text=True)
    assert "没有符合条件" in officer.get("/results/rechecks?state=upheld").get_data(as_text=True)
    assert "核查经过" in officer.get("/results/rechecks/1").get_data(as_text=True)
    assert officer.post("/results/rechecks/1/look", data={"found": "逐题核对，得分无误"}).status_code == 302
    second = enter(world.checker)
    assert second.post("/results/rechecks/1/decide", data={"outcome": "?", "answer": "无误"}).status_code == 409
    assert second.post("/results/rechecks/1/decide", data={"outcome": "upheld", "answer": "逐题核对，维持 59.5 分。"}).status_code == 302
    told = enter(wu).get("/results/mine").get_data(as_text=True)
    assert "维持原成绩" in told
    assert "维持 59.5 分" in told
    clock.moment = NOW + timedelta(days=16)
    assert "复核申请已于 2026年6月15日 截止" in enter(wu).get("/results/mine").get_data(as_text=True)
