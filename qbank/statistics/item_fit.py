"""How well a calibrated item fits its data: S-X², infit and outfit, residual correlations (Q3). Pure.

All take persons who sat different forms together: what an item is compared with is worked out form by form. Parameters
are in the logistic metric (D = 1), from anything with ``a``, ``b`` and perhaps ``c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from qbank.statistics.arrays import Flags, Floats, Integers
from qbank.statistics.responses import as_responses

LEAST_EXPECTED = 1.0  # right answers and wrong answers that a cell must expect
LEAST_PER_FORM = 20  # persons of a form; fewer say nothing about a form's sum scores


@dataclass(frozen=True, eq=False)
class SumScoreFit:
    """S-X² of each item, (items,): statistic, degrees of freedom, p, RMSEA and the persons behind it.

    NaN where no degree of freedom is left or the item has no parameters.
    """

    statistic: Floats
    degrees: Floats
    p: Floats
    rmsea: Floats
    n: Integers


@dataclass(frozen=True, eq=False)
class MeanSquares:
    """Infit and outfit of each item, (items,): mean squares (1 as the model says) and their standardised values."""

    infit: Floats
    outfit: Floats
    infit_t: Floats
    outfit_t: Floats
    n: Integers


@dataclass(frozen=True, eq=False)
class ResidualCorrelations:
    """``q3`` (items, items) with NaN on the diagonal and where fewer than three persons had both; ``n`` of each pair;
    ``mean`` off the diagonal, about -1 / (items - 1) without local dependence."""

    q3: Floats
    n: Integers
    mean: float

    def pairs(self, above_mean: float = 0.2) -> list[tuple[int, int, float]]:
        """Pairs that stand out: Q3 above the mean by more than ``above_mean`` (Christensen, Makransky & Horton 2017,
        Applied Psychological Measurement 41, 178-194), largest first."""
        rows, columns = np.nonzero(np.triu(self.q3 > self.mean + above_mean, 1))
        found = [(int(i), int(j), float(self.q3[i, j])) for i, j in zip(rows, columns, strict=True)]
        return sorted(found, key=lambda pair: -pair[2])


def s_x2(calibration: Any, responses: Any, *, estimated: int | npt.ArrayLike = 2, nodes: int = 121) -> SumScoreFit:
    """Orlando & Thissen's S-X² (2000, Applied Psychological Measurement 24, 50-64) of every item.

    Persons are grouped by their sum score on their own form; the expected share of right answers comes from the model
    by Lord & Wingersky's recursion with θ standard normal. Neighbouring scores are joined, from the lowest up, until each
    cell expects at least one right and one wrong answer; programs join in different orders, so an item with many sparse
    scores may differ from another program's by a cell. Forms are summed: statistic and cells add up, the ``estimated`` parameters
    (one number, or one an item) are taken off once. Persons of forms with fewer than 20 persons do not count.
    """
    scores, weights = _scored(responses)
    items = scores.shape[1]
    chance = _chances(calibration, np.linspace(-6, 6, nodes))
    prior = stats.norm.pdf(np.linspace(-6, 6, nodes))
    total, cells, counted = np.zeros(items), np.zeros(items), np.zeros(items)
    for members, on_form in _forms(scores, np.asarray(np.isfinite(chance).all(axis=1))):
        weight = weights[members]
        if weight.sum() < LEAST_PER_FORM or on_form.size < 3:
            continue
        right = scores[np.ix_(members, on_form)]
        expected = _expected(chance[on_form], prior / prior.sum())
        sums = right.sum(axis=1)
        persons = _tally(sums, weight, on_form.size)
        for place, j in enumerate(on_form):
            observed = _tally(sums, weight * right[:, place], on_form.size)
            value, many = _chi_square(observed, persons, expected[place])
            total[j], cells[j], counted[j] = total[j] + value, cells[j] + many, counted[j] + weight.sum()
    degrees = cells - np.broadcast_to(np.asarray(estimated, dtype=float), items)
    some = (cells > 0) & (degrees >= 1)
    statistic, degrees = np.where(cells > 0, total, np.nan), np.where(cells > 0, degrees, np.nan)
    p = np.where(some, stats.chi2.sf(statistic, np.where(some, degrees, 1)), np.nan)
    excess = np.maximum(statistic - degrees, 0) / (np.where(some, degrees, 1) * np.maximum(counted - 1, 1))
    return SumScoreFit(statistic, degrees, p, np.where(some, np.sqrt(excess), np.nan), counted.astype(np.int64))


def infit_outfit(calibration: Any, responses: Any, theta: npt.ArrayLike) -> MeanSquares:
    """Wright & Masters' mean squares (1982, Rating Scale Analysis, chapter 5) with abilities ``theta`` (persons,).

    Outfit is the mean of squared standardised residuals, infit the same weighted by information; ``_t`` are their
    Wilson-Hilferty transforms. Persons without a finite ability do not count.
    """
    scores, weights = _scored(responses)
    able = np.asarray(theta, dtype=float)
    if able.shape != (scores.shape[0],):
        raise ValueError(f"{able.size} abilities for {scores.shape[0]} persons")
    given = (scores >= 0) & np.isfinite(able)[:, None]
    p = np.clip(_chances(calibration, np.nan_to_num(able)).T, 1e-9, 1 - 1e-9)
    weight = np.where(given, weights[:, None], 0.0)
    variance, fourth = p * (1 - p), p * (1 - p) * (1 - 3 * p * (1 - p))
    squared = np.where(given, (scores - p) ** 2, 0.0)
    n, information = weight.sum(axis=0), (weight * variance).sum(axis=0)
    outfit = _divided((weight * squared / variance).sum(axis=0), n)
    infit = _divided((weight * squared).sum(axis=0), information)
    spread_out = _divided((weight * (fourth / variance**2 - 1)).sum(axis=0), n**2)
    spread_in = _divided((weight * (fourth - variance**2)).sum(axis=0), information**2)
    return MeanSquares(infit, outfit, _standardised(infit, spread_in), _standardised(outfit, spread_out),
                       np.rint(n).astype(np.int64))


def residual_correlations(calibration: Any, responses: Any, theta: npt.ArrayLike) -> ResidualCorrelations:
    """Yen's Q3 (1984, Applied Psychological Measurement 8, 125-145): correlations of x - P(θ) between items, over the
    persons who were given both, with abilities ``theta`` (persons,)."""
    scores, weights = _scored(responses)
    able = np.asarray(theta, dtype=float)
    p = _chances(calibration, np.nan_to_num(able)).T
    given = (scores >= 0) & np.isfinite(able)[:, None] & np.isfinite(p)
    mask = given.astype(float)
    residual = np.where(given, scores - p, 0.0)
    heavy = mask * weights[:, None]
    n = heavy.T @ mask
    first = (residual * weights[:, None]).T @ mask  # sum of row's residuals over those who also had the column
    square = (residual**2 * weights[:, None]).T @ mask
    product = (residual * weights[:, None]).T @ residual
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = product / n - first * first.T / n**2
        variance = square / n - (first / n) ** 2
        q3 = covariance / np.sqrt(variance * variance.T)
    q3[(n < 3) | ~np.isfinite(q3)] = np.nan
    np.fill_diagonal(q3, np.nan)
    off = q3[np.isfinite(q3)]
    return ResidualCorrelations(q3, np.rint(n).astype(np.int64), float(off.mean()) if off.size else float("nan"))


def _scored(responses: Any) -> tuple[npt.NDArray[np.int8], Floats]:
    given = as_responses(responses).scored()
    scores = given.dense()
    if scores.max(initial=0) > 1:
        raise ValueError("these statistics are for items scored 0 or 1")
    return scores, np.ones(len(scores)) if given.weights is None else given.weights


def _chances(calibration: Any, theta: Floats) -> Floats:
    """P(right) as (items, thetas)."""
    a, b = (np.asarray(part, dtype=float)[:, None] for part in (calibration.a, calibration.b))
    lower = getattr(calibration, "c", None)
    c = np.zeros_like(a) if lower is None else np.nan_to_num(np.asarray(lower, dtype=float))[:, None]
    return np.asarray(c + (1 - c) / (1 + np.exp(-np.clip(a * (theta - b), -700, 700))))


def _forms(scores: npt.NDArray[np.int8], usable: Flags) -> list[tuple[Integers, Integers]]:
    """Persons (rows) and items (columns) of each form: a set of items that was presented together."""
    presented = (scores >= 0) & usable
    packed = np.packbits(presented, axis=1)
    _, first, place = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(place.ravel(), minlength=len(first)))
    return [(members, np.flatnonzero(presented[first[form]]))
            for form, members in enumerate(np.split(order, ends[:-1]))]


def _tally(sums: npt.NDArray[Any], weights: Floats, items: int) -> Floats:
    """Weights of the sum scores 1..items - 1."""
    return np.asarray(np.bincount(sums, weights=weights, minlength=items + 1)[1:-1], dtype=np.float64)


def _expected(chance: Floats, prior: Floats) -> Floats:
    """Of one form: E(right | sum score k = 1..n-1) of each item, (n, n - 1).

    Leave-one-out distributions of the sum score come from halving the form again and again: each half is convolved
    with what lies outside of it once, n log n convolutions in all.
    """
    n = len(chance)
    right, outside = np.empty((n, n - 1)), {}

    def split(low: int, high: int, rest: Floats) -> None:
        if high - low == 1:
            outside[low] = rest
            return
        middle = (low + high) // 2
        split(low, middle, _with(rest, chance[middle:high]))
        split(middle, high, _with(rest, chance[low:middle]))

    split(0, n, np.ones((1, prior.size)))
    whole = _with(outside[0], chance[:1]) @ prior
    for j, rest in outside.items():
        right[j] = ((chance[j] * rest[:n - 1]) @ prior) / whole[1:n]
    return right


def _with(distribution: Floats, chance: Floats) -> Floats:
    """Lord & Wingersky (1984): the sum score's distribution at each node after some more items, (scores, nodes)."""
    found = np.zeros((len(distribution) + len(chance), distribution.shape[1]))
    found[:len(distribution)] = distribution
    for step, p in enumerate(chance):
        top = len(distribution) + step
        found[1:top + 1] = found[1:top + 1] * (1 - p) + found[:top] * p
        found[0] *= 1 - p
    return found


def _chi_square(observed: Floats, persons: Floats, share: Floats) -> tuple[float, int]:
    """The sum over score groups, joined from both ends towards the middle until each expects enough."""
    expected = persons * share
    if not persons.sum():
        return 0.0, 0
    groups = _joined(expected, persons)
    seen, hoped, many = (np.add.reduceat(column, groups) for column in (observed, expected, persons))
    enough = (hoped >= LEAST_EXPECTED) & (many - hoped >= LEAST_EXPECTED)
    gap = (seen - hoped)[enough] ** 2
    return float((gap / hoped[enough] + gap / (many - hoped)[enough]).sum()), int(enough.sum())


def _joined(expected: Floats, persons: Floats) -> Integers:
    """Where groups of neighbouring scores begin."""
    begins, hoped, many = [0], 0.0, 0.0
    for k, (one, count) in enumerate(zip(expected, persons, strict=True)):
        if hoped >= LEAST_EXPECTED and many - hoped >= LEAST_EXPECTED:
            left_right, left_all = expected[k:].sum(), persons[k:].sum()
            if left_right >= LEAST_EXPECTED and left_all - left_right >= LEAST_EXPECTED:
                begins.append(k)
                hoped, many = 0.0, 0.0
        hoped, many = hoped + one, many + count
    return np.array(begins, dtype=np.int64)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _standardised(mean_square: Floats, variance: Floats) -> Floats:
    """Wilson & Hilferty: (MS^(1/3) - 1) (3 / q) + q / 3 with q the standard deviation of MS."""
    q = np.sqrt(variance)
    safe = np.where(q > 0, q, 1.0)
    return np.where(q > 0, (np.cbrt(mean_square) - 1) * 3 / safe + safe / 3, np.nan)
