"""Small problems: every item and form a variable, solved to proven optimality. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qbank.papers.engine.arrays import Flags
from qbank.papers.engine.child import Child
from qbank.papers.engine.model import Model
from qbank.papers.engine.problem import Bar, Problem
from qbank.papers.engine.units import Units, items_and_sets
from qbank.papers.program import Solution

VARIABLES = 2_500  # items x forms up to which the exact program is the way
NODES = 20_000
PROVED = 1e-4  # relative gap that counts as none
SHARED_OUT = 1e-5  # and where the items of all forms together are known
CLOSE = 1e-4  # of the target


def small(problem: Problem) -> bool:
    return problem.size * problem.forms <= VARIABLES


def is_soft(problem: Problem) -> bool:
    """Whether anything but the aim has a price."""
    soft = any(band.weight is not None for band in problem.bands) or any(groups.weight is not None for groups in problem.groups)
    shares = problem.overlap is None and problem.forms > 1 and bool((problem.uses > 1).any())
    return soft or shares or bool(problem.costs.any())


def solved(problem: Problem, seconds: float, child: Child) -> tuple[Flags | None, Solution]:
    """(forms, n) what is on each form; the solution's objective and bound are those of the price list of `Model`."""
    if problem.aim is not None and problem.aim.most and problem.forms > 1 and not is_soft(problem) and (problem.uses <= 1).all():
        on, solution = _shared_out(problem, seconds, child)
        if on is not None or solution.infeasible:
            return on, solution
    return _at_once(problem, seconds, child, 0.0 if problem.forms == 1 else PROVED)


def _shared_out(problem: Problem, seconds: float, child: Child) -> tuple[Flags | None, Solution]:
    """First which items all forms take together, in whole numbers: what these give on the average no forms can better, and it is
    a program without the symmetry of forms, solved at once. Then those items alone are shared out; None when that stays
    below the bound."""
    units = replace(items_and_sets(problem), part=1 / problem.forms)
    model = Model(problem, units, average=True, whole=True)
    together = model.program.solve(time_limit=seconds, gap=0.0, nodes=NODES, child=child, near=1e-9, symmetry=False)
    if together.values is None:
        return None, together
    taken = np.append(together.values[model.chosen[0]], 0.0)[units.of_item] > 0.5
    left = replace(problem, bars=(*problem.bars, Bar("", np.flatnonzero(~taken))))
    on, solution = _at_once(left, seconds, child, SHARED_OUT)
    if on is None or solution.objective > together.bound + SHARED_OUT * abs(together.bound):
        return None, replace(solution, infeasible=False)
    return on, replace(solution, bound=together.bound, gap=abs(solution.objective - together.bound) / abs(solution.objective))


def _at_once(problem: Problem, seconds: float, child: Child, gap: float) -> tuple[Flags | None, Solution]:
    units = items_and_sets(problem)
    price = problem.aim_cost if is_soft(problem) else 1.0
    model = Model(problem, units, price=price)
    equal = problem.aim is not None and not problem.aim.most
    solution = model.program.solve(time_limit=seconds, gap=gap, nodes=NODES, child=child,
                                   near=CLOSE * price if equal else 1e-6, symmetry=False)
    return (None if solution.values is None else on_forms(problem, units, model, solution)), solution


def on_forms(problem: Problem, units: Units, model: Model, solution: Solution) -> Flags:
    """The items of each form's picks."""
    picked = np.zeros((problem.forms, units.count), dtype=bool)
    if solution.values is not None:
        picked = solution.values[model.chosen] > 0.5
    inside = units.of_item >= 0
    on = np.zeros((problem.forms, problem.size), dtype=bool)
    on[:, inside] = picked[:, units.of_item[inside]]
    return on
