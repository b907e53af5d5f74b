"""What waits in enrolment: rosters not imported, applications to check, what candidates have to mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.roster_models import RosterImport
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.times import SHANGHAI, local_date, spoken
from qbank.kernel.todo import Todo

CLAUSE = "一（一）"
FIRST_MINUTE = time(0, 0)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if viewer.has(Role.EXAM_OFFICER):
        return _rosters(session, viewer) + _applications(session, viewer, now)
    return _own(session, viewer) if viewer.has(Role.CANDIDATE) else []


def _rosters(session: Session, viewer: Viewer) -> list[Todo]:
    waiting = session.scalars(visible(RosterImport, viewer).where(RosterImport.ended_at.is_(None)).order_by(RosterImport.id))
    return [Todo(f"导入或放弃考生名单：{kept.file_name}", "plans.roster_preview", {"roster_id": kept.id},
                 f"{kept.plan.title}，{spoken(kept.uploaded_at)} 上传", clause=CLAUSE) for kept in waiting]


def _applications(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Two lines for a plan that has not begun: what the officer has to check, and what is with the candidates."""
    rows = session.execute(
        sa.select(ExamPlan, Enrolment.qualification, sa.func.count(Enrolment.id)).join(Enrolment, Enrolment.plan_id == ExamPlan.id)
        .where(viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id), ExamPlan.starts_on > local_date(now),
               Enrolment.qualification != Qualification.ACCEPTED)
        .group_by(ExamPlan.id, Enrolment.qualification).order_by(ExamPlan.starts_on, ExamPlan.id, Enrolment.qualification)).all()
    return [_line(plan, state, count) for plan, state, count in rows]


def _line(plan: ExamPlan, state: Qualification, count: int) -> Todo:
    due = datetime.combine(plan.starts_on, FIRST_MINUTE, SHANGHAI)
    values = {"plan_id": plan.id, "state": state.value}
    if state is Qualification.PENDING:
        return Todo(f"审核报名资格：{plan.title}（{count} 人）", "plans.qualifications", values, "审核通过后才能编排座位和打印准考证", due, CLAUSE)
    return Todo(f"等待补正报名：{plan.title}（{count} 人）", "plans.qualifications", values, "已退回，考生或学校补正后再审核", due, CLAUSE,
                waits_for="考生")


def _own(session: Session, viewer: Viewer) -> list[Todo]:
    rows: Sequence[Enrolment] = session.scalars(visible(Enrolment, viewer).where(
        Enrolment.account_id == viewer.account_id, Enrolment.qualification == Qualification.RETURNED)).all()
    return [Todo(f"补正报名：{row.plan.title}", "plans.own", {}, "学校退回了您的报名", clause=CLAUSE) for row in rows]
