"""Changing an approved plan (notice 四(一)): said in full, with the reason, decided on the plan's own route, old and new kept."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans import arrangement, arranging, desk, guard, route
from examroom.plans.amendment_models import AmendmentDecision, PlanAmendment
from examroom.plans.arrangement import Arrangement
from examroom.plans.drift import CLAUSE
from examroom.plans.models import ExamPlan, PlanState, SittingState
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.ratios import THEORY

LONGEST_REASON = 500


def open_of(session: Session, plan: ExamPlan) -> PlanAmendment | None:
    """The amendment that is being written or decided on."""
    return session.scalar(sa.select(PlanAmendment).where(PlanAmendment.plan_id == plan.id, PlanAmendment.state != PlanState.APPROVED))


def amendments_of(session: Session, plan: ExamPlan) -> list[PlanAmendment]:
    """All of them, the latest first."""
    return list(session.scalars(sa.select(PlanAmendment).where(PlanAmendment.plan_id == plan.id).order_by(PlanAmendment.number.desc())))


def start(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> PlanAmendment:
    """A copy of what is approved, to be changed. One at a time."""
    require_officer(session, plan, who)
    if plan.state is not PlanState.APPROVED:
        raise Refused("plan_state", f"方案目前“{plan.state.chinese}”。只有已批准的方案需要报送变更；未批准的请直接修改方案。")
    if open_of(session, plan):
        raise Refused("amendment_open", "本方案已有一份变更没有办结，请先办完或撤销它。")
    last = session.scalar(sa.select(sa.func.max(PlanAmendment.number)).where(PlanAmendment.plan_id == plan.id)) or 0
    made = PlanAmendment(plan=plan, number=last + 1, before=plan.arrangement, arrangement=plan.arrangement, started_by=who.account_id,
                         started_at=now)
    session.add(made)
    session.flush()
    return made


def discard(session: Session, amendment: PlanAmendment, who: Viewer) -> None:
    """Throw a draft away. One that was sent stays: its decision is part of the record."""
    require_officer(session, amendment.plan, who)
    if amendment.state is not PlanState.DRAFT:
        raise Refused("amendment_sent", f"这份变更{amendment.state.chinese}，已是办理记录，不能撤销。请按意见修改后重新报送。")
    session.delete(amendment)
    session.flush()


def changes(amendment: PlanAmendment) -> list[str]:
    """What it changes, one sentence each."""
    return arrangement.differences(arrangement.read(amendment.before), arrangement.of(amendment))


def submit(session: Session, amendment: PlanAmendment, reason: str, who: Viewer, *, now: datetime) -> None:
    """Send it on the plan's route. Bringing the first day forward is filed ten working days ahead again."""
    plan = amendment.plan
    require_officer(session, plan, who)
    becomes = route.submitted(amendment.state)
    if not 4 <= len(reason.strip()) <= LONGEST_REASON:
        raise Refused("no_reason", f"请写明变更原因（4 至 {LONGEST_REASON} 字）。")
    if not changes(amendment):
        raise Refused("nothing_changed", "与已批准的安排相比没有任何变化，不需要报送变更。")
    after = arrangement.of(amendment)
    arranging.require_complete(session, plan, after)
    _check_days(session, plan, arrangement.read(amendment.before), after, now)
    _check_dealt(plan, after)
    amendment.state, amendment.reason, amendment.submitted_at = becomes, reason.strip(), now
    session.flush()


def decide(session: Session, amendment: PlanAmendment, who: Viewer, approves: bool, comment: str, *, now: datetime) -> None:
    """One office's decision; the last one makes it the plan's arrangement."""
    plan = amendment.plan
    require_duty(session, who, plan.institution_id, route.desk_of(amendment.state), plan_id=plan.id)
    if who.account_id == amendment.started_by:
        raise Refused("own_plan", "变更的起草人不能审核自己的变更，请由鉴定中心其他人员审核。")
    if not approves and not comment.strip():
        raise Refused("comment_missing", "退回时请写明需要修改的内容，学校据此修改。")
    after = arrangement.of(amendment)
    if approves:
        guard.require_plan_in_scope(session, plan, days=after.days)
        _check_ahead(arrangement.read(amendment.before), after, now)
        _check_dealt(plan, after)
    becomes = route.decided(amendment.state, plan.level, approves)
    with session.no_autoflush:
        amendment.state = becomes
        amendment.decisions.append(AmendmentDecision(decided_by=who.account_id, state=becomes, comment=comment.strip(), at=now))
    if becomes is PlanState.APPROVED:
        arranging.replace(session, plan, after)
    session.flush()


def _check_days(session: Session, plan: ExamPlan, before: Arrangement, after: Arrangement, now: datetime) -> None:
    _check_ahead(before, after, now)
    guard.require_plan_in_scope(session, plan, days=after.days)
    if after.days[0] < plan.starts_on:
        desk.require_in_time(session, plan.institution, after.days[0], now)


def _check_ahead(before: Arrangement, after: Arrangement, now: datetime) -> None:
    """What is new or moved must still lie ahead: a change is decided before it is carried out."""
    held = {one.key: one.starts_at for one in before.sites}
    late = [one for one in after.sites if held.get(one.key) != one.starts_at and one.starts_at <= now]
    if late:
        raise Refused("in_the_past", f"{late[0].title}已经过去（现在 {spoken(now)}）。变更须批准后实施（{CLAUSE}），请改为以后的时间。")


def _check_dealt(plan: ExamPlan, after: Arrangement) -> None:
    """Sheets that are dealt name a day and a room: the amendment may not take them away."""
    for sitting in plan.sittings:
        if sitting.state is SittingState.PLANNED or not arrangement.of(plan):
            continue
        rooms = {one.room_id for one in after.of_part(THEORY) if one.day == local_date(sitting.starts_at)}
        if missing := [used.room.name for used in sitting.rooms if used.room_id not in rooms]:
            raise Refused("sitting_dealt", f"“{sitting.name}”{sitting.state.chinese}，变更不能取消其日期或考场（{'、'.join(missing)}）。")
