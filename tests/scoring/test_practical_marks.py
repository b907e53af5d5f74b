"""The practical part: rubric, group, marks, signatures, who sees what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans.condition_models import Qualification
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.refused import Refused
from scoring.practical import desk
from scoring.practical.models import GroupMember, MarkSheet, Part, PracticalScore, RowKind
from scoring.practical.rubrics import RowDraft, drafts_of
from scoring.practical.todo import todo
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


# Rubrics

def test_a_rubric_has_one_row_for_each_function_with_its_weight(world: World) -> None:
    rubric = desk.build_rubric(world.session, world.table, world.school.id, "评分表", world.officer)
    assert [row.most for row in rubric.rows] == [60, 30, 50, 60]  # 30, 15, 25, 30 points
    assert sum(row.most for row in rubric.rows) == 200


def test_a_section_is_split_and_must_sum_to_its_weight_exactly(world: World) -> None:
    rubric = desk.build_rubric(world.session, world.table, world.school.id, "评分表", world.officer)
    rows = drafts_of(rubric)
    split = [RowDraft("识图", "1", 21), RowDraft("接线", "1", 39), *rows[1:], RowDraft("未断电作业", kind=RowKind.VETO)]
    desk.change_rubric(world.session, rubric, "评分表", split, world.officer)
    assert [(row.position, row.most) for row in rubric.rows] == [(0, 21), (1, 39), (2, 30), (3, 50), (4, 60), (5, 0)]
    with pytest.raises(Refused) as refused:
        desk.change_rubric(world.session, rubric, "评分表", [RowDraft("识图", "1", 22), *split[1:]], world.officer)
    assert refused.value.details == ("“继电控制电路装调维修”各行合计 30.5 分，应为 30.0 分",)


def test_bad_rows_are_named_line_by_line(world: World) -> None:
    rows = [RowDraft("", "1", 60), RowDraft("x", "9", 30), RowDraft("y", "3", 0), RowDraft("验电", most=2, kind=RowKind.VETO)]
    with pytest.raises(Refused) as refused:
        desk.build_rubric(world.session, world.table, world.school.id, "评分表", world.officer, rows)
    assert refused.value.details[:4] == ("第 1 行：请填写评分内容", "第 2 行：所属职业功能不在权重表中", "第 3 行：分值应大于 0",
                                         "第 4 行：★ 否决项不计分，分值应为空")


def test_a_used_rubric_is_frozen_and_copied_to_be_edited(world: World) -> None:
    rubric = world.rubric(veto="未断电作业")
    world.group(world.enrol("陈晓"), world.assessors("张", "李", "王"), rubric)
    assert code_of(lambda: desk.change_rubric(world.session, rubric, "x", drafts_of(rubric), world.officer)) == "frozen"
    copy = desk.copy_rubric(world.session, rubric, "副本", world.officer)
    assert drafts_of(copy) == drafts_of(rubric)
    assert not copy.frozen


def test_a_theory_table_and_another_schools_officer_are_refused(world: World, people: Any) -> None:
    stranger = people("外校", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    assert code_of(lambda: desk.build_rubric(world.session, world.table, world.school.id, "评分表", stranger)) == "not_your_duty"
    assert code_of(lambda: desk.build_rubric(world.session, world.table, world.school.id, " ", world.officer)) == "no_name"


# Groups

@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_a_group_needs_three_or_more_and_an_odd_number_of_assessors(world: World, number: int) -> None:
    assessors = world.assessors(*"张李王赵"[:number])
    assert code_of(lambda: world.group(world.enrol("陈晓"), assessors)) == "wrong_number"


def test_an_assessor_must_hold_the_role_and_not_sit_in_the_plan(world: World, people: Any) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    two = world.assessors("张", "李")
    assert code_of(lambda: world.group([chen], [*two, people("赵", Role.INVIGILATOR)])) == "not_qualified"
    away = people("外校考评员", Role.PRACTICAL_ASSESSOR, school=people.school("另一所学校"))
    assert code_of(lambda: world.group([chen], [*two, away])) == "not_qualified"
    account = people.account("吴静", Role.PRACTICAL_ASSESSOR)
    account.identity_hash = wu.candidate.identity_hash = "same person"
    world.session.flush()
    assert code_of(lambda: world.group([chen], [*two, account.viewer()])) == "is_candidate"
    assert code_of(lambda: world.group([chen], [two[0], two[0], two[1]])) == "named_twice"


def test_a_candidate_is_in_one_group_only_and_of_this_plan(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    three = world.assessors("张", "李", "王")
    world.group([chen], three)
    assert [one.id for one in desk.ungrouped(world.session, world.plan)] == [wu.id]
    with pytest.raises(Refused) as refused:
        world.group([chen, wu], three)
    assert (refused.value.code, refused.value.details) == ("already_grouped", ("陈晓（第一组）",))
    other = world.enrol("外人", plan=world.new_plan("JH-2"))
    assert code_of(lambda: world.group(other, three)) == "other_plan"
    assert code_of(lambda: world.group([], three)) == "no_candidates"


def test_nobody_is_grouped_before_the_qualification_check(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    wu.qualification = Qualification.PENDING
    three = world.assessors("张", "李", "王")
    assert code_of(lambda: world.group([chen, wu], three)) == "not_qualified"
    assert [member.enrolment_id for member in world.group([chen], three).members] == [chen.id]


def test_a_rubric_of_another_level_is_refused(world: World) -> None:
    rubric = desk.build_rubric(world.session, world.skill_table(2), world.school.id, "技师", world.officer)
    assert code_of(lambda: world.group(world.enrol("陈晓"), world.assessors("张", "李", "王"), rubric)) == "other_standard"


def test_an_assessor_who_has_not_marked_is_replaced_and_a_marked_group_stays(world: World) -> None:
    chen = world.enrol("陈晓")
    zhang, li, wang, zhao = world.assessors("张", "李", "王", "赵")
    group = world.group(chen, [zhang, li, wang])
    desk.replace_assessor(world.session, group, wang.account_id, zhao.account_id, world.officer)
    assert {one.account.name for one in group.assessors} == {"张", "李", "赵"}
    world.mark(group, zhang, chen[0], 150)
    assert code_of(lambda: desk.replace_assessor(world.session, group, zhang.account_id, wang.account_id,
                                                 world.officer)) == "has_marked"
    assert code_of(lambda: desk.disband(world.session, group, world.officer)) == "has_marks"


# Marks

def test_blanks_are_refused_by_name_and_a_zero_must_be_typed(world: World) -> None:
    chen = world.enrol("陈晓")
    zhang, *others = world.assessors("张", "李", "王")
    group = world.group(chen, [zhang, *others], world.rubric(veto="未断电作业"))
    sheet = desk.mark_sheet_for(world.session, group.members[0], zhang)
    rows = group.rubric.rows
    desk.enter_marks(world.session, sheet, {rows[0].id: 60, rows[1].id: 0, rows[2].id: 49}, zhang, now=NOW)
    with pytest.raises(Refused) as refused:
        desk.sign(world.session, sheet, zhang, now=NOW)
    assert refused.value.code == "blanks"
    assert refused.value.details == ("自动控制电路装调维修", "★ 未断电作业")
    desk.enter_marks(world.session, sheet, {rows[3].id: 0, rows[4].id: False}, zhang, now=NOW)
    desk.sign(world.session, sheet, zhang, now=NOW)
    assert desk.total_of(sheet) == 109
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {rows[0].id: 59}, zhang, now=NOW)) == "signed"
    assert code_of(lambda: desk.sign(world.session, sheet, zhang, now=NOW)) == "signed"


def test_marks_out_of_range_and_of_the_wrong_kind_are_refused(world: World) -> None:
    zhang, *others = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, *others], world.rubric(veto="未断电作业"))
    sheet = desk.mark_sheet_for(world.session, group.members[0], zhang)
    first, veto = group.rubric.rows[0].id, group.rubric.rows[4].id
    for value in (-1, 61, True):
        with pytest.raises(Refused, match="out_of_range"):
            desk.enter_marks(world.session, sheet, {first: value}, zhang, now=NOW)
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {veto: 1}, zhang, now=NOW)) == "not_a_verdict"
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {999: 1}, zhang, now=NOW)) == "other_row"
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {first: 1}, others[0], now=NOW)) == "not_your_sheet"
    assert code_of(lambda: desk.mark_sheet_for(world.session, group.members[0], world.officer)) == "not_your_group"


def test_nobody_marks_before_the_day_or_without_an_approved_plan(world: World) -> None:
    zhang, *others = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, *others])
    sheet = desk.mark_sheet_for(world.session, group.members[0], zhang)
    row = group.rubric.rows[0].id
    group.starts_at = NOW + timedelta(days=1)
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {row: 1}, zhang, now=NOW)) == "too_early"
    group.starts_at = NOW + timedelta(hours=5)
    desk.enter_marks(world.session, sheet, {row: 1}, zhang, now=NOW)
    world.plan.state = PlanState.SUBMITTED
    assert code_of(lambda: desk.enter_marks(world.session, sheet, {row: 1}, zhang, now=NOW)) == "plan_not_approved"


def test_the_last_signature_joins_the_mean(world: World) -> None:
    chen, = world.enrol("陈晓")
    zhang, li, wang = world.assessors("张三", "李四", "王五")
    group = world.group([chen], [zhang, li, wang])
    world.mark(group, zhang, chen, 121)
    world.mark(group, li, chen, 119)
    assert code_of(lambda: desk.join(world.session, group.members[0], now=NOW)) == "not_all_signed"
    assert world.session.scalar(sa.select(PracticalScore)) is None
    world.mark(group, wang, chen, 119)
    score = world.session.scalars(sa.select(PracticalScore)).one()
    assert score.half_points == 119  # 59.83 is shown as 59.5
    assert score.reasons[0] == "张三 评 60.5 分"
    assert desk.join(world.session, group.members[0], now=NOW) is score


def test_a_divided_veto_fails_the_part_by_half_of_the_assessors(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    zhang, li, wang = world.assessors("张三", "李四", "王五")
    group = world.group([chen, wu], [zhang, li, wang], world.rubric(veto="未断电作业"))
    for who, against in ((zhang, True), (li, True), (wang, False)):
        world.mark(group, who, chen, 160, violated=against)
        world.mark(group, who, wu, 160, violated=against and who is zhang)
    verdicts = {one.enrolment_id: one.vetoed for one in world.session.scalars(sa.select(PracticalScore))}
    assert verdicts == {chen.id: True, wu.id: False}


def test_nobody_sees_anothers_marks_before_all_have_signed(world: World) -> None:
    chen, = world.enrol("陈晓")
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group([chen], [zhang, li, wang])
    world.mark(group, zhang, chen, 150)
    world.mark(group, li, chen, 150)

    def seen(who: Viewer) -> set[str]:
        return {one.assessor.name for one in world.session.scalars(visible(MarkSheet, who))}

    assert (seen(zhang), seen(li), seen(wang), seen(world.officer)) == ({"张"}, {"李"}, set(), set())
    world.mark(group, wang, chen, 150)
    assert seen(zhang) == seen(world.officer) == {"张", "李", "王"}
    stranger, = world.assessors("赵")
    joined = {who.name: len(world.session.scalars(visible(PracticalScore, who)).all()) for who in (zhang, world.officer, stranger)}
    assert joined == {zhang.name: 1, world.officer.name: 1, stranger.name: 0}
    assert seen(chen.candidate.viewer()) == set()
    assert world.session.scalars(visible(PracticalScore, chen.candidate.viewer())).all() == []


def test_an_absent_candidate_is_recorded_and_not_marked(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group([chen, wu], [zhang, li, wang])
    desk.record_absence(world.session, wu, Part.PRACTICAL, world.officer, now=NOW)
    assert code_of(lambda: world.mark(group, zhang, wu, 100)) == "is_absent"
    world.mark(group, zhang, chen, 100)
    assert code_of(lambda: desk.record_absence(world.session, chen, Part.PRACTICAL, world.officer, now=NOW)) == "has_marks"
    desk.withdraw_absence(world.session, wu, Part.PRACTICAL, world.officer)
    world.mark(group, zhang, wu, 100)


def test_the_work_list_counts_what_is_not_signed(world: World) -> None:
    chen, wu, _ = enrolled = world.enrol("陈晓", "吴静", "何平")
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group(enrolled, [zhang, li, wang])
    desk.record_absence(world.session, wu, Part.PRACTICAL, world.officer, now=NOW)
    world.mark(group, zhang, chen, 100)
    assert "还有 1 名考生没有签字" in todo(world.session, zhang, now=NOW)[0].detail
    assert "还有 2 名考生没有签字" in todo(world.session, li, now=NOW)[0].detail
    assert todo(world.session, world.officer, now=NOW) == []


# Doors

def test_strangers_find_nothing_and_an_assessor_no_other_group(world: World, enter: Enter, people: Any) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    zhang, li, wang, zhao = world.assessors("张", "李", "王", "赵")
    rubric = world.rubric()
    group = world.group([chen], [zhang, li, wang], rubric)
    for who in (zhang, li):
        world.mark(group, who, chen, 150)
    sheet = world.session.scalars(sa.select(MarkSheet).where(MarkSheet.assessor_id == zhang.account_id)).one()
    away = people.school("另一所学校")
    stranger = people("外校", Role.EXAM_OFFICER, Role.PRACTICAL_ASSESSOR, school=away)
    candidate = world.as_candidate(chen)
    world.session.commit()
    pages = [f"/practical/groups/{group.id}", f"/practical/groups/{group.id}/mark", f"/practical/sheets/{sheet.id}"]
    office = [f"/practical/rubrics/{rubric.id}", f"/practical/plans/{world.plan.id}/groups/new"]
    posts = [f"/practical/rubrics/{rubric.id}", f"/practical/rubrics/{rubric.id}/copy", f"/practical/groups/{group.id}/disband",
             f"/practical/groups/{group.id}/replace", f"/practical/enrolments/{wu.id}/absence",
             f"/practical/groups/{group.id}/chief", f"/practical/sheets/{sheet.id}/corrections", f"/practical/plans/{world.plan.id}/groups/new"]
    client = enter(stranger)
    assert {client.get(url).status_code for url in pages + office} == {404}
    assert {client.post(url).status_code for url in posts} == {404}
    assert client.post(f"/practical/groups/{group.id}/mark/events", json={"events": []}).status_code == 404
    other = enter(zhao)  # an assessor of the school, not of this group
    assert {other.get(url).status_code for url in pages} == {404}
    assert enter(li).get(pages[2]).status_code == 404  # a colleague's sheet while one signature is missing
    officer = enter(world.officer)
    assert officer.get(pages[0]).status_code == 200
    assert officer.get(pages[2]).status_code == 404
    student = enter(candidate)
    assert {student.get(url).status_code for url in [*pages, *office, "/practical/"]} == {403}


def test_an_officer_forms_a_group_on_a_page(world: World, enter: Enter) -> None:
    chen, _ = world.enrol("陈晓", "吴静")
    three = world.assessors("张", "李", "王")
    rubric = world.rubric()
    world.session.commit()
    client = enter(world.officer)
    url = f"/practical/plans/{world.plan.id}/groups/new"
    group = {"name": "第一组", "rubric_id": rubric.id, "place": "201", "starts_at": "2026-06-01T08:00",
             "assessor": [one.account_id for one in three], "enrolment": [chen.id]}
    even = client.post(url, data={**group, "assessor": [one.account_id for one in three[:2]]})
    assert even.status_code == 422
    assert "不少于 3 人的单数" in even.get_data(as_text=True)
    for bad in ({"starts_at": "x"}, {"rubric_id": ""}, {"rubric_id": "٣"}, {"name": ""}, {"enrolment": ["9" * 30]}):
        assert client.post(url, data={**group, **bad}).status_code in {404, 422}, bad
    assert client.post(url, data=group).status_code == 302
    assert "第一组" in client.get("/practical/").get_data(as_text=True)


def test_every_page_opens_on_an_empty_school(world: World, enter: Enter, people: Any) -> None:
    alone = people("新来的", Role.EXAM_OFFICER, Role.PRACTICAL_ASSESSOR, Role.REVIEW_EXAMINER, school=people.school("空学校"))
    world.session.commit()
    client = enter(alone)
    for url in ("/practical/", "/practical/rubrics", "/practical/rubrics/new", "/review/", "/results/", "/"):
        assert client.get(url).status_code == 200, url


def test_the_console_lists_groups(world: World, database: Any, settings: Any) -> None:
    from click.testing import CliRunner

    from qbank.kernel.commands import Installation
    from scoring.practical.commands import group as commands

    world.group(world.enrol("陈晓"), world.assessors("张", "李", "王"))
    world.session.commit()
    installation = Installation(settings.folder)
    installation.__dict__.update(settings=settings, database=database)
    answer = CliRunner().invoke(commands, ["list", "--as", world.officer.login], obj=installation)
    assert answer.exit_code == 0, answer.output
    assert "1 enrolled, 1 grouped, 0 scored, 0 absent" in answer.output
    assert "第一组" in answer.output


def test_two_last_assessors_who_sign_at_the_same_moment_still_join_the_score(world: World, database: Any, clock: Any) -> None:
    chen, = world.enrol("陈晓")
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group([chen], [zhang, li, wang])
    world.mark(group, zhang, chen, 190)
    member_id, rows = group.members[0].id, {row.id: row.most for row in group.rubric.rows}
    world.session.commit()
    together = threading.Barrier(2)

    def sign(who: Viewer) -> None:
        with database.transaction(who.actor, clock=clock) as own:
            sheet = desk.mark_sheet_for(own, own.get_one(GroupMember, member_id), who)
            desk.enter_marks(own, sheet, rows, who, now=NOW)
        together.wait()
        with database.transaction(who.actor, clock=clock) as own:
            desk.sign(own, desk.mark_sheet_for(own, own.get_one(GroupMember, member_id), who), who, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sign, (li, wang)))
    # (95 + 100 + 100) / 3 = 98.33 → 98.5
    assert world.session.scalars(sa.select(PracticalScore.half_points)).one() == 197


def test_what_a_plan_waits_for_is_asked_at_once_for_all_its_candidates(world: World) -> None:
    people = world.enrol("陈晓", "李想", "王芳", "赵敏", "孙立", "周全")
    three = world.assessors("张三", "李四", "王五")
    group = world.group(people, three)
    world.mark(group, three[0], people[0], 120)

    def asked() -> tuple[int, dict[int, str]]:
        world.session.flush()
        world.session.expire_all()
        heard: list[str] = []
        plan = world.session.get_one(ExamPlan, group.plan_id)
        event = (world.session.get_bind(), "before_cursor_execute", lambda *told: heard.append(told[2]))
        sa.event.listen(*event)
        found = desk.waiting_for(world.session, plan)
        sa.event.remove(*event)
        return len(heard), found

    six, found = asked()
    assert [found[one.id] for one in people] == ["第一组等待李四、王五签字"] + ["第一组等待张三、李四、王五签字"] * 5
    for one in people[2:]:
        for who, total in zip(three, (120, 122, 124), strict=True):
            world.mark(group, who, one, total)
    two, found = asked()
    assert (list(found), two) == ([one.id for one in people[:2]], six)
