"""How far people who mark the same work agree, and who marks more severely than the others. Pure.

Ratings are an array of shape (n works, k raters) in any unit, NaN where a rater did not mark. Undefined is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats
from scipy.sparse import csgraph

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Interval: TypeAlias = tuple[float, float]
Weights: TypeAlias = Literal["none", "linear", "quadratic"]
NAN = float("nan")
NOWHERE: Interval = (NAN, NAN)


@dataclass(frozen=True)
class Intraclass:
    """Absolute agreement of ``k`` raters over the ``n`` works that all of them marked: of ``single`` raters, ICC(2,1),
    and of the ``mean`` of the k, ICC(2,k), each with its interval."""

    single: float
    single_interval: Interval
    mean: float
    mean_interval: Interval
    n: int
    k: int


@dataclass(frozen=True)
class Kappa:
    """Agreement of two raters beyond chance over ``n`` works, with its standard error and interval."""

    kappa: float
    error: float
    interval: Interval
    n: int


@dataclass(frozen=True)
class Severity:
    """``effects`` (k,): how many units a rater gives above (+, lenient) or below (-, severe) the others for the same work,
    with standard ``errors`` (k,); ``residuals`` (n, k) what the model leaves, ``standardised`` the same in units of their
    own standard error; ``groups`` (k,): raters who share a number can be compared, effects add up to 0 within it."""

    effects: Floats
    errors: Floats
    residuals: Floats
    standardised: Floats
    groups: Integers

    @property
    def connected(self) -> bool:
        """Whether all raters can be compared with each other."""
        return len(set(self.groups.tolist())) <= 1


def intraclass(ratings: npt.ArrayLike, *, level: float = 0.95) -> Intraclass:
    """ICC(2,1) and ICC(2,k) of Shrout and Fleiss (1979): two-way random effects, absolute agreement, ratings (n, k).

    The intervals are those of McGraw and Wong (1996, table 7, cases 2A). Works that somebody did not mark are left out;
    below 2 works or 2 raters, or without any variance, everything is NaN.
    """
    table = _ratings(ratings)
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2 or np.ptp(table) == 0:
        return Intraclass(NAN, NOWHERE, NAN, NOWHERE, n, k)
    rows, columns, grand = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    raters = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    left = float(((table - rows[:, None] - columns + grand) ** 2).sum()) / ((n - 1) * (k - 1))
    single = (between - left) / (between + (k - 1) * left + k * (raters - left) / n)
    mean = (between - left) / (between + (raters - left) / n)
    low, high = _intraclass_interval(between, raters, left, single, n, k, level)
    return Intraclass(single, (low, high), mean, (_stepped_up(low, k), _stepped_up(high, k)), n, k)


def weighted_kappa(one: Sequence[object] | npt.ArrayLike, other: Sequence[object] | npt.ArrayLike,
                   categories: Sequence[object], *, weights: Weights | npt.ArrayLike = "quadratic",
                   level: float = 0.95) -> Kappa:
    """Cohen's kappa (1960), weighted (1968), of two raters' categories, both of shape (n,).

    ``categories`` lists every possible value in order. ``weights``: "none" counts only equal ones; "linear" and
    "quadratic" count a disagreement by the distance of the places; or an array (c, c) of *disagreement*, 0 on its
    diagonal. The standard error is that of Fleiss, Cohen and Everitt (1969). NaN where chance alone agrees fully.
    ValueError for a value outside ``categories`` or unequal lengths.
    """
    place = {value: i for i, value in enumerate(categories)}
    first, second = [[_placed(place, value) for value in np.asarray(side, dtype=object).tolist()] for side in (one, other)]
    if len(first) != len(second):
        raise ValueError("both raters must have marked the same works")
    counts = np.zeros((len(place), len(place)))
    np.add.at(counts, (np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)), 1.0)
    return kappa_of(counts, weights=weights, level=level)


def kappa_of(counts: npt.ArrayLike, *, weights: Weights | npt.ArrayLike = "quadratic", level: float = 0.95) -> Kappa:
    """The same from the table of counts (c, c), one rater's categories down, the other's across."""
    table = np.asarray(counts, dtype=float)
    n = float(table.sum())
    agreement = _agreement(weights, len(table))
    if n == 0:
        return Kappa(NAN, NAN, NOWHERE, 0)
    shares = table / n
    down, across = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(down @ agreement @ across)
    if np.isclose(chance, 1.0):
        return Kappa(NAN, NAN, NOWHERE, int(n))
    kappa = (float((agreement * shares).sum()) - chance) / (1 - chance)
    margins = (agreement @ across)[:, None] + (down @ agreement)[None, :]
    spread = float((shares * (agreement - margins * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    error = float(np.sqrt(max(spread, 0.0) / n)) / (1 - chance)
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    return Kappa(kappa, error, (kappa - reach, min(1.0, kappa + reach)), int(n))


def severity(ratings: npt.ArrayLike) -> Severity:
    """Least squares in ``rating = work + rater + error`` over the marks there are (n, k).

    Works are taken out by their own means, so that only raters who marked the same works are compared; who never shared
    a work, directly or through others, lands in another of ``groups``. A standardised residual beyond about 3 is a mark
    that neither the work's other marks nor the rater's habit explains. Errors are NaN without a degree of freedom.
    """
    table = _ratings(ratings)
    held = ~np.isnan(table)
    useful = held.sum(axis=1) >= 2  # a work marked once says nothing about raters
    marks, mask = np.where(held, table, 0.0)[useful], held[useful].astype(float)
    n, k = marks.shape
    size = mask.sum(axis=1, keepdims=True)
    centred = (marks - marks.sum(axis=1, keepdims=True) / np.maximum(size, 1)) * mask
    met = mask.T @ mask
    count, groups = csgraph.connected_components(sparse.csr_array(met > 0), directed=False)
    normal = np.diag(mask.sum(axis=0)) - mask.T @ (mask / np.maximum(size, 1))
    inverse = np.linalg.pinv(normal, rcond=1e-10, hermitian=True)  # its zero is only nearly one: the default inverts it
    effects = inverse @ centred.sum(axis=0)
    taken = mask * effects
    left = centred - taken + mask * taken.sum(axis=1, keepdims=True) / np.maximum(size, 1)
    free = int(mask.sum()) - n - (k - count)
    sigma = float(np.sqrt((left**2).sum() / free)) if free > 0 else NAN
    compared = np.array([(groups == group).sum() > 1 for group in groups])
    errors = np.where(compared, sigma * np.sqrt(np.maximum(inverse.diagonal(), 0.0)), NAN)
    residuals, standardised = np.full(table.shape, NAN), np.full(table.shape, NAN)
    residuals[useful] = np.where(mask > 0, left, NAN)
    standardised[useful] = _standardised(left, mask, size, inverse, sigma)
    return Severity(np.where(compared, effects, NAN), errors, residuals, standardised, groups.astype(np.int64))


def _standardised(left: Floats, mask: Floats, size: Floats, inverse: Floats, sigma: float) -> Floats:
    """Residuals over their standard errors: 1 - leverage of cell (i, j) is 1 - 1/k_i minus what the raters' effects take."""
    shares = mask / np.maximum(size, 1)
    through = mask @ inverse  # row i, column j: sum over the raters of work i of inverse[., j]
    inside = np.einsum("ij,jl,il->i", shares, inverse, shares)
    taken = inverse.diagonal() - 2 * through / np.maximum(size, 1) + inside[:, None]
    free = np.clip(1 - 1 / np.maximum(size, 1) - taken, 0.0, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where((mask > 0) & (free > 1e-9) & (sigma > 0), left / (sigma * np.sqrt(free)), NAN)
    return np.asarray(found, dtype=float)


def _intraclass_interval(between: float, raters: float, left: float, single: float, n: int, k: int,
                         level: float) -> Interval:
    if left == 0 and raters == 0:
        return 1.0, 1.0
    if left == 0:
        return NOWHERE
    f = raters / left
    inner = n * (1 + (k - 1) * single) - k * single
    freedom = (k - 1) * (n - 1) * (k * single * f + inner) ** 2 / ((n - 1) * k**2 * single**2 * f**2 + inner**2)
    tail = (1 + level) / 2
    above, below = float(stats.f.ppf(tail, n - 1, freedom)), float(stats.f.ppf(tail, freedom, n - 1))
    rest = k * raters + (k * n - k - n) * left
    return (n * (between - above * left) / (above * rest + n * between),
            n * (below * between - left) / (rest + n * below * between))


def _stepped_up(single: float, k: int) -> float:
    return k * single / (1 + (k - 1) * single)


def _agreement(weights: Weights | npt.ArrayLike, size: int) -> Floats:
    if isinstance(weights, str):
        places = np.arange(size)
        away = np.abs(places[:, None] - places[None, :]).astype(float)
        apart = {"none": (away > 0).astype(float), "linear": away, "quadratic": away**2}[weights]
    else:
        apart = np.asarray(weights, dtype=float)
    return np.asarray(1 - apart / max(float(apart.max(initial=0.0)), 1e-300), dtype=float)


def _placed(place: dict[object, int], value: object) -> int:
    if value not in place:
        raise ValueError(f"{value!r} is not among the categories")
    return place[value]


def _ratings(ratings: npt.ArrayLike) -> Floats:
    table = np.asarray(ratings, dtype=float)
    if table.ndim != 2:
        raise ValueError("ratings must have the shape (works, raters)")
    return table
