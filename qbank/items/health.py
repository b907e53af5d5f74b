"""What a bank lacks: coverage of points and ranges, importance, keys, difficulty, items too old or used too often. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil

from scipy.stats import chisquare

UNEVEN = 0.01  # a distribution of keys less likely than this under chance is told


@dataclass(frozen=True)
class Limits:
    """The numbers of the rule pack. Shares in per cent of the points."""

    items_per_point: int = 4
    points_per_percent: int = 2
    points_per_table: int = 200
    essential_percent: int = 80
    general_percent: int = 15
    auxiliary_percent: int = 5
    stale_years: int = 3
    most_uses: int = 5


@dataclass(frozen=True)
class RangeIn:
    """A range of the table; ``weight`` in half-per-cent."""

    id: int
    parent_id: int | None
    path: str
    name: str
    weight: int


@dataclass(frozen=True)
class PointIn:
    id: int
    range_id: int
    segment: str
    name: str
    importance: str


@dataclass(frozen=True)
class Held:
    """An item that papers may use. ``touched``: the day it was written, or last used if that is later."""

    item_id: int
    point_id: int
    kind: str
    key: str
    difficulty: int
    uses: int
    touched: date


@dataclass
class PointHealth:
    """A point and how many items it holds."""

    point: PointIn
    path: str
    items: int = 0
    unused: int = 0  # of them in no sealed paper so far


@dataclass
class RangeHealth:
    """A range with all below it. ``points_needed`` is 0 where there is no demand of its own (weight 0)."""

    id: int
    path: str
    name: str
    weight: int
    depth: int
    leaf: bool
    points_needed: int
    points: int = 0
    importance: Counter[str] = field(default_factory=Counter)
    items: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    empty: int = 0  # points without an item
    thin: int = 0  # points with some, but fewer than asked
    stale: int = 0
    exposed: int = 0
    cells: list[PointHealth] = field(default_factory=list)  # its own points

    @property
    def notation(self) -> str:
        return notation(self.importance)


@dataclass(frozen=True)
class Keys:
    """How the keys of one kind are spread. ``p``: how likely at least this unevenness is by chance; None: too few items."""

    kind: str
    counts: Mapping[str, int]
    p: float | None

    @property
    def uneven(self) -> bool:
        return self.p is not None and self.p < UNEVEN


@dataclass(frozen=True)
class Health:
    """The whole bank. ``warnings``: a sentence for each number that misses its limit, the whole table first."""

    ranges: Sequence[RangeHealth]
    points: Sequence[PointHealth]
    importance: Mapping[str, int]
    keys: Sequence[Keys]
    difficulty: Mapping[int, int]
    stale: Sequence[int]  # item ids
    exposed: Sequence[int]
    items: int
    warnings: Sequence[str]

    @property
    def missing(self) -> int:
        """Points with fewer items than asked."""
        return sum(one.empty + one.thin for one in self.ranges if one.leaf)


def health(ranges: Sequence[RangeIn], points: Sequence[PointIn], items: Sequence[Held], limits: Limits,
           today: date) -> Health:
    """``ranges`` in the order of the printed table, parents before children."""
    made = _ranges(ranges, limits)
    above = {one.id: one.parent_id for one in ranges}
    at = {point.id: PointHealth(point, made[point.range_id].path) for point in points}
    by_point: defaultdict[int, list[Held]] = defaultdict(list)
    for item in items:
        by_point[item.point_id].append(item)
    for point in points:
        held, cell = by_point[point.id], at[point.id]
        cell.items, cell.unused = len(held), sum(item.uses == 0 for item in held)
        made[point.range_id].cells.append(cell)
        for one in _upwards(point.range_id, made, above):
            _count(one, point, held, limits, today)
    importance = Counter(point.importance for point in points)
    found = Health(
        ranges=list(made.values()), points=list(at.values()), importance={code: importance[code] for code in "XYZ"},
        keys=key_balance(items), difficulty={grade: sum(item.difficulty == grade for item in items) for grade in range(1, 6)},
        stale=[item.item_id for item in items if is_stale(item, limits, today)],
        exposed=[item.item_id for item in items if item.uses >= limits.most_uses], items=len(items), warnings=())
    return Health(**{**found.__dict__, "warnings": list(_warnings(found, limits))})


def notation(importance: Mapping[str, int]) -> str:
    """X, Y and Z as the trade prints them: ``(116:28:05)``."""
    return "(" + ":".join(f"{importance.get(code, 0):02d}" for code in "XYZ") + ")"


def importance_warning(importance: Mapping[str, int], limits: Limits) -> str:
    """What is wrong with the mix of X, Y and Z; empty: nothing. Shares are compared as whole numbers, without rounding."""
    total = sum(importance.values())
    if not total:
        return ""
    found = []
    for code, bound, wrong in (("X", limits.essential_percent, "低于"), ("Y", limits.general_percent, "高于"),
                               ("Z", limits.auxiliary_percent, "高于")):
        share = 100 * importance.get(code, 0)
        if (share < bound * total) if code == "X" else (share > bound * total):
            found.append(f"{code} 占 {share / total:.0f} %，{wrong} {bound} %")
    return "；".join(found)


def points_needed(weight: int, limits: Limits) -> int:
    """Points that a range of ``weight`` half-per-cent should have: 7.5 % at 2 a per cent are 15."""
    return ceil(limits.points_per_percent * weight / 2)


def is_stale(item: Held, limits: Limits, today: date) -> bool:
    """Neither written, edited nor used for so many years."""
    years = today.year - item.touched.year - ((today.month, today.day) < (item.touched.month, item.touched.day))
    return years >= limits.stale_years


def key_balance(items: Iterable[Held]) -> list[Keys]:
    """Letters of single choices, true and false: counts and the p-value of Pearson's chi-square against equal shares.

    Letters behind D belong to the few items with more options and are counted, but not tested. Fewer than 5 expected in
    a class: no p (Cochran's rule)."""
    found = []
    for kind, letters in (("single", "ABCD"), ("judge", "TF")):
        counts = Counter(item.key for item in items if item.kind == kind)
        tested = [counts[letter] for letter in letters]
        enough = sum(tested) >= 5 * len(letters)
        if counts:
            shown = [*letters, *sorted(counts.keys() - set(letters))]
            found.append(Keys(kind, {letter: counts[letter] for letter in shown},
                              float(chisquare(tested).pvalue) if enough else None))
    return found


def _ranges(ranges: Sequence[RangeIn], limits: Limits) -> dict[int, RangeHealth]:
    parents = {one.parent_id for one in ranges}
    made: dict[int, RangeHealth] = {}
    for one in ranges:
        depth = made[one.parent_id].depth + 1 if one.parent_id is not None else 0
        made[one.id] = RangeHealth(one.id, one.path, one.name, one.weight, depth, one.id not in parents,
                                   points_needed(one.weight, limits))
    return made


def _upwards(range_id: int, made: Mapping[int, RangeHealth], above: Mapping[int, int | None]) -> Iterable[RangeHealth]:
    here: int | None = range_id
    while here is not None:
        yield made[here]
        here = above[here]


def _count(one: RangeHealth, point: PointIn, held: Sequence[Held], limits: Limits, today: date) -> None:
    one.points += 1
    one.importance[point.importance] += 1
    one.items += len(held)
    one.kinds.update(item.kind for item in held)
    one.empty += not held
    one.thin += 0 < len(held) < limits.items_per_point
    one.stale += sum(is_stale(item, limits, today) for item in held)
    one.exposed += sum(item.uses >= limits.most_uses for item in held)


def _warnings(found: Health, limits: Limits) -> Iterable[str]:
    total = len(found.points)
    if total < limits.points_per_table:
        yield f"本等级共 {total} 个鉴定点，少于 {limits.points_per_table} 个。"
    if told := importance_warning(found.importance, limits):
        yield f"全表鉴定点 {notation(found.importance)}：{told}。"
    for one in found.ranges:
        if one.leaf and one.points < one.points_needed:
            yield (f"{one.path} {one.name}：比重 {one.weight / 2:g} %，应有 {one.points_needed} 个鉴定点，"
                   f"现有 {one.points} 个。")
    if short := [cell for cell in found.points if cell.items < limits.items_per_point]:
        empty = sum(not cell.items for cell in short)
        yield (f"{len(short)} 个鉴定点的可用试题少于 {limits.items_per_point} 道（其中 {empty} 个一道也没有），"
               f"补足还要 {sum(limits.items_per_point - cell.items for cell in short)} 道。")
    for keys in found.keys:
        if keys.uneven and keys.p is not None:
            most = max(keys.counts, key=lambda letter: keys.counts[letter])
            name = {"T": "正确", "F": "错误"}.get(most, most)
            yield (f"{'单选题' if keys.kind == 'single' else '判断题'}的答案分布不均，“{name}”偏多"
                   f"（卡方检验 p = {keys.p:.2g}，纯属偶然的可能很小）。")
