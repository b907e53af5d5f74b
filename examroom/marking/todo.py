"""What waits in marking: sittings whose time is over and that are not marked yet, keys to check before results go out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examroom.marking.models import SittingReport
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo

FRESH = timedelta(days=14)  # by then the results are out


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    late = session.scalars(visible(Sitting, viewer).where(Sitting.state.in_((SittingState.DEALT, SittingState.CLOSED)),
                                                          Sitting.starts_at < now).order_by(Sitting.starts_at))
    return [*(Todo(f"“{sitting.name}”考试时间已过，等待收卷评分", "marking.index", detail=sitting.plan.title, due=sitting.ends_at)
              for sitting in late if sitting.ends_at < now), *_keys(session, viewer, now)]


def _keys(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Only what chance does not explain."""
    fresh = session.scalars(visible(SittingReport, viewer).join(SittingReport.sitting).where(Sitting.starts_at > now - FRESH)
                            .order_by(Sitting.starts_at))
    found = [(report, sum(one["certain"] for one in report.found["keys"])) for report in fresh]
    return [Todo(f"“{report.sitting.name}”有 {count} 道题疑似错误答案，公布成绩前请核对", "marking.report",
                 {"sitting_id": report.sitting_id}, report.sitting.plan.title) for report, count in found if count]
