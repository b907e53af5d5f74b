"""From the weights of a standard to whole numbers of items: how many of each kind from each 鉴定范围.

All weights and points are integer HALF-POINTS (1 point = 2), so a 100-point paper is 200 and one per cent of
weight is 2: a range's weight in half-per-cent is also its target in half-points. Pure: no database, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, gcd

import numpy as np

from qbank.items.draft import KINDS
from qbank.kernel.refused import Refused
from qbank.papers.program import Floats, Integers, Program

TOTAL = 200
KIND_NAMES: Mapping[str, str] = KINDS
NEAR = 3  # beyond so many items from its proportional share, straying costs as much for every further item
PARENT_COST = 200.0  # of a half-point that a range of a higher level is off, against squares of items off their shares
GRID_COST = 50.0  # of a half-point off what largest remainders give: settles ties in favour of the earlier range
SECONDS = 10.0


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


# Templates: the trade's common forms; the two with written parts are for technicians (levels 2 and 1).
FORMS: Mapping[str, tuple[Part, ...]] = {
    "80×1+20×1": (Part("single", 80, 2), Part("judge", 20, 2)),
    "160×0.5+40×0.5": (Part("single", 160, 1), Part("judge", 40, 1)),
    "120×0.5+80×0.5": (Part("single", 120, 1), Part("judge", 80, 1)),
    "60×1+10×2+20×1": (Part("single", 60, 2), Part("multiple", 10, 4), Part("judge", 20, 2)),
    "140×0.5+10×1+40×0.5": (Part("single", 140, 1), Part("multiple", 10, 2), Part("judge", 40, 1)),
    "二级": (Part("single", 80, 1), Part("judge", 20, 1), Part("multiple", 10, 2), Part("fill", 10, 2),
           Part("short", 4, 10), Part("essay", 1, 20)),
    "一级": (Part("single", 60, 1), Part("judge", 20, 1), Part("multiple", 10, 2), Part("short", 4, 10), Part("essay", 3, 20)),
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

    A transport problem: every part gets exactly its count, and the sum over leaf ranges of |points - weight| is least;
    among those, the ranges above them ("B-A", "B") are nearest to their weights; among those, each kind is spread over the
    ranges in proportion to the weights (least squares), so that a small range is not all true/false.
    `available[range key, kind]` (items in the bank; absent means none) bounds the counts as long as the deviation does not
    grow by it; otherwise it is ignored and `within_bank` is False, for the assembly to explain the shortage.
    Deterministic. Raises Refused ('bad_parts', 'bad_weights').
    """
    check_parts(parts)
    check_ranges(ranges)
    free = np.full((len(ranges), len(parts)), TOTAL, dtype=np.int64)
    least = _least_deviation(ranges, parts, free)
    best = _spread(ranges, parts, free, least)
    if best is None:
        raise Refused("bad_parts", "按这份权重表和试卷结构无法分配题量，请更换试卷结构。")
    within = True
    if available is not None:
        held = [[available.get((leaf.key, part.kind), 0) for part in parts] for leaf in ranges]
        caps = np.array(held, dtype=np.int64)
        if np.any(best > caps):
            bounded = _spread(ranges, parts, caps, least)
            within = bounded is not None
            best = best if bounded is None else bounded
    counts = {(leaf.key, p): int(best[r, p]) for r, leaf in enumerate(ranges) for p in range(len(parts))}
    points = best @ _values(parts)
    actual = {leaf.key: int(points[r]) for r, leaf in enumerate(ranges)}
    return Quotas(tuple(ranges), tuple(parts), counts, {leaf.key: leaf.weight for leaf in ranges}, actual, within)


def above(keys: Sequence[str]) -> dict[str, list[int]]:
    """Every range above the leaves ("B", "B-A") and the positions of the leaves below it."""
    found: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        segments = key.split("-")
        for depth in range(1, len(segments)):
            found.setdefault("-".join(segments[:depth]), []).append(position)
    return found


def _values(parts: Sequence[Part]) -> Integers:
    return np.array([part.half_points for part in parts], dtype=np.int64)


def _grid(ranges: Sequence[LeafRange], parts: Sequence[Part]) -> tuple[int, ...]:
    """Half-points per range on the grid of the parts: no counts can miss the weights by less than these do."""
    return largest_remainder([leaf.weight for leaf in ranges], TOTAL, step=gcd(*(part.half_points for part in parts)))


def _least_deviation(ranges: Sequence[LeafRange], parts: Sequence[Part], caps: Integers) -> int:
    """The least sum over ranges of |points - weight| that whole counts can have, half-points."""
    program = Program()
    counts = _counts(program, parts, caps)
    for row, leaf in zip(counts, ranges, strict=True):
        off = program.columns(2, cost=1.0)
        program.row(np.append(row, off), [*map(float, _values(parts)), 1.0, -1.0], leaf.weight, leaf.weight)
    found = program.solve(time_limit=SECONDS, gap=0.0).values
    if found is None:
        return TOTAL * 2
    points = np.rint(found[counts]).astype(np.int64) @ _values(parts)
    return int(np.abs(points - np.array([leaf.weight for leaf in ranges])).sum())


def _spread(ranges: Sequence[LeafRange], parts: Sequence[Part], caps: Integers, least: int) -> Integers | None:
    """Counts, shape (ranges, parts), under `caps` with a total deviation of at most `least`; None if there are none."""
    program = Program()
    counts = _counts(program, parts, caps)
    values, deviations = list(map(float, _values(parts))), []
    for row, leaf, aim in zip(counts, ranges, _grid(ranges, parts), strict=True):
        deviations.append(program.columns(2))
        program.row(np.append(row, deviations[-1]), [*values, 1.0, -1.0], leaf.weight, leaf.weight)
        program.row(np.append(row, program.columns(2, cost=GRID_COST)), [*values, 1.0, -1.0], aim, aim)
        for column, part, cap in zip(row, parts, caps[len(deviations) - 1], strict=True):
            _square(program, column, leaf.weight * part.count / TOTAL, min(int(cap), part.count))
    program.row(np.concatenate(deviations), 1.0, 0, least)
    for members in above([leaf.key for leaf in ranges]).values():
        weight = sum(ranges[r].weight for r in members)
        off = program.columns(2, cost=PARENT_COST)
        program.row(np.append(counts[members].ravel(), off), [*values * len(members), 1.0, -1.0], weight, weight)
    found = program.solve(time_limit=SECONDS, gap=1e-6).values
    return None if found is None else np.rint(found[counts]).astype(np.int64)


def _counts(program: Program, parts: Sequence[Part], caps: Integers) -> Integers:
    """A whole variable for each range and part, and a row for each part's count."""
    most = np.minimum(caps, [part.count for part in parts])
    columns = program.columns(most.size, upper=most.ravel(), integer=True).reshape(most.shape)
    for p, part in enumerate(parts):
        program.row(columns[:, p], 1.0, part.count, part.count)
    return columns


def _square(program: Program, column: int, share: float, most: int) -> None:
    """The cost (count - share)^2, exact at whole counts within NEAR of the share: convex, so steps are taken in order."""
    low = max(0, min(floor(share) - NEAR, most))
    high = max(low, min(most, ceil(share) + NEAR))
    steps = np.arange(low, high)
    costs: Floats = np.concatenate([2 * steps + 1 - 2 * share, [2 * share - 2 * low + 1, 2 * high + 1 - 2 * share]])
    upper = np.concatenate([np.ones(len(steps)), [np.inf, np.inf]])
    columns = np.append(program.columns(len(costs), cost=costs, upper=upper), column)
    program.row(columns, [*[-1.0] * len(steps), 1.0, -1.0, 1.0], low, low)
