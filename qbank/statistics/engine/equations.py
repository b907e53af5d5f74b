"""The estimating equations of ability, and their roots. Pure.

Of a person with answers u: sum of (u - P) P' / (P Q) + bias(theta) = 0, where ``bias`` is that of the prior (MAP) or Warm's
J / (2 I) with J = sum of P' P'' / (P Q) and I the information (WLE).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qbank.statistics.arrays import Floats
from qbank.statistics.engine.blocks import Block, Run
from qbank.statistics.engine.curves import curves

FINE, COARSE = 1200, 120  # points over the reach


@dataclass(frozen=True, eq=False)
class Equation:
    """``items`` (items, 3) of a, d, g; the prior of theta for MAP, None for WLE; theta is looked for in (low, high)."""

    items: Floats
    prior: tuple[float, float] | None
    low: float
    high: float

    def grid(self, points: int) -> Floats:
        return np.linspace(self.low, self.high, points)


@dataclass(frozen=True, eq=False)
class ItemTerms:
    """At points (points, items): weight P' / (P Q), mean P P' / (P Q), information and J's terms."""

    weight: Floats
    mean: Floats
    information: Floats
    j: Floats


def item_terms(theta: Floats, items: Floats) -> ItemTerms:
    """Of each item at ``theta``: (points,) for all items, or (points, items) for each item its own."""
    if theta.ndim == 1:
        theta = np.broadcast_to(theta[:, None], (len(theta), len(items)))
    a, c = items[:, 0], 1 / (1 + np.exp(-items[:, 2]))
    s = 1 / (1 + np.exp(-np.clip(theta * a + items[:, 1], -700, 700)))
    p = c + (1 - c) * s
    # P' / (P Q) = a S / P; P' = (1 - c) a S (1 - S).
    weight = a * np.divide(s, p, out=np.ones_like(s), where=p > 0)
    slope = (1 - c) * a * s * (1 - s)
    return ItemTerms(weight, weight * p, weight * slope, weight * a * slope * (1 - 2 * s))


def root_by_score(block: Block, at: Equation) -> tuple[Floats, Floats]:
    """theta and information of persons who were all given items without guessing: one function inverted. NaN beyond."""
    scores = np.concatenate([run.right @ at.items[:, 0] for run in block.runs()])
    theta = at.grid(FINE)
    value, slope, information, j = _score_function(theta, at)
    if (slope <= 0).any():
        return root_by_person(block, at)
    place = np.clip(np.searchsorted(value, scores) - 1, 0, len(theta) - 2)
    width = value[place + 1] - value[place]
    t = (scores - value[place]) / width
    found = _hermite(t, theta[place], theta[place + 1], width / slope[place], width / slope[place + 1])
    step = theta[1] - theta[0]
    u = (found - theta[place]) / step
    inside = _hermite(u, information[place], information[place + 1], step * j[place], step * j[place + 1])
    beyond = (scores < value[0]) | (scores > value[-1])
    return np.where(beyond, np.nan, found), np.where(beyond, np.nan, inside)


def _score_function(theta: Floats, at: Equation) -> tuple[Floats, Floats, Floats, Floats]:
    """h of h(theta) = sum of a u, its slope, the information and the information's slope, each (points,)."""
    a = at.items[:, 0]
    p = curves(theta, at.items).right
    spread = p * (1 - p)
    expected, information = p @ a, spread @ a**2
    j = (spread * (1 - 2 * p)) @ a**3
    if at.prior is not None:
        mean, sd = at.prior
        return expected + (theta - mean) / sd**2, information + 1 / sd**2, information, j
    bend = (spread * (1 - 6 * spread)) @ a**4
    safe = np.maximum(information, 1e-300)
    return expected - j / (2 * safe), information - bend / (2 * safe) + (j / safe) ** 2 / 2, information, j


def _hermite(t: Floats, left: Floats, right: Floats, left_slope: Floats, right_slope: Floats) -> Floats:
    """Cubic through two values with two slopes, at ``t`` from 0 to 1."""
    rise = right - left
    return np.asarray(left + t * (left_slope + t * ((3 * rise - 2 * left_slope - right_slope)
                                                    + t * (left_slope + right_slope - 2 * rise))))


def root_by_person(block: Block, at: Equation) -> tuple[Floats, Floats]:
    """theta and information of each person's own equation; NaN where there is no root within the reach."""
    theta = at.grid(COARSE)
    terms = item_terms(theta, at.items)
    found = [_roots(run, at, theta, terms) for run in block.runs()]
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def _roots(run: Run, at: Equation, theta: Floats, terms: ItemTerms) -> tuple[Floats, Floats]:
    value = _on_grid(run, at, theta, terms)
    # Where the likelihood has several modes the highest counts: its logarithm from its slope, by the trapezoidal rule.
    height = np.concatenate([np.zeros((len(value), 1)), np.cumsum(value[:, 1:] + value[:, :-1], axis=1)], axis=1)
    rows = np.arange(len(value))
    place = np.argmax(height, axis=1)
    place = np.where(value[rows, place] < 0, place - 1, place)
    beyond = (place < 0) | (place >= len(theta) - 1)
    place = np.clip(place, 1, len(theta) - 3)
    # A cubic through four points, then corrections with the equation itself.
    four = value[rows[:, None], place[:, None] + np.arange(-1, 3)]
    t, rise = _cubic_root(four)
    guess, step = theta[place] + t * (theta[1] - theta[0]), theta[1] - theta[0]
    information = np.zeros_like(guess)
    for _ in range(3):
        off, information, j = _at(run, at, guess)
        off = off + _bias(guess, information, j, at)
        guess = guess - np.clip(off * step / np.where(rise < 0, rise, -np.inf), -step, step)
    return np.where(beyond, np.nan, guess), np.where(beyond, np.nan, information)


def _on_grid(run: Run, at: Equation, theta: Floats, terms: ItemTerms) -> Floats:
    """The equation of each person at each of ``theta``, (persons, points)."""
    def over(table: Floats) -> Floats:
        columns = np.ascontiguousarray(table.T)
        return np.asarray(columns.sum(axis=0, keepdims=True) if run.presented is None else run.presented @ columns)

    right = np.asarray(run.right @ np.ascontiguousarray(terms.weight.T))
    return right - over(terms.mean) + _bias(theta, over(terms.information), over(terms.j), at)


def _at(run: Run, at: Equation, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Sum of (u - P) P' / (P Q), information and J of each person at the person's own ``theta``, each (persons,)."""
    if isinstance(run.right, np.ndarray):
        own = item_terms(np.broadcast_to(theta[:, None], run.right.shape), at.items)
        presented = 1.0 if run.presented is None else run.presented
        return ((run.right * own.weight - presented * own.mean).sum(axis=1), (presented * own.information).sum(axis=1),
                (presented * own.j).sum(axis=1))
    rows = np.repeat(np.arange(run.persons), np.diff(run.right.indptr))
    each = item_terms(theta[rows][None, :], at.items[run.right.indices])
    parts = run.right.data * each.weight[0] - each.mean[0], each.information[0], each.j[0]
    off, information, j = (np.bincount(rows, part, minlength=run.persons).astype(np.float64) for part in parts)
    return off, information, j


def _bias(theta: Floats, information: Floats, j: Floats, at: Equation) -> Floats:
    if at.prior is not None:
        return np.asarray((at.prior[0] - theta) / at.prior[1] ** 2)
    return np.asarray(j / (2 * np.maximum(information, 1e-300)))


def _cubic_root(four: Floats) -> tuple[Floats, Floats]:
    """Where the cubic through values at -1, 0, 1, 2 falls through nought between 0 and 1, and its slope there."""
    before, left, right, after = four.T
    c1 = -before / 3 - left / 2 + right - after / 6
    c2 = (before + right) / 2 - left
    c3 = (after - before) / 6 + (left - right) / 2
    t = np.clip(left / np.where(left > right, left - right, 1.0), 0.0, 1.0)
    slope = right - left
    for _ in range(6):
        slope = c1 + t * (2 * c2 + 3 * t * c3)
        slope = np.where(slope < 0, slope, np.minimum(right - left, -1e-12))
        t = np.clip(t - (left + t * (c1 + t * (c2 + t * c3))) / slope, 0.0, 1.0)
    return t, slope
