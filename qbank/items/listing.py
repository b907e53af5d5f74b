"""The list of a bank: which versions it shows in which order, how many there are, and the same list as a workbook."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from qbank.items.draft import LETTERS
from qbank.items.filters import DIFFICULTIES, Filters, whole
from qbank.items.models import BANK_ROLES, Item, ItemFigures, ItemPair, ItemVersion, Likeness, occupation_code_of
from qbank.items.review import hidden_keys
from qbank.items.states import ItemState, PairKind
from qbank.items.words import terms_of
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.export import Table
from qbank.kernel.paging import keyset
from qbank.kernel.times import SHANGHAI
from qbank.standards.models import Point, Range, Subject, WeightTable

__all__ = ["DIFFICULTIES", "Filters"]  # for rooms that ask for the list
BY_FIGURES = frozenset({"uses", "last_used", "ease", "rest"})
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ORDERS: Mapping[str, tuple[Any, ...]] = {
    "number": (),
    "kind": (ItemVersion.kind,),
    "point": (Range.path, Point.segment),
    "importance": (Point.importance,),
    "difficulty": (ItemVersion.difficulty,),
    "state": (ItemVersion.state,),
    "made": (ItemVersion.created_at,),
    "author": (Account.name,),
    "uses": (sa.func.coalesce(ItemFigures.uses, 0),),
    "last_used": (sa.func.coalesce(ItemFigures.last_used_at, sa.literal(NEVER, ItemFigures.last_used_at.type)),),
    "ease": (sa.func.coalesce(ItemFigures.difficulty, -1.0),),
    "rest": (sa.func.coalesce(ItemFigures.discrimination, -2.0),),
}


@dataclass(frozen=True)
class Shown:
    """One page of the list, with what the rooms above know of the items and the pairs that they are in."""

    rows: list[ItemVersion]
    figures: Mapping[int, ItemFigures]  # by item
    pairs: Mapping[int, Sequence[PairKind]]  # by item: enemies and similar ones, each kind once
    open_pairs: frozenset[int]  # items that read like another and nobody decided
    before: str
    after: str


@dataclass(frozen=True)
class Tally:
    """How many versions the filters leave: by state (whatever the state asked for), by range (whatever the range)."""

    states: Mapping[ItemState, int]
    ranges: Mapping[int, int]  # range id → versions at its own points

    def total(self, state: ItemState | None) -> int:
        return self.states[state] if state else sum(self.states.values()) - self.states[ItemState.SUPERSEDED]


def versions(viewer: Viewer, filters: Filters) -> sa.Select[ItemVersion]:
    """The versions that the list shows, in its order; joined to item, point and range."""
    ordered = [column.desc() if filters.sort.startswith("-") else column for column in _order(filters)]
    query: sa.Select[ItemVersion] = (
        _joined(sa.select(ItemVersion), filters, places=True).where(Item.visible_to(viewer), *_conditions(viewer, filters))
        .order_by(*ordered).options(contains_eager(ItemVersion.item), joinedload(ItemVersion.author),
                                    contains_eager(ItemVersion.point).contains_eager(Point.range)))
    return query


def page(session: Session, viewer: Viewer, filters: Filters, asked: Mapping[str, str]) -> Shown:
    """One page: first its ids in order, then its rows, so that what is sorted is small."""
    places = filters.sort.removeprefix("-") in {"point", "importance"}
    query = (_joined(sa.select(ItemVersion.id), filters, places=places)
             .where(reached(session, viewer), *_conditions(viewer, filters)))
    keys = keyset(session, query, _order(filters), asked, descending=filters.sort.startswith("-"))
    found = {version.id: version for version in session.scalars(
        sa.select(ItemVersion).where(ItemVersion.id.in_(keys.found))
        .options(joinedload(ItemVersion.item), joinedload(ItemVersion.point).joinedload(Point.range),
                 joinedload(ItemVersion.author)))}
    rows = [found[key] for key in keys.found]
    items = [version.item_id for version in rows]
    figures = {row.item_id: row for row in session.scalars(sa.select(ItemFigures).where(ItemFigures.item_id.in_(items)))}
    return Shown(rows, figures, *_pairs_of(session, items), keys.before, keys.after)


def tally(session: Session, viewer: Viewer, filters: Filters) -> Tally:
    """All counts of the page from one walk over the bank."""
    query = (_joined(sa.select(ItemVersion.point_id, ItemVersion.state, sa.func.count()), filters)
             .where(reached(session, viewer), *_conditions(viewer, filters, state=False, ranges=False))
             .group_by(ItemVersion.point_id, ItemVersion.state))
    rows = session.execute(query).all()
    place = {point_id: (range_id, path) for point_id, range_id, path in session.execute(
        sa.select(Point.id, Point.range_id, Range.path).join(Point.range))} if rows else {}
    states: Counter[ItemState] = Counter()
    ranges: Counter[int] = Counter()
    for point_id, state, count in rows:
        range_id, path = place[point_id]
        if filters.state is state or (filters.state is None and state is not ItemState.SUPERSEDED):
            ranges[range_id] += count
        if _within(path, filters.range_path) and filters.point_id in (None, point_id):
            states[state] += count
    return Tally({state: states[state] for state in ItemState}, ranges)


def reached(session: Session, viewer: Viewer, *roles: Role) -> sa.ColumnElement[bool]:
    """As ``Item.visible_to``, worked out once: the few pairs of institution and table, not a subquery for every item."""
    roles = roles or BANK_ROLES
    pairs = session.execute(
        sa.select(Institution.id, WeightTable.id).join(WeightTable, sa.true())
        .where(WeightTable.subject == Subject.THEORY,
               viewer.reach(Institution.id, *roles, occupation=occupation_code_of(WeightTable.id))))
    schools: defaultdict[int, list[int]] = defaultdict(list)
    for institution_id, table_id in pairs:
        schools[table_id].append(institution_id)
    return sa.or_(sa.false(), *(sa.and_(Item.table_id == table_id, Item.institution_id.in_(found))
                                for table_id, found in schools.items()))


def counts_by_table(session: Session) -> list[tuple[int, ItemState, int]]:
    """(table id, state, number of versions) of the whole installation."""
    query = (sa.select(Item.table_id, ItemVersion.state, sa.func.count()).join(ItemVersion.item)
             .group_by(Item.table_id, ItemVersion.state).order_by(Item.table_id, ItemVersion.state))
    return [(table_id, state, count) for table_id, state, count in session.execute(query)]


def as_table(session: Session, query: sa.Select[ItemVersion], who: Viewer) -> Table:
    """The list as a worksheet, in the columns that the importer reads; without the keys that ``who`` must not see yet."""
    rows = session.scalars(query.options(selectinload(ItemVersion.options))).unique().all()
    hidden = hidden_keys(session, [version.id for version in rows], who)
    columns = [("鉴定范围", 12), ("鉴定点", 8), ("题型", 9), ("题干", 60), *((f"选项{letter}", 20) for letter in LETTERS),
               ("答案", 8), ("难度", 6), ("解析", 40), ("出处", 30), ("题号", 8), ("版本", 6), ("状态", 12), ("重要程度", 9),
               ("命题员", 10), ("编写时间", 17)]
    return Table("题库", columns, (_row(version, version.id in hidden) for version in rows))


def _row(version: ItemVersion, hide_key: bool) -> list[Any]:
    options = [option.text for option in version.options] + [None] * (len(LETTERS) - len(version.options))
    return [version.point.range.path, version.point.segment, version.kind.chinese, version.stem, *options,
            None if hide_key else version.spoken_key, version.difficulty, None if hide_key else version.explanation,
            None if hide_key else version.source, version.item_id,
            version.number, version.state.chinese, version.point.importance.value, version.author.name,
            version.created_at]


def _joined(query: Any, filters: Filters, *, places: bool = False) -> Any:
    """Only what the order and the filters need: joining 50,000 rows to a table costs more than asking for some ids."""
    query = query.join(Item, Item.id == ItemVersion.item_id)
    if places:
        query = query.join(ItemVersion.point).join(Point.range)
    if filters.author or filters.sort.removeprefix("-") == "author":
        query = query.join(Account, Account.id == ItemVersion.author_id)
    return query.outerjoin(ItemFigures, ItemFigures.item_id == ItemVersion.item_id) if _asks_figures(filters) else query


def _asks_figures(filters: Filters) -> bool:
    asked = (filters.ease_from, filters.ease_to, filters.rest_below, filters.uses_from, filters.uses_to,
             filters.used_after, filters.used_before)
    return any(value is not None for value in asked) or filters.sort.removeprefix("-") in BY_FIGURES


def _order(filters: Filters) -> tuple[Any, ...]:
    return (*ORDERS[filters.sort.removeprefix("-")], ItemVersion.item_id, ItemVersion.id)


def _conditions(viewer: Viewer, filters: Filters, *, state: bool = True, ranges: bool = True) -> list[Any]:
    uses = sa.func.coalesce(ItemFigures.uses, 0)
    wanted: list[tuple[Any, Any]] = [
        (filters.table_id, lambda: Item.table_id == filters.table_id),
        (filters.purpose, lambda: Item.purpose == filters.purpose),
        (filters.kind, lambda: ItemVersion.kind == filters.kind),
        (filters.importance, lambda: ItemVersion.point_id.in_(
            sa.select(Point.id).where(Point.importance == filters.importance))),
        (filters.difficulty, lambda: ItemVersion.difficulty == filters.difficulty),
        (filters.batch_id, lambda: ItemVersion.batch_id == filters.batch_id),
        (filters.author or None, lambda: Account.name.contains(filters.author, autoescape=True)),
        (filters.mine or None, lambda: ItemVersion.author_id == viewer.account_id),
        (filters.ease_from, lambda: ItemFigures.difficulty >= (filters.ease_from or 0) / 100),
        (filters.ease_to, lambda: ItemFigures.difficulty <= (filters.ease_to or 0) / 100),
        (filters.rest_below, lambda: ItemFigures.discrimination < filters.rest_below),
        (filters.uses_from, lambda: uses >= filters.uses_from),
        (filters.uses_to, lambda: uses <= filters.uses_to),
        (filters.used_after, lambda: ItemFigures.last_used_at >= _midnight(filters.used_after)),
        (filters.used_before, lambda: sa.or_(ItemFigures.last_used_at.is_(None),
                                             ItemFigures.last_used_at < _midnight(filters.used_before))),
        (filters.made_since, lambda: ItemVersion.created_at >= _midnight(filters.made_since)),
        (filters.pair or None, lambda: ItemVersion.item_id.in_(_in_pairs(filters.pair))),
        (filters.text or None, lambda: _says(filters.text)),
        (filters.point_id if ranges else None, lambda: ItemVersion.point_id == filters.point_id),
        (filters.range_path if ranges and filters.range_path else None, lambda: ItemVersion.point_id.in_(
            sa.select(Point.id).join(Point.range).where(sa.or_(
                Range.path == filters.range_path, Range.path.startswith(filters.range_path + "-", autoescape=True))))),
    ]
    found = [condition() for given, condition in wanted if given is not None]
    if state:
        found.append(ItemVersion.state == filters.state if filters.state else ItemVersion.state != ItemState.SUPERSEDED)
    return found


def _says(text: str) -> sa.ColumnElement[bool]:
    """Every word occurs in stem or options, or the text is an item's number."""
    number = whole(text.removeprefix("#"))
    words = [ItemVersion.words.contains(word, autoescape=True) for word in terms_of(text)]
    return sa.or_(sa.and_(sa.true(), *words), ItemVersion.item_id == number if number else sa.false())


def _in_pairs(kind: str) -> Any:
    if kind == "open":
        return sa.union(sa.select(Likeness.first_id), sa.select(Likeness.second_id))
    return sa.union(*(sa.select(side).where(ItemPair.kind == PairKind(kind))
                      for side in (ItemPair.first_id, ItemPair.second_id)))


def _pairs_of(session: Session, items: Sequence[int]) -> tuple[dict[int, list[PairKind]], frozenset[int]]:
    kinds: defaultdict[int, list[PairKind]] = defaultdict(list)
    for first, second, kind in session.execute(
            sa.select(ItemPair.first_id, ItemPair.second_id, ItemPair.kind)
            .where(sa.or_(ItemPair.first_id.in_(items), ItemPair.second_id.in_(items)), ItemPair.kind != PairKind.DISTINCT)):
        for item_id in (first, second):
            if kind not in kinds[item_id]:
                kinds[item_id].append(kind)
    unsettled = session.execute(sa.select(Likeness.first_id, Likeness.second_id).where(
        sa.or_(Likeness.first_id.in_(items), Likeness.second_id.in_(items))))
    return kinds, frozenset(item_id for pair in unsettled for item_id in pair)


def _within(path: str, above: str) -> bool:
    return not above or path == above or path.startswith(above + "-")


def _midnight(day: date | None) -> datetime:
    return datetime.combine(day or date.min, time(), SHANGHAI)
