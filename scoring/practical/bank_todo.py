"""What waits in the practical bank: tasks to review, tasks sent back, draws asked for anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from scoring.practical.bank_models import DrawState, PracticalDraw, PracticalTask, TaskState, TaskVersion
from scoring.practical.structure_models import occupation_of


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    return [*_reviews(session, viewer), *_returned(session, viewer), *_redraws(session, viewer, now)]


def _reviews(session: Session, viewer: Viewer) -> list[Todo]:
    mine = TaskVersion.task.has(viewer.reach(PracticalTask.institution_id, Role.ITEM_REVIEWER,
                                             occupation=occupation_of(PracticalTask.table_id)))
    waiting = session.scalars(visible(TaskVersion, viewer).where(TaskVersion.state == TaskState.SUBMITTED, mine,
                                                                 TaskVersion.created_by != viewer.account_id))
    return [Todo("审定操作技能试题", "practical.task", {"version_id": one.id}, f"{one.label}，{one.author.name} 送审", clause="五（一）")
            for one in waiting]


def _returned(session: Session, viewer: Viewer) -> list[Todo]:
    sent_back = session.scalars(visible(TaskVersion, viewer).where(TaskVersion.state == TaskState.RETURNED,
                                                                   TaskVersion.created_by == viewer.account_id))
    return [Todo("修改退回的操作技能试题", "practical.task", {"version_id": one.id}, f"{one.label}：{one.comment[:60]}", clause="五（一）")
            for one in sent_back if one is one.task.latest]


def _redraws(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    duty = PracticalDraw.plan.has(viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id))
    asked = session.scalars(visible(PracticalDraw, viewer).where(
        PracticalDraw.state == DrawState.CURRENT, PracticalDraw.redraw_asked_by.is_not(None), duty, PracticalDraw.starts_at > now))
    return [_redraw(one, one.redraw_asked_by == viewer.account_id) for one in asked]


def _redraw(one: PracticalDraw, mine: bool) -> Todo:
    return Todo("等待同意重抽" if mine else "同意或不同意重抽", "practical.draw", {"plan_id": one.plan_id},
                f"{one.plan.title}：{one.asker.name if one.asker else ''}申请重抽，{one.redraw_reason[:60]}", one.starts_at, "五（三）",
                "另一名考务员" if mine else "")
