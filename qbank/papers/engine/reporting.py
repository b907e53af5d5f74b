"""Forms against everything that was asked of them, counted anew from the items. Pure."""

from __future__ import annotations

from collections import defaultdict
from math import inf

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.compiling import TRIED, expected_points
from qbank.papers.engine.items import ItemPool
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.results import Assembly, Line
from qbank.papers.engine.solving import Found
from qbank.papers.specification import Quotas, kind_name


def cell_name(problem: Problem, cell: int) -> str:
    range_key, kind = problem.cell_names[cell]
    return f"{TRIED}{kind_name(kind)}" if range_key == TRIED else f"范围 {range_key} {kind_name(kind)}"


def lines_of(problem: Problem, on: Flags, form: int) -> tuple[Line, ...]:
    """Every demand against one form. A rule of many parts (one item per point) is one line that counts its misses."""
    held = on[form]
    got = np.bincount(problem.cells[held], minlength=len(problem.quotas))
    lines = [Line("题量", cell_name(problem, c), float(count), float(count), float(got[c]), True, 0.0)
             for c, count in enumerate(problem.quotas.tolist())]
    for band in problem.bands:
        sums = np.array([band.values[on[f][band.items]].sum() for f in range(problem.forms)])
        centre = sums.mean() if band.equal else 0.0
        line = Line(band.rule, band.name, centre + band.low, centre + band.high, float(sums[form]), band.weight is None, 0.0)
        cost = 0.0 if band.weight is None or line.kept else band.weight / band.unit * line.missed
        lines.append(Line(line.rule, line.name, line.low, line.high, line.actual, line.hard, cost))
    for groups in problem.groups:
        count = np.bincount(groups.labels[held & (groups.labels >= 0)], minlength=len(groups.least))
        misses = float(np.maximum(np.maximum(groups.least - count, count - groups.most), 0).sum())
        lines.append(Line(groups.rule, f"{groups.rule}：不合的题数", 0, 0, misses, groups.weight is None, (groups.weight or 0.0) * misses))
    met = float((held[problem.pairs[:, 0]] & held[problem.pairs[:, 1]]).sum())
    lines.append(Line("互斥相近", "同卷出现的互斥、相近题对", 0, 0, met, True, 0.0))
    parts = [float(held[members].sum()) for members in problem.sets]
    torn = float(sum(0 < part < len(members) for part, members in zip(parts, problem.sets, strict=True)))
    lines.append(Line("共用题干", "拆开的题组", 0, 0, torn, True, 0.0))
    for must in problem.musts:
        if must.form in (None, form):
            lines.append(Line(must.rule, must.rule, len(must.items), inf, float(held[must.items].sum()), True, 0.0))
    lines += [Line(bar.rule, f"{bar.rule}以外的题", 0, 0, float(held[bar.items].sum()), True, 0.0) for bar in problem.bars]
    shared = max((float((held & on[other]).sum()) for other in range(problem.forms) if other != form), default=0.0)
    limit = inf if problem.overlap is None else float(problem.overlap)
    lines.append(Line("各套共用题", "与另一套共用的题数", 0, limit, shared, True, 0.0))
    return tuple(lines)


def assembly_of(pool: ItemPool, quotas: Quotas, problem: Problem, found: Found, on: Flags, seconds: float) -> Assembly:
    """The answer: forms in paper order, every demand counted, value and bound of what was optimised."""
    lines = tuple(lines_of(problem, on, f) for f in range(problem.forms))
    costs: defaultdict[str, float] = defaultdict(float)
    for line in (line for form in lines for line in form if not line.hard):
        costs[line.rule] += line.cost
    if problem.costs.any():
        costs["少用者优先"] += float(problem.costs @ on.sum(axis=0))
    known = np.zeros((len(pool), len(pool.abilities)))
    if len(pool.abilities):
        known = pool.information_at * (pool.numbers("pretest") == 0)[:, None]
    information = np.array([known[on[f]].sum(axis=0) for f in range(problem.forms)])
    measure, value = _value(problem, on, sum(costs.values()))
    gap = abs(value - found.bound) / (1.0 if measure == "deviation" else max(abs(value), 1e-9))
    points = expected_points(pool, quotas) * (pool.numbers("pretest") == 0)
    worth = {part.kind: part.half_points / 2 for part in quotas.parts}
    full = pool.by_kind(worth)
    tried = frozenset(pool.keys[on.any(axis=0) & (pool.numbers("pretest") > 0)].tolist())
    return Assembly(
        forms=tuple(tuple(_ordered(pool, quotas, problem, np.flatnonzero(on[f]))) for f in range(problem.forms)), measure=measure,
        value=value, bound=found.bound, gap=gap, optimal=found.proved or gap <= 1e-4, cut_short=found.cut_short, method=found.method,
        seconds=seconds, shared=max((int((on[f] & on[g]).sum()) for f in range(problem.forms) for g in range(f)), default=0),
        lines=lines, costs={rule: float(cost) for rule, cost in costs.items()},
        target=() if problem.aim is None or problem.aim.most else tuple(problem.aim.target.tolist()),
        information=tuple(tuple(row) for row in information.tolist()),
        expected=tuple(float(points[on[f]].sum()) for f in range(problem.forms)),
        error=tuple(float(np.sqrt((points * (full - points))[on[f]].clip(0).sum())) for f in range(problem.forms)), tried=tried)


def _value(problem: Problem, on: Flags, cost: float) -> tuple[str, float]:
    if problem.aim is None:
        return "cost", float(cost)
    reached: Floats = np.array([problem.aim.information[form].sum(axis=0) for form in on]) / problem.aim.target
    return ("information", float(reached.min())) if problem.aim.most else ("deviation", float(np.abs(reached - 1).max()))


def _ordered(pool: ItemPool, quotas: Quotas, problem: Problem, held: Integers) -> list[int]:
    """Keys by part, range and key; the items of a set stand where its first one does."""
    order = {leaf.key: r for r, leaf in enumerate(quotas.ranges)}
    rank = {part.kind: p for p, part in enumerate(quotas.parts)}
    kinds, ranges, keys = pool.labels("kinds"), pool.labels("ranges"), pool.keys
    leader = {int(i): int(s) for s, members in enumerate(problem.sets) for i in members}
    own = {int(i): (rank.get(str(kinds[i]), len(rank)), order.get(str(ranges[i]), len(order)), int(keys[i])) for i in held}
    first: dict[tuple[int, int], tuple[int, int, int]] = {}
    for i, place in own.items():
        if i in leader:
            at = leader[i], place[0]
            first[at] = min(first.get(at, place), place)
    return [int(keys[i]) for i in sorted(own, key=lambda i: (first[leader[i], own[i][0]] if i in leader else own[i], own[i]))]
