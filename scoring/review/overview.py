"""What the pages of the comprehensive review list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from scoring.practical.desk import absent_from
from scoring.practical.models import Part
from scoring.review.models import PanelMark, PanelMember, ReviewCase, ReviewPanel, ReviewScore
from scoring.review.panels import judges_of, panel_of, stopped
from scoring.review.states import CaseState


@dataclass(frozen=True)
class OwnPanel:
    """A panel as its member sees it: how many candidates wait for his marks, and for how many he has signed."""

    member: PanelMember
    left: int
    signed: int


@dataclass(frozen=True)
class PlanLine:
    """A plan as the office sees it."""

    plan: ExamPlan
    panel: ReviewPanel | None
    enrolled: int
    scored: int
    absent: int


def own_panels(session: Session, viewer: Viewer) -> list[OwnPanel]:
    """The panels in which ``viewer`` sits."""
    if not viewer.has(Role.REVIEW_EXAMINER):
        return []
    members = session.scalars(sa.select(PanelMember).join(ReviewPanel).where(PanelMember.account_id == viewer.account_id)
                              .order_by(ReviewPanel.starts_at.desc(), ReviewPanel.id)).all()
    return [_own(session, member) for member in members]


def _own(session: Session, member: PanelMember) -> OwnPanel:
    absent = absent_from(session, member.panel.plan, Part.REVIEW)
    signed = {(mark.enrolment_id, mark.round) for mark in member.marks if mark.signed_at is not None}
    left = [case for case in member.panel.cases if case.enrolment_id not in absent and case.state is not CaseState.DONE
            and (case.enrolment_id, case.round) not in signed and member in judges_of(member.panel, case.enrolment_id)]
    return OwnPanel(member, len(left), len({key for key, _ in signed}))


def plan_line(session: Session, plan: ExamPlan) -> PlanLine:
    """The numbers of one plan."""
    own = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)
    enrolled = session.scalar(sa.select(sa.func.count()).select_from(own.subquery())) or 0
    scored = session.scalar(sa.select(sa.func.count()).where(ReviewScore.enrolment_id.in_(own))) or 0
    return PlanLine(plan, panel_of(session, plan), enrolled, scored, len(absent_from(session, plan, Part.REVIEW)))


def waits(session: Session, plan: ExamPlan) -> dict[int, str]:
    """Enrolment → what the comprehensive review still waits for, of everybody without a score."""
    panel = panel_of(session, plan)
    scored = set(session.scalars(sa.select(ReviewScore.enrolment_id).join(Enrolment).where(Enrolment.plan_id == plan.id)))
    keys = [key for key in session.scalars(sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)) if key not in scored]
    if panel is None:
        return dict.fromkeys(keys, "未组建评审委员会")
    cases = {case.enrolment_id: case for case in panel.cases}
    signed = _signatures(session, panel)
    return {key: _wait(panel, cases.get(key), signed) for key in keys}


def _wait(panel: ReviewPanel, case: ReviewCase | None, signed: set[tuple[int, int, int]]) -> str:
    if case is None:
        return "没有排入评审顺序，请抽签"
    if sentence := stopped(case):
        return sentence
    if case.state is not CaseState.SCORING:
        return f"{case.number} 号{case.state.chinese}"
    names = [one.account.name for one in judges_of(panel, case.enrolment_id)
             if one is not None and (one.id, case.enrolment_id, case.round) not in signed]
    return f"等待{'、'.join(names)}签字"


def _signatures(session: Session, panel: ReviewPanel) -> set[tuple[int, int, int]]:
    rows = session.execute(sa.select(PanelMark.member_id, PanelMark.enrolment_id, PanelMark.round).join(PanelMember)
                           .where(PanelMember.panel_id == panel.id, PanelMark.signed_at.is_not(None)))
    return {(member, enrolment, number) for member, enrolment, number in rows}


def the_room(session: Session, panel: ReviewPanel, viewer: Viewer) -> list[dict[str, Any]]:
    """The room at a glance: each candidate's state, clock and who has signed. Never a mark, and no name for the panel."""
    absent = absent_from(session, panel.plan, Part.REVIEW)
    signed = _signatures(session, panel)
    offices = session.scalar(visible(ExamPlan, viewer).with_only_columns(ExamPlan.id).where(ExamPlan.id == panel.plan_id)) is not None
    query = sa.select(ReviewCase).where(ReviewCase.panel_id == panel.id).order_by(ReviewCase.number)
    return [_line(case, viewer, absent, signed, offices)
            for case in session.scalars(query.options(selectinload(ReviewCase.enrolment).joinedload(Enrolment.candidate)))]


def _line(case: ReviewCase, viewer: Viewer, absent: set[int], signed: set[tuple[int, int, int]], offices: bool) -> dict[str, Any]:
    judges = judges_of(case.panel, case.enrolment_id)
    present = [one for one in judges if one is not None]
    leader = next((one for one in present if one.is_chair), present[0] if present else None)
    since = case.running_since
    return {
        "id": case.id, "number": case.number, "state": case.state.value, "told": case.state.chinese, "round": case.round,
        "absent": case.enrolment_id in absent, "stopped": "" if case.state is CaseState.DONE else stopped(case),
        "ends": round((since.timestamp() + case.panel.minutes * 60 - case.spent_seconds) * 1000) if since else None,
        "used": f"{case.spent_seconds // 60} 分 {case.spent_seconds % 60} 秒" if case.ended_at else "",
        "left": case.panel.minutes * 60 - case.spent_seconds,
        "judges": [{"name": one.account.name, "you": one.account_id == viewer.account_id,
                    "signed": (one.id, case.enrolment_id, case.round) in signed} if one else None for one in judges],
        "mine": any(one.account_id == viewer.account_id for one in present),
        "leads": leader is not None and leader.account_id == viewer.account_id,
        "name": f"{case.enrolment.candidate.name} {case.enrolment.ticket_number}" if offices else ""}
