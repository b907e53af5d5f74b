"""What waits for exam officers and for the offices that decide on plans, and what they wait for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import calendar, calendars, desk, route, sittings
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.models import ExamPlan, PlanState, Seat, Sitting, SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.institutions import centre_above
from qbank.kernel.times import SHANGHAI, local_date, spoken
from qbank.kernel.todo import Todo

AHEAD = timedelta(days=30)  # sittings further away need nothing yet
LAST_MINUTE = time(23, 59)
CLAUSE = "四（一）"
CENTRES = {Role.CITY_OFFICER: InstitutionKind.CITY_CENTRE, Role.PROVINCE_OFFICER: InstitutionKind.PROVINCE_CENTRE}


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Plans and amendments to decide, to send, that came back or are away; sittings that lack something; a calendar that is missing."""
    found = [_decide(plan) for state, role in route.DESKS.items() for plan in _plans(session, viewer, state, role)]
    found += [Todo(f"修改被退回的方案：{plan.title}", "plans.show", {"plan_id": plan.id}, plan.decisions[-1].comment if plan.decisions else "",
                   _last_day(session, plan), CLAUSE) for plan in _plans(session, viewer, PlanState.RETURNED, Role.EXAM_OFFICER)]
    found += [_draft(session, plan) for plan in _plans(session, viewer, PlanState.DRAFT, Role.EXAM_OFFICER)]
    found += [_away(session, plan, role) for state, role in route.DESKS.items() for plan in _plans(session, viewer, state, Role.EXAM_OFFICER)]
    found += [line for one in _amendments(session, viewer) if (line := _amendment(session, one, viewer))]
    return found + [_unready(session, sitting) for sitting in _lacking(session, viewer, now)] + _calendar(session, viewer, local_date(now))


def _plans(session: Session, viewer: Viewer, state: PlanState, role: Role) -> list[ExamPlan]:
    return list(session.scalars(sa.select(ExamPlan).where(
        ExamPlan.state == state, viewer.reach(ExamPlan.institution_id, role, plan=ExamPlan.id)).order_by(ExamPlan.starts_on)))


def _eve(day: date) -> datetime:
    """The end of the day before: what must be decided first is decided by then."""
    return datetime.combine(day - timedelta(days=1), LAST_MINUTE, SHANGHAI)


def _last_day(session: Session, plan: ExamPlan) -> datetime | None:
    latest = desk.deadline(session, plan).latest
    return datetime.combine(latest, LAST_MINUTE, SHANGHAI) if latest else None


def _decide(plan: ExamPlan) -> Todo:
    return Todo(f"审核考务方案：{plan.title}", "plans.show", {"plan_id": plan.id}, f"{plan.institution.name}，首考日 {spoken(plan.starts_on)}",
                _eve(plan.starts_on), CLAUSE)


def _away(session: Session, plan: ExamPlan, role: Role) -> Todo:
    return Todo(f"考务方案：{plan.title}", "plans.show", {"plan_id": plan.id}, f"{plan.state.chinese}，首考日 {spoken(plan.starts_on)}",
                _eve(plan.starts_on), CLAUSE, waits_for=centre_above(session, plan.institution, CENTRES[role]))


def _draft(session: Session, plan: ExamPlan) -> Todo:
    latest = desk.deadline(session, plan).latest
    detail = f"最迟 {spoken(latest)}报送（首考日 {spoken(plan.starts_on)}）" if latest else f"首考日 {spoken(plan.starts_on)}"
    return Todo(f"报送考务方案：{plan.title}", "plans.show", {"plan_id": plan.id}, detail, _last_day(session, plan), CLAUSE)


def _amendments(session: Session, viewer: Viewer) -> list[PlanAmendment]:
    roles = (Role.EXAM_OFFICER, *route.DESKS.values())
    return list(session.scalars(sa.select(PlanAmendment).join(PlanAmendment.plan).where(
        PlanAmendment.state != PlanState.APPROVED, viewer.reach(ExamPlan.institution_id, *roles, plan=ExamPlan.id)).order_by(PlanAmendment.id)))


def _amendment(session: Session, one: PlanAmendment, viewer: Viewer) -> Todo | None:
    """The line of who acts on it, or, for the school, of whom it waits for; None for an office whose turn it is not."""
    values, office = {"amendment_id": one.id}, route.DESKS.get(one.state)
    name = f"{one.plan.title} 第 {one.number} 次变更"
    if office is not None and viewer.has(office):
        return Todo(f"审核方案变更：{name}", "plans.amendment", values, one.reason, clause=CLAUSE)
    if not viewer.has(Role.EXAM_OFFICER):
        return None
    if office is not None:
        return Todo(f"方案变更：{name}", "plans.amendment", values, one.state.chinese, clause=CLAUSE,
                    waits_for=centre_above(session, one.plan.institution, CENTRES[office]))
    detail = one.decisions[-1].comment if one.decisions else "还没有报送"
    return Todo(f"报送方案变更：{name}", "plans.amendment", values, detail, clause=CLAUSE)


def _calendar(session: Session, viewer: Viewer, today: date) -> list[Todo]:
    """A year that a plan needs and nobody has entered: without it nothing can be sent."""
    if not viewer.has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER):
        return []
    roles = (Role.EXAM_OFFICER, *route.DESKS.values())
    days = session.scalars(sa.select(ExamPlan.starts_on).where(ExamPlan.state.in_(route.EDITABLE), ExamPlan.starts_on > today,
                                                               viewer.reach(ExamPlan.institution_id, *roles, plan=ExamPlan.id)))
    stored = calendars.tables(session)
    missing = sorted({day.year for day in days if not calendar.knows(day.year) and day.year not in stored})
    return [Todo(f"录入 {year} 年工作日历", "plans.working_days", {}, f"没有 {year} 年的放假安排，涉及 {year} 年的方案不能报送", clause=CLAUSE)
            for year in missing]


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
                "".join(sittings.obstacles(session, sitting)), sitting.starts_at, "五（三）")
