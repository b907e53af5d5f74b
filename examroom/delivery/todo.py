"""What waits in delivery: a candidate's own exam, sittings without sheets."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examroom.delivery import bodies, hall
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo

SOON = timedelta(days=7)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    found = []
    if viewer.has(Role.CANDIDATE):
        place = hall.current(hall.places(session, viewer.account_id, now=now))
        if place is not None and not place.done:
            found.append(Todo("参加理论知识考试", "delivery.waiting_hall", due=place.starts_at if now < place.starts_at else place.ends_at,
                              detail=f"{place.room} {place.seat} 座"))
    if viewer.has(Role.EXAM_OFFICER):
        waiting = session.scalars(visible(Sitting, viewer).where(
            Sitting.state == SittingState.PLANNED, Sitting.starts_at > now, Sitting.starts_at < now + SOON))
        found += [Todo(f"为“{sitting.name}”发卷", "delivery.desk", {"sitting_id": sitting.id}, sitting.plan.title,
                       sitting.starts_at, "五（三）") for sitting in waiting]
        dealt = session.scalars(visible(Sitting, viewer).where(Sitting.state == SittingState.DEALT, Sitting.starts_at > now))
        found += [Todo(f"“{sitting.name}”的答卷由升级前的版本发放，请重新发卷", "delivery.desk", {"sitting_id": sitting.id}, sitting.plan.title,
                       sitting.starts_at, "五（三）") for sitting in dealt if bodies.outdated(session, sitting.id)]
    return found
