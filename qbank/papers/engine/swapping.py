"""The best equivalents of one item on one form. Pure."""

from __future__ import annotations

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.reporting import lines_of
from qbank.papers.engine.results import Swap
from qbank.papers.engine.search import Search
from qbank.papers.engine.state import State

LOOKED_AT = 4  # times as many candidates are counted in full as are asked for


def equivalents(problem: Problem, on: Flags, form: int, item: int, limit: int) -> tuple[Swap, ...]:
    """Items of the same cell that could stand for `item`, the cheapest first, the likest first among equals."""
    state = State(problem)
    for f, i in zip(*np.nonzero(on), strict=True):
        state.put(int(f), int(i))
    state.settle()
    into = _partners(problem, state, form, item)
    if not len(into):
        return ()
    # what the form misses already (an item barred since, say) is missed by every partner alike
    search = Search(state, np.zeros_like(on), np.random.default_rng(0))
    out = np.full(len(into), item)
    cost = search.change(form, out, into, np.full(len(into), -1))
    distance = _distance(problem, item, into)
    order = np.lexsort((problem.keys[into], distance, np.round(cost, 6)))[: LOOKED_AT * limit]
    before = {(line.rule, line.name): line.missed for line in lines_of(problem, on, form)}
    found = []
    for place in order:
        after = on.copy()
        after[form, item], after[form, into[place]] = False, True
        lines = [line for line in lines_of(problem, after, form) if line.missed > before[line.rule, line.name] + 1e-6]
        if not any(line.hard for line in lines):
            found.append(Swap(int(problem.keys[into[place]]), round(float(cost[place]), 6), round(float(distance[place]), 6),
                              _information(problem, item, int(into[place])), tuple(line.sentence for line in lines)))
        if len(found) == limit:
            break
    return tuple(found)


def _partners(problem: Problem, state: State, form: int, item: int) -> Integers:
    """Open items of the cell that are not on the form, meet no enemy there but the item itself, and are not shared too much."""
    blocked = state.blocked[form].copy()
    blocked[state.enemies(item)] -= 1
    free = problem.open() & (problem.cells == problem.cells[item]) & ~state.on[form] & (blocked == 0) & ~state.full(form)
    for members in problem.sets:
        free[members] = False
    return np.flatnonzero(free)


def _distance(problem: Problem, item: int, into: Integers) -> Floats:
    """Euclid over what every rule sees of an item, each column in units of its spread over the cell."""
    columns = [problem.costs]
    if problem.aim is not None:
        columns += list(problem.aim.information.T)
    for band in problem.bands:
        column = np.zeros(problem.size)
        column[band.items] = band.values
        columns.append(column)
    table = np.column_stack(columns)
    spread = table[problem.cells == problem.cells[item]].std(axis=0)
    used = spread > 1e-12
    different = sum((groups.labels[into] != groups.labels[item]).astype(np.float64) for groups in problem.groups)
    return np.asarray(np.sqrt((((table[into] - table[item])[:, used] / spread[used]) ** 2).sum(axis=1) + different))


def _information(problem: Problem, item: int, into: int) -> tuple[float, ...]:
    if problem.aim is None:
        return ()
    return tuple((problem.aim.information[into] - problem.aim.information[item]).tolist())
