"""Results from the merge to the province's approval, and who sees them when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.marking.models import TheoryScore
from examroom.plans.models import Enrolment, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.refused import Refused
from qbank.kernel.todo import Todo
from scoring.practical import desk as practical
from scoring.practical.models import Part
from scoring.results import desk
from scoring.results.figures import figures
from scoring.results.merge import Verdict
from scoring.results.models import Result, ResultList, ResultState
from scoring.results.parts import gather
from scoring.results.todo import todo
from tests.scoring.outcome_world import NOW, World
from tests.scoring.review_world import reviewed

Enter = Callable[[Viewer], FlaskClient]
AFTER_NOTICE = NOW + timedelta(days=7, hours=15)  # 2026-06-09 00:00 in China: seven days after 1 June are over


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def complete(world: World, marks: dict[str, tuple[int | None, int]]) -> dict[str, Enrolment]:
    """Candidates with theory and practical half-points (theory None: absent)."""
    enrolled = dict(zip(marks, world.enrol(*marks), strict=True))
    world.theory({enrolled[name].id: theory for name, (theory, _) in marks.items()})
    assessors = world.assessors("张", "李", "王")
    group = world.group(list(enrolled.values()), assessors)
    for name, (_, points) in marks.items():
        for who in assessors:
            world.mark(group, who, enrolled[name], points)
    return enrolled


def noticed(world: World) -> ResultList:
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    return world.post(found)


# Merging

def test_each_candidate_gets_an_outcome_with_reasons(world: World) -> None:
    complete(world, {"陈晓": (150, 140), "吴静": (119, 200), "何平": (None, 160), "刘洋": (120, 120)})
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    outcomes = {one.enrolment.candidate.name: (one.passed, one.reasons) for one in found.results}
    assert outcomes["陈晓"] == (True, ["理论知识 75.0 分，合格", "操作技能 70.0 分，合格"])
    assert outcomes["吴静"] == (False, ["理论知识 59.5 分，未达到 60 分", "操作技能 100.0 分，合格"])
    assert outcomes["何平"] == (False, ["理论知识缺考", "操作技能 80.0 分，合格"])
    assert outcomes["刘洋"][0]
    assert '"notice_days": 7' in found.rule_pack


def test_merging_waits_for_the_marking_of_every_sitting(world: World) -> None:
    chen, = world.enrol("陈晓")
    assert code_of(lambda: desk.merge_plan(world.session, world.plan, world.officer, now=NOW)) == "no_sittings"
    sitting = world.theory({chen.id: 150}, state=SittingState.CLOSED)
    world.session.expire(world.plan, ["sittings"])
    with pytest.raises(Refused) as refused:
        desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert refused.value.code == "not_marked"
    assert "已收卷" in refused.value.details[0]
    sitting.state = SittingState.MARKED
    world.session.flush()
    assert len(desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results) == 1


def test_a_seat_in_a_sitting_that_is_not_marked_is_named_as_such(world: World) -> None:
    chen, _ = world.enrol("陈晓", "吴静")
    world.theory({chen.id: 150}, state=SittingState.CLOSED)
    world.session.delete(world.session.scalars(sa.select(TheoryScore)).one())
    world.session.flush()
    assert [one.missing[0] for one in gather(world.session, world.plan)] == [
        "理论知识：第一场还没有评分", "理论知识：没有答卷成绩，请检查是否已编排座位"]


def test_a_missing_part_does_not_pass_and_cannot_be_posted(world: World) -> None:
    chen, wu, he = world.enrol("陈晓", "吴静", "何平")
    world.theory({chen.id: 150, wu.id: 150})
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group([chen, he], [zhang, li, wang])
    for who in (zhang, li):
        world.mark(group, who, chen, 150)
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert not any(one.passed for one in found.results)
    assert {one.verdict for one in found.results} == {Verdict.INCOMPLETE}  # nobody has failed yet
    counted = figures(found.results)
    assert (counted.passed, counted.of(Verdict.FAILED), counted.incomplete) == (0, 0, 3)
    with pytest.raises(Refused) as refused:
        desk.publish(world.session, found, world.officer, now=NOW)
    assert refused.value.details == ("陈晓 操作技能：第一组等待王签字", "吴静 操作技能：未编入考核组",
                                     "何平 理论知识：没有答卷成绩，请检查是否已编排座位", "何平 操作技能：第一组等待张、李、王签字")


def test_an_absence_completes_the_list_but_a_stale_merge_is_not_posted(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 150})
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert titles(world, world.officer) == ["补齐成绩"]
    practical.record_absence(world.session, chen, Part.PRACTICAL, world.officer, now=NOW)
    assert titles(world, world.officer) == ["重新合成成绩"]
    world.session.commit()
    page = enter(world.officer).get(f"/results/plans/{world.plan.id}").get_data(as_text=True)
    assert "合成以后成绩又有变化" in page
    assert "确定公示吗" not in page  # no button that would be refused
    assert code_of(lambda: desk.publish(world.session, found, world.officer, now=NOW)) == "outdated"
    again = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert again is found
    assert found.results[0].reasons == ["理论知识 75.0 分，合格", "操作技能缺考"]
    world.post(found)


def test_a_void_theory_score_does_not_pass(world: World) -> None:
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 190}, void=(chen.id,))
    practical.record_absence(world.session, chen, Part.PRACTICAL, world.officer, now=NOW)
    result = desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results[0]
    assert result.reasons[0] == "理论知识成绩因违纪作无效处理"
    assert not result.passed


def test_a_veto_is_a_reason(world: World) -> None:
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 190})
    assessors = world.assessors("张", "李", "王")
    group = world.group([chen], assessors, world.rubric(veto="未断电作业"))
    for who in assessors:
        world.mark(group, who, chen, 180, violated=True)
    result = desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results[0]
    assert (result.practical, result.passed) == (180, False)
    assert "一票否决" in result.reasons[1]


def test_a_technician_needs_the_review(session: Session, people: Any) -> None:
    world = World(session, people, level=2)
    chen = complete(world, {"陈晓": (150, 150)})["陈晓"]
    assert not desk.merge_plan(session, world.plan, world.officer, now=NOW).results[0].passed
    reviewed(world, [chen])
    result = desk.merge_plan(session, world.plan, world.officer, now=NOW).results[0]
    assert (result.review, result.passed) == (125, True)  # 60·0.4 + 65·0.4 + 62.5·0.2 = 62.5


# Notice, objections, audit

def test_the_way_to_the_province_with_its_two_checks(world: World) -> None:
    complete(world, {"陈晓": (150, 140)})
    city = world.office(Role.CITY_OFFICER, "市鉴定员", "4301")
    province = world.office(Role.PROVINCE_OFFICER, "省鉴定员", "43")
    found = noticed(world)
    assert code_of(lambda: desk.submit(world.session, found, world.officer, now=AFTER_NOTICE - timedelta(seconds=1))) == "notice_runs"
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    assert code_of(lambda: desk.decide(world.session, found, province, True, "", now=AFTER_NOTICE)) == "not_your_duty"
    desk.decide(world.session, found, city, True, "", now=AFTER_NOTICE)
    assert code_of(lambda: desk.decide(world.session, found, city, True, "", now=AFTER_NOTICE)) == "not_your_duty"
    desk.decide(world.session, found, province, True, "同意", now=AFTER_NOTICE)
    assert found.state is ResultState.FINAL
    assert [one.state for one in found.decisions] == [ResultState.DRAFT, ResultState.NOTICED, ResultState.SUBMITTED, ResultState.CITY_CHECKED,
                                                      ResultState.FINAL]
    assert code_of(lambda: desk.merge_plan(world.session, world.plan, world.officer, now=AFTER_NOTICE)) == "wrong_state"
    assert code_of(lambda: desk.decide(world.session, found, province, False, "x", now=AFTER_NOTICE)) == "wrong_state"


def test_one_person_cannot_do_both_checks_and_another_city_none(world: World, people: Any) -> None:
    from qbank.kernel.access import Scope

    complete(world, {"陈晓": (150, 140)})
    found = noticed(world)
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    both = people("两职", school=people.school("中心"), scopes=[Scope(Role.CITY_OFFICER, region="4301"),
                                                           Scope(Role.PROVINCE_OFFICER, region="43")])
    zhuzhou = world.office(Role.CITY_OFFICER, "外市", "4302")
    assert code_of(lambda: desk.decide(world.session, found, zhuzhou, True, "", now=AFTER_NOTICE)) == "not_your_duty"
    desk.decide(world.session, found, both, True, "", now=AFTER_NOTICE)
    assert code_of(lambda: desk.decide(world.session, found, both, True, "", now=AFTER_NOTICE)) == "same_person"


def test_a_returned_list_is_merged_and_posted_again_and_the_days_start_anew(world: World) -> None:
    chen = complete(world, {"陈晓": (150, 140)})["陈晓"]
    city = world.office(Role.CITY_OFFICER, "市鉴定员", "4301")
    found = noticed(world)
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    assert code_of(lambda: desk.decide(world.session, found, city, False, " ", now=AFTER_NOTICE)) == "no_comment"
    desk.decide(world.session, found, city, False, "请核对姓名", now=AFTER_NOTICE)
    assert (found.state, found.noticed_at) == (ResultState.RETURNED, None)
    assert world.session.scalars(visible(Result, chen.candidate.viewer())).all() == []
    assert code_of(lambda: desk.publish(world.session, found, world.officer, now=AFTER_NOTICE)) == "wrong_state"
    desk.merge_plan(world.session, world.plan, world.officer, now=AFTER_NOTICE)
    world.post(found, now=AFTER_NOTICE)
    later = AFTER_NOTICE + timedelta(days=7)
    assert code_of(lambda: desk.submit(world.session, found, world.officer, now=later)) == "notice_runs"
    # Posted again on 9 June, so the seven days are 10 to 16 June.
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE + timedelta(days=8))


def test_an_unanswered_objection_stops_the_submission(world: World) -> None:
    complete(world, {"陈晓": (150, 140)})
    found = noticed(world)
    objection = desk.record_objection(world.session, found, "李某 13900000000", "成绩有疑问", world.officer, now=NOW)
    assert code_of(lambda: desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)) == "unanswered"
    assert code_of(lambda: desk.answer(world.session, objection, " ", world.officer, now=NOW)) == "no_answer"
    desk.answer(world.session, objection, "经复核无误", world.officer, now=NOW)
    assert code_of(lambda: desk.answer(world.session, objection, "改", world.officer, now=NOW)) == "answered"
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    assert code_of(lambda: desk.record_objection(world.session, found, "李", "晚了", world.officer, now=NOW)) == "wrong_state"


def test_a_notice_is_withdrawn_with_a_reason_and_needs_a_contact(world: World) -> None:
    complete(world, {"陈晓": (150, 140)})
    found = noticed(world)
    assert code_of(lambda: desk.withdraw(world.session, found, world.officer, "", now=NOW)) == "no_reason"
    desk.withdraw(world.session, found, world.officer, "异议成立", now=NOW)
    assert (found.state, found.checked_at) == (ResultState.DRAFT, None)  # to be checked anew
    desk.check(world.session, found, world.checker, now=NOW)
    world.plan.contact = ""
    assert code_of(lambda: desk.publish(world.session, found, world.officer, now=NOW)) == "no_contact"
    assert code_of(lambda: desk.withdraw(world.session, found, world.officer, "x", now=NOW)) == "wrong_state"


def test_only_the_schools_officer_acts(world: World, people: Any) -> None:
    complete(world, {"陈晓": (150, 140)})
    stranger = people("外校", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    supervisor = people("督导", Role.QUALITY_SUPERVISOR)
    for who in (stranger, supervisor):
        with pytest.raises(Refused, match="not_your_duty"):
            desk.merge_plan(world.session, world.plan, who, now=NOW)


# Work list

def titles(world: World, who: Viewer, now: Any = NOW) -> list[str]:
    found: list[Todo] = todo(world.session, who, now=now)
    return [one.title for one in found if not one.waits_for]


def test_the_work_list_follows_the_result_list(world: World) -> None:
    city = world.office(Role.CITY_OFFICER, "市鉴定员", "4301")
    province = world.office(Role.PROVINCE_OFFICER, "省鉴定员", "43")
    assert titles(world, world.officer) == []
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 150})
    assert titles(world, world.officer) == ["补齐成绩"]
    practical.record_absence(world.session, chen, Part.PRACTICAL, world.officer, now=NOW)
    assert titles(world, world.officer) == ["合成成绩"]
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert (titles(world, world.officer), titles(world, world.checker)) == ([], ["核对成绩"])
    desk.check(world.session, found, world.checker, now=NOW)
    assert titles(world, world.officer) == ["公示成绩"]
    desk.publish(world.session, found, world.officer, now=NOW)
    assert titles(world, world.officer) == []
    objection = desk.record_objection(world.session, found, "李", "疑问", world.officer, now=NOW)
    assert titles(world, world.officer) == ["答复异议"]
    desk.answer(world.session, objection, "无误", world.officer, now=NOW)
    assert titles(world, world.officer, AFTER_NOTICE) == ["提交市初审"]
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    assert (titles(world, world.officer), titles(world, city), titles(world, province)) == ([], ["初审认定结果"], [])
    desk.decide(world.session, found, city, True, "", now=AFTER_NOTICE)
    assert (titles(world, city), titles(world, province)) == ([], ["审核认定结果"])
    desk.decide(world.session, found, province, False, "请更正", now=AFTER_NOTICE)
    assert titles(world, world.officer) == ["更正退回的结果"]


# Doors

def test_an_officer_goes_the_whole_way_on_pages(world: World, enter: Enter, clock: Any) -> None:
    complete(world, {"陈晓": (150, 140), "吴静": (119, 200)})
    world.session.commit()
    client = enter(world.officer)
    url = f"/results/plans/{world.plan.id}"
    assert "合成成绩" in client.get(url).get_data(as_text=True)
    assert client.post(f"{url}/merge").status_code == 302
    page = client.get(url).get_data(as_text=True)
    assert "理论知识 59.5 分，未达到 60 分" in page
    assert "50.0%" in page
    key = world.session.scalars(sa.select(ResultList.id)).one()
    world.session.commit()
    assert "陈晓" not in client.get(f"{url}?outcome=failed").get_data(as_text=True)
    assert "吴静" not in client.get(f"{url}?outcome=passed&sort=theory&down=1").get_data(as_text=True)
    assert "没有符合条件" in client.get(f"{url}?q=%25&page=99&sort=x").get_data(as_text=True)
    assert client.get(f"{url}?page=99999999999999999999").status_code == 200
    lists = f"/results/lists/{key}"
    book = openpyxl.load_workbook(BytesIO(client.get(f"/reports/{lists[9:]}/roster?form=xlsx&outcome=failed").data))
    lines = [[cell.value for cell in row] for row in book["名册"].iter_rows()]
    assert [line[2] for line in lines if line[0] == 1] == ["吴静"]
    assert any("按筛选条件列出 1 / 2 名考生" in str(line[0]) for line in lines)
    book = openpyxl.load_workbook(BytesIO(client.get(f"/reports/{lists[9:]}/roster?form=xlsx&sort=theory").data))
    names = [row[2].value for row in book["名册"].iter_rows() if isinstance(row[0].value, int)]
    assert names == ["吴静", "陈晓"]  # in the order of the page
    assert client.get(f"/reports/{lists[9:]}/roster?form=pdf").status_code == 200
    assert client.post(f"{lists}/submit").status_code == 409
    assert client.post(f"{lists}/publish").status_code == 409  # not checked
    assert client.post(f"{lists}/check", data={"decision": "approve"}).status_code == 409  # not by whoever merged
    checking = enter(world.checker)
    assert "核对无误" in checking.get(url).get_data(as_text=True)
    assert checking.post(f"{lists}/check", data={"decision": "approve", "version": "99"}).status_code == 409
    assert checking.post(f"{lists}/check", data={"decision": "approve"}).status_code == 302
    assert client.post(f"{lists}/publish").status_code == 302
    assert client.post(f"{lists}/objections", data={"raised_by": "李某", "text": "疑问"}).status_code == 302
    assert client.post(f"{lists}/objections", data={}).status_code == 409
    assert client.post("/results/objections/1/answer", data={"answer": "无误"}).status_code == 302
    clock.moment = AFTER_NOTICE
    client = enter(world.officer)
    assert "提交市初审" in client.get(url).get_data(as_text=True)
    assert client.post(f"{lists}/submit").status_code == 302
    assert client.post(f"{lists}/withdraw", data={"reason": "x"}).status_code == 409
    for path in ("/results/", "/results/?state=submitted", "/results/?state=none", "/results/?state=x&page=x"):
        assert client.get(path).status_code == 200


def test_the_city_and_the_province_decide_on_pages(world: World, enter: Enter, clock: Any) -> None:
    complete(world, {"陈晓": (150, 140)})
    found = noticed(world)
    desk.submit(world.session, found, world.officer, now=AFTER_NOTICE)
    city = world.office(Role.CITY_OFFICER, "市鉴定员", "4301")
    province = world.office(Role.PROVINCE_OFFICER, "省鉴定员", "43")
    world.session.commit()
    clock.moment = AFTER_NOTICE
    url, decide = f"/results/plans/{world.plan.id}", f"/results/lists/{found.id}/decide"
    client = enter(city)
    assert "市初审" in client.get(url).get_data(as_text=True)
    assert client.post(decide, data={"decision": "x"}).status_code == 409
    assert client.post(decide, data={"decision": "return"}).status_code == 409
    assert client.post(decide, data={"decision": "approve", "version": "999"}).status_code == 409  # an older page
    assert client.post(decide, data={"decision": "approve"}).status_code == 302
    assert enter(province).post(decide, data={"decision": "approve", "comment": "同意"}).status_code == 302
    assert "省已审核" in enter(world.officer).get(url).get_data(as_text=True)


def test_the_public_notice_masks_and_ends(world: World, app: Any, clock: Any) -> None:
    complete(world, {"陈晓": (150, 140), "吴静": (119, 200)})
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.session.commit()
    client, url = app.test_client(), f"/results/notice/{world.plan.number}"
    assert client.get(url).status_code == 404
    world.post(found)
    world.session.commit()
    page = client.get(url).get_data(as_text=True)
    assert "陈*" in page
    assert "陈晓" not in page
    assert "430102********1234" in page
    assert "周敏 0731-88880000" in page
    assert "2026年6月8日" in page
    assert "吴静" not in page  # who failed is nobody else's business
    assert "75.0" not in page
    clock.moment = AFTER_NOTICE
    over = client.get(url).get_data(as_text=True)
    assert "期满" in over
    assert "陈*" not in over
    assert client.get("/results/notice/x/../%00").status_code in {400, 404}


def test_a_candidate_sees_the_own_result_from_the_notice_on(world: World, enter: Enter) -> None:
    enrolled = complete(world, {"陈晓": (150, 140), "吴静": (119, 200)})
    chen, wu = world.as_candidate(enrolled["陈晓"]), world.as_candidate(enrolled["吴静"])
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.session.commit()
    client = enter(wu)
    assert "还没有公布的成绩" in client.get("/results/mine").get_data(as_text=True)
    world.post(found)
    world.session.commit()
    page = client.get("/results/mine").get_data(as_text=True)
    assert "理论知识 59.5 分，未达到 60 分" in page
    assert "不合格" in page
    assert "75.0" not in page  # not the other one's
    assert "张 评" not in page  # no assessor's own total
    assert "75.0" in enter(chen).get("/results/mine").get_data(as_text=True)
    blocked = [f"/results/plans/{world.plan.id}", "/results/", f"/reports/lists/{found.id}/roster?form=xlsx", f"/reports/plans/{world.plan.id}",
               f"/reports/plans/{world.plan.id}/plots", "/reports/"]
    assert {client.get(url).status_code for url in blocked} == {403}


def test_strangers_find_no_results(world: World, enter: Enter, people: Any) -> None:
    complete(world, {"陈晓": (150, 140)})
    found = noticed(world)
    objection = desk.record_objection(world.session, found, "李", "疑问", world.officer, now=NOW)
    stranger = people("外校", Role.EXAM_OFFICER, Role.CITY_OFFICER, school=people.school("另一所学校"))
    supervisor = people("督导", Role.QUALITY_SUPERVISOR)
    world.session.commit()
    plan, lists = f"/results/plans/{world.plan.id}", f"/results/lists/{found.id}"
    gets = [plan, f"/reports/lists/{found.id}/roster?form=xlsx", f"/reports{plan[8:]}", f"/reports{plan[8:]}/plots"]
    posts = [f"{plan}/merge", *(f"{lists}/{verb}" for verb in ("check", "publish", "withdraw", "objections", "submit", "decide")),
             f"/results/objections/{objection.id}/answer"]
    client = enter(stranger)
    assert {client.get(url).status_code for url in gets} == {404}
    assert {client.post(url).status_code for url in posts} == {404}
    watching = enter(supervisor)
    assert {watching.get(url).status_code for url in gets} == {200}
    assert {watching.post(url).status_code for url in posts} == {403}


def test_the_console_exports_the_list(world: World, database: Any, settings: Any, tmp_path: Any) -> None:
    from click.testing import CliRunner

    from qbank.kernel.commands import Installation
    from scoring.reports.commands import group as commands

    installation = Installation(settings.folder)
    installation.__dict__.update(settings=settings, database=database)
    complete(world, {"陈晓": (150, 140)})
    world.session.commit()
    arguments = ["export", world.plan.number, "summary", "--out", str(tmp_path / "r.xlsx"), "--as", world.officer.login]
    early = CliRunner().invoke(commands, arguments, obj=installation)
    assert early.exit_code == 1
    assert "还没有合成成绩" in early.output
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.session.commit()
    assert CliRunner().invoke(commands, arguments, obj=installation).exit_code == 0
    assert openpyxl.load_workbook(tmp_path / "r.xlsx").sheetnames == ["名册", "汇总"]


def test_an_officer_records_an_absence_from_the_list_of_what_is_missing(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 150})
    world.session.commit()
    client = enter(world.officer)
    url = f"/results/plans/{world.plan.id}"
    assert "未编入考核组" in client.get(url).get_data(as_text=True)
    absence = f"/practical/enrolments/{chen.id}/absence"
    assert client.post(absence, data={"next": url}).headers["Location"] == url
    assert "各部分成绩已齐" in client.get(url).get_data(as_text=True)
    assert client.post(absence, data={"next": "//evil.example", "withdraw": "1"}).headers["Location"] == "/"
    assert "未编入考核组" in client.get(url).get_data(as_text=True)
