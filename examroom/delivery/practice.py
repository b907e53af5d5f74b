"""Practice (练习): candidates see practice items of what they are or were enrolled in, and the key at once. Nothing is kept."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.delivery import hall
from examroom.delivery.phase import SAVING, Phase
from examroom.plans.models import Enrolment, ExamPlan
from qbank.items import blind
from qbank.items.models import Item, ItemVersion
from qbank.items.review import blanks_to_fill
from qbank.items.states import STANDING, Purpose
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable

AT_ONCE = 10
SITTING = frozenset({Phase.SHUT, Phase.READY, *SAVING})


@dataclass(frozen=True)
class Offer:
    """One table with practice items for this candidate; ``ranges``: (range, items in it and below)."""

    table: WeightTable
    count: int
    ranges: Sequence[tuple[Range, int]]


@dataclass(frozen=True)
class Outcome:
    """What came of one question. ``right`` None: a written answer, to be compared by oneself; ``problem``: no answer."""

    right: bool | None = None
    problem: str = ""


def in_exam(session: Session, who: Viewer, *, now: datetime) -> bool:
    """Whether an exam of this candidate is going on."""
    return any(place.phase in SITTING for place in hall.places(session, who.account_id, now=now))


def require_free(session: Session, who: Viewer, *, now: datetime) -> None:
    """Refuse while an exam of this candidate is going on: the page would be a crib."""
    if in_exam(session, who, now=now):
        raise Refused("in_exam", "您的考试正在进行，交卷后才能练习。请返回考试页面。")


def offers(session: Session, who: Viewer) -> list[Offer]:
    """The banks from which this candidate may practise."""
    rows = session.execute(_allowed(who).with_only_columns(Item.table_id, Range.path, sa.func.count())
                           .group_by(Item.table_id, Range.path)).all()
    found = []
    for table_id in sorted({row[0] for row in rows}):
        table = session.get_one(WeightTable, table_id)
        held = {row[1]: row[2] for row in rows if row[0] == table_id}
        counted = [(one, sum(count for path, count in held.items() if path == one.path or path.startswith(one.path + "-")))
                   for one in sorted(table.ranges, key=lambda one: one.path)]
        found.append(Offer(table, sum(held.values()), [(one, count) for one, count in counted if count]))
    return found


def draw(session: Session, who: Viewer, table_id: int, range_path: str, seed: int) -> list[ItemVersion]:
    """At most ten items of this range and below, drawn by ``seed``; an empty path draws from the whole table."""
    query = _allowed(who).where(Item.table_id == table_id)
    if range_path:
        query = query.where(sa.or_(Range.path == range_path, Range.path.startswith(range_path + "-", autoescape=True)))
    keys = list(session.scalars(query.with_only_columns(ItemVersion.id).order_by(ItemVersion.id)))
    drawn = random.Random(seed).sample(keys, min(AT_ONCE, len(keys)))  # noqa: S311  # no secret: the person asks for it
    return these(session, who, table_id, drawn)


def these(session: Session, who: Viewer, table_id: int, version_ids: Collection[int]) -> list[ItemVersion]:
    """These versions in this order, as far as the candidate may practise with them."""
    wanted = list(dict.fromkeys(version_ids))[:AT_ONCE]
    query = (_allowed(who).where(Item.table_id == table_id, ItemVersion.id.in_(wanted))
             .options(selectinload(ItemVersion.options), joinedload(ItemVersion.stimulus)))
    return sorted(session.scalars(query).unique(), key=lambda version: wanted.index(version.id))


def judge(version: ItemVersion, given: Sequence[str]) -> Outcome:
    """Right or wrong, at once."""
    kind, letters = version.kind.value, "".join(option.letter for option in version.options)
    try:
        answer = blind.read(kind, letters, blanks_to_fill(version), given)
    except ValueError as error:
        return Outcome(problem=str(error))
    return Outcome(right=blind.agrees(kind, version.key, answer))


def judged(versions: Sequence[ItemVersion], given: Mapping[int, Sequence[str]], asked: Collection[int]) -> dict[int, Outcome]:
    """Version → outcome of those that the candidate asked for."""
    return {version.id: judge(version, given.get(version.id, ())) for version in versions if version.id in asked}


def _allowed(who: Viewer) -> sa.Select[ItemVersion]:
    """Standing versions of practice items of the schools, occupations and levels of this candidate's enrolments."""
    enrolled = (sa.exists().where(Enrolment.account_id == who.account_id, Enrolment.plan_id == ExamPlan.id,
                                  ExamPlan.institution_id == Item.institution_id, ExamPlan.level == WeightTable.level,
                                  ExamPlan.standard_id == WeightTable.standard_id))
    return (sa.select(ItemVersion).join(Item, Item.id == ItemVersion.item_id).join(WeightTable, WeightTable.id == Item.table_id)
            .join(Point, Point.id == ItemVersion.point_id).join(Range, Range.id == Point.range_id)
            .where(Item.purpose == Purpose.PRACTICE, ItemVersion.state.in_(STANDING), enrolled))
