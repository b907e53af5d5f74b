"""The list of a bank: filters that live in the address, sorting, counts, and the same list as a workbook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from qbank.items.draft import LETTERS
from qbank.items.models import Item, ItemKind, ItemState, ItemVersion, Option
from qbank.kernel.access import Viewer, visible
from qbank.kernel.export import Table
from qbank.standards.models import Importance, Point, Range

DIFFICULTIES = {1: "易", 2: "较易", 3: "中", 4: "较难", 5: "难"}
SORTS: Mapping[str, tuple[Any, ...]] = {
    "number": (ItemVersion.item_id,),
    "kind": (ItemVersion.kind,),
    "point": (Range.path, Point.segment),
    "importance": (Point.importance,),
    "difficulty": (ItemVersion.difficulty,),
    "state": (ItemVersion.state,),
    "made": (ItemVersion.created_at,),
}


@dataclass(frozen=True)
class Filters:
    """What the address asks for. None or empty: not filtered. A value that makes no sense is not a filter."""

    table_id: int | None = None
    kind: ItemKind | None = None
    state: ItemState | None = None  # None: all but the superseded ones
    range_path: str = ""  # this range and all below it
    importance: Importance | None = None
    difficulty: int | None = None
    text: str = ""
    batch_id: int | None = None
    mine: bool = False
    sort: str = "number"  # a key of SORTS, with "-" in front for the other way round

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        def chosen(name: str, values: Any) -> Any:
            return values(args[name]) if args.get(name) in [value.value for value in values] else None

        sort = args.get("sort", "")
        difficulty = _whole(args.get("difficulty", ""))
        return cls(table_id=_whole(args.get("table", "")), kind=chosen("kind", ItemKind),
                   state=chosen("state", ItemState), range_path=_plain(args.get("range", ""))[:40],
                   importance=chosen("importance", Importance),
                   difficulty=difficulty if difficulty in DIFFICULTIES else None, text=_plain(args.get("q", ""))[:100],
                   batch_id=_whole(args.get("batch", "")), mine=args.get("mine") == "1",
                   sort=sort if sort.removeprefix("-") in SORTS else "number")

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The address of this list, as :meth:`read` reads it."""
        names = {"table_id": "table", "range_path": "range", "text": "q", "batch_id": "batch"}
        values = dataclasses.replace(self, **changes)
        return {names.get(field.name, field.name): "1" if value is True else str(value)
                for field in dataclasses.fields(values)
                if (value := getattr(values, field.name)) and value != field.default}


def versions(viewer: Viewer, filters: Filters) -> sa.Select[ItemVersion]:
    """The versions that the list shows, in its order."""
    columns = SORTS[filters.sort.removeprefix("-")]
    ordered = [column.desc() for column in columns] if filters.sort.startswith("-") else list(columns)
    return (_filtered(visible(ItemVersion, viewer), viewer, filters, by_state=True)
            .options(contains_eager(ItemVersion.item), contains_eager(ItemVersion.point).contains_eager(Point.range),
                     joinedload(ItemVersion.author))
            .order_by(*ordered, ItemVersion.item_id, ItemVersion.id))


def counts(session: Session, viewer: Viewer, filters: Filters) -> dict[ItemState, int]:
    """How many versions of each state the other filters leave."""
    left = _filtered(visible(ItemVersion, viewer), viewer, filters, by_state=False)
    states = left.with_only_columns(ItemVersion.state, sa.func.count()).group_by(ItemVersion.state)
    found = {row[0]: row[1] for row in session.execute(states)}
    return {state: found.get(state, 0) for state in ItemState}


def counts_by_table(session: Session) -> list[tuple[int, ItemState, int]]:
    """(table id, state, number of versions) of the whole installation."""
    query = (sa.select(Item.table_id, ItemVersion.state, sa.func.count()).join(ItemVersion.item)
             .group_by(Item.table_id, ItemVersion.state).order_by(Item.table_id, ItemVersion.state))
    return [(table_id, state, count) for table_id, state, count in session.execute(query)]


def as_table(session: Session, query: sa.Select[ItemVersion]) -> Table:
    """The list as a worksheet, in the columns that the importer reads."""
    rows = session.scalars(query.options(selectinload(ItemVersion.options))).unique()
    columns = [("鉴定范围", 12), ("鉴定点", 8), ("题型", 9), ("题干", 60), *((f"选项{letter}", 20) for letter in LETTERS),
               ("答案", 8), ("难度", 6), ("解析", 40), ("出处", 30), ("题号", 8), ("版本", 6), ("状态", 12), ("重要程度", 9),
               ("命题员", 10), ("编写时间", 17)]
    return Table("题库", columns, (_row(version) for version in rows))


def _row(version: ItemVersion) -> list[Any]:
    options = [option.text for option in version.options] + [None] * (len(LETTERS) - len(version.options))
    return [version.point.range.path, version.point.segment, version.kind.chinese, version.stem, *options,
            version.spoken_key, version.difficulty, version.explanation, version.source, version.item_id,
            version.number, version.state.chinese, version.point.importance.value, version.author.name,
            version.created_at]


def _filtered(query: sa.Select[Any], viewer: Viewer, filters: Filters, *, by_state: bool) -> sa.Select[Any]:
    query = query.join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
    wanted: list[tuple[Any, Any]] = [
        (filters.table_id, Item.table_id == filters.table_id),
        (filters.kind, ItemVersion.kind == filters.kind),
        (filters.importance, Point.importance == filters.importance),
        (filters.difficulty, ItemVersion.difficulty == filters.difficulty),
        (filters.batch_id, ItemVersion.batch_id == filters.batch_id),
        (filters.range_path, sa.or_(Range.path == filters.range_path,
                                    Range.path.startswith(filters.range_path + "-", autoescape=True))),
        (filters.mine, ItemVersion.author_id == viewer.account_id),
        (filters.text, _says(filters.text)),
    ]
    query = query.where(*(condition for given, condition in wanted if given))
    if not by_state:
        return query
    return query.where(ItemVersion.state == filters.state if filters.state else ItemVersion.state != ItemState.SUPERSEDED)


def _says(text: str) -> sa.ColumnElement[bool]:
    """The words occur in stem or options, or the text is an item's number."""
    number = _whole(text.removeprefix("#"))
    return sa.or_(ItemVersion.stem.icontains(text, autoescape=True),
                  ItemVersion.options.any(Option.text.icontains(text, autoescape=True)),
                  ItemVersion.item_id == number if number else sa.false())


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()
