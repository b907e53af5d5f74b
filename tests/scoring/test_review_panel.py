"""The comprehensive review: panel and seats, declarations, the draw, the defence, sealed marks, rounds, minutes."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from sqlalchemy.orm import Session

from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from scoring.review import declarations, defence, desk, minutes, order, overview, panels
from scoring.review.models import PanelMark, ReviewCase, ReviewPanel, ReviewScore
from scoring.review.states import CaseState
from scoring.review.todo import todo
from tests.scoring.outcome_world import NOW, World
from tests.scoring.review_world import case_of, formed, give, hand_in, heard, pen, ready, seat_of


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people, level=2)


def refused(act: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as said:
        act()
    return said.value


def code_of(act: Callable[[], Any]) -> str:
    return refused(act).code


# The panel and its seats

@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_a_panel_is_odd_and_at_least_three(world: World, number: int) -> None:
    members = world.examiners(*"甲乙丙丁"[:number])
    said = refused(lambda: desk.form_panel(world.session, world.plan, "评审", world.officer, starts_at=NOW, chair_id=0,
                                           member_ids=[one.account_id for one in members]))
    assert said.code == "wrong_number"
    assert "不少于 3 人的单数" in said.sentence


def test_a_panel_has_a_chair_among_its_members_and_only_examiners(world: World) -> None:
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    assessor, = world.assessors("戊")

    def form(*members: Viewer, chair: Viewer = jia, minutes: int | None = None, substitutes: tuple[Viewer, ...] = ()) -> ReviewPanel:
        return desk.form_panel(world.session, world.plan, "评审", world.officer, starts_at=NOW, chair_id=chair.account_id,
                               member_ids=[one.account_id for one in members], minutes=minutes,
                               substitute_ids=[one.account_id for one in substitutes])

    assert code_of(lambda: form(jia, yi, bing, chair=ding)) == "no_chair"
    assert code_of(lambda: form(jia, yi, assessor)) == "not_qualified"
    assert code_of(lambda: form(jia, yi, bing, substitutes=(jia,))) == "named_twice"
    assert code_of(lambda: form(jia, yi, bing, minutes=1)) == "wrong_minutes"
    panel = form(jia, yi, bing, chair=yi, minutes=15, substitutes=(ding,))
    assert [one.account.name for one in panel.members if one.is_chair] == ["乙"]
    assert len(panel.regular) == 3
    assert panels.form_of(panel) == [("材料", 40), ("答辩", 40), ("业绩", 20)]
    assert code_of(lambda: form(jia, yi, bing)) == "has_panel"


def test_the_form_and_the_limit_of_the_spread_come_from_the_rule_pack(world: World) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"review_form": "论文 60%、答辩 40%", "review_spread_half_points": 30}'))
    world.session.flush()
    panel = formed(world, world.examiners("甲", "乙", "丙"))
    assert panels.form_of(panel) == [("论文", 60), ("答辩", 40)]
    assert panel.spread_half_points == 30


def test_level_four_has_no_review(session: Session, people: Any) -> None:
    world = World(session, people, level=4)
    assert code_of(lambda: formed(world, world.examiners("甲", "乙", "丙"))) == "no_review"


def test_nothing_is_drawn_or_shown_before_everybody_has_declared(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    paper = hand_in(world, chen)
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = formed(world, [jia, yi, bing])
    declarations.declare(world.session, seat_of(panel, jia), jia, {}, now=NOW)
    declarations.declare(world.session, seat_of(panel, yi), yi, {}, now=NOW)
    said = refused(lambda: order.draw(world.session, panel, world.officer, now=NOW))
    assert said.code == "not_declared"
    assert "丙" in said.sentence
    assert code_of(lambda: declarations.declare(world.session, seat_of(panel, bing), jia, {}, now=NOW)) == "not_yours"
    assert code_of(lambda: declarations.declare(world.session, seat_of(panel, bing), bing, {wu.id: " "}, now=NOW)) == "no_reason"

    def seen(who: Viewer) -> int:
        return len(world.session.scalars(visible(type(paper), who)).all())

    assert seen(jia) == 0  # declared, not drawn
    declarations.declare(world.session, seat_of(panel, bing), bing, {wu.id: "任课教师"}, now=NOW)
    assert code_of(lambda: declarations.declare(world.session, seat_of(panel, bing), bing, {}, now=NOW)) == "declared"
    order.draw(world.session, panel, world.officer, now=NOW)
    assert [seen(who) for who in (jia, yi, bing)] == [1, 1, 1]
    hand_in(world, wu)
    assert [seen(who) for who in (jia, yi, bing)] == [2, 2, 1]  # 丙 does not judge 吴静


def test_the_order_is_drawn_once_and_anybody_can_repeat_it(world: World) -> None:
    enrolments = world.enrol("陈晓", "吴静", "李强", "赵敏")
    panel = ready(world, world.examiners("甲", "乙", "丙"), seed="2026")
    by_hand = sorted(enrolments, key=lambda one: order.place("2026", one.ticket_number))
    assert [case.enrolment_id for case in sorted(panel.cases, key=lambda one: one.number)] == [one.id for one in by_hand]
    assert code_of(lambda: order.draw(world.session, panel, world.officer, now=NOW)) == "all_drawn"
    late, = world.enrol("后来")
    world.session.expire_all()
    assert [case.number for case in order.draw(world.session, panel, world.officer, now=NOW)] == [5]
    assert case_of(world, late).draw.seed == panel.draws[-1].seed != "2026"


def test_who_is_not_accepted_is_not_drawn(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    wu.qualification = Qualification.PENDING
    panel = ready(world, world.examiners("甲", "乙", "丙"))
    assert [case.enrolment_id for case in panel.cases] == [chen.id]
    wu.qualification = Qualification.ACCEPTED
    assert [case.enrolment_id for case in order.draw(world.session, panel, world.officer, now=NOW)] == [wu.id]


# An absent member never lowers the number

def test_an_absent_member_stops_the_review_until_a_substitute_comes_in(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    panel = ready(world, [jia, yi, bing])
    case = case_of(world, chen)
    assert desk.leave(world.session, panel, seat_of(panel, bing), world.officer, reason="生病", now=NOW) == 1
    said = refused(lambda: defence.start(world.session, case, jia, now=NOW))
    assert said.code == "panel_incomplete"
    assert "丙缺席，缺 1 名评审专家" in said.sentence
    assert "须保持 3 人，不能减少" in said.sentence
    substitute = desk.add_substitute(world.session, panel, ding.account_id, world.officer)
    assert code_of(lambda: panels.fill(world.session, panel, seat_of(panel, bing), seat_of(panel, jia), world.officer)) == "not_substitute"
    assert panels.fill(world.session, panel, seat_of(panel, bing), substitute, world.officer) == 1
    assert "丁还没有申报利害关系" in refused(lambda: defence.start(world.session, case, jia, now=NOW)).sentence
    declarations.declare(world.session, substitute, ding, {}, now=NOW)
    heard(world, case, jia)
    for who in (jia, yi, ding):
        give(world, case, who, (120, 120, 120))
    assert desk.join(world.session, chen).half_points == 120
    assert code_of(lambda: give(world, case, bing, (0, 0, 0))) == "not_your_candidate"


def test_who_leaves_after_the_defence_leaves_it_to_be_heard_again(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    panel = ready(world, [jia, yi, bing], [ding])
    case = heard(world, case_of(world, chen), jia)
    give(world, case, jia, (140, 140, 140))
    assert code_of(lambda: desk.leave(world.session, panel, seat_of(panel, jia), world.officer, reason="有事", now=NOW)) == "nothing_left"
    panels.recuse(world.session, seat_of(panel, bing), case, bing, reason="认出是亲属", now=NOW)
    assert case.state is CaseState.WAITING
    assert code_of(lambda: give(world, case, yi, (140, 140, 140))) == "not_heard"
    panels.fill(world.session, panel, seat_of(panel, bing), seat_of(panel, ding), world.officer)
    heard(world, case, jia)
    assert refused(lambda: desk.join(world.session, chen)).sentence.startswith("1 号考生的综合评审还缺 乙、丁 的签字评分")
    for who in (yi, ding):
        give(world, case, who, (140, 140, 140))
    assert desk.join(world.session, chen).half_points == 140  # what 甲 had signed stayed


def test_a_substitute_with_ties_of_his_own_cannot_come_in(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    hand_in(world, chen)
    panel = formed(world, [jia, yi, bing], [ding])
    for who, ties in ((jia, {}), (yi, {}), (bing, {chen.id: "师徒"}), (ding, {chen.id: "同一班组"})):
        declarations.declare(world.session, seat_of(panel, who), who, ties, now=NOW)
    assert code_of(lambda: panels.fill(world.session, panel, seat_of(panel, bing), seat_of(panel, ding), world.officer)) == "cannot_fill"
    order.draw(world.session, panel, jia, now=NOW)
    assert "缺 1 名评审专家" in overview.waits(world.session, world.plan)[chen.id]


def test_when_the_chair_recuses_himself_another_judge_leads(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    for one in (chen, wu):
        hand_in(world, one)
    panel = formed(world, [jia, yi, bing], [ding])
    for who in (jia, yi, bing, ding):
        declarations.declare(world.session, seat_of(panel, who), who, {chen.id: "师徒"} if who is jia else {}, now=NOW)
    panels.fill(world.session, panel, seat_of(panel, jia), seat_of(panel, ding), world.officer)
    order.draw(world.session, panel, world.officer, now=NOW)
    case = case_of(world, chen)
    assert code_of(lambda: defence.start(world.session, case, jia, now=NOW)) == "not_chair"
    leader = panels.leader_of(case)
    assert leader is not None
    heard(world, case, leader.account.viewer())
    assert code_of(lambda: defence.start(world.session, case_of(world, wu), yi, now=NOW)) == "not_chair"


# The defence

def test_the_clock_is_led_by_the_chair_pauses_count_out_and_an_early_end_says_why(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    ready(world, [jia, yi, bing])
    case, other = case_of(world, chen), case_of(world, wu)
    assert code_of(lambda: defence.start(world.session, case, yi, now=NOW)) == "not_chair"
    assert code_of(lambda: defence.end(world.session, case, jia, now=NOW)) == "not_begun"
    defence.start(world.session, case, jia, now=NOW)
    assert code_of(lambda: defence.start(world.session, other, jia, now=NOW)) == "another_defends"
    defence.pause(world.session, case, jia, now=NOW + timedelta(minutes=10))
    defence.start(world.session, case, jia, now=NOW + timedelta(minutes=25))
    assert case.timer.left(NOW + timedelta(minutes=35)) == 600  # 30 - 10 - 10
    assert code_of(lambda: defence.end(world.session, case, jia, now=NOW + timedelta(minutes=35))) == "too_short"
    defence.end(world.session, case, jia, reason="考生身体不适", now=NOW + timedelta(minutes=35))
    assert (case.state, case.spent_seconds, case.early_reason) == (CaseState.SCORING, 1200, "考生身体不适")
    assert code_of(lambda: defence.pause(world.session, case, jia, now=NOW)) == "wrong_state"


def test_a_candidate_without_a_paper_is_not_heard(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = formed(world, [jia, yi, bing])
    for who in (jia, yi, bing):
        declarations.declare(world.session, seat_of(panel, who), who, {}, now=NOW)
    case, = order.draw(world.session, panel, world.officer, now=NOW)
    assert code_of(lambda: defence.start(world.session, case, jia, now=NOW)) == "no_paper"
    assert code_of(lambda: defence.start(world.session, case, jia, now=NOW - timedelta(days=1))) == "too_early"
    hand_in(world, chen)
    defence.start(world.session, case, jia, now=NOW)


# Sealed marks

def test_blanks_wrong_numbers_and_others_marks_are_refused(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = ready(world, [jia, yi, bing])
    case = case_of(world, chen)

    def enter(*points: int | None, who: Viewer = jia, opinion: str = "") -> PanelMark:
        return desk.enter(world.session, seat_of(panel, jia), case, who, points=points, opinion=opinion, now=NOW)

    assert code_of(lambda: enter(201, 0, 0)) == "out_of_range"
    assert code_of(lambda: enter(-1, 0, 0)) == "out_of_range"
    assert code_of(lambda: enter(100, 100)) == "other_form"
    assert code_of(lambda: enter(100, 100, 100, who=yi)) == "not_your_marks"
    assert code_of(lambda: enter(100, 100, 100, opinion="长" * 2001)) == "opinion_too_long"
    mark = enter(0, None, None)
    assert code_of(lambda: desk.sign(world.session, mark, jia, now=NOW)) == "not_heard"
    heard(world, case, jia)
    assert refused(lambda: desk.sign(world.session, mark, jia, now=NOW)).sentence.startswith("还没有填写：答辩、业绩、评审意见")
    give(world, case, jia, (0, 0, 0))
    assert code_of(lambda: enter(1, 1, 1)) == "signed"


def test_nobody_sees_anothers_marks_before_all_have_signed(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    stranger, = world.examiners("丁")
    ready(world, [jia, yi, bing])
    case = heard(world, case_of(world, chen), jia)
    give(world, case, jia, (151, 150, 150), "论述清楚")
    give(world, case, yi, (150, 150, 150))
    give(world, heard(world, case_of(world, wu), jia), bing, (150, 150, 150))  # signed for somebody else: opens nothing

    def seen(who: Viewer, of: Enrolment) -> set[str]:
        return {one.member.account.name for one in world.session.scalars(visible(PanelMark, who).where(PanelMark.enrolment_id == of.id))}

    candidate = chen.candidate.viewer()
    admin = world.people("系统", Role.ADMINISTRATOR)
    assert [seen(who, chen) for who in (jia, bing, world.officer, candidate, admin)] == [{"甲"}, set(), set(), set(), set()]
    trail = " ".join(str(one) for one in world.session.scalars(sa.select(AuditEntry.changes).where(AuditEntry.table_name == "panel_marks")))
    assert "151" not in trail
    assert "论述清楚" not in trail
    give(world, case, bing, (150, 150, 150))
    assert seen(jia, chen) == seen(world.officer, chen) == {"甲", "乙", "丙"}
    assert [seen(who, chen) for who in (candidate, stranger)] == [set(), set()]
    assert [len(world.session.scalars(visible(ReviewScore, who)).all()) for who in (jia, world.officer, stranger, candidate)] == [1, 1, 0, 0]
    assert world.session.scalars(visible(ReviewCase, candidate)).all() == []


def test_a_spread_above_the_limit_is_discussed_and_both_rounds_are_kept(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = ready(world, [jia, yi, bing])
    case = heard(world, case_of(world, chen), jia)
    for who, points in ((jia, (160, 160, 160)), (yi, (150, 150, 150)), (bing, (138, 138, 138))):  # 80, 75, 69: 11 apart, limit 10
        give(world, case, who, points)
    assert case.state is CaseState.DISCUSSING
    assert refused(lambda: desk.join(world.session, chen)).code == "not_discussed"
    assert code_of(lambda: give(world, case, bing, (150, 150, 150))) == "not_discussed"
    assert code_of(lambda: desk.discuss(world.session, case, bing, note="合议", now=NOW)) == "not_chair"
    assert code_of(lambda: desk.discuss(world.session, case, jia, note=" ", now=NOW)) == "no_note"
    desk.discuss(world.session, case, jia, note="对创新部分的评分标准取得一致。", now=NOW)
    give(world, case, jia, (160, 160, 160))
    sealed = world.session.scalars(visible(PanelMark, yi).where(PanelMark.round == 2)).all()
    assert sealed == []  # the second round is sealed as the first was
    give(world, case, yi, (150, 150, 150))
    give(world, case, bing, (146, 146, 146))
    score = desk.join(world.session, chen)
    assert score.half_points == 152  # (80 + 75 + 73) / 3 = 76
    assert score.reasons[0] == "第一轮最高与最低相差 11.00 分，超过 10.0 分，合议后重新评分"
    assert [len(desk.marks_of(world.session, case, number)) for number in (1, 2)] == [3, 3]
    assert [mark.points[0] for mark in desk.marks_of(world.session, case, 1)] == [160, 150, 138]
    desk.dissent(world.session, seat_of(panel, bing), case, bing, text="仍认为创新不足。", now=NOW)
    assert code_of(lambda: desk.dissent(world.session, seat_of(panel, bing), case, yi, text="我", now=NOW)) == "not_your_candidate"


def test_a_spread_that_stays_is_named_and_makes_no_third_round(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    ready(world, [jia, yi, bing])
    case = heard(world, case_of(world, chen), jia)
    for number in (1, 2):
        for who, points in ((jia, (180, 180, 180)), (yi, (150, 150, 150)), (bing, (120, 120, 120))):
            give(world, case, who, points)
        if number == 1:
            desk.discuss(world.session, case, jia, note="各持己见。", now=NOW)
    assert case.state is CaseState.DONE
    assert desk.join(world.session, chen).reasons[-1] == "第二轮最高与最低相差 30.00 分，仍超过 10.0 分，分歧记入会议记录"


def test_absence_of_a_candidate_and_the_work_list(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = formed(world, [jia, yi, bing])
    assert todo(world.session, jia, now=NOW)[0].title == "申报利害关系：综合评审"
    for one in (chen, wu):
        hand_in(world, one)
    for who in (jia, yi, bing):
        declarations.declare(world.session, seat_of(panel, who), who, {}, now=NOW)
    desk.record_absence(world.session, wu, world.officer, now=NOW)
    order.draw(world.session, panel, world.officer, now=NOW)
    assert "还有 1 名考生" in todo(world.session, jia, now=NOW)[0].detail
    heard(world, case_of(world, chen), jia)
    assert code_of(lambda: desk.record_absence(world.session, chen, world.officer, now=NOW)) == "has_marks"
    give(world, case_of(world, chen), jia, (150, 150, 150))
    world.session.expire_all()
    assert todo(world.session, jia, now=NOW) == []
    assert code_of(lambda: desk.disband(world.session, panel, world.officer)) == "has_marks"
    assert overview.waits(world.session, world.plan)[chen.id] == "等待乙、丙签字"


def test_the_minutes_carry_everything_and_the_signatures(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing = world.examiners("甲某", "乙某", "丙某")
    panel = ready(world, [jia, yi, bing], seed="种子七")
    desk.record_absence(world.session, wu, world.officer, now=NOW)
    case = heard(world, case_of(world, chen), jia)
    assert code_of(lambda: minutes.close(world.session, panel, jia, now=NOW)) == "not_finished"
    assert code_of(lambda: minutes.pdf(world.session, panel, now=NOW)) == "not_closed"
    for who in (jia, yi, bing):
        give(world, case, who, (150, 150, 150))
    assert code_of(lambda: minutes.close(world.session, panel, yi, now=NOW)) == "not_chair"
    world.session.commit()  # what is committed is in the trail
    minutes.close(world.session, panel, jia, note="秩序良好。", now=NOW)
    assert code_of(lambda: desk.dissent(world.session, seat_of(panel, yi), case, yi, text="晚了", now=NOW)) == "closed"
    assert todo(world.session, yi, now=NOW)[0].title == "签字：综合评审会议记录"
    minutes.sign(world.session, seat_of(panel, yi), yi, signature=pen(), now=NOW)
    assert code_of(lambda: minutes.sign(world.session, seat_of(panel, yi), yi, now=NOW)) == "signed"
    assert code_of(lambda: minutes.sign(world.session, seat_of(panel, jia), yi, now=NOW)) == "not_yours"
    document = PdfReader(io.BytesIO(minutes.pdf(world.session, panel, now=NOW)))
    text = "".join(page.extract_text() for page in document.pages)
    assert panel.audit_head in {entry.digest for entry in world.session.scalars(sa.select(AuditEntry))}
    for words in ("综合评审会议记录", panel.audit_head, "种子七", "陈晓", "缺考：吴静", "75.0", "秩序良好", "乙某"):
        assert words in text, words
    assert sum(len(page.images) for page in document.pages) == 1
