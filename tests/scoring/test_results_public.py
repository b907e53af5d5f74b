"""The public notice: masked, with objections from anybody, a receipt, limits, and days that nothing shortens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical.models import PracticalScore
from scoring.results import desk, objections, visits
from scoring.results.models import Objection, ResultList, ResultState
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
AFTER_NOTICE = NOW + timedelta(days=7, hours=15)


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


@pytest.fixture
def posted(world: World) -> ResultList:
    world.scored({"陈晓明": (150, 140), "吴静": (119, 200)})
    found = world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    world.session.commit()
    return found


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


TYPED = {"name": "李某某", "telephone": "139 0000 0000", "text": "第 1 号考生不是本校学生，请核实。"}


def test_anybody_objects_without_signing_in_and_reads_the_answer_by_the_receipt(world: World, posted: ResultList, app: Any, enter: Enter) -> None:
    nobody = app.test_client()
    url = f"/results/objection/{world.plan.number}"
    assert url in nobody.get(f"/results/notice/{world.plan.number}").get_data(as_text=True)
    assert "实名反映" in nobody.get(url).get_data(as_text=True)
    page = nobody.post(url, data=TYPED).get_data(as_text=True)
    made = world.session.scalars(sa.select(Objection)).one()
    assert made.receipt is not None
    assert made.receipt in page
    assert (made.raised_by, made.recorded_by) == ("李某某 13900000000", None)
    key, receipt = made.id, made.receipt
    world.session.commit()
    look = nobody.post("/results/receipt", data={"receipt": receipt.lower()}).get_data(as_text=True)
    assert "正在核查" in look
    assert "13900000000" not in look  # whoever finds a receipt learns no telephone
    officer = enter(world.officer)
    assert "网上提交" in officer.get(f"/results/plans/{world.plan.id}").get_data(as_text=True)
    assert officer.post(f"/results/objections/{key}/answer", data={"answer": "经查，该生学籍在我校。"}).status_code == 302
    assert "该生学籍在我校" in nobody.post("/results/receipt", data={"receipt": receipt}).get_data(as_text=True)
    assert "没有查到" in nobody.post("/results/receipt", data={"receipt": "ABCDEFGHJKMN"}).get_data(as_text=True)


@pytest.mark.parametrize(("change", "word"), [({"name": "李"}, "真实姓名"), ({"telephone": "无"}, "电话号码"), ({"text": " "}, "异议内容"),
                                              ({"text": "长" * 2001}, "不超过 2000 字")])
def test_an_incomplete_objection_is_refused_and_what_was_typed_is_kept(world: World, posted: ResultList, app: Any, change: dict[str, str],
                                                                       word: str) -> None:
    answer = app.test_client().post(f"/results/objection/{world.plan.number}", data=TYPED | change)
    assert answer.status_code == 409
    assert word in answer.get_data(as_text=True)
    assert (TYPED | change)["name"] in answer.get_data(as_text=True)
    assert world.session.scalars(sa.select(Objection)).all() == []


def test_a_flood_of_objections_and_guesses_is_stopped(world: World, posted: ResultList) -> None:
    def raise_from(address: str) -> Objection:
        return objections.raise_publicly(world.session, posted, name="李某某", telephone="13900000000", text="疑问", address=address, now=NOW)

    for _ in range(visits.OBJECTIONS_PER_ADDRESS):
        raise_from("10.0.0.1")
    assert code_of(lambda: raise_from("10.0.0.1")) == "too_many_objections"
    raise_from("10.0.0.2")  # somebody else is not shut out
    for _ in range(visits.MISSES):
        assert objections.look_up(world.session, "ZZZZZZZZZZZZ", "10.0.0.3", now=NOW) is None
    assert code_of(lambda: objections.look_up(world.session, "ZZZZZZZZZZZZ", "10.0.0.3", now=NOW)) == "too_many_queries"
    assert objections.look_up(world.session, "ZZZZZZZZZZZZ", "10.0.0.3", now=NOW + visits.WINDOW + timedelta(seconds=1)) is None


def test_after_the_last_day_nothing_is_taken_in_and_no_list_is_no_page(world: World, posted: ResultList, app: Any, clock: Any) -> None:
    nobody = app.test_client()
    assert world.plan.title in nobody.get("/results/notices").get_data(as_text=True)
    clock.moment = AFTER_NOTICE
    url = f"/results/objection/{world.plan.number}"
    assert "公示已经结束" in nobody.get(url).get_data(as_text=True)
    assert nobody.post(url, data=TYPED).status_code == 409
    assert "现在没有正在公示" in nobody.get("/results/notices").get_data(as_text=True)
    assert nobody.get("/results/objection/JH-0000").status_code == 404
    assert world.session.scalars(sa.select(Objection)).all() == []


def test_names_and_numbers_are_masked_and_who_failed_is_not_named(world: World, posted: ResultList, app: Any) -> None:
    page = app.test_client().get(f"/results/notice/{world.plan.number}").get_data(as_text=True)
    assert "陈*明" in page
    assert "陈晓明" not in page
    assert "吴" not in page
    assert "430102********1234" in page


# What is refused with a sentence

def test_a_published_result_is_not_merged_a_second_time(world: World, posted: ResultList) -> None:
    with pytest.raises(Refused, match="已公布的结果不能再次合成。需要更正时请先撤回公示"):
        desk.merge_plan(world.session, world.plan, world.officer, now=NOW)


def test_a_notice_does_not_end_early_and_no_audit_begins_before_it_has_run(world: World, posted: ResultList) -> None:
    city = world.office(Role.CITY_OFFICER, "市鉴定员", "4301")
    with pytest.raises(Refused, match="公示到 2026年6月8日 24:00 才期满"):
        desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE - timedelta(seconds=1))
    with pytest.raises(Refused, match="结果正在公示，公示到 2026年6月8日 24:00 期满"):
        desk.decide(world.session, posted, city, True, "", now=NOW)
    desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)


def test_a_score_that_changed_on_notice_stops_the_submission_until_all_is_posted_anew(world: World, posted: ResultList) -> None:
    score = world.session.scalars(sa.select(PracticalScore).where(PracticalScore.half_points == 140)).one()
    score.half_points = 138
    world.session.flush()
    assert code_of(lambda: desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)) == "outdated"
    desk.withdraw(world.session, posted, world.officer, "更正技能成绩", now=AFTER_NOTICE)
    desk.merge_plan(world.session, world.plan, world.officer, now=AFTER_NOTICE)
    world.post(posted, now=AFTER_NOTICE)
    assert posted.notice_ends_at == AFTER_NOTICE + timedelta(days=8)  # 9 June: the seven days are 10 to 16 June


def test_the_second_person_returns_what_is_wrong_and_nobody_posts_unchecked(world: World) -> None:
    world.scored({"陈晓": (150, 140)})
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert code_of(lambda: desk.publish(world.session, found, world.officer, now=NOW)) == "not_checked"
    assert code_of(lambda: desk.check(world.session, found, world.officer, now=NOW)) == "same_person"
    assert code_of(lambda: desk.check(world.session, found, world.checker, approves=False, now=NOW)) == "no_comment"
    desk.check(world.session, found, world.checker, approves=False, comment="姓名有误", now=NOW)
    assert (found.state, found.decisions[-1].comment) == (ResultState.RETURNED, "核对退回：姓名有误")
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    desk.check(world.session, found, world.checker, now=NOW)
    assert code_of(lambda: desk.check(world.session, found, world.checker, now=NOW)) == "checked"
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert found.checked_at is None  # what is merged again is checked again


def test_the_province_reopens_a_final_list_and_nobody_else(world: World, posted: ResultList, enter: Enter, clock: Any) -> None:
    city, province = world.office(Role.CITY_OFFICER, "市鉴定员", "4301"), world.office(Role.PROVINCE_OFFICER, "省鉴定员", "43")
    desk.submit(world.session, posted, world.officer, now=AFTER_NOTICE)
    assert code_of(lambda: desk.reopen(world.session, posted, province, "x", now=AFTER_NOTICE)) == "wrong_state"
    desk.decide(world.session, posted, city, True, "", now=AFTER_NOTICE)
    desk.decide(world.session, posted, province, True, "", now=AFTER_NOTICE)
    assert code_of(lambda: desk.reopen(world.session, posted, city, "x", now=AFTER_NOTICE)) == "not_your_duty"
    assert code_of(lambda: desk.reopen(world.session, posted, province, " ", now=AFTER_NOTICE)) == "no_reason"
    world.session.commit()
    clock.moment = AFTER_NOTICE
    page = enter(province).get(f"/results/plans/{world.plan.id}").get_data(as_text=True)
    assert "省审核后退回更正" in page
    assert enter(province).post(f"/results/lists/{posted.id}/reopen", data={"reason": "复核认定有误"}).status_code == 302
    world.session.expire_all()
    assert (posted.state, posted.noticed_at) == (ResultState.RETURNED, None)
