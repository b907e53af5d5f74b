"""From the plan to its sittings: what was approved is laid out in one step, and one plan makes the next."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from examroom.plans import arrangement, desk, seating, sittings
from examroom.plans.models import ExamPlan, Room, Sitting
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.ratios import THEORY

NUMERALS = "一二三四五六七八九十"


def missing_times(plan: ExamPlan) -> list[datetime]:
    """Times of the theory examination that the plan names and no sitting has."""
    held = {sitting.starts_at for sitting in plan.sittings}
    return sorted({site.starts_at for site in arrangement.of(plan).of_part(THEORY)} - held)


def lay_out(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> list[Sitting]:
    """A sitting with its rooms and invigilators for every theory time of the plan that has none."""
    require_officer(session, plan, who)
    times = missing_times(plan)
    if not times:
        raise Refused("nothing_missing", "方案中的理论知识考试时间都已有场次，没有需要增加的。")
    return [_sitting(session, plan, starts_at, who, now) for starts_at in times]


def _sitting(session: Session, plan: ExamPlan, starts_at: datetime, who: Viewer, now: datetime) -> Sitting:
    sites = [site for site in arrangement.of(plan).of_part(THEORY) if site.starts_at == starts_at]
    made = sittings.add_sitting(session, plan, _name(plan), who, starts_at=starts_at, minutes=sites[0].minutes, now=now)
    for site in sites:
        seating.use_room(session, made, session.get_one(Room, site.room_id), site.staff_ids, who)
    session.expire(plan, ["sittings"])
    return made


def _name(plan: ExamPlan) -> str:
    taken = {sitting.name for sitting in plan.sittings}
    names = [f"理论第{NUMERALS[place] if place < len(NUMERALS) else place + 1}场" for place in range(len(taken) + 1)]
    return next(name for name in names if name not in taken)


def copy_plan(session: Session, plan: ExamPlan, title: str, who: Viewer, *, starts_on: date, now: datetime) -> ExamPlan:
    """A new draft with the same sites and people, moved so that it begins on ``starts_on``. Candidates are not copied.

    What cannot stand there (a room or a person is taken, the filing ends before) the draft says before it can be sent.
    """
    require_officer(session, plan, who)
    made = desk.draft_plan(session, plan.institution, plan.standard, plan.level, title, who, starts_on=starts_on, contact=plan.contact,
                           measures=plan.measures, now=now)
    held = arrangement.of(plan)
    if held:
        moved = held.moved(starts_on - held.days[0])
        made.arrangement = moved.to_json()
        made.ends_on = moved.days[-1]
        session.flush()
    return made
