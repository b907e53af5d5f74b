"""What the pages of the comprehensive review list."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from scoring.practical.desk import absent_from
from scoring.practical.models import Part
from scoring.review.desk import panel_of
from scoring.review.models import PanelMark, PanelMember, ReviewPanel, ReviewScore


@dataclass(frozen=True)
class OwnPanel:
    """A panel as its member sees it: candidates to be reviewed, signed by this member."""

    member: PanelMember
    candidates: int
    signed: int

    @property
    def left(self) -> int:
        return self.candidates - self.signed


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
    plan = member.panel.plan
    absent = absent_from(session, plan, Part.REVIEW)
    everyone = set(session.scalars(sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)))
    signed = set(session.scalars(sa.select(PanelMark.enrolment_id).where(PanelMark.member_id == member.id,
                                                                         PanelMark.signed_at.is_not(None))))
    return OwnPanel(member, len((everyone - absent) | signed), len(signed))


def plan_line(session: Session, plan: ExamPlan) -> PlanLine:
    """The numbers of one plan."""
    own = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)
    enrolled = session.scalar(sa.select(sa.func.count()).select_from(own.subquery())) or 0
    scored = session.scalar(sa.select(sa.func.count()).where(ReviewScore.enrolment_id.in_(own))) or 0
    return PlanLine(plan, panel_of(session, plan), enrolled, scored, len(absent_from(session, plan, Part.REVIEW)))


def candidates(session: Session, panel: ReviewPanel) -> list[Enrolment]:
    """The candidates of the panel's plan."""
    return list(session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == panel.plan_id)
                                .order_by(Enrolment.ticket_number)))


def progress(session: Session, panel: ReviewPanel) -> dict[tuple[int, int], PanelMark]:
    """(enrolment id, member id) -> the marks. Show them only where every member has signed."""
    marks = session.scalars(sa.select(PanelMark).join(PanelMember).where(PanelMember.panel_id == panel.id))
    return {(mark.enrolment_id, mark.member_id): mark for mark in marks}


def revealed(session: Session, panel: ReviewPanel, viewer: Viewer) -> dict[tuple[int, int], PanelMark]:
    """The marks of :func:`progress` that ``viewer`` may see."""
    marks = session.scalars(visible(PanelMark, viewer).join(PanelMark.member).where(PanelMember.panel_id == panel.id))
    return {(mark.enrolment_id, mark.member_id): mark for mark in marks}
