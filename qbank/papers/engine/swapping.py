"""The best equivalents of one item on one form. Pure."""

from __future__ import annotations

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.reporting import lines_of
from qbank.papers.engine.results import Swap
from qbank.papers.engine.search import Search
from qbank.papers.engine.sets import cost_of, rivals, set_of
from qbank.papers.engine.state import State

LOOKED_AT = 4  # times as many candidates are counted in full as are asked for


def equivalents(problem: Problem, on: Flags, form: int, item: int, limit: int) -> tuple[Swap, ...]:
    """Items of the same cell that could stand for `item`, or sets for its set, the cheapest first, the likest first among equals."""
    state = State(problem)
    for f, i in zip(*np.nonzero(on), strict=True):
        state.put(int(f), int(i))
    state.settle()
    own = set_of(problem, item)
    if own is None:
        options = [np.array([other]) for other in _partners(problem, state, form, item).tolist()]
        gone = np.array([item])
    else:
        gone = _by_cell(problem, problem.sets[own])
        options = [_by_cell(problem, problem.sets[s]) for s in rivals(state, form, own)]
    if not options:
        return ()
    come = np.stack(options)
    cost = _costs(state, form, gone, come)
    distance = _distance(problem, gone, come)
    order = np.lexsort((problem.keys[come[:, 0]], distance, np.round(cost, 6)))[: LOOKED_AT * limit]
    before = {(line.rule, line.name): line.missed for line in lines_of(problem, on, form)}
    found = []
    for place in order.tolist():
        after = on.copy()
        after[form, gone], after[form, come[place]] = False, True
        lines = [line for line in lines_of(problem, after, form) if line.missed > before[line.rule, line.name] + 1e-6]
        if not any(line.hard for line in lines):
            keys = problem.keys[come[place]].tolist()
            found.append(Swap(keys[gone.tolist().index(item)], round(float(cost[place]), 6), round(float(distance[place]), 6),
                              _information(problem, gone, come[place]), tuple(line.sentence for line in lines),
                              tuple(problem.keys[gone].tolist()), tuple(keys)))
        if len(found) == limit:
            break
    return tuple(found)


def _costs(state: State, form: int, gone: Integers, come: Integers) -> Floats:
    """(options,) what each adds to the cost. What the form misses already (an item barred since, say) is missed by all alike."""
    if len(gone) > 1:
        return np.array([cost_of(state, form, gone, members) for members in come])
    search = Search(state, np.zeros_like(state.on), np.random.default_rng(0))
    return search.change(form, np.full(len(come), gone[0]), come[:, 0], np.full(len(come), -1))


def _by_cell(problem: Problem, members: Integers) -> Integers:
    return members[np.lexsort((problem.keys[members], problem.cells[members]))]


def _partners(problem: Problem, state: State, form: int, item: int) -> Integers:
    """Open items of the cell that are not on the form, meet no enemy there but the item itself, and are not shared too much."""
    blocked = state.blocked[form].copy()
    blocked[state.enemies(item)] -= 1
    free = problem.open() & (problem.cells == problem.cells[item]) & ~state.on[form] & (blocked == 0) & ~state.full(form)
    for members in problem.sets:
        free[members] = False
    return np.flatnonzero(free)


def _distance(problem: Problem, gone: Integers, come: Integers) -> Floats:
    """Euclid over what every rule sees of the items, each column in units of its spread over their cells."""
    columns = [problem.costs]
    if problem.aim is not None:
        columns += list(problem.aim.information.T)
    for band in problem.bands:
        column = np.zeros(problem.size)
        column[band.items] = band.values
        columns.append(column)
    table = np.column_stack(columns)
    spread = table[np.isin(problem.cells, problem.cells[gone])].std(axis=0)
    used = spread > 1e-12
    different = sum((groups.labels[come] != groups.labels[gone]).sum(axis=1).astype(np.float64) for groups in problem.groups)
    off = table[come].sum(axis=1) - table[gone].sum(axis=0)
    return np.asarray(np.sqrt(((off[:, used] / spread[used]) ** 2).sum(axis=1) + different))


def _information(problem: Problem, gone: Integers, come: Integers) -> tuple[float, ...]:
    """How the information changes at each ability."""
    if problem.aim is None:
        return ()
    change: Floats = problem.aim.information[come].sum(axis=0) - problem.aim.information[gone].sum(axis=0)
    return tuple(change.tolist())
