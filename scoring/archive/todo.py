"""What waits: plans whose results are final and whose evidence is not packed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from scoring.archive.models import ArchivePack
from scoring.results.models import ResultList, ResultState


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    final = sa.select(ResultList.plan_id).where(ResultList.state == ResultState.FINAL)
    waiting = session.scalars(visible(ExamPlan, viewer).where(ExamPlan.id.in_(final),
                                                              ExamPlan.id.not_in(sa.select(ArchivePack.plan_id)))).all()
    return [Todo(f"归档：{plan.title}", "archive.checklist", {"plan_id": plan.id}, "认定结果已审核，档案还没有归档。")
            for plan in waiting if on_duty(session, viewer, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)]
