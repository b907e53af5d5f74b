"""What no assembly can better: the linear program of the average form over single items. Pure.

With the same specification for all forms, F forms average to a fractional form in which every item weighs at most
uses / F. Its optimum bounds all of them, and it is one form large however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats
from qbank.papers.engine.child import Child
from qbank.papers.engine.model import Model
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.units import Units, classes, items_and_sets, ranks

SECOND = 1e6  # less merit


@dataclass(frozen=True)
class Relaxation:
    """`bound` of the aim (least deviation, or most of the least information) or, without one, of the cost; `weight`
    (units,) the average form. `infeasible`: then no forms exist at all, and that is proved."""

    units: Units
    weight: Floats | None
    bound: float
    infeasible: bool


def relaxed(problem: Problem, seconds: float, child: Child) -> Relaxation:
    """Solve it. With an aim the soft rules are left out: the bound is the aim's own."""
    units = items_and_sets(problem)
    model = Model(problem, units, average=True, softly=problem.aim is None)
    solution = model.program.solve(time_limit=seconds, gap=0.0, child=child, grow=merits(model))
    sign = -1.0 if problem.aim is not None and problem.aim.most else 1.0
    weight = None if solution.values is None else solution.values[model.chosen[0]]
    if weight is not None and solution.values is not None and model.repeated is not None:
        units_again, columns = model.repeated
        np.add.at(weight, units_again, solution.values[columns])
    bound = solution.bound if problem.aim is not None else solution.bound * problem.forms
    return Relaxation(units, weight, sign * bound, solution.infeasible)


def merits(model: Model) -> Floats:
    """The merit of every column of an average form: all that is no item comes at once, second uses last."""
    merit = merit_of(model.problem, model.units)
    found = np.concatenate([merit, np.full(model.program.width - len(merit), inf)])
    if model.repeated is not None:
        units, columns = model.repeated
        found[columns] = merit[units] - SECOND
    return found


def merit_of(problem: Problem, units: Units) -> Floats:
    """Which columns are tried first: within each cell the most informative, or the cheapest."""
    worth = -problem.costs if problem.aim is None else (problem.aim.information / problem.aim.target).sum(axis=1)
    need = np.maximum(problem.quotas * problem.forms, 1)[problem.cells]
    merit = np.full(units.count, -inf)
    inside = units.of_item >= 0
    np.maximum.at(merit, units.of_item[inside], -(ranks(problem.cells, worth) / need)[inside])
    return merit


def shadow(problem: Problem, relaxation: Relaxation) -> Flags:
    """(n,) the items of the average form and, of each class, the most informative: all that a maximin form needs."""
    if problem.aim is None or relaxation.weight is None:
        return np.ones(problem.size, dtype=bool)
    worth = (problem.aim.information / problem.aim.target).sum(axis=1)
    taken = np.append(relaxation.weight, 0.0)[relaxation.units.of_item] > 0
    return np.asarray(taken | (ranks(classes(problem), worth) < 2 * problem.forms))
