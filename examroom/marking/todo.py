"""What waits in marking: sittings whose time is over and that are not marked yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    late = session.scalars(visible(Sitting, viewer).where(Sitting.state.in_((SittingState.DEALT, SittingState.CLOSED)),
                                                          Sitting.starts_at < now).order_by(Sitting.starts_at))
    return [Todo(f"“{sitting.name}”考试时间已过，等待收卷评分", "marking.index", detail=sitting.plan.title, due=sitting.ends_at)
            for sitting in late if sitting.ends_at < now]
