"""The M-step: Newton's method for all items at once, and the moments of the groups. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qbank.statistics.arrays import Flags, Floats
from qbank.statistics.engine.curves import curves, log_odds, log_wrong, second
from qbank.statistics.engine.estep import Sums
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.engine.quadrature import Grid
from qbank.statistics.priors import Priors, Terms, terms

STEEPEST, FARTHEST = 20.0, 60.0  # bounds of |a| and |d|: beyond them nothing can be estimated
LEAST_GUESSING, MOST_GUESSING = -9.0, 2.0  # bounds of g: c = 0.0001 and 0.88
LONGEST = np.array([1.0, 2.0])  # step of a and d
FARTHEST_GUESS = 1.5  # step of g


@dataclass(frozen=True, eq=False)
class Expected:
    """The expected complete-data log posterior at a point: gradient (items, 3) by (a, d, g) and a positive
    semi-definite approximation of minus its Hessian (items, 3, 3)."""

    gradient: Floats
    information: Floats


def expected(sums: Sums, items: Floats, grid: Grid, prior: Terms) -> Expected:
    """Fisher scoring's gradient and information; for items that are not guessed they are Newton's."""
    at = curves(grid.nodes, items)
    theta = grid.nodes
    n = sums.presented
    weight = n * at.right * at.wrong
    if sums.right_at is None:
        expectation = n * at.right
        gradient = np.zeros((len(items), 3))
        gradient[:, 0] = sums.right_theta - theta @ expectation
        gradient[:, 1] = sums.right - expectation.sum(axis=0)
        information = np.zeros((len(items), 3, 3))
        information[:, 1, 1] = weight.sum(axis=0)
        information[:, 0, 1] = information[:, 1, 0] = theta @ weight
        information[:, 0, 0] = (theta * theta) @ weight
    else:
        # Where P Q underflows the derivatives do as well.
        spread = np.maximum(at.right * at.wrong, 1e-300)
        surprise = (sums.right_at - n * at.right) / spread
        gradient = np.einsum("qj,xqj->jx", surprise, at.slopes)
        information = np.einsum("qj,xqj,yqj->jxy", n / spread, at.slopes, at.slopes)
    return Expected(gradient + prior.gradient, information + prior.curvature)


def complete_information(sums: Sums, items: Floats, grid: Grid, prior: Terms) -> Floats:
    """Minus the Hessian of the expected complete-data log posterior, (items, 3, 3) by (a, d, g)."""
    if sums.right_at is None:
        return expected(sums, items, grid, prior).information - prior.curvature - prior.hessian
    at, bend = curves(grid.nodes, items), second(grid.nodes, items)
    right, wrong = np.maximum(at.right, 1e-300), np.maximum(at.wrong, 1e-300)
    missed = sums.presented - sums.right_at
    surprise = sums.right_at / right - missed / wrong
    squares = sums.right_at / right**2 + missed / wrong**2
    found = np.einsum("qj,xqj,yqj->jxy", squares, at.slopes, at.slopes) - np.einsum("qj,xyqj->jxy", surprise, bend)
    return np.asarray(found - prior.hessian)


def maximised(sums: Sums, point: Point, layout: Layout, grid: Grid, priors: Priors | None, *, steps: int = 4,
              enough: float = 1e-6) -> Point:
    """The point after at most ``steps`` Newton steps of the items, and the groups' own maximum."""
    items, positive = point.items, priors is not None and priors.a is not None and priors.a[0] == "lognormal"
    for _ in range(steps):
        at = expected(sums, items, grid, terms(priors, items))
        step = newton_step(at, items, layout)
        after = bounded(items + step, items, positive=positive)
        items = after if sums.right_at is None else _uphill(sums, sums.right_at, items, after, grid, priors)
        if np.abs(step).max(initial=0.0) < enough:
            break
    return Point(items, group_moments(sums, point, layout, grid))


def _uphill(sums: Sums, right_at: Floats, before: Floats, after: Floats, grid: Grid, priors: Priors | None) -> Floats:
    """``after``, drawn back half-way where an item lost: scoring overshoots where guessing is rare, and can go to and fro
    between two points for ever."""
    floor = _value(sums, right_at, before, grid, priors)
    for _ in range(5):
        lost = _value(sums, right_at, after, grid, priors) < floor - 1e-12 * np.abs(floor)
        if not lost.any():
            break
        guessed = np.where(before[:, 2] > -np.inf, before[:, 2], 0.0)
        half = (before + after) / 2
        half[:, 2] = np.where(before[:, 2] > -np.inf, (guessed + np.where(lost, after[:, 2], 0.0)) / 2, -np.inf)
        after = np.where(lost[:, None], half, after)
    return after


def _value(sums: Sums, right_at: Floats, items: Floats, grid: Grid, priors: Priors | None) -> Floats:
    """The expected complete-data log posterior of each item, (items,)."""
    wrong = log_wrong(grid.nodes, items)
    right = wrong + log_odds(grid.nodes, items)
    found = (right_at * right + (sums.presented - right_at) * wrong).sum(axis=0)
    return np.asarray(found + terms(priors, items).value)


def newton_step(at: Expected, items: Floats, layout: Layout) -> Floats:
    """The step (items, 3) of the free parameters; fixed ones stay, a common slope moves as one."""
    free = layout.item_places >= 0
    shared = free[:, 0] if layout.common_slope else np.zeros(len(free), dtype=bool)
    own = free.copy()
    own[shared, 0] = False
    gradient = np.where(own, at.gradient, 0.0)
    matrix = at.information * own[:, :, None] * own[:, None, :]
    ridge = 1e-9 * np.trace(matrix, axis1=1, axis2=2) + 1e-12
    matrix[:, range(3), range(3)] += np.where(own, ridge[:, None], 1.0)
    step = np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0]
    if shared.any():
        # Schur complement of the common slope.
        cross = np.where(own, at.information[:, 0, :], 0.0)
        along = np.linalg.solve(matrix, cross[:, :, None])[:, :, 0]
        left = at.information[shared, 0, 0].sum() - (cross * along)[shared].sum()
        slope = (at.gradient[shared, 0].sum() - (cross * step)[shared].sum()) / max(left, 1e-12)
        step = step - np.where(shared[:, None], slope * along, 0.0)
        step[shared, 0] = slope
    step = _within_guessing(np.asarray(step, dtype=np.float64), at, matrix, items, free[:, 2])
    longest = np.abs(step[:, :2] / LONGEST).max(axis=1, keepdims=True)
    if shared.any():
        longest[shared] = longest[shared].max(initial=0.0)
    return np.asarray(step / np.maximum(longest, 1.0))


def _within_guessing(step: Floats, at: Expected, matrix: Floats, items: Floats, free: Flags) -> Floats:
    """Where g would run too far, its step is cut and a and d move as they would with that step: else an item whose guessing
    tends to nought would hold its own line up."""
    guessed = np.where(free, items[:, 2], 0.0)
    allowed = np.clip(step[:, 2], np.maximum(LEAST_GUESSING - guessed, -FARTHEST_GUESS),
                      np.minimum(MOST_GUESSING - guessed, FARTHEST_GUESS))
    cut = np.flatnonzero(free & (allowed != step[:, 2]))
    if len(cut):
        rest = at.gradient[cut, :2] - matrix[cut, :2, 2] * allowed[cut, None]
        step = step.copy()
        step[cut, :2] = np.linalg.solve(matrix[cut, :2, :2], rest[:, :, None])[:, :, 0]
        step[cut, 2] = allowed[cut]
    return step


def bounded(items: Floats, before: Floats, *, positive: bool) -> Floats:
    """``items`` within the bounds; a ``positive`` slope, one under a lognormal prior, keeps its sign."""
    found = items.copy()
    found[:, 0] = np.clip(items[:, 0], before[:, 0] / 4 if positive else -STEEPEST, STEEPEST)
    found[:, 1] = np.clip(items[:, 1], -FARTHEST, FARTHEST)
    guessed = items[:, 2] > -np.inf
    found[guessed, 2] = np.clip(items[guessed, 2], LEAST_GUESSING, MOST_GUESSING)
    return found


def group_moments(sums: Sums, point: Point, layout: Layout, grid: Grid) -> Floats:
    """Mean and log standard deviation of each group, where free, (groups, 2)."""
    found = point.groups.copy()
    total = sums.groups.sum(axis=1)
    for group in np.flatnonzero(total > 0):
        mass = sums.groups[group] / total[group]
        if layout.group_places[group, 0] >= 0:
            found[group, 0] = mass @ grid.nodes
        if layout.group_places[group, 1] >= 0:
            found[group, 1] = 0.5 * np.log(mass @ (grid.nodes - found[group, 0]) ** 2)
    return found


def group_gradient(sums: Sums, point: Point, grid: Grid) -> Floats:
    """Of the log likelihood by mean and log standard deviation, (groups, 2)."""
    sd = np.exp(point.groups[:, 1:])
    z = (grid.nodes - point.groups[:, :1]) / sd
    return np.stack([(sums.groups * z / sd).sum(axis=1), (sums.groups * (z * z - 1)).sum(axis=1)], axis=1)
