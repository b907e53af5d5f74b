"""What waits for supervisors, for the school that has something to put right, and for the centres that send and decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from examroom.oversight import desk
from examroom.oversight.inspection_models import Finding, Inspection
from examroom.oversight.kinds import CaseState, FindingState, InspectionKind, InspectionState
from examroom.oversight.models import Supervision
from examroom.oversight.regions import CENTRES
from examroom.oversight.staff_models import StaffCase
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import end_of_day, local_date, spoken
from qbank.kernel.todo import Todo

AHEAD = timedelta(days=30)
CLAUSE, BLAME = "四（二）", "五（六）"


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Reports and inspections due, findings on their way, cases to hear and decide, plans that nobody supervises yet."""
    rooms = (_reports, _inspections, _findings, _cases, _unsupervised)
    return [line for room in rooms for line in room(session, viewer, now)]


def _reports(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    if not viewer.has(Role.QUALITY_SUPERVISOR):
        return
    own = sa.select(Supervision).join(Supervision.plan).where(
        Supervision.supervisor_id == viewer.account_id, Supervision.reported_at.is_(None), ExamPlan.starts_on <= local_date(now)).options(
        contains_eager(Supervision.plan).options(joinedload(ExamPlan.institution), selectinload(ExamPlan.sittings)))
    for found in session.scalars(own.order_by(ExamPlan.starts_on)):
        yield Todo(f"提交督导报告：{found.plan.title}", "oversight.show", {"supervision_id": found.id}, found.plan.institution.name,
                   desk.due_at(found.plan), CLAUSE)


def _inspections(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    """A supervisor's own; a centre waits for those that it sent."""
    live = Inspection.state.in_((InspectionState.ASSIGNED, InspectionState.RUNNING))
    for one in session.scalars(sa.select(Inspection).where(Inspection.inspected_by(viewer), live).order_by(Inspection.due_on, Inspection.id)):
        verb = "开始检查" if one.state is InspectionState.ASSIGNED else "完成检查"
        yield _to_inspect(verb, one, "")
    sent = sa.select(Inspection).where(viewer.reach(Inspection.institution_id, *CENTRES, plan=Inspection.plan_id), live)
    for one in session.scalars(sent.order_by(Inspection.due_on, Inspection.id)):
        yield _to_inspect("等待检查", one, _inspectors(one))


def _to_inspect(verb: str, one: Inspection, waits_for: str) -> Todo:
    return Todo(f"{verb}：{one.target_name}", "oversight.inspection", {"inspection_id": one.id},
                f"{one.institution.name}，{one.kind.chinese} {one.number}", _end(one.due_on), CLAUSE, waits_for)


def _inspectors(one: Inspection) -> str:
    return "质量督导员 " + "、".join(member.account.name for member in one.members)


def _findings(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    """For the school what it must put right; for the inspector what was put right; each sees what the other owes."""
    handed = sa.select(Finding).join(Finding.inspection).where(Inspection.state == InspectionState.SUBMITTED).options(
        contains_eager(Finding.inspection).joinedload(Inspection.institution)).order_by(Finding.due_on, Finding.id)
    school = viewer.reach(Inspection.institution_id, Role.EXAM_OFFICER, plan=Inspection.plan_id)
    centre = viewer.reach(Inspection.institution_id, *CENTRES, plan=Inspection.plan_id)
    mine = Inspection.inspected_by(viewer)
    for one, own in session.execute(handed.where(Finding.state == FindingState.OPEN, sa.or_(school, mine, centre)).add_columns(school)):
        overdue = one.due_on is not None and local_date(now) > one.due_on
        yield _line("整改问题" if own else "等待整改", one, "" if own else one.inspection.institution.name, alarm=overdue)
    for one in session.scalars(handed.where(Finding.state == FindingState.REPLIED, sa.or_(school, mine))):
        own = any(member.account_id == viewer.account_id for member in one.inspection.members)
        yield _line("核实整改", one, "" if own else _inspectors(one.inspection))


def _line(verb: str, one: Finding, waits_for: str, *, alarm: bool = False) -> Todo:
    text = one.text if len(one.text) <= 30 else one.text[:29] + "…"
    return Todo(f"{verb}：{text}", "oversight.finding", {"finding_id": one.id},
                f"{one.inspection.institution.name}，{one.severity.chinese}问题，检查 {one.inspection.number}", _end(one.due_on),
                CLAUSE if verb == "核实整改" else BLAME, waits_for, alarm)


def _cases(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    """Misconduct of staff: to answer for oneself, to tell, to decide."""
    today, open_cases = local_date(now), sa.select(StaffCase).where(StaffCase.state == CaseState.PROPOSED).order_by(StaffCase.id)
    own = sa.and_(StaffCase.account_id == viewer.account_id, StaffCase.told_at.is_not(None), StaffCase.stated_at.is_(None), StaffCase.term_ends_on >= today)
    for one in session.scalars(open_cases.where(own)):
        yield _case("陈述申辩", one, _end(one.term_ends_on))
    charge = viewer.reach(StaffCase.institution_id, Role.EXAM_OFFICER, *CENTRES, plan=StaffCase.plan_id)
    for one in session.scalars(open_cases.where(charge, StaffCase.account_id != viewer.account_id)):
        if one.told_at is None and one.proposed_by == viewer.account_id:
            yield _case("告知当事人", one, None)
        elif one.is_heard(today):
            decides = viewer.has(*CENTRES) and one.proposed_by != viewer.account_id
            yield _case("决定工作人员违规处理", one, None, "" if decides else "鉴定中心")
        elif one.told_at is not None:
            yield _case("等待陈述申辩", one, _end(one.term_ends_on), one.account.name)


def _case(title: str, one: StaffCase, due: datetime | None, waits_for: str = "") -> Todo:
    return Todo(f"{title}：{one.account.name}（{one.duty}）", "oversight.staff_case", {"case_id": one.id}, one.institution.name, due, CLAUSE, waits_for)


def _unsupervised(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    today = local_date(now)
    plans = sa.select(ExamPlan).where(
        viewer.reach(ExamPlan.institution_id, Role.CITY_OFFICER, plan=ExamPlan.id), ExamPlan.state == PlanState.APPROVED,
        ExamPlan.starts_on.between(today, today + AHEAD), ~sa.exists().where(Supervision.plan_id == ExamPlan.id),
        ~sa.exists().where(Inspection.plan_id == ExamPlan.id, Inspection.kind == InspectionKind.SITE, Inspection.state != InspectionState.CANCELLED))
    for plan in session.scalars(plans.order_by(ExamPlan.starts_on)):
        yield Todo(f"派遣质量督导员：{plan.title}", "oversight.plan", {"plan_id": plan.id},
                   f"{plan.institution.name}，首考日 {spoken(plan.starts_on)}", end_of_day(plan.starts_on), CLAUSE)


def _end(day: date | None) -> datetime | None:
    return None if day is None else end_of_day(day)
