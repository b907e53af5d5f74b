"""What waits for exam officers and for the offices that decide on plans."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import desk, route, sittings
from examroom.plans.models import ExamPlan, PlanState, Seat, Sitting, SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import SHANGHAI, spoken
from qbank.kernel.todo import Todo

AHEAD = timedelta(days=30)  # sittings further away need nothing yet
LAST_MINUTE = time(23, 59)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Plans to decide, plans that came back or wait to be sent, sittings that lack something."""
    found = [Todo(f"审核考务方案：{plan.title}", "plans.show", {"plan_id": plan.id}, f"{plan.institution.name}，首考日 {spoken(plan.starts_on)}")
             for state, role in route.DESKS.items() for plan in _plans(session, viewer, state, role)]
    found += [Todo(f"方案被退回：{plan.title}", "plans.show", {"plan_id": plan.id}, plan.decisions[-1].comment if plan.decisions else "")
              for plan in _plans(session, viewer, PlanState.RETURNED, Role.EXAM_OFFICER)]
    found += [_draft(session, plan) for plan in _plans(session, viewer, PlanState.DRAFT, Role.EXAM_OFFICER)]
    return found + [_unready(session, sitting) for sitting in _lacking(session, viewer, now)]


def _plans(session: Session, viewer: Viewer, state: PlanState, role: Role) -> list[ExamPlan]:
    return list(session.scalars(sa.select(ExamPlan).where(
        ExamPlan.state == state, viewer.reach(ExamPlan.institution_id, role, plan=ExamPlan.id)).order_by(ExamPlan.starts_on)))


def _draft(session: Session, plan: ExamPlan) -> Todo:
    latest = desk.deadline(session, plan).latest
    detail = f"最迟 {spoken(latest)}报送（首考日 {spoken(plan.starts_on)}）" if latest else f"首考日 {spoken(plan.starts_on)}"
    due = datetime.combine(latest, LAST_MINUTE, SHANGHAI) if latest else None
    return Todo(f"报送考务方案：{plan.title}", "plans.show", {"plan_id": plan.id}, detail, due)


def _lacking(session: Session, viewer: Viewer, now: datetime) -> list[Sitting]:
    """Sittings of the coming weeks without a paper or without seats."""
    seated = sa.exists().where(Seat.sitting_id == Sitting.id)
    own = viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)
    query = sa.select(Sitting).join(Sitting.plan).where(
        own, Sitting.state == SittingState.PLANNED, Sitting.starts_at > now, Sitting.starts_at < now + AHEAD,
        sa.or_(~Sitting.forms.any(), ~seated))
    return list(session.scalars(query.order_by(Sitting.starts_at)))


def _unready(session: Session, sitting: Sitting) -> Todo:
    return Todo(f"准备场次：{sitting.plan.title} {sitting.name}", "plans.sitting", {"sitting_id": sitting.id},
                "".join(sittings.obstacles(session, sitting)), sitting.starts_at)
