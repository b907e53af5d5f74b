"""Reliability of the total score of one form, with intervals, and its standard errors of measurement. Pure.

One form: persons who were not given every item do not count (an omitted item is wrong, one not reached is not presented
unless ``not_reached`` says "wrong"). A coefficient that is not defined is NaN and says why in ``reason``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from qbank.statistics.presented import presented
from qbank.statistics.responses import NotReached

Floats: TypeAlias = npt.NDArray[np.float64]
Split: TypeAlias = Literal["odd-even", "halves"] | npt.ArrayLike


@dataclass(frozen=True)
class Reliability:
    """A coefficient of one form, the persons behind it and its items; ``low`` and ``high`` its interval.

    ``split`` tells the items of the first half (0-based) where the coefficient is a split-half one.
    """

    value: float
    n: int
    items: int
    low: float = float("nan")
    high: float = float("nan")
    reason: str = ""
    split: tuple[int, ...] = ()


@dataclass(frozen=True)
class ErrorOfMeasurement:
    """Standard errors of the total score, in items (score points), with ``low`` and ``high`` of the overall one and
    ``at_cut_low`` and ``at_cut_high``; NaN with a ``reason``.

    ``overall`` s sqrt(1 - reliability), s with divisor n - 1; ``at_cut`` and the curve ``conditional`` at ``scores``, both conditional.
    """

    overall: float
    at_cut: float
    cut: float
    scores: Floats
    conditional: Floats
    n: int
    low: float = float("nan")
    high: float = float("nan")
    at_cut_low: float = float("nan")
    at_cut_high: float = float("nan")
    reason: str = ""


def alpha(scores: Any, *, minimum: int = 2, level: float = 0.95,
          not_reached: NotReached = "not presented") -> Reliability:
    """Cronbach's alpha (1951, Psychometrika 16, 297-334): k/(k-1) (1 - sum of item variances / variance of totals).

    With Feldt's interval (:func:`feldt_interval`).
    """
    whole = _whole(scores, not_reached)
    n, items = whole.shape
    if items < 2 or n < max(minimum, 2):
        return Reliability(float("nan"), n, items, reason=_too_few(n, items, minimum))
    total = float(whole.sum(axis=1).var())
    if total <= 1e-12:
        return Reliability(float("nan"), n, items, reason="all totals are equal")
    value = items / (items - 1) * (1 - float(whole.var(axis=0).sum()) / total)
    return Reliability(value, n, items, *feldt_interval(value, n, items, level=level))


def kr20(scores: Any, *, minimum: int = 2, level: float = 0.95,
         not_reached: NotReached = "not presented") -> Reliability:
    """Kuder and Richardson's formula 20 (1937, Psychometrika 2, 151-160): alpha of items scored 0 or 1.

    ValueError when an item is scored otherwise.
    """
    if not presented(scores, not_reached).binary:
        raise ValueError("KR-20 is for items scored 0 or 1")
    return alpha(scores, minimum=minimum, level=level, not_reached=not_reached)


def kr21(mean: float, variance: float, items: int) -> float:
    """Kuder and Richardson's formula 21: k/(k-1) (1 - m (k - m) / (k s2)); ``variance`` with divisor n."""
    if items < 2 or variance <= 0:
        return float("nan")
    return items / (items - 1) * (1 - mean * (items - mean) / (items * variance))


def feldt_interval(value: float, n: int, items: int, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of alpha or KR-20: (1 - low) = (1 - value) F(1 - a/2; n - 1, (n - 1)(k - 1)), high likewise with F(a/2).

    (1 - alpha) / (1 - sample alpha) is distributed as F with n - 1 and (n - 1)(k - 1) degrees of freedom: Feldt (1965),
    Psychometrika 30, 357-370; Feldt, Woodruff and Salih (1987), Applied Psychological Measurement 11, 93-103, eq. 5.
    """
    if n < 2 or items < 2 or np.isnan(value):
        return float("nan"), float("nan")
    degrees, tail = (n - 1, (n - 1) * (items - 1)), (1 - level) / 2
    return (float(1 - (1 - value) * stats.f.ppf(1 - tail, *degrees)), float(1 - (1 - value) * stats.f.ppf(tail, *degrees)))


def split_half(scores: Any, *, split: Split = "odd-even", minimum: int = 3, level: float = 0.95,
               not_reached: NotReached = "not presented") -> Reliability:
    """Correlation of two halves, stepped up: 2 r / (1 + r) (Spearman 1910, Brown 1910, British Journal of Psychology 3).

    ``split`` "odd-even" (items 1, 3, 5 ... against 2, 4, 6 ...), "halves" (first against second), or an array (items,)
    that is true for the first half. The interval is Fisher's for r, stepped up likewise. ValueError when a half is empty.
    """
    whole = _whole(scores, not_reached)
    n, items = whole.shape
    first = _first_half(items, split)
    chosen = tuple(int(item) for item in np.flatnonzero(first))
    if n < max(minimum, 2) or items < 2:
        return Reliability(float("nan"), n, items, reason=_too_few(n, items, minimum), split=chosen)
    one, other = whole[:, first].sum(axis=1), whole[:, ~first].sum(axis=1)
    if one.var() <= 1e-12 or other.var() <= 1e-12:
        return Reliability(float("nan"), n, items, reason="all scores of one half are equal", split=chosen)
    r = float(np.corrcoef(one, other)[0, 1])
    spread = stats.norm.ppf((1 + level) / 2) / np.sqrt(n - 3) if n > 3 else np.inf
    low, high = (np.tanh(np.arctanh(min(max(r, -1 + 1e-15), 1 - 1e-15)) + sign * spread) for sign in (-1, 1))
    return Reliability(_stepped_up(r), n, items, _stepped_up(float(low)), _stepped_up(float(high)), split=chosen)


def error_of_measurement(scores: Any, *, cut: float = 0.6, reliability: float | None = None, minimum: int = 2,
                         level: float = 0.95, not_reached: NotReached = "not presented") -> ErrorOfMeasurement:
    """SEM of the total score of one form of items scored 0 or 1, overall and conditional on the score.

    ``cut`` the share that passes. ``reliability`` None takes KR-20. The conditional error is Lord's binomial one,
    sqrt(x (k - x) / (k - 1)) (1955, Educational and Psychological Measurement 15, 325-336), times Keats's correction
    sqrt((1 - KR-20) / (1 - KR-21)) for items that are not all equally difficult (Keats 1957, Psychometrika 22, 29-41;
    Feldt, Steffen and Gupta 1985, Applied Psychological Measurement 9, 351-361), so that it agrees with the overall SEM
    on average. Intervals: the error variance is k times the residual mean square of persons by items, chi-square with
    (n - 1)(k - 1) degrees of freedom as in Feldt's theory; the one at the cut takes the share of the items' unequal
    difficulties as known.
    """
    whole = _whole(scores, not_reached)
    n, items = whole.shape
    reached, points = cut * items, np.arange(items + 1, dtype=np.float64)
    coefficient = alpha(whole, minimum=minimum).value if reliability is None else reliability
    if n < max(minimum, 2) or items < 2 or np.isnan(coefficient):
        return ErrorOfMeasurement(float("nan"), float("nan"), reached, points, np.full(items + 1, np.nan), n,
                                  reason=_too_few(n, items, minimum) or "all totals are equal")
    total = whole.sum(axis=1)
    plain = kr21(float(total.mean()), float(total.var()), items)
    correction = np.sqrt((1 - coefficient) / (1 - plain)) if plain < 1 and coefficient <= 1 else np.nan
    overall = float(total.std(ddof=1) * np.sqrt(max(0.0, 1 - coefficient)))
    at_cut = float(binomial_error(np.array(reached), items) * correction)
    freedom = (n - 1) * (items - 1)
    low, high = (float(np.sqrt(freedom / stats.chi2.ppf((1 + sign * level) / 2, freedom))) for sign in (1, -1))
    return ErrorOfMeasurement(overall, at_cut, reached, points, binomial_error(points, items) * correction, n,
                              overall * low, overall * high, at_cut * low, at_cut * high)


def binomial_error(score: Floats, items: int) -> Floats:
    """Lord's binomial error sqrt(x (k - x) / (k - 1)), in items."""
    return np.asarray(np.sqrt(np.maximum(score * (items - score), 0.0) / (items - 1)), dtype=np.float64)


def _whole(scores: Any, not_reached: NotReached) -> Floats:
    """Who was given every item."""
    found = presented(scores, not_reached)
    return found.values if found.given is None else found.values[found.given.all(axis=1)]


def _first_half(items: int, split: Split) -> npt.NDArray[np.bool_]:
    place = np.arange(items)
    if isinstance(split, str):
        if split not in ("odd-even", "halves"):
            raise ValueError(f"split is 'odd-even', 'halves' or an array, not {split!r}")
        return place % 2 == 0 if split == "odd-even" else place < (items + 1) // 2
    first = np.asarray(split, dtype=bool)
    if first.shape != (items,) or first.all() or not first.any():
        raise ValueError("a split is true for some of the items and false for the others")
    return first


def _stepped_up(r: float) -> float:
    return 2 * r / (1 + r) if r > -1 else float("nan")


def _too_few(n: int, items: int, minimum: int) -> str:
    if items < 2:
        return f"a form of {items} items has no internal consistency"
    return f"n = {n} is below {max(minimum, 2)}" if n < max(minimum, 2) else ""
