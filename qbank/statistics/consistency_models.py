"""The models behind :mod:`consistency`: each turns a score distribution into the table of pass and fail. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from qbank.statistics.score_distribution import expected_scores, score_distribution
from qbank.statistics.true_score import PassFail, fit_beta, pass_fail, true_moments

Floats = npt.NDArray[np.float64]

_HAIR = 1e-9  # 0.6 * 5 is 3.0000000000000004: a cut on a whole number stays on it


@dataclass(frozen=True)
class Indices:
    """``passing`` P(pass); ``consistency`` P(same decision on two forms), ``chance`` the same by chance alone, ``kappa``;
    ``accuracy`` P(decision as the true score deserves), ``false_pass`` and ``false_fail`` (shares of all persons)."""

    passing: float
    consistency: float
    chance: float
    kappa: float
    accuracy: float
    false_pass: float
    false_fail: float

    @classmethod
    def of(cls, passing: float, both: float, right_pass: float, able: float) -> Indices:
        """From P(pass), P(pass on both forms), P(pass and true pass), P(true pass)."""
        consistency, chance = 1 - 2 * (passing - both), passing**2 + (1 - passing) ** 2
        kappa = (consistency - chance) / (1 - chance) if chance < 1 - 1e-12 else math.nan
        false_pass, false_fail = passing - right_pass, able - right_pass
        return cls(passing, consistency, chance, kappa, 1 - false_pass - false_fail, false_pass, false_fail)

    @classmethod
    def from_table(cls, table: PassFail) -> Indices:
        """The same from a table."""
        return cls.of(table.passing, table.both, table.right_pass, table.able)


NOTHING = Indices(*[math.nan] * 7)


@dataclass(frozen=True)
class Fitted:
    """Indices, the length of the test under the model and its name; or a ``reason``."""

    indices: Indices
    length: float
    model: str
    reason: str = ""


def effective_length(mean: float, variance: float, reliability: float, lowest: float, highest: float) -> float:
    """Livingston and Lewis (1995), eq. 1: ((m - low)(high - m) - r s2) / (s2 (1 - r)), in items.

    How many equally difficult independent items right or wrong would be as reliable. ``variance`` of the sample.
    """
    return ((mean - lowest) * (highest - mean) - reliability * variance) / (variance * (1 - reliability))


def livingston_lewis(scores: Floats, n: Floats, highest: float, lowest: float, reliability: float, cut: float,
                     parameters: int = 4, rounding: str = "nearest") -> Fitted:
    """From scores and their frequencies; ``cut`` a share. The effective length is rounded to whole items for the errors of
    measurement; the moments of the true scores take it as it is."""
    persons = n.sum()
    mean = float(np.average(scores, weights=n))
    variance = float(np.average((scores - mean) ** 2, weights=n) * persons / max(persons - 1, 1))
    if math.isnan(reliability) or not 0 < reliability < 1 or variance <= 1e-12:
        return Fitted(NOTHING, math.nan, "", "the reliability is not inside (0, 1)")
    length = effective_length(mean, variance, reliability, lowest, highest)
    if length < 2:
        return Fitted(NOTHING, length, "", "the effective length is below two items")
    moments = true_moments((scores - lowest) / (highest - lowest) * length, n, length)
    true = fit_beta(moments, parameters=parameters)
    if true is None:
        return Fitted(NOTHING, length, "", "no true variance is left beside the errors of measurement")
    whole = round(length)
    least = _least(cut * whole, rounding)
    return Fitted(Indices.from_table(pass_fail(true, whole, least, cut)), length,
                  f"beta distribution of {'four' if true.parameters == 4 else 'two'} parameters")


def huynh(scores: Floats, n: Floats, items: float, reliability: float, cut: float) -> Fitted:
    """The bivariate beta-binomial of two forms of equally difficult items; ``reliability`` KR-21.

    alpha = (1 / r - 1) m, beta = (1 / r - 1) (k - m): Keats and Lord (1962), Psychometrika 27, 59-72, eq. 10; Huynh (1976).
    """
    k = round(items)
    mean = float(np.average(scores, weights=n))
    if math.isnan(reliability) or not 0 < reliability < 1:
        return Fitted(NOTHING, items, "", "KR-21 is not inside (0, 1)")
    size = 1 / reliability - 1
    alpha, beta = size * mean, size * (k - mean)
    if alpha <= 0 or beta <= 0:
        return Fitted(NOTHING, items, "", "everybody has the lowest or everybody the highest score")
    least = _least(cut * k, "ceiling")
    x = np.arange(least, k + 1, dtype=np.float64)
    ways = -np.log(k + 1) - special.betaln(x + 1, k - x + 1)
    joint = ways[:, None] + ways + special.betaln(alpha + x[:, None] + x, beta + 2 * k - x[:, None] - x)
    single = np.exp(ways + special.betaln(alpha + x, beta + k - x) - special.betaln(alpha, beta))
    both = float(np.exp(joint - special.betaln(alpha, beta)).sum())
    # Given x right, the true score is Beta(alpha + x, beta + k - x).
    right_pass = float(single @ special.betaincc(alpha + x, beta + k - x, cut))
    able = float(special.betaincc(alpha, beta, cut))
    return Fitted(Indices.of(float(single.sum()), both, right_pass, able), items, "beta-binomial")


def lee_conditional(probabilities: npt.ArrayLike | Sequence[npt.ArrayLike], cut: float) -> tuple[Floats, float]:
    """At each node: P(pass), P(pass twice), P(pass and true pass), true pass, (nodes, 4); and the greatest score.

    True pass: the expected score reaches the cut. Lee (2010), eq. 4 to 12.
    """
    scores = score_distribution(probabilities)
    greatest = scores.shape[1] - 1
    passed = scores[:, _least(cut * greatest, "ceiling"):].sum(axis=1)
    able = (expected_scores(probabilities) >= cut * greatest - _HAIR).astype(np.float64)
    return np.column_stack([passed, passed**2, passed * able, able]), float(greatest)


def _least(cut: float, rounding: str) -> int:
    """The least number right that passes."""
    ways = {"nearest": lambda: math.floor(cut + 0.5), "floor": lambda: math.floor(cut + _HAIR),
            "ceiling": lambda: math.ceil(cut - _HAIR)}
    if rounding not in ways:
        raise ValueError(f"rounding is 'nearest', 'floor' or 'ceiling', not {rounding!r}")
    return ways[rounding]()
