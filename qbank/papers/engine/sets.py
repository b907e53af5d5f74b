"""Sets of one material change places as a whole: one set for another with as many items of every cell. Pure."""

from __future__ import annotations

import numpy as np

from qbank.papers.engine.arrays import Integers
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.state import State


def set_of(problem: Problem, item: int) -> int | None:
    """Which set an item is in."""
    return next((s for s, members in enumerate(problem.sets) if item in members), None)


def rivals(state: State, form: int, leaving: int) -> list[int]:
    """Sets that could stand for the set `leaving` on the form: as many items of every cell, all of them open and free of enemies
    among themselves and on the form, none used up or shared too much."""
    problem, gone = state.problem, state.problem.sets[leaving]
    profile, opened = np.sort(problem.cells[gone]), problem.open()
    met = state.blocked[form].copy()
    for item in gone:
        met[state.enemies(int(item))] -= 1
    found = []
    for s, members in enumerate(problem.sets):
        if len(members) != len(gone) or not np.array_equal(np.sort(problem.cells[members]), profile):
            continue
        torn = any(np.isin(state.enemies(int(item)), members).any() for item in members)
        if not torn and opened[members].all() and not (state.on[form, members] | (met[members] > 0) | state.full(form, members)).any():
            found.append(s)
    return found


def put_for(state: State, form: int, gone: Integers, come: Integers) -> None:
    """One set leaves the form, the other comes."""
    for item in gone:
        state.take(form, int(item))
    for item in come:
        state.put(form, int(item))


def cost_of(state: State, form: int, gone: Integers, come: Integers) -> float:
    """What the exchange adds to the cost of the form; nothing is changed."""
    before = state.cost(form)
    put_for(state, form, gone, come)
    limit = state.problem.overlap
    over = 0.0 if limit is None else float(np.maximum(np.delete(state.shared[form], form) - limit, 0).sum())
    after = state.cost(form)
    put_for(state, form, come, gone)
    return float("inf") if over else after - before


def exchange(state: State, form: int, slight: float) -> bool:
    """Of each set on the form the exchange that helps most, if one does; whether any did."""
    problem, must = state.problem, state.problem.must()[form]
    swapped = False
    for s, gone in enumerate(problem.sets):
        if not state.on[form, gone].all() or must[gone].any():
            continue
        costs = [(cost_of(state, form, gone, problem.sets[other]), other) for other in rivals(state, form, s)]
        if costs and min(costs)[0] < -slight:
            put_for(state, form, gone, problem.sets[min(costs)[1]])
            swapped = True
    return swapped
