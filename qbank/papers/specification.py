"""From the weights of a standard to whole numbers of items: how many of each kind from each 鉴定范围.

All weights and points are integer HALF-POINTS (1 point = 2), so a 100-point paper is 200 and one per cent of
weight is 2: a range's weight in half-per-cent is also its target in half-points. Pure: no database, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod

import numpy as np

from qbank.kernel.refused import Refused
from qbank.papers.program import Integers, Program

TOTAL = 200
KIND_NAMES: Mapping[str, str] = {"single": "单选题", "multiple": "多选题", "judge": "判断题"}
WINDOWS = (2, 6, TOTAL)  # how many items a count may stray from its proportional share, tried in turn
PATTERN_LIMIT = 200_000  # combinations listed for one range; a wider window is not tried beyond it


@dataclass(frozen=True)
class Part:
    """One part of a paper: `count` items of one kind worth `half_points` each."""

    kind: str
    count: int
    half_points: int


@dataclass(frozen=True)
class LeafRange:
    """A lowest-level 鉴定范围, e.g. key "B-A-C"; weight in half-per-cent (5 % is 10)."""

    key: str
    weight: int


FORMS: Mapping[str, tuple[Part, ...]] = {
    "80×1+20×1": (Part("single", 80, 2), Part("judge", 20, 2)),
    "160×0.5+40×0.5": (Part("single", 160, 1), Part("judge", 40, 1)),
    "120×0.5+80×0.5": (Part("single", 120, 1), Part("judge", 80, 1)),
}


@dataclass(frozen=True)
class Quotas:
    """How many items of each part come from each range.

    `counts[range key, part index]` is in items; `target` and `actual` (range key -> half-points) are the weight
    and what the counts add up to; `within_bank` is False when the bank's holdings had to be ignored.
    """

    ranges: tuple[LeafRange, ...]
    parts: tuple[Part, ...]
    counts: Mapping[tuple[str, int], int]
    target: Mapping[str, int]
    actual: Mapping[str, int]
    within_bank: bool = True

    @property
    def deviations(self) -> dict[str, int]:
        """Actual minus target per range, half-points."""
        return {key: self.actual[key] - self.target[key] for key in self.target}

    @property
    def exact(self) -> bool:
        """Whether every range has exactly its weight."""
        return not any(self.deviations.values())


def kind_name(kind: str) -> str:
    """The Chinese name of an item kind; an unknown kind is its own name."""
    return KIND_NAMES.get(kind, kind)


def check_parts(parts: Sequence[Part]) -> None:
    """Refuse ('bad_parts') parts that do not make a 100-point paper."""
    for part in parts:
        if part.count <= 0 or part.half_points <= 0:
            raise Refused("bad_parts", f"{kind_name(part.kind)}的题量和每题分值都必须大于 0，请修改试卷结构。")
    if len({part.kind for part in parts}) != len(parts):
        raise Refused("bad_parts", "同一题型只能列为一个部分，请合并重复的题型。")
    total = sum(part.count * part.half_points for part in parts)
    if total != TOTAL:
        raise Refused("bad_parts", f"各部分分值合计为 {total / 2:g} 分，应为 100 分，请修改题量或每题分值。")


def check_ranges(ranges: Sequence[LeafRange]) -> None:
    """Refuse ('bad_weights') a weight table that does not add up to 100, names a range twice or goes below 0."""
    if len({leaf.key for leaf in ranges}) != len(ranges):
        raise Refused("bad_weights", "权重表里有重复的鉴定范围代码，请更正后再试。")
    negative = [leaf.key for leaf in ranges if leaf.weight < 0]
    if negative:
        raise Refused("bad_weights", f"鉴定范围 {negative[0]} 的鉴定比重小于 0，请更正后再试。")
    total = sum(leaf.weight for leaf in ranges)
    if total != TOTAL:
        lines = [f"鉴定范围 {leaf.key}：{leaf.weight / 2:g}" for leaf in ranges]
        raise Refused("bad_weights", f"鉴定比重合计为 {total / 2:g}，应为 100，请对照标准的权重表更正。", lines)


def largest_remainder(weights: Sequence[int], total: int, *, step: int = 1) -> tuple[int, ...]:
    """Apportion `total` in multiples of `step`, proportionally to `weights` (Hamilton's method).

    Every weight first gets the whole steps of its exact share; the steps left over go to the largest remainders,
    equal remainders to the earlier weight. Among all apportionments it has the least sum of absolute differences
    from the exact shares (Birkhoff 1976). ValueError unless total is a multiple of step and the weights are
    non-negative with a positive sum.
    """
    size = sum(weights)
    if step <= 0 or total < 0 or total % step or size <= 0 or min(weights) < 0:
        raise ValueError("total must be a multiple of step, weights non-negative with a positive sum")
    steps = total // step
    whole = [weight * steps // size for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(weights[i] * steps % size), i))
    for i in by_remainder[: steps - sum(whole)]:
        whole[i] += 1
    return tuple(count * step for count in whole)


def derive_quotas(
    ranges: Sequence[LeafRange], parts: Sequence[Part], available: Mapping[tuple[str, str], int] | None = None
) -> Quotas:
    """Whole item counts per range and part whose points come as near as possible to the weights.

    Every part gets exactly its count. The sum over ranges of |points - weight| is least; among those, each kind
    is spread over the ranges in proportion to the weights (least squares), so that a small range is not all
    true/false. `available[range key, kind]` (items in the bank; absent means none) bounds the counts as long as
    the deviation does not grow by it; otherwise it is ignored and `within_bank` is False, for the assembly to
    explain the shortage. Deterministic. Raises Refused ('bad_parts', 'bad_weights').
    """
    check_parts(parts)
    check_ranges(ranges)
    free = np.full((len(ranges), len(parts)), TOTAL, dtype=np.int64)
    best = _search(ranges, parts, free, None)
    if best is None:
        raise Refused("bad_parts", "按这份权重表和试卷结构无法分配题量，请更换试卷结构。")
    within = True
    if available is not None:
        held = [[available.get((leaf.key, part.kind), 0) for part in parts] for leaf in ranges]
        caps = np.array(held, dtype=np.int64)
        if np.any(best > caps):
            bounded = _search(ranges, parts, caps, _deviation(ranges, parts, best))
            within = bounded is not None
            best = best if bounded is None else bounded
    counts = {(leaf.key, p): int(best[r, p]) for r, leaf in enumerate(ranges) for p in range(len(parts))}
    points = best @ _values(parts)
    actual = {leaf.key: int(points[r]) for r, leaf in enumerate(ranges)}
    return Quotas(tuple(ranges), tuple(parts), counts, {leaf.key: leaf.weight for leaf in ranges}, actual, within)


def _values(parts: Sequence[Part]) -> Integers:
    return np.array([part.half_points for part in parts], dtype=np.int64)


def _deviation(ranges: Sequence[LeafRange], parts: Sequence[Part], counts: Integers) -> int:
    weights = np.array([leaf.weight for leaf in ranges], dtype=np.int64)
    return int(np.abs(counts @ _values(parts) - weights).sum())


def _search(ranges: Sequence[LeafRange], parts: Sequence[Part], caps: Integers, limit: int | None) -> Integers | None:
    """Best counts, shape (ranges, parts), under `caps`; None if there are none with total deviation <= limit.

    Largest remainders on the grid of the parts give the least deviation that any counts can have, so counts
    that meet them are best. Only where there are none are the weights themselves approached, from near the
    proportional shares outwards.
    """
    weights = [leaf.weight for leaf in ranges]
    near = largest_remainder(weights, TOTAL, step=gcd(*(part.half_points for part in parts)))
    windows = WINDOWS if prod(part.count + 1 for part in parts) <= PATTERN_LIMIT else WINDOWS[:-1]
    for window in windows:
        listed = [_patterns(leaf.weight, parts, caps[r], window, near[r], 0) for r, leaf in enumerate(ranges)]
        found = _choose(weights, near, parts, listed, limit)
        if found is not None:
            return found
    best: Integers | None = None
    for window in windows:
        reach = 2 * max(part.half_points for part in parts) if best is None else _deviation(ranges, parts, best)
        reach = reach if limit is None else limit
        listed = [_patterns(leaf.weight, parts, caps[r], window, leaf.weight, reach) for r, leaf in enumerate(ranges)]
        found = _choose(weights, near, parts, listed, limit)
        best = best if found is None else found
    return best


def _patterns(weight: int, parts: Sequence[Part], caps: Integers, window: int, aim: int, reach: int) -> Integers:
    """Every count vector a range may take, shape (patterns, parts), at most `reach` half-points off `aim`."""
    axes = []
    for part, cap in zip(parts, caps, strict=True):
        share = weight * part.count / TOTAL
        high = min(int(cap), part.count, int(np.ceil(share + window)))
        axes.append(np.arange(max(0, int(np.floor(share - window))), high + 1))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(parts))
    return np.asarray(grid[np.abs(grid @ _values(parts) - aim) <= reach], dtype=np.int64)


def _choose(
    weights: Sequence[int], near: Sequence[int], parts: Sequence[Part], listed: Sequence[Integers], limit: int | None
) -> Integers | None:
    """One pattern per range so that every part has its count: deviation (at most `limit`) first, then spread."""
    if not all(len(rows) for rows in listed):
        return None
    program = Program()
    chosen = []
    for weight, aim, rows in zip(weights, near, listed, strict=True):
        share = np.array([weight * part.count / TOTAL for part in parts])
        points = rows @ _values(parts)
        cost = 1e4 * np.abs(points - weight) + 5.0 * np.abs(points - aim) + ((rows - share) ** 2).sum(axis=1)
        chosen.append(program.columns(len(rows), cost=cost, upper=1.0, integer=True))
        program.row(chosen[-1], 1.0, 1, 1)
    every, patterns = np.concatenate(chosen), np.concatenate(listed)
    for p, part in enumerate(parts):
        program.row(every, patterns[:, p], part.count, part.count)
    if limit is not None:
        off = [np.abs(rows @ _values(parts) - weight) for rows, weight in zip(listed, weights, strict=True)]
        program.row(every, np.concatenate(off), 0, limit)
    values = program.solve(time_limit=10.0, gap=0.0).values
    if values is None:
        return None
    return np.stack([rows[int(np.argmax(values[columns]))] for rows, columns in zip(listed, chosen, strict=True)])
