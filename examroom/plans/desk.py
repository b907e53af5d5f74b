"""Exam plans (考务方案): drafted, submitted ten working days ahead, decided by the offices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing import standing
from examroom.filing.duties import require_duty
from examroom.filing.scopes import NOTICE, require_scope
from examroom.plans import arrangement, arranging, calendar, calendars, guard, route
from examroom.plans.models import ExamPlan, PlanDecision, Sitting
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import Standard
from qbank.standards.packs import pack_for

LONGEST_TEXT = 4000


@dataclass(frozen=True)
class Deadline:
    """By when a plan must be submitted, or why that cannot be said."""

    needed: int
    latest: date | None
    problem: str = ""


def draft_plan(session: Session, institution: Institution, standard: Standard, level: int, title: str, who: Viewer, *,
               starts_on: date, contact: str = "", measures: str = "", now: datetime) -> ExamPlan:
    """A new plan. Refuses what is outside the filed scope on the first exam day."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    require_scope(session, institution, standard, level, starts_on)
    _check_first_day(starts_on, now)
    plan = ExamPlan(institution=institution, standard=standard, level=level, title=_title(title), contact=contact.strip()[:200], measures=_measures(measures),
                    number=_number(session, institution, starts_on.year), starts_on=starts_on, created_by=who.account_id)
    session.add(plan)
    session.flush()
    return plan


def edit_plan(session: Session, plan: ExamPlan, title: str, who: Viewer, *, starts_on: date, contact: str, measures: str | None = None,
              now: datetime) -> None:
    """Change what a plan says while it is at the school."""
    require_officer(session, plan, who)
    route.submitted(plan.state)
    require_scope(session, plan.institution, plan.standard, plan.level, starts_on)
    _check_first_day(starts_on, now)
    earliest = session.scalar(sa.select(sa.func.min(Sitting.starts_at)).where(Sitting.plan_id == plan.id))
    if earliest is not None and local_date(earliest) < starts_on:
        raise Refused("sitting_before_plan", f"已有场次安排在 {spoken(earliest)}，早于新的首考日。请先调整场次时间。")
    if early := [one for one in arrangement.of(plan).sites if one.day < starts_on]:
        raise Refused("sitting_before_plan", f"{early[0].title}早于新的首考日。请先调整方案中的日期和地点安排。")
    plan.title, plan.starts_on, plan.contact = _title(title), starts_on, contact.strip()[:200]
    if measures is not None:
        plan.measures = _measures(measures)


def deadline(session: Session, plan: ExamPlan) -> Deadline:
    """The latest submission day of this plan by its province's rule pack."""
    return deadline_for(session, plan.institution, plan.starts_on)


def deadline_for(session: Session, institution: Institution, starts_on: date) -> Deadline:
    """The latest submission day of a plan that begins on ``starts_on``."""
    needed = pack_for(session, institution).plan_working_days
    try:
        return Deadline(needed, calendar.latest_submission(starts_on, needed, calendars.tables(session)))
    except Refused as refusal:
        return Deadline(needed, None, refusal.sentence)


def submit(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> None:
    """Send the plan to the city centre, at least ten working days before the first exam day (notice 四(一))."""
    require_officer(session, plan, who)
    becomes = route.submitted(plan.state)
    guard.require_plan_in_scope(session, plan)
    standing.require_active(session, plan.institution, today=local_date(now))
    require_in_time(session, plan.institution, plan.starts_on, now)
    arranging.require_complete(session, plan, arrangement.of(plan))
    plan.state, plan.submitted_at = becomes, now
    session.flush()


def require_in_time(session: Session, institution: Institution, starts_on: date, now: datetime) -> None:
    """Refuse a plan sent less than ten working days (or what the province sets) before its first exam day."""
    needed = pack_for(session, institution).plan_working_days
    tables = calendars.tables(session)
    today = local_date(now)
    left = calendar.working_days_between(today, starts_on, tables)
    if left < needed:
        latest = calendar.latest_submission(starts_on, needed, tables)
        raise Refused("too_late", f"考务方案应在首考日前 {needed} 个工作日报送（{NOTICE} 四(一)）。今天（{spoken(today)}）到首考日"
                                  f"（{spoken(starts_on)}）之间只有 {left} 个工作日，最迟应在 {spoken(latest)}报送。请推迟首考日后再报送。")


def decide(session: Session, plan: ExamPlan, who: Viewer, approves: bool, comment: str, *, now: datetime) -> PlanDecision:
    """One office's decision. A return needs a comment; nobody decides on a plan of his own."""
    require_duty(session, who, plan.institution_id, route.desk_of(plan.state), plan_id=plan.id)
    if who.account_id == plan.created_by:
        raise Refused("own_plan", "方案的起草人不能审核自己的方案，请由鉴定中心其他人员审核。")
    if not approves and not comment.strip():
        raise Refused("comment_missing", "退回时请写明需要修改的内容，学校据此修改。")
    if approves and local_date(now) >= plan.starts_on:
        raise Refused("first_day_passed", f"首考日（{spoken(plan.starts_on)}）已到，方案须审核后实施，不能再通过。请退回学校调整日期。")
    if approves:
        guard.require_plan_in_scope(session, plan)
    plan.state = route.decided(plan.state, plan.level, approves)
    decision = PlanDecision(plan_id=plan.id, decided_by=who.account_id, state=plan.state, comment=comment.strip(), at=now)
    session.add(decision)
    session.flush()
    session.expire(plan, ["decisions"])
    return decision


def _title(text: str) -> str:
    if not text.strip():
        raise Refused("title_missing", "请填写方案名称，例如“2026年下半年电工四级认定”。")
    return text.strip()[:200]


def _measures(text: str) -> str:
    if len(text.strip()) > LONGEST_TEXT:
        raise Refused("too_long", f"组织分工和措施不超过 {LONGEST_TEXT} 字，现在是 {len(text.strip())} 字。")
    return text.strip()


def _check_first_day(starts_on: date, now: datetime) -> None:
    if starts_on <= local_date(now):
        raise Refused("first_day_passed", f"首考日应晚于今天（{spoken(local_date(now))}）。")


def _number(session: Session, institution: Institution, year: int) -> str:
    """计划编号: JH, year, institution, serial of the school in that year."""
    start = f"JH{year}-{institution.id:04d}-"
    used = session.scalar(sa.select(sa.func.count()).select_from(ExamPlan).where(ExamPlan.number.startswith(start))) or 0
    return f"{start}{used + 1:03d}"
