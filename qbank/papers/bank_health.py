"""The health of one bank, read from the database: coverage, review backlog, and the forecast for coming sittings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.health import Health, Held, Limits, PointIn, RangeIn, health
from qbank.items.models import Item, ItemFigures, ItemVersion, Likeness
from qbank.items.states import STANDING, ItemState, Purpose
from qbank.kernel.accounts import Institution
from qbank.kernel.times import local_date
from qbank.papers.contents import weights_of
from qbank.papers.forecast import Asked, Cell, forecast
from qbank.papers.specification import FORMS, LeafRange, derive_quotas
from qbank.standards.models import Point, Range, WeightTable
from qbank.standards.packs import pack_for


@dataclass(frozen=True)
class Backlog:
    """What waits between writing and the bank."""

    states: Mapping[ItemState, int]
    overdue: int  # in review, and the day is over
    practice: int  # standing items that serve practice: no paper may use them
    alike: int  # pairs that read alike and nobody decided about


@dataclass(frozen=True)
class Forecast:
    """What is asked, and every range and kind with what it needs."""

    asked: Asked
    form: str  # a key of FORMS
    unused_only: bool
    cells: Sequence[Cell]

    @property
    def missing(self) -> int:
        return sum(cell.missing for cell in self.cells)


def limits_of(session: Session, school: Institution) -> Limits:
    """The numbers of the rule pack that holds for the school."""
    pack = pack_for(session, school)
    return Limits(**{name: getattr(pack, name) for name in Limits.__dataclass_fields__})


def bank_health(session: Session, table: WeightTable, school: Institution, *, now: datetime) -> Health:
    """Over the items that papers may use now."""
    ranges = [RangeIn(*row) for row in session.execute(
        sa.select(Range.id, Range.parent_id, Range.path, Range.name, Range.weight).where(Range.table_id == table.id)
        .order_by(Range.path))]
    points = [PointIn(point_id, range_id, segment, name, importance.value) for point_id, range_id, segment, name, importance
              in session.execute(sa.select(Point.id, Point.range_id, Point.segment, Point.name, Point.importance)
                                 .join(Point.range).where(Range.table_id == table.id).order_by(Range.path, Point.segment))]
    return health(ranges, points, _held(session, table.id, school.id), limits_of(session, school), local_date(now))


def backlog(session: Session, table: WeightTable, school: Institution, *, now: datetime) -> Backlog:
    here = (Item.table_id == table.id, Item.institution_id == school.id)
    states = Counter({row[0]: row[1] for row in session.execute(
        sa.select(ItemVersion.state, sa.func.count()).join(ItemVersion.item).where(*here).group_by(ItemVersion.state))})
    versions = sa.select(sa.func.count()).select_from(ItemVersion).join(ItemVersion.item).where(*here)
    overdue = session.scalar(versions.where(ItemVersion.state == ItemState.SUBMITTED,
                                            ItemVersion.review_due < local_date(now))) or 0
    practice = session.scalar(versions.where(ItemVersion.state.in_(STANDING), Item.purpose == Purpose.PRACTICE)) or 0
    alike = session.scalar(sa.select(sa.func.count()).select_from(Likeness).join(Item, Item.id == Likeness.first_id).where(*here)) or 0
    return Backlog({state: states[state] for state in ItemState}, overdue, practice, alike)


def bank_forecast(session: Session, table: WeightTable, school: Institution, asked: Asked, form: str,
                  unused_only: bool) -> Forecast:
    """The quotas that the weights give to the form, against what the bank holds; ``unused_only``: what no sealed paper had."""
    quotas = derive_quotas([LeafRange(path, weight) for path, weight in weights_of(session, table).items()], FORMS[form])
    paths = {point_id: path for point_id, path in session.execute(  # noqa: C416  # rows are not pairs to mypy
        sa.select(Point.id, Range.path).join(Point.range).where(Range.table_id == table.id))}
    held = Counter((paths[item.point_id], item.kind) for item in _held(session, table.id, school.id)
                   if not (unused_only and item.uses))
    return Forecast(asked, form, unused_only, forecast(quotas, held, asked))


def _held(session: Session, table_id: int, institution_id: int) -> list[Held]:
    """The items that papers may use, with how often they were used."""
    query = (sa.select(ItemVersion.item_id, ItemVersion.point_id, ItemVersion.kind, ItemVersion.key, ItemVersion.difficulty,
                       ItemVersion.created_at, ItemFigures.uses, ItemFigures.last_used_at)
             .join(ItemVersion.item).outerjoin(ItemFigures, ItemFigures.item_id == ItemVersion.item_id)
             .where(Item.table_id == table_id, Item.institution_id == institution_id, ItemVersion.state.in_(STANDING),
                    Item.purpose == Purpose.EXAM))
    return [Held(item_id, point_id, kind.value, key, difficulty, uses or 0, _later(made, used))
            for item_id, point_id, kind, key, difficulty, made, uses, used in session.execute(query)]


def _later(made: datetime, used: datetime | None) -> date:
    return local_date(made if used is None else max(made, used))
