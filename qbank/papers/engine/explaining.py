"""Why there is no paper: the fewest demands that stand in the way, and the paper that misses them least. Pure.

An elastic program gives every hard demand a price (Chinneck 2008, Feasibility and infeasibility in optimization,
chapter 6); the demands that it pays for are a correction set: without them there is a paper. Each one is then tried: a demand
without which the others suffice is not named (deletion filter). The linear program of the average form comes first, since what
it lacks no whole numbers can give; where it lacks nothing and the problem is small, whole numbers themselves are asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from qbank.papers.engine import exact
from qbank.papers.engine.arrays import Flags
from qbank.papers.engine.child import Child
from qbank.papers.engine.model import Demand, Model
from qbank.papers.engine.problem import Groups, Must, Problem, pair_codes
from qbank.papers.engine.relaxation import merits
from qbank.papers.engine.solving import Found, Progress, solve
from qbank.papers.engine.state import State
from qbank.papers.engine.units import items_and_sets
from qbank.papers.program import Solution

LEAST = 1e-6
TRIES = 16  # demands that are tried out one by one
ROUNDS = 4
NODES = 500
DEAR = 1_000.0  # of a unit of a freed band: it is missed as little as can be


@dataclass(frozen=True)
class Conflict:
    """Demands in the way and by how much each is missed, all forms together; the nearest forms, whether it is proved that
    there are none without (`certain`) and that each demand is needed (`proved`)."""

    missing: dict[Demand, float]
    nearest: Found | None
    relaxed: Problem
    proved: bool
    certain: bool = True


def conflict(problem: Problem, seconds: float, child: Child, progress: Progress, best: Found | None = None) -> Conflict:
    """Free demands until there are forms: all that the linear program names at once, then what whole numbers lack, and where
    these are too many to ask, what the `best` forms found miss."""
    missing: dict[Demand, float] = {}
    eased, found, proved, certain = problem, best, False, best is not None and best.infeasible
    for turn in range(ROUNDS):
        progress(turn, ROUNDS, "查找冲突的要求")
        lacking, sure = _lacking(eased, seconds, child)
        certain |= bool(lacking)
        if not lacking and found is not None and found.on is not None:
            lacking, sure = missed(eased, found.on), False
        if not lacking:
            break
        proved = sure and (proved or turn == 0)
        missing |= lacking
        eased = without(problem, missing)
        found = solve(eased, seconds, child, progress, brief=True)
        if found.on is not None and not found.broken:
            break
    return Conflict(missing, found, eased, proved and found is not None and not found.broken, certain)


def missed(problem: Problem, on: Flags) -> dict[Demand, float]:
    """The hard demands that given forms miss, and by how much, all forms together."""
    state = State(problem)
    for form, item in np.argwhere(on).tolist():
        state.put(form, item)
    state.settle()
    amounts: dict[Demand, float] = {}
    part = state.sums[:, :len(state.low)] - state.centre
    over = np.maximum(np.maximum(state.low - part, part - state.high), 0.0).sum(axis=0)
    amounts.update({("band", b, 0): float(over[b]) for b, band in enumerate(problem.bands) if band.weight is None})
    for index, (groups, held) in enumerate(zip(problem.groups, state.held, strict=True)):
        off = np.maximum(np.maximum(groups.least - held, held - groups.most), 0).sum(axis=0)
        amounts.update({("group", index, int(label)): float(off[label]) for label in np.flatnonzero(off) if groups.weight is None})
    met = on[:, problem.pairs].all(axis=2).any(axis=0)
    amounts.update({("pair", 0, int(code)): 1.0 for code in pair_codes(problem)[met]})
    if problem.overlap is not None:
        amounts["overlap", 0, 0] = float(np.maximum(np.triu(state.shared, 1) - problem.overlap, 0).sum())
    got = np.stack([np.bincount(problem.cells[form], minlength=len(problem.quotas)) for form in on])
    amounts.update({("cell", 0, c): float(lack) for c, lack in enumerate(np.maximum(problem.quotas - got, 0).sum(axis=0).tolist())})
    return {demand: amount for demand, amount in amounts.items() if amount > LEAST}


def _lacking(problem: Problem, seconds: float, child: Child) -> tuple[dict[Demand, float], bool]:
    """Demands that cannot all be kept, and whether they are the fewest."""
    missing = _elastic(problem, None, True, seconds, child)
    average = bool(missing)
    if not missing and exact.small(problem):
        missing = _elastic(problem, None, False, seconds, child)
    if not missing:
        return {}, False
    counted = {demand for demand in missing if demand[0] == "cell" and short(problem, demand[2]) > 0}
    doubtful = [demand for demand in missing if demand not in counted]
    for demand in doubtful if len(missing) > 1 and len(doubtful) <= TRIES else ():
        rest = _elastic(problem, frozenset(missing) - {demand}, average, seconds, child)
        if rest is not None and missing.keys() - rest.keys() - {demand}:
            missing = {**rest, **{d: missing[d] for d in counted if d not in rest}}
        elif rest is not None:
            missing = rest
    return missing or {}, len(doubtful) <= TRIES


def _elastic(problem: Problem, free: frozenset[Demand] | None, average: bool, seconds: float, child: Child) -> dict[Demand, float] | None:
    """What is missed when the demands in `free` (None: all) have a price; None when that does not help."""
    units = items_and_sets(problem)
    model = Model(problem, units, average=average, elastic=True, softly=False, free=free)
    grow = merits(model) if average else ()
    solution: Solution = model.program.solve(time_limit=seconds, gap=1e-3, near=1e-3, nodes=NODES, grow=grow, child=child)
    if solution.values is None or (average and not solution.finished):
        return None
    times = problem.forms if average else 1
    missed = {slack.demand: times * float(solution.values[slack.columns].sum()) for slack in model.slacks}
    return {demand: amount for demand, amount in missed.items() if amount > LEAST * max(1.0, times)}


def short(problem: Problem, cell: int) -> int:
    """Items that the cell lacks by mere counting."""
    usable = problem.open() & (problem.cells == cell)
    return int(problem.quotas[cell] * problem.forms - problem.uses[usable].sum())


def without(problem: Problem, missing: dict[Demand, float] | Iterable[Demand]) -> Problem:
    """The problem without these demands. Freed bands are soft and dear, and a freed cell asks for what there is, so that the
    forms come as near as can be."""
    amounts = missing if isinstance(missing, dict) else dict.fromkeys(missing, inf)
    quotas, bands, groups, musts = problem.quotas.copy(), list(problem.bands), list(problem.groups), list(problem.musts)
    gone: set[int] = set()
    overlap = problem.overlap
    for (kind, index, label), amount in amounts.items():
        if kind == "cell":
            each = problem.quotas[label] if amount == inf else int(np.ceil(amount / problem.forms - LEAST))
            quotas[label] = max(0, problem.quotas[label] - each)
        elif kind == "band":
            bands[index] = replace(bands[index], weight=DEAR)
        elif kind == "group":
            groups[index] = _freed(groups[index], label)
        elif kind == "must":
            musts[index] = Must(musts[index].rule, musts[index].items[musts[index].items != label], musts[index].form)
        elif kind == "pair":
            gone.add(label)
        else:
            overlap = None
    kept = ~np.isin(pair_codes(problem), sorted(gone))
    return replace(problem, quotas=quotas, bands=tuple(bands), groups=tuple(groups), musts=tuple(musts), pairs=problem.pairs[kept],
                   overlap=overlap)


def _freed(groups: Groups, label: int) -> Groups:
    least, most = groups.least.copy(), groups.most.copy()
    least[label], most[label] = 0, np.iinfo(np.int64).max // 2
    return replace(groups, least=least, most=most)
