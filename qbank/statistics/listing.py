"""The list of item statistics of one bank: filters, order, the workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from qbank.items.markup import plain
from qbank.items.models import Item, ItemVersion
from qbank.items.states import ItemKind
from qbank.kernel.access import Viewer, visible
from qbank.kernel.export import Table
from qbank.standards.models import Point, Range
from qbank.statistics.models import ItemStatistic
from qbank.statistics.verdicts import INFIT_CHANCE, OUTFIT_CHANCE, Flag, Numbers, Thresholds, flags, suppressed

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


def statistics(viewer: Viewer, filters: Filters, school_id: int, table_id: int, limits: Thresholds) -> sa.Select[ItemStatistic]:
    """The statistics of one bank that pass the filters; what rests on too few answers stands last."""
    query = _filtered(visible(ItemStatistic, viewer), filters, school_id, table_id).options(
        joinedload(ItemStatistic.version).joinedload(ItemVersion.point).joinedload(Point.range))
    if filters.flag:
        conditions = _conditions(limits)
        wanted = [conditions[Flag(filters.flag)]] if filters.flag != "any" else list(conditions.values())
        query = query.where(ItemStatistic.n >= limits.minimum, sa.or_(*wanted))
    order = SORTS[filters.sort][1]
    place = (Range.path, Point.segment, ItemVersion.id)
    if order is None:
        return query.order_by(*place)
    return query.order_by(sa.case((ItemStatistic.n >= limits.minimum, 0), else_=1), order.nulls_last(), *place)


def counts(session: Session, viewer: Viewer, filters: Filters, school_id: int, table_id: int,
           limits: Thresholds) -> dict[str, int]:
    """How many pass the other filters in all (""), with any flag ("any") and with each flag."""
    conditions = {flag.value: condition for flag, condition in _conditions(limits).items()}
    wanted = {"": sa.true(), "any": sa.or_(*conditions.values()), **conditions}
    enough = ItemStatistic.n >= limits.minimum
    columns = [sa.func.coalesce(sa.func.sum(sa.case((condition if name == "" else sa.and_(enough, condition), 1), else_=0)), 0)
               for name, condition in wanted.items()]
    query = _filtered(visible(ItemStatistic, viewer), filters, school_id, table_id).with_only_columns(*columns)
    return dict(zip(wanted, (int(count) for count in session.execute(query).one()), strict=True))


def _filtered(query: sa.Select[ItemStatistic], filters: Filters, school_id: int, table_id: int) -> sa.Select[ItemStatistic]:
    """All filters but the flag."""
    query = _of_bank(query, school_id, table_id)
    if filters.kind:
        query = query.where(ItemVersion.kind == filters.kind)
    if filters.text:
        query = query.where(ItemVersion.stem.contains(filters.text, autoescape=True))
    return query


def current(viewer: Viewer, school_id: int, table_id: int) -> sa.Select[ItemStatistic]:
    """The current statistics of one bank."""
    return _of_bank(visible(ItemStatistic, viewer), school_id, table_id)


def _of_bank(query: sa.Select[ItemStatistic], school_id: int, table_id: int) -> sa.Select[ItemStatistic]:
    return (query.join(ItemStatistic.version).join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
            .where(ItemStatistic.current, Item.institution_id == school_id, Item.table_id == table_id))


def _conditions(limits: Thresholds) -> dict[Flag, sa.ColumnElement[bool]]:
    """The flags of ``verdicts.flags`` as the database asks them."""
    row = ItemStatistic
    negative = sa.or_(row.item_rest < 0, row.b_index < 0)
    not_negative = sa.and_(row.item_rest >= 0, sa.func.coalesce(row.b_index, 0) >= 0)
    odd = [sa.and_(sa.or_(value < limits.fit_low, value > limits.fit_high), (value - 1) * (value - 1) * row.n > chance)
           for value, chance in ((row.infit, INFIT_CHANCE), (row.outfit, OUTFIT_CHANCE))]
    return {Flag.WRONG_KEY: negative, Flag.DRIFT: row.drift_p <= limits.drift_p, Flag.TOO_HARD: row.difficulty < limits.hard,
            Flag.TOO_EASY: row.difficulty >= limits.easy, Flag.WEAK: sa.and_(row.item_rest < limits.weak, not_negative),
            Flag.MISFIT: sa.or_(row.fit_p < limits.fit_p, *odd)}


def numbers_of(row: ItemStatistic) -> Numbers:
    """The stored row as plain numbers."""
    return Numbers(row.n, row.difficulty, row.item_rest, row.b_index, row.omitted, row.fit_p, row.infit, row.outfit, row.drift_p,
                   (row.intervals.get("item_rest") or [None, None])[1])


def as_table(rows: Sequence[ItemStatistic], limits: Thresholds, title: str, notes: Sequence[str]) -> Table:
    """Exactly what the page lists, as a worksheet."""
    lines = []
    for row in rows:
        version, enough = row.version, row.n >= limits.minimum
        figures = [_rounded(value) for value in (row.difficulty, row.item_rest, row.b_index)] if enough else [None] * 3
        lines.append([version.item_id, version.number, version.kind.chinese, version.point.label, plain(version.stem), row.n,
                      *figures, row.omitted, "、".join(flag.chinese for flag in flags(numbers_of(row), limits))
                      if enough else suppressed(row.n, limits.minimum), row.computed_at,
                      *[_rounded(value) if enough else None for value in (row.difficulty_low, row.difficulty_high)],
                      _rounded(row.shrunk), _rounded(row.expert),
                      *[_rounded(value) for value in (row.a, row.se_a, row.b, row.se_b)],
                      *[_rounded(value) if enough else None for value in (row.fit_p, row.infit, row.outfit, row.drift_p)]])
    columns = [("题", 8), ("版本", 8), ("题型", 10), ("鉴定点", 32), ("题干", 60), ("作答人数 n", 12), ("难度 p（答对率）", 14),
               ("题余相关", 12), ("B 指数", 12), ("未答人数", 10), ("提示", 24), ("计算时间", 18),
               ("p 下限 95%", 12), ("p 上限 95%", 12), ("收缩后的 p", 12), ("专家估计的 p", 12), ("区分度参数 a", 12),
               ("a 的标准误", 12), ("难度参数 b", 12), ("b 的标准误", 12), ("拟合 p（S-X²）", 14), ("infit", 10), ("outfit", 10),
               ("漂移 p（校正后）", 14)]
    return Table("试题统计", columns, lines, title, notes)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
