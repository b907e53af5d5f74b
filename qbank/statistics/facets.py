"""A many-facet Rasch model (Linacre 1989): ability of persons, difficulty of tasks, severity of raters on one scale. Pure.

``log P(k) / P(k-1) = ability - difficulty - severity - step(k)``: the rating scale model with a third facet, estimated by joint
maximum likelihood. Tasks and raters are centred at 0; a severe rater is positive. Who got nothing but lowest or highest grades
has no finite place and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
NAN = float("nan")
ROUNDS = 400
CLOSE = 1e-4
LARGEST_STEP = 1.0


@dataclass(frozen=True)
class Facet:
    """Places of one facet in logits with standard errors and mean squares; NaN for an element without a finite place."""

    values: Floats
    errors: Floats
    infit: Floats
    outfit: Floats
    counts: Integers


@dataclass(frozen=True)
class Facets:
    """What came out. ``reliability`` says how surely the raters differ in severity (0: not at all), ``chi_square`` with
    ``freedom`` tests that they do not differ."""

    persons: Facet
    tasks: Facet
    raters: Facet
    steps: Floats
    reliability: float
    chi_square: float
    freedom: int
    rounds: int
    converged: bool
    n: int


def grades(shares: npt.ArrayLike, *, most: int = 10, least: int = 10) -> Integers:
    """Shares of the full marks (0 to 1) as grades from 0 up: tenths, of which sparse neighbours are put together until each
    grade holds ``least`` marks (Linacre 2002)."""
    found = np.minimum(np.floor(np.asarray(shares, dtype=float) * most + 1e-9).astype(np.int64), most - 1)
    counts = np.bincount(found, minlength=most)
    place, held, grade = np.zeros(most, dtype=np.int64), 0, 0
    for value in range(most):
        place[value] = grade
        held += int(counts[value])
        if held >= least and counts[value + 1:].sum() >= least:
            grade, held = grade + 1, 0
    return np.asarray(place[found], dtype=np.int64)


def facets(scores: npt.ArrayLike, persons: npt.ArrayLike, tasks: npt.ArrayLike, raters: npt.ArrayLike) -> Facets:
    """Estimate from one line a rating, each array of shape (n,): grades 0, 1, … and who was rated, in what, by whom (from 0).

    Raises ValueError for fewer than two grades, or where all ratings stand at an end.
    """
    x = np.asarray(scores, dtype=np.int64)
    index = [np.asarray(one, dtype=np.int64) for one in (persons, tasks, raters)]
    sizes = [int(one.max()) + 1 if one.size else 0 for one in index]
    top = int(x.max()) if x.size else 0
    used = _finite(x, index, sizes, top)
    if top < 1 or not used.any():
        raise ValueError("too few different grades for a many-facet model")
    values = [np.zeros(size) for size in sizes]
    steps = np.zeros(top)
    rounds, converged = 0, False
    x, index = x[used], [one[used] for one in index]
    while rounds < ROUNDS and not converged:
        rounds += 1
        moved = 0.0
        for facet, sign in ((0, 1.0), (1, -1.0), (2, -1.0)):
            expected, variance, _ = _expected(values, index, steps)
            change = sign * _newton(x - expected, variance, index[facet], sizes[facet])
            values[facet] += change
            moved = max(moved, float(np.abs(change).max(initial=0.0)))
            if facet:
                seen = np.bincount(index[facet], minlength=sizes[facet]) > 0
                values[facet] -= np.where(seen, values[facet][seen].mean(), 0.0)
        steps, change_of_steps = _steps(x, values, index, steps)
        converged = max(moved, change_of_steps) < CLOSE
    expected, variance, _ = _expected(values, index, steps)
    found = [_facet(values[k], x - expected, variance, index[k], sizes[k]) for k in range(3)]
    reliability, chi_square, freedom = _difference(found[2])
    return Facets(found[0], found[1], found[2], steps, reliability, chi_square, freedom, rounds, converged, int(x.size))


def _finite(x: Integers, index: list[Integers], sizes: list[int], top: int) -> npt.NDArray[np.bool_]:
    """Ratings whose person, task and rater have something between the ends."""
    used = np.ones(x.size, dtype=bool)
    while True:
        before = int(used.sum())
        for one, size in zip(index, sizes, strict=True):
            total = np.bincount(one[used], weights=x[used], minlength=size)
            count = np.bincount(one[used], minlength=size)
            used &= ((total > 0) & (total < count * top))[one]
        if int(used.sum()) == before:
            return used


def _expected(values: list[Floats], index: list[Integers], steps: Floats) -> tuple[Floats, Floats, Floats]:
    """(expected grade, its variance, probabilities (n, grades)) of each rating."""
    place = values[0][index[0]] - values[1][index[1]] - values[2][index[2]]
    grade = np.arange(steps.size + 1)
    logits = place[:, None] * grade - np.concatenate([[0.0], np.cumsum(steps)])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    expected = shares @ grade
    return expected, shares @ grade**2 - expected**2, shares


def _newton(left: Floats, variance: Floats, place: Integers, size: int) -> Floats:
    gradient = np.bincount(place, weights=left, minlength=size)
    information = np.bincount(place, weights=variance, minlength=size)
    step = np.divide(gradient, information, out=np.zeros(size), where=information > 0)
    return np.asarray(np.clip(step, -LARGEST_STEP, LARGEST_STEP), dtype=float)


def _steps(x: Integers, values: list[Floats], index: list[Integers], steps: Floats) -> tuple[Floats, float]:
    _, _, shares = _expected(values, index, steps)
    above = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1][:, 1:]  # P(grade >= k), k = 1, …
    seen = (x[:, None] >= np.arange(1, steps.size + 1)).sum(axis=0)
    change = (above.sum(axis=0) - seen) / np.maximum((above * (1 - above)).sum(axis=0), 1e-9)
    moved = np.clip(change, -LARGEST_STEP, LARGEST_STEP)
    new = steps + moved
    return new - new.mean(), float(np.abs(moved - moved.mean()).max())


def _facet(values: Floats, left: Floats, variance: Floats, place: Integers, size: int) -> Facet:
    counts = np.bincount(place, minlength=size)
    information = np.bincount(place, weights=variance, minlength=size)
    some = counts > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(some, 1 / np.sqrt(information), NAN)
        infit = np.where(some, np.bincount(place, weights=left**2, minlength=size) / information, NAN)
        outfit = np.where(some, np.bincount(place, weights=left**2 / variance, minlength=size) / counts, NAN)
    return Facet(np.where(some, values, NAN), errors, infit, outfit, counts.astype(np.int64))


def _difference(raters: Facet) -> tuple[float, float, int]:
    values, errors = raters.values[raters.counts > 0], raters.errors[raters.counts > 0]
    if values.size < 2:
        return NAN, NAN, 0
    spread, noise = float(values.var(ddof=1)), float((errors**2).mean())
    weights = 1 / errors**2
    chi_square = float((weights * values**2).sum() - (weights * values).sum() ** 2 / weights.sum())
    return max(0.0, (spread - noise) / spread) if spread > 0 else 0.0, chi_square, values.size - 1
