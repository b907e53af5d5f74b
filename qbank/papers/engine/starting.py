"""A start: how many of each stratum go on the forms, by a small program, then which, by a draw. Pure.

`pooled`: what all forms take together, a program as large as one form, dealt out afterwards as evenly as it goes; only sets are
counted in whole numbers, strata are rounded cell by cell. `jointly`: every form's own whole numbers. The strata know
nothing of pairs, groups and single items; the swaps see to those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.child import Child
from qbank.papers.engine.model import Model
from qbank.papers.engine.problem import Must, Problem
from qbank.papers.engine.relaxation import Relaxation
from qbank.papers.engine.state import State
from qbank.papers.engine.units import Units, strata
from qbank.papers.program import Solution

STRATA = 1_500  # whole-number columns of a program of one form
JOINT = 6_000  # and of one of all forms
MISSED = 10_000.0  # what a start pays for a unit of a hard band: strata have means only, the swaps see to the items
LOOSE = 0.01  # share of the target that the strata's means may be off: swaps close it
NODES = 100
USED, NOISE = 20.0, 5.0  # what makes the many forms differ: items used already cost more, and each form draws its own costs

NOWHERE = 1e6  # an item is not put there

Start = Callable[[Problem, State, np.random.Generator, float, Child], Solution]


def pooled(problem: Problem, state: State, rng: np.random.Generator, seconds: float, child: Child) -> Solution:
    """What all forms take together; each cell's share is dealt out in the order of classes, so that all get some of each."""
    units = replace(strata(problem, STRATA), part=1 / problem.forms)
    held = np.bincount(units.of_item[units.of_item >= 0], minlength=units.count)
    model = _model(problem, units, average=True, whole=units.alone & (held > 1))
    solution = _solved(model, seconds, child)
    if solution.values is not None:
        _deal_out(problem, units, _rounded(problem, units, solution.values[model.chosen[0]]), state, rng)
    return solution


def _rounded(problem: Problem, units: Units, weight: Floats) -> Integers:
    """Whole numbers near `weight` that fill each cell: the whole parts, then the largest remainders; sets are whole already."""
    picks = np.floor(weight + 1e-6).astype(np.int64)
    inside = units.of_item >= 0
    held = np.bincount(units.of_item[inside], minlength=units.count)
    cell = np.zeros(units.count, dtype=np.int64)
    cell[units.of_item[inside]] = problem.cells[inside]
    sets = units.alone & (held > 1)
    need = problem.quotas * problem.forms
    for unit in np.flatnonzero(sets & (picks > 0)):
        need = need - picks[unit] * np.bincount(problem.cells[units.of_item == unit], minlength=len(need))
    need = need - np.bincount(cell[~sets], weights=picks[~sets], minlength=len(need)).astype(np.int64)
    for unit in np.flatnonzero(~sets)[np.argsort(-(weight - picks)[~sets], kind="stable")]:
        while need[cell[unit]] > 0 and picks[unit] < units.total[unit] and (picks[unit] < weight[unit] or weight[unit] > picks[unit] - 1):
            picks[unit] += 1
            need[cell[unit]] -= 1
            if picks[unit] > weight[unit]:
                break
    return picks


def one_by_one(problem: Problem, state: State, rng: np.random.Generator, seconds: float, child: Child) -> Solution:
    """Form after form from what is left, a linear program each, for many forms: no two start alike."""
    units = strata(problem, STRATA)
    held = np.bincount(units.of_item[units.of_item >= 0], minlength=units.count)
    solution = Solution(None, False, True, 0.0, 0.0, 0.0, False)
    for form in range(problem.forms):
        free = (units.of_item >= 0) & ~state.full(form)
        stock = np.bincount(units.of_item[free], minlength=units.count)
        stock = np.where(units.alone, np.minimum(stock, 1), stock)
        left = replace(units, stock=stock, total=stock)
        musts = tuple(Must(must.rule, must.items) for must in problem.musts if must.form in (None, form))
        draw = USED * state.used / problem.uses.clip(1) + NOISE * rng.random(problem.size)
        single = replace(problem, forms=1, musts=musts, costs=problem.costs + draw)
        model = _model(single, left, average=True, whole=units.alone & (held > 1))
        solution = _solved(model, seconds, child)
        if solution.values is None:
            return solution
        _deal_form(problem, units, _rounded(single, left, solution.values[model.chosen[0]]), form, state, rng)
    return solution


def jointly(problem: Problem, state: State, rng: np.random.Generator, seconds: float, child: Child) -> Solution:
    """Every form's own numbers in one program."""
    units = strata(problem, max(JOINT // problem.forms, 1))
    model = _model(problem, units, average=False, whole=True)
    solution = _solved(model, seconds, child)
    if solution.values is not None:
        for form, picks in enumerate(np.rint(solution.values[model.chosen]).astype(np.int64)):
            _deal_form(problem, units, picks, form, state, rng)
    return solution


def _model(problem: Problem, units: Units, *, average: bool, whole: Flags | bool) -> Model:
    bands = frozenset(("band", index, 0) for index in range(len(problem.bands)))
    return Model(problem, units, average=average, whole=whole, price=problem.aim_cost, tolerance=0.0 if average else LOOSE, elastic=True,
                 free=bands, dear=MISSED)


def _solved(model: Model, seconds: float, child: Child) -> Solution:
    return model.program.solve(time_limit=seconds, gap=0.02, near=model.problem.aim_cost * LOOSE, nodes=NODES, symmetry=False, child=child)


def _deal_form(problem: Problem, units: Units, picks: Integers, form: int, state: State, rng: np.random.Generator) -> None:
    """Put items on a form: of each stratum those used least, clear of enemies and of groups that are full."""
    members, turn = _members(units), rng.random(problem.size)
    for unit in np.flatnonzero(picks):
        held = members[unit]
        if not units.alone[unit]:
            worst = state.used[held] + _unwelcome(state, form, held)
            held = held[np.lexsort((turn[held], worst))[: picks[unit]]]
        for item in held:
            state.put(form, int(item))


def _deal_out(problem: Problem, units: Units, picks: Integers, state: State, rng: np.random.Generator) -> None:
    """Musts and sets first, where most of their places are left; then item after item to the form with most places in its cell."""
    members, turn = _members(units), rng.random(problem.size)
    must = problem.must()
    places = np.repeat(problem.quotas[None, :], problem.forms, axis=0)
    for form, item in zip(*np.nonzero(must), strict=True):
        if not state.on[form, item]:
            for other in members[units.of_item[item]]:
                state.put(int(form), int(other))
                places[form, problem.cells[other]] -= 1
    for unit in np.flatnonzero((picks > 0) & units.alone):
        if len(members[unit]) > 1:
            _deal_set(problem, members[unit], int(picks[unit]), places, state)
    dealt = []
    for unit in np.flatnonzero(picks):
        held = members[unit]
        if (units.alone[unit] and len(held) > 1) or must[:, held].any():
            continue
        rounds = -(-int(picks[unit]) // len(held))
        dealt.append(np.tile(held[np.argsort(turn[held])], rounds)[: picks[unit]])
    if dealt:
        _deal_evenly(problem, np.concatenate(dealt), places, state)


def _deal_evenly(problem: Problem, items: Integers, places: Integers, state: State) -> None:
    """Item after item to a form with a place in its cell, where it makes up for what the form has too little of: the sums of
    all forms stay near one another in everything that a band or the aim counts (greedy vector balancing). Items for many forms
    come first; one that no form can take without sharing too much leaves its place to items that are on none."""
    items = items[np.argsort(-np.bincount(items)[items], kind="stable")]
    cells, limit = problem.cells[items], problem.overlap
    sums = np.zeros((problem.forms, state.content.shape[1]))
    for item, cell, move in zip(items.tolist(), cells.tolist(), _off_mean(problem, items, state), strict=True):
        unwelcome = sums @ move + 1e3 * state.blocked[:, item] + NOWHERE * (state.on[:, item] | (places[:, cell] <= 0))
        for groups, count in zip(problem.groups, state.held, strict=True):
            if (label := groups.labels[item]) >= 0:
                unwelcome += 1e3 * (count[:, label] >= groups.most[label])
        if state.used[item] and limit is not None:
            shared = state.shared[:, state.on[:, item]]
            unwelcome += shared.sum(axis=1) + NOWHERE * (shared >= limit).any(axis=1)
        form = int(np.argmin(unwelcome))
        if unwelcome[form] < NOWHERE / 2:
            state.put(form, item)
            places[form, cell] -= 1
            sums[form] += move
    _fill(problem, places, state)


def _off_mean(problem: Problem, items: Integers, state: State) -> Floats:
    """(items, r) how far each is from the mean of the chosen ones of its cell, in units of the spread."""
    cells = problem.cells[items]
    content, mean = state.content[items], np.zeros((len(problem.quotas), state.content.shape[1]))
    np.add.at(mean, cells, content)
    off = content - (mean / np.maximum(np.bincount(cells, minlength=len(mean)), 1)[:, None])[cells]
    return np.asarray(off / np.maximum(off.std(axis=0), 1e-9))


def _fill(problem: Problem, places: Integers, state: State) -> None:
    """Places that are left, with the most informative items that are on no form, or else with what the form may take."""
    worth = np.zeros(problem.size) if problem.aim is None else (problem.aim.information / problem.aim.target).sum(axis=1)
    lone = problem.open()
    for members in problem.sets:
        lone[members] = False
    for form, cell in np.argwhere(places > 0).tolist():
        held = np.flatnonzero(lone & (problem.cells == cell) & ~state.on[form] & ~state.full(form))
        best = held[np.lexsort((-worth[held], state.used[held], state.blocked[form, held]))]
        for item in best[: places[form, cell]].tolist():
            state.put(form, item)
        places[form, cell] -= min(len(best), places[form, cell])


def _deal_set(problem: Problem, held: Integers, times: int, places: Integers, state: State) -> None:
    need = np.bincount(problem.cells[held], minlength=len(problem.quotas))
    for _ in range(times - int(state.on[:, held[0]].sum())):
        room = np.where(state.on[:, held[0]], -np.inf, (places - need).min(axis=1) + 1e-3 * places.sum(axis=1))
        form = int(np.argmax(room))
        for item in held:
            state.put(form, int(item))
        places[form] -= need


def _unwelcome(state: State, form: int, held: Integers) -> Floats:
    """How much each item is out of place on the form: there already or used up, an enemy there, its group full."""
    out: Flags = state.full(form)[held] | state.on[form, held]
    worst = 1e6 * out + 1e3 * state.blocked[form, held]
    for groups, count in zip(state.problem.groups, state.held, strict=True):
        worst += 100 * np.append(count[form] >= groups.most, False)[groups.labels[held]]
    return np.asarray(worst, dtype=np.float64)


def _members(units: Units) -> list[Integers]:
    order = np.argsort(units.of_item, kind="stable")
    first = np.searchsorted(units.of_item[order], np.arange(units.count + 1))
    return [order[first[u]:first[u + 1]] for u in range(units.count)]


def from_relaxation(relaxation: Relaxation) -> Start:
    """Of each cell the items that the average form takes most of; a vertex of its program has few that are shared out."""

    def start(problem: Problem, state: State, rng: np.random.Generator, seconds: float, child: Child) -> Solution:
        units, weight = relaxation.units, relaxation.weight
        if weight is None:
            return pooled(problem, state, rng, seconds, child)
        weights = np.append(weight, 0.0)[units.of_item] * problem.forms
        model_units = replace(units, part=1 / problem.forms)
        picks = np.zeros(units.count, dtype=np.int64)
        need = problem.quotas * problem.forms
        in_set = np.zeros(problem.size, dtype=bool)
        for members in problem.sets:
            in_set[members] = True
            if (unit := units.of_item[members[0]]) >= 0:
                picks[unit] = round(float(weights[members[0]]))
                need -= picks[unit] * np.bincount(problem.cells[members], minlength=len(need))
        order = np.lexsort((rng.random(problem.size), -weights, problem.cells))
        order = order[(units.of_item[order] >= 0) & ~in_set[order]]
        for item in order:
            times = int(min(need[problem.cells[item]], problem.uses[item], max(1, round(float(weights[item])))))
            if times > 0:
                picks[units.of_item[item]] += times
                need[problem.cells[item]] -= times
        if need.any():  # sets took more than their cells hold: whole numbers have to be found together
            return pooled(problem, state, rng, seconds, child)
        _deal_out(problem, model_units, picks, state, rng)
        return Solution(None, False, True, 0.0, 0.0, 0.0, False)

    return start
