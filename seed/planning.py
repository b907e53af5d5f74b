"""What a plan of the demo says of days, places and people, and how it is changed later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import amending, arranging
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.arrangement import Site
from examroom.plans.models import ExamPlan, Room
from qbank.kernel.access import Viewer
from qbank.standards.ratios import PRACTICAL, REVIEW, THEORY
from seed.stage import Stage

ROOM_STAFF = (("第一机房", ("invigilator", "invigilator2")), ("第二机房", ("invigilator3", "invigilator4")))
RESERVE = "阶梯教室（备用）"
STAFF = {**dict(ROOM_STAFF), RESERVE: ("invigilator5", "invigilator6")}
ASSESSORS = ("assessor", "assessor2", "assessor3")
EXAMINERS = ("examiner", "examiner2", "examiner3")
WORKSHOP, BOARDROOM = "电气实训中心 2 楼", "实训楼 301"
TURN = timedelta(hours=2)  # from one practical group to the next


@dataclass(frozen=True)
class Place:
    """One line of a plan, its people by their logins."""

    part: str
    name: str
    starts_at: datetime
    minutes: int
    candidates: int
    logins: tuple[str, ...]


def theory(at: datetime, candidates: int, room: str = ROOM_STAFF[0][0]) -> Place:
    return Place(THEORY, room, at, 90, candidates, STAFF[room])


def practical(at: datetime, candidates: int) -> list[Place]:
    """As many groups as 1:5 with three assessors asks for, one after the other."""
    return [Place(PRACTICAL, WORKSHOP, at + TURN * turn, 120, size, ASSESSORS) for turn, size in enumerate(group_sizes(candidates))]


def group_sizes(candidates: int) -> list[int]:
    number = -(-candidates // (5 * len(ASSESSORS)))
    return [candidates // number + (turn < candidates % number) for turn in range(number)]


def review(at: datetime, candidates: int) -> Place:
    return Place(REVIEW, BOARDROOM, at, 480, candidates, EXAMINERS)


def arrange(stage: Stage, session: Session, target: ExamPlan | PlanAmendment, places: Sequence[Place], who: Viewer, at: datetime) -> None:
    for one in places:
        room = session.scalars(sa.select(Room).where(Room.name == one.name)).one() if one.part == THEORY else None
        arranging.keep_site(session, target, Site("", one.part, one.name, one.starts_at, one.minutes, one.candidates),
                            [stage.account_id(session, login) for login in one.logins], who, room=room, now=at)


def amend(stage: Stage, plan_id: int, places: Sequence[Place], reason: str, at: datetime) -> None:
    """More places by an amendment that the city approves ten minutes later."""
    with stage.acting("officer", at) as (session, who):
        made = amending.start(session, session.get_one(ExamPlan, plan_id), who, now=at)
        arrange(stage, session, made, places, who, at)
        amending.submit(session, made, reason, who, now=at)
        key = made.id
    decided = at + timedelta(minutes=10)
    with stage.acting("city", decided) as (session, who):
        amending.decide(session, session.get_one(PlanAmendment, key), who, True, "同意增加场次。", now=decided)
