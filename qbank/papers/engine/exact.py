"""Small problems: every item and form a variable, solved to proven optimality. Pure."""

from __future__ import annotations

import numpy as np

from qbank.papers.engine.arrays import Flags
from qbank.papers.engine.child import Child
from qbank.papers.engine.model import Model
from qbank.papers.engine.problem import AIM_COST, Problem
from qbank.papers.engine.units import Units, items_and_sets
from qbank.papers.program import Solution

VARIABLES = 2_500  # items x forms up to which the exact program is the way
NODES = 20_000
PROVED = 1e-4  # relative gap that counts as none
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
    units = items_and_sets(problem)
    price = AIM_COST if is_soft(problem) else 1.0
    model = Model(problem, units, price=price)
    equal = problem.aim is not None and not problem.aim.most
    solution = model.program.solve(time_limit=seconds, gap=0.0 if problem.forms == 1 else PROVED, nodes=NODES, child=child,
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
