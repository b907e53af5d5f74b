"""Scores that candidates bring along: substitution, competition, carried over; two persons, evidence, the difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.attachments import from_bytes, intact, path_of
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from qbank.standards.rulepack import RulePack
from scoring.practical import desk as practical
from scoring.practical.models import Part
from scoring.results import credits, desk
from scoring.results.merge import PRACTICAL, THEORY, Source, Verdict
from scoring.results.models import Credit, CreditState, ResultState
from scoring.results.parts import gather
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
PDF = b"%PDF-1.7\n% a transcript\n%%EOF\n"
YESTERDAY = date(2026, 5, 31)


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


@pytest.fixture
def second(people: Any) -> Viewer:
    return people("吴岚", Role.EXAM_OFFICER)  # type: ignore[no-any-return]


def absent_from_theory(world: World, *names: str) -> list[Enrolment]:
    """Candidates who did not sit theory and earned 70 points in the practical part."""
    enrolled = world.enrol(*names)
    world.theory({one.id: None for one in enrolled})
    assessors = world.assessors("张", "李", "王")
    group = world.group(enrolled, assessors)
    for one in enrolled:
        for who in assessors:
            world.mark(group, who, one, 140)
    return enrolled


def substitute(world: World, enrolment: Enrolment, *, half_points: int = 150, part: str = THEORY,
               source: Source = Source.SUBSTITUTE, evidence: FileStorage | None = None, on: date = YESTERDAY) -> Credit:
    return credits.propose(world.session, enrolment, part, source, half_points, world.officer, basis="《电工基础》期末考试",
                           achieved_on=on, evidence=from_bytes(PDF, "成绩单.pdf") if evidence is None else evidence, now=NOW)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_a_course_examination_counts_once_a_second_officer_agrees(world: World, second: Viewer) -> None:
    chen, = absent_from_theory(world, "陈晓")
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert found.results[0].verdict is Verdict.ABSENT
    credit = substitute(world, chen)
    assert not desk.outdated(world.session, found, gather(world.session, world.plan))  # only proposed
    assert code_of(lambda: credits.decide(world.session, credit, True, "", world.officer, now=NOW)) == "same_person"
    credits.decide(world.session, credit, True, "", second, now=NOW)
    assert desk.outdated(world.session, found, gather(world.session, world.plan))
    again = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert again.results[0].verdict is Verdict.PASSED
    assert again.results[0].reasons[0] == "理论知识 75.0 分（成绩替代：《电工基础》期末考试，2026-05-31），合格"
    assert again.results[0].source_of(THEORY) is Source.SUBSTITUTE


def test_what_may_not_be_proposed_is_refused_by_name(world: World) -> None:
    chen, = absent_from_theory(world, "陈晓")
    assert code_of(lambda: substitute(world, chen, part=PRACTICAL)) == "theory_only"
    assert code_of(lambda: substitute(world, chen, part="综合评审")) == "no_such_part"  # level 4 has none
    assert code_of(lambda: substitute(world, chen, source=Source.COMPETITION)) == "not_allowed"  # the pack's default
    assert code_of(lambda: substitute(world, chen, source=Source.CARRIED)) == "wrong_source"
    assert code_of(lambda: substitute(world, chen, half_points=201)) == "score_range"
    assert code_of(lambda: substitute(world, chen, on=date(2026, 6, 2))) == "future"
    assert code_of(lambda: substitute(world, chen, evidence=from_bytes(b"MZ\x90\x00 a program", "成绩单.pdf"))) == "wrong_file_type"
    assert code_of(lambda: substitute(world, chen, evidence=FileStorage(BytesIO(), filename=""))) == "no_file"
    substitute(world, chen)
    assert code_of(lambda: substitute(world, chen)) == "already"


def test_a_competition_counts_where_the_province_lets_it(world: World, second: Viewer) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"competition_scores": true}'))
    chen, = absent_from_theory(world, "陈晓")
    credit = substitute(world, chen, source=Source.COMPETITION, half_points=180)
    credits.decide(world.session, credit, True, "", second, now=NOW)
    result, = desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results
    assert (result.verdict, result.source_of(THEORY)) == (Verdict.PASSED, Source.COMPETITION)


def test_a_rejection_needs_a_reason_and_a_withdrawn_credit_does_not_count(world: World, second: Viewer) -> None:
    chen, = absent_from_theory(world, "陈晓")
    credit = substitute(world, chen)
    assert code_of(lambda: credits.decide(world.session, credit, False, " ", second, now=NOW)) == "no_comment"
    credits.decide(world.session, credit, True, "", second, now=NOW)
    assert code_of(lambda: credits.decide(world.session, credit, False, "改主意", second, now=NOW)) == "wrong_state"
    credits.withdraw(world.session, credit, "成绩单录错人", world.officer, now=NOW)
    assert credit.state is CreditState.WITHDRAWN
    assert desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results[0].verdict is Verdict.ABSENT


def test_once_posted_nothing_can_be_proposed_or_decided(world: World, second: Viewer) -> None:
    chen, = absent_from_theory(world, "陈晓")
    credit = substitute(world, chen)
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.post(found)
    assert code_of(lambda: substitute(world, chen)) == "posted"
    assert code_of(lambda: credits.decide(world.session, credit, True, "", second, now=NOW)) == "posted"
    desk.withdraw(world.session, found, world.officer, "漏记成绩替代", now=NOW)
    credits.decide(world.session, credit, True, "", second, now=NOW)


def final_plan(world: World, starts_on: date, theory: int, practical_half_points: int) -> tuple[ExamPlan, Enrolment]:
    """An earlier plan of the same standard and level, approved to the end, with one candidate."""
    plan = world.new_plan("JH-2025-009")
    plan.starts_on = starts_on
    chen, = world.enrol("陈晓", plan=plan)
    world.theory({chen.id: theory}, plan=plan)
    world.session.expire(plan, ["sittings"])
    practical.record_absence(world.session, chen, Part.PRACTICAL, world.officer, now=NOW)
    found = desk.merge_plan(world.session, plan, world.officer, now=NOW)
    found.state = ResultState.FINAL
    found.noticed_at, found.notice_ends_at = NOW - timedelta(days=9), NOW - timedelta(days=1)
    world.session.flush()
    return plan, chen


def enrolled_again(world: World, account_id: int) -> Enrolment:
    again = Enrolment(plan_id=world.plan.id, account_id=account_id, ticket_number="20260001", class_name="电气2301")
    world.session.add(again)
    world.session.flush()
    return again


def test_a_part_passed_within_the_year_is_carried_over_once(world: World, second: Viewer) -> None:
    _, before = final_plan(world, date(2025, 6, 1), 130, 0)
    again = enrolled_again(world, before.account_id)
    offered = credits.carriable(world.session, world.plan)
    assert [(one.part, one.half_points, one.valid_until) for one in offered] == [(THEORY, 130, date(2026, 6, 1))]
    credit = credits.carry_over(world.session, again, THEORY, world.officer, now=NOW)
    assert credits.carriable(world.session, world.plan) == []
    credits.decide(world.session, credit, True, "", second, now=NOW)
    parts = gather(world.session, world.plan)[0]
    assert parts.records[0].note == "认定计划 JH-2025-009，2025-06-01，有效期至 2026-06-01"
    assert code_of(lambda: credits.carry_over(world.session, again, PRACTICAL, world.officer, now=NOW)) in {"nothing_to_carry"}


def test_nothing_older_than_the_pack_allows_and_nothing_failed_is_carried(world: World) -> None:
    _, before = final_plan(world, date(2025, 5, 31), 130, 0)  # one day too old for a plan of 2026-06-01
    enrolled_again(world, before.account_id)
    assert credits.carriable(world.session, world.plan) == []
    assert RulePack().make_up_years == 1


def test_a_failed_part_is_not_offered(world: World) -> None:
    _, before = final_plan(world, date(2026, 1, 5), 119, 0)
    enrolled_again(world, before.account_id)
    assert credits.carriable(world.session, world.plan) == []


def test_the_difference_is_shown_before_it_is_applied(world: World, second: Viewer, enter: Enter) -> None:
    chen, _ = absent_from_theory(world, "陈晓", "吴静")
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    credits.decide(world.session, substitute(world, chen), True, "", second, now=NOW)
    world.session.commit()
    client = enter(world.officer)
    page = client.get(f"/results/plans/{world.plan.id}/difference").get_data(as_text=True)
    assert "会改变 1 名考生的结果" in page
    assert "1 名的合格与否会改变" in page
    assert "陈晓" in page
    assert "吴静" not in page
    client.post(f"/results/plans/{world.plan.id}/merge")
    assert "重新合成不会改变任何结果" in client.get(f"/results/plans/{world.plan.id}/difference").get_data(as_text=True)


def test_the_page_takes_a_credit_in_and_hands_the_evidence_out(world: World, second: Viewer, enter: Enter) -> None:
    absent_from_theory(world, "陈晓")
    world.session.commit()
    client, where = enter(world.officer), f"/results/plans/{world.plan.id}/credits"
    form = {"ticket": "陈晓", "part": THEORY, "source": "substitute", "points": "75.3", "basis": "期末考试",
            "achieved_on": "2026-05-20"}
    wrong = client.post(where, data=form | {"evidence": (BytesIO(PDF), "成绩单.pdf")})
    assert wrong.status_code == 409
    assert "以 0.5 分为单位" in wrong.get_data(as_text=True)
    assert 'value="期末考试"' in wrong.get_data(as_text=True)  # what was typed stays
    assert client.post(where, data=form | {"points": "75.5", "evidence": (BytesIO(PDF), "../../成绩单.pdf")}).status_code == 302
    credit = world.session.scalars(sa.select(Credit)).one()
    assert credit.half_points == 151
    assert credit.evidence is not None
    assert credit.evidence.name == "成绩单.pdf"
    world.session.commit()
    with client.get(f"/results/credits/{credit.id}/evidence") as handed:
        assert handed.data == PDF
        assert handed.headers["Content-Disposition"].startswith("attachment")
    other = enter(second)
    assert "待审批" in other.get(where).get_data(as_text=True)
    assert other.post(f"/results/credits/{credit.id}/decide", data={"decision": "approve", "version": "1"}).status_code == 302


def test_another_schools_officer_finds_nothing(world: World, people: Any, enter: Enter) -> None:
    chen, = absent_from_theory(world, "陈晓")
    credit = substitute(world, chen)
    world.session.commit()
    stranger = people("钱进", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    assert world.session.scalars(visible(Credit, stranger)).all() == []
    world.session.commit()
    client = enter(stranger)
    for way in (f"/results/plans/{world.plan.id}/credits", f"/results/credits/{credit.id}/evidence",
                f"/results/plans/{world.plan.id}/difference"):
        assert client.get(way).status_code == 404


def test_evidence_that_was_changed_on_the_disk_is_noticed(world: World) -> None:
    chen, = absent_from_theory(world, "陈晓")
    kept = substitute(world, chen).evidence
    assert kept is not None
    assert intact(world.session, kept)
    path_of(world.session, kept).write_bytes(PDF.replace(b"transcript", b"forgery of"))
    assert not intact(world.session, kept)
    path_of(world.session, kept).unlink()
    assert code_of(lambda: intact(world.session, kept)) == "file_missing"
