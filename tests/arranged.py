"""A plan arranged so that it may be sent: for tests whose subject is another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import arranging, seating
from examroom.plans.arrangement import Site
from examroom.plans.models import ExamPlan, Room
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import SHANGHAI
from qbank.standards.ratios import PRACTICAL, REVIEW, THEORY
from tests.conftest import MONDAY, People


def at(plan: ExamPlan, hour: int, days: int = 0) -> datetime:
    """An hour of China's clocks on the plan's first day, or some days later."""
    return datetime.combine(plan.starts_on, time(hour), SHANGHAI) + timedelta(days=days)


def arrange(session: Session, people: People, plan: ExamPlan, officer: Viewer, *, watchers: Sequence[Viewer] = (), room_name: str = "机房一",
            candidates: int = 30, now: datetime = MONDAY) -> ExamPlan:
    """Theory at nine in a room of thirty seats, practical the next day in as many groups of fifteen as are needed, a panel."""
    school = plan.institution

    def hired(names: Sequence[str], role: Role) -> list[int]:
        return [people(name, role, school=school).account_id for name in names]

    room = session.scalar(sa.select(Room).where(Room.institution_id == school.id, Room.name == room_name))
    room = room or seating.add_room(session, school, room_name, 30, officer)
    watching = [one.account_id for one in watchers[:2]] or hired(["监考甲", "监考乙"], Role.INVIGILATOR)
    arranging.keep_site(session, plan, Site("", THEORY, room.name, at(plan, 9), 90, min(candidates, room.seats)), watching, officer,
                        room=room, now=now)
    assessors = hired(["考评甲", "考评乙", "考评丙"], Role.PRACTICAL_ASSESSOR)
    for turn in range(-(-candidates // 15)):
        site = Site("", PRACTICAL, f"实训室 {201 + turn}", at(plan, 8 + 4 * turn, 1), 180, min(15, candidates - 15 * turn))
        arranging.keep_site(session, plan, site, assessors, officer, now=now)
    if REVIEW in arranging.parts_of(session, plan):
        panel = hired(["评审甲", "评审乙", "评审丙"], Role.REVIEW_EXAMINER)
        arranging.keep_site(session, plan, Site("", REVIEW, "评审室", at(plan, 9, 2), 480, candidates), panel, officer, now=now)
    return plan
