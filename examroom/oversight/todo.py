"""What waits for supervisors, and for the city centre that sends them."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.oversight import desk
from examroom.oversight.models import Supervision
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import local_date, spoken
from qbank.kernel.todo import Todo

AHEAD = timedelta(days=30)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Reports due, and plans that nobody supervises yet."""
    return _reports(session, viewer, now) + _unsupervised(session, viewer, now)


def _reports(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    if not viewer.has(Role.QUALITY_SUPERVISOR):
        return []
    own = sa.select(Supervision).join(Supervision.plan).where(
        Supervision.supervisor_id == viewer.account_id, Supervision.reported_at.is_(None),
        ExamPlan.starts_on <= local_date(now))
    return [Todo(f"提交督导报告：{found.plan.title}", "oversight.show", {"supervision_id": found.id}, found.plan.institution.name,
                 desk.due_at(session, found.plan)) for found in session.scalars(own.order_by(ExamPlan.starts_on))]


def _unsupervised(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    today = local_date(now)
    plans = sa.select(ExamPlan).where(
        viewer.reach(ExamPlan.institution_id, Role.CITY_OFFICER, plan=ExamPlan.id), ExamPlan.state == PlanState.APPROVED,
        ExamPlan.starts_on.between(today, today + AHEAD), ~sa.exists().where(Supervision.plan_id == ExamPlan.id))
    return [Todo(f"派遣质量督导员：{plan.title}", "oversight.plan", {"plan_id": plan.id},
                 f"{plan.institution.name}，首考日 {spoken(plan.starts_on)}") for plan in session.scalars(plans.order_by(ExamPlan.starts_on))]
