"""An inspection from the day it is assigned to its hand-over: who is sent, the check-list, the conclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.oversight import lists, pools
from examroom.oversight.draw_models import InspectionDraw
from examroom.oversight.inspection_models import CheckAnswer, CheckTemplate, Inspection, InspectionMember
from examroom.oversight.kinds import (
    INSPECTION_MOVES,
    FindingState,
    InspectionKind,
    InspectionState,
    Severity,
    TargetKind,
    Verdict,
)
from examroom.oversight.models import Supervision
from examroom.oversight.pools import Place
from examroom.oversight.regions import CENTRES
from examroom.plans import calendar, calendars
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.packs import pack_for

LEAST_CONCLUSION, LONGEST = 10, 4000
LONGEST_NOTE = 1000


def send(session: Session, place: Place, kind: InspectionKind, member_ids: Sequence[int], who: Viewer, *, due_on: date, now: datetime) -> Inspection:
    """The office sends chosen supervisors; the first leads. The same people are kept out as by a draw."""
    require_duty(session, who, place.institution.id, *CENTRES, plan_id=place.plan.id if place.plan else None)
    chosen = list(dict.fromkeys(member_ids))
    least = pack_for(session, place.institution).inspection_persons
    if len(chosen) < least:
        raise Refused("too_few_persons", f"规则包规定每项检查的督导员不少于 {least} 人，请再选 {least - len(chosen)} 人。")
    if due_on < local_date(now):
        raise Refused("days", "完成期限不能早于今天。")
    people = {one.id: one for one in pools.supervisors(session)}
    if any(key not in people for key in chosen):
        raise Refused("not_eligible", "所选人员中有人不是质量督导员，请从名单中选择。")
    held = pools.exclusions(session, [place], [people[key] for key in chosen], on=local_date(now))[place.key]
    if held:
        raise Refused("not_eligible", "所选人员中有人不能检查该对象，请换人。", [f"{people[int(key)].name}：{why}" for key, why in held.items()])
    return create(session, place, kind, lists.require(session, place.institution, kind), chosen, who, due_on=due_on, now=now)


def create(session: Session, target: Place, kind: InspectionKind, template: CheckTemplate, member_ids: Sequence[int], who: Viewer, *,
           due_on: date, draw: InspectionDraw | None = None, place: int | None = None, now: datetime) -> Inspection:
    """The row and its members; who supervises a whole plan on the spot is sent to that plan."""
    target_kind = TargetKind.SITTING if target.sitting else TargetKind.PLAN if target.plan else TargetKind.SCHOOL
    made = Inspection(number=_number(session, target.institution, now), kind=kind, target_kind=target_kind, institution=target.institution,
                      plan=target.plan, sitting=target.sitting, template=template, draw_id=draw.id if draw else None, place=place, due_on=due_on,
                      state=InspectionState.ASSIGNED, assigned_by=who.account_id, assigned_at=now)
    made.members = [InspectionMember(account_id=key, leads=number == 0) for number, key in enumerate(member_ids)]
    session.add(made)
    if kind is InspectionKind.SITE and target_kind is TargetKind.PLAN and target.plan:
        held = set(session.scalars(sa.select(Supervision.supervisor_id).where(Supervision.plan_id == target.plan.id)))
        session.add_all(Supervision(plan=target.plan, supervisor_id=key, assigned_by=who.account_id, assigned_at=now)
                        for key in member_ids if key not in held)
    session.flush()
    return made


def of_supervision(session: Session, supervision: Supervision, who: Viewer, *, now: datetime) -> Inspection:
    """The check-list of a supervisor who was sent to a plan; made when he first opens it."""
    if supervision.supervisor_id != who.account_id or not who.has(Role.QUALITY_SUPERVISOR):
        raise Refused("not_your_duty", "检查表只能由被派遣的质量督导员本人填写。")
    found = session.scalars(sa.select(Inspection).where(
        Inspection.plan_id == supervision.plan_id, Inspection.kind == InspectionKind.SITE, Inspection.target_kind == TargetKind.PLAN,
        Inspection.inspected_by(who)).order_by(Inspection.id)).first()
    if found is not None:
        return found
    plan = supervision.plan
    last = max([plan.starts_on, local_date(now), *(local_date(one.starts_at) for one in plan.sittings)])
    return create(session, Place(plan.institution, plan), InspectionKind.SITE, lists.require(session, plan.institution, InspectionKind.SITE),
                  [who.account_id], who, due_on=last, now=now)


def is_member(inspection: Inspection, who: Viewer) -> bool:
    return who.has(Role.QUALITY_SUPERVISOR) and any(one.account_id == who.account_id for one in inspection.members)


def require_member(inspection: Inspection, who: Viewer, *, leads: bool = False) -> None:
    held = next((one for one in inspection.members if one.account_id == who.account_id), None)
    if held is None or not who.has(Role.QUALITY_SUPERVISOR):
        raise Refused("not_your_duty", "只有派往本次检查的质量督导员才能办理。")
    if leads and not held.leads:
        leader = next(one.account.name for one in inspection.members if one.leads)
        raise Refused("not_the_leader", f"检查记录由组长{leader}提交。")


def begin(session: Session, inspection: Inspection, who: Viewer, *, now: datetime) -> None:
    """The inspectors are there. From now on the school sees an unannounced inspection too."""
    require_member(inspection, who)
    _move(inspection, InspectionState.RUNNING)
    inspection.started_at = now
    session.flush()


def require_running(inspection: Inspection, who: Viewer) -> None:
    require_member(inspection, who)
    if inspection.state is not InspectionState.RUNNING:
        raise Refused("wrong_state", f"这次检查现在是“{inspection.told}”，检查表只能在检查中填写。")


def answer(session: Session, inspection: Inspection, given: Mapping[int, tuple[Verdict, str]], who: Viewer, *, now: datetime) -> int:
    """Note what was found at some points; how many of all points are answered now."""
    require_running(inspection, who)
    points = {one.id for one in inspection.template.points}
    held = {one.point_id: one for one in inspection.answers}
    for point_id, (verdict, note) in given.items():
        if point_id not in points:
            raise Refused("other_list", "检查要点不属于本次检查的检查表，请刷新页面。")
        if len(note) > LONGEST_NOTE:
            raise Refused("too_long", f"说明不超过 {LONGEST_NOTE} 字。")
        if point_id in held:
            found = held[point_id]
            if (found.verdict, found.note) != (verdict, note.strip()):
                found.verdict, found.note, found.answered_by, found.at = verdict, note.strip(), who.account_id, now
        else:
            inspection.answers.append(CheckAnswer(point_id=point_id, verdict=verdict, note=note.strip(), answered_by=who.account_id, at=now))
    session.flush()
    return len(inspection.answers)


def submit(session: Session, inspection: Inspection, conclusion: str, who: Viewer, *, now: datetime) -> None:
    """Hand the inspection over: every point answered, every failing one with a finding; the days to put right begin."""
    require_running(inspection, who)
    require_member(inspection, who, leads=True)
    answers = {one.point_id: one for one in inspection.answers}
    if missing := [one for one in inspection.template.points if one.id not in answers]:
        raise Refused("unanswered", f"还有 {len(missing)} 个检查要点没有填写。", [f"{one.place}. {one.text}" for one in missing[:10]])
    live = [one for one in inspection.findings if one.state is not FindingState.WITHDRAWN]
    named = {one.point_id for one in live}
    if bare := [one.point for one in inspection.answers if one.verdict is Verdict.FAILS and one.point_id not in named]:
        raise Refused("no_finding", "“不符合”的要点须各记一条问题并附证据。", [f"{one.place}. {one.text}" for one in bare[:10]])
    if not LEAST_CONCLUSION <= len(conclusion.strip()) <= LONGEST:
        raise Refused("conclusion", f"请填写检查结论（{LEAST_CONCLUSION} 至 {LONGEST} 字）。")
    _move(inspection, InspectionState.SUBMITTED)
    inspection.submitted_at, inspection.submitted_by, inspection.conclusion = now, who.account_id, conclusion.strip()
    for one in live:
        one.due_on = due_on(session, inspection.institution, one.severity, local_date(now))
    session.flush()


def due_on(session: Session, institution: Institution, severity: Severity, day: date) -> date:
    """The last working day to put a finding right that is handed over on ``day``."""
    pack = pack_for(session, institution)
    days = {Severity.MINOR: pack.finding_minor_working_days, Severity.MAJOR: pack.finding_major_working_days,
            Severity.GRAVE: pack.finding_grave_working_days}[severity]
    return calendar.working_day_after(day, days, calendars.tables(session))


def cancel(session: Session, inspection: Inspection, reason: str, who: Viewer) -> None:
    """The office calls an inspection off before it is handed over; it stays on record."""
    require_duty(session, who, inspection.institution_id, *CENTRES, plan_id=inspection.plan_id)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤销的原因。")
    _move(inspection, InspectionState.CANCELLED)
    inspection.cancel_reason = reason.strip()
    session.flush()


def _move(inspection: Inspection, to: InspectionState) -> None:
    if to not in INSPECTION_MOVES[inspection.state]:
        raise Refused("wrong_state", f"这次检查现在是“{inspection.told}”，不能再办理。请刷新页面。")
    inspection.state = to


def _number(session: Session, institution: Institution, now: datetime) -> str:
    head = f"JC{institution.region}-{local_date(now).year}-"
    held = session.scalar(sa.select(sa.func.count(Inspection.id)).where(Inspection.number.startswith(head))) or 0
    return f"{head}{held + 1:04d}"
