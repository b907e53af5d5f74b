"""The list of item statistics of one bank: filters, order, the workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from qbank.items.models import Item, ItemKind, ItemVersion
from qbank.kernel.access import Viewer, visible
from qbank.kernel.export import Table
from qbank.standards.models import Point, Range
from qbank.statistics.models import ItemStatistic
from qbank.statistics.verdicts import EASY, HARD, Flag, Numbers, flags, suppressed

SORTS: Mapping[str, tuple[str, Any]] = {
    "path": ("鉴定范围", None), "rest": ("区分度（题余相关）从低到高", ItemStatistic.item_rest),
    "b": ("B 指数从低到高", ItemStatistic.b_index), "hard": ("从难到易", ItemStatistic.difficulty),
    "easy": ("从易到难", ItemStatistic.difficulty.desc()), "n": ("作答人数从多到少", ItemStatistic.n.desc()),
    "omitted": ("未答人数从多到少", ItemStatistic.omitted.desc()),
}


@dataclass(frozen=True)
class Filters:
    """The filters as they stand in the address; anything unreadable is no filter. ``bank`` is ``"school:table"``."""

    bank: str = ""
    kind: ItemKind | None = None
    flag: str = ""  # a Flag, "any", or empty
    text: str = ""
    sort: str = "path"

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> Filters:
        kind, flag, sort = arguments.get("kind", ""), arguments.get("flag", ""), arguments.get("sort", "path")
        return cls(arguments.get("bank", ""), ItemKind(kind) if kind in set(ItemKind) else None,
                   flag if flag in {*Flag, "any"} else "", arguments.get("q", "").strip()[:100],
                   sort if sort in SORTS else "path")

    def arguments(self) -> dict[str, str]:
        """For ``url_for``."""
        values = {"bank": self.bank, "kind": self.kind.value if self.kind else "", "flag": self.flag, "q": self.text,
                  "sort": "" if self.sort == "path" else self.sort}
        return {name: value for name, value in values.items() if value}


def statistics(viewer: Viewer, filters: Filters, school_id: int, table_id: int, minimum: int) -> sa.Select[ItemStatistic]:
    """The statistics of one bank that pass the filters; what rests on fewer than ``minimum`` answers stands last."""
    query = (visible(ItemStatistic, viewer).join(ItemStatistic.version).join(ItemVersion.item).join(ItemVersion.point)
             .join(Point.range).where(ItemStatistic.current, Item.institution_id == school_id, Item.table_id == table_id)
             .options(joinedload(ItemStatistic.version).joinedload(ItemVersion.point).joinedload(Point.range)))
    if filters.kind:
        query = query.where(ItemVersion.kind == filters.kind)
    if filters.text:
        query = query.where(ItemVersion.stem.contains(filters.text, autoescape=True))
    if filters.flag:
        wanted = [_conditions()[Flag(filters.flag)]] if filters.flag != "any" else list(_conditions().values())
        query = query.where(ItemStatistic.n >= minimum, sa.or_(*wanted))
    order = SORTS[filters.sort][1]
    place = (Range.path, Point.segment, ItemVersion.id)
    if order is None:
        return query.order_by(*place)
    return query.order_by(sa.case((ItemStatistic.n >= minimum, 0), else_=1), order.nulls_last(), *place)


def _conditions() -> dict[Flag, sa.ColumnElement[bool]]:
    """The flags of ``verdicts.flags`` as the database asks them."""
    return {Flag.WRONG_KEY: sa.or_(ItemStatistic.item_rest < 0, ItemStatistic.b_index < 0),
            Flag.TOO_HARD: ItemStatistic.difficulty < HARD, Flag.TOO_EASY: ItemStatistic.difficulty >= EASY}


def numbers_of(row: ItemStatistic) -> Numbers:
    """The stored row as plain numbers."""
    return Numbers(row.n, row.difficulty, row.item_rest, row.b_index, row.omitted)


def as_table(rows: Sequence[ItemStatistic], minimum: int, title: str, notes: Sequence[str]) -> Table:
    """Exactly what the page lists, as a worksheet."""
    lines = []
    for row in rows:
        version, enough = row.version, row.n >= minimum
        figures = [_rounded(value) for value in (row.difficulty, row.item_rest, row.b_index)] if enough else [None] * 3
        lines.append([version.item_id, version.number, version.kind.chinese, version.point.label, version.stem, row.n,
                      *figures, row.omitted, "、".join(flag.chinese for flag in flags(numbers_of(row), minimum))
                      if enough else suppressed(row.n, minimum), row.computed_at])
    columns = [("题", 8), ("版本", 8), ("题型", 10), ("鉴定点", 32), ("题干", 60), ("作答人数 n", 12), ("难度 p（答对率）", 14),
               ("题余相关", 12), ("B 指数", 12), ("未答人数", 10), ("提示", 24), ("计算时间", 18)]
    return Table("试题统计", columns, lines, title, notes)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
