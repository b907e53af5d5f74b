"""Lord's strong true-score theory: a beta distribution of true scores, binomial errors. Pure.

Scores are shares of the greatest possible score; a test is a number of equally difficult items right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

Floats = npt.NDArray[np.float64]

NODES = 120  # of the quadrature; 60 agree with it to 1e-12 for tests of 200 items


@dataclass(frozen=True)
class BetaTrueScore:
    """True scores are lower + (upper - lower) Beta(alpha, beta); ``parameters`` 4, or 2 where the limits are 0 and 1."""

    alpha: float
    beta: float
    lower: float = 0.0
    upper: float = 1.0
    parameters: int = 2


def true_moments(x: Floats, n: Floats, length: float, orders: int = 4) -> Floats:
    """Raw moments of the true score, (orders,), from observed scores ``x`` (of ``length`` items) and their frequencies.

    E(T^r) = E(x (x - 1) ... (x - r + 1)) / (k (k - 1) ... (k - r + 1)): Lord (1965), Psychometrika 30, 239-270, eq. 10;
    Hanson (1991), ACT Research Report 91-5. NaN from the order on that the test is too short for.
    """
    found, falling, below = np.full(orders, np.nan), np.ones_like(x), 1.0
    for order in range(orders):
        falling, below = falling * (x - order), below * (length - order)
        if length <= order:
            break
        found[order] = float(np.average(falling, weights=n)) / below
    return found


def fit_beta(moments: Floats, *, parameters: int = 4) -> BetaTrueScore | None:
    """Method of moments: four parameters, or two where four give no admissible distribution (or ``parameters`` is 2).

    Hanson (1991), eq. 6 to 12. Admissible: both shapes positive and 0 <= lower < upper <= 1. None where there is no true
    variance: then every difference between persons is error.
    """
    mean, variance = float(moments[0]), float(moments[1] - moments[0] ** 2)
    if not (0 < mean < 1 and variance > 1e-12):
        return None
    found = _four(moments, mean, variance) if parameters == 4 and not np.isnan(moments).any() else None
    if found is not None:
        return found
    size = mean * (1 - mean) / variance - 1
    return BetaTrueScore(mean * size, (1 - mean) * size) if size > 0 else None


def _four(moments: Floats, mean: float, variance: float) -> BetaTrueScore | None:
    third = float(moments[2] - 3 * mean * moments[1] + 2 * mean**3)
    fourth = float(moments[3] - 4 * mean * moments[2] + 6 * mean**2 * moments[1] - 3 * mean**4)
    skewness, kurtosis = third / variance**1.5, fourth / variance**2
    below = 6 + 3 * skewness**2 - 2 * kurtosis
    if abs(below) < 1e-12:
        return None
    size = 6 * (kurtosis - skewness**2 - 1) / below
    divisor = kurtosis * (size + 2) * (size + 3) - 3 * (size + 1) * (size - 6)
    root = 1 - 24 * (size + 1) / divisor if divisor else -1.0
    if root < 0 or size <= 0:
        return None
    large, small = size / 2 * (1 + root**0.5), size / 2 * (1 - root**0.5)
    alpha, beta = (large, small) if skewness < 0 else (small, large)
    if alpha <= 0 or beta <= 0:
        return None
    step = (variance * (alpha + beta + 1) / (alpha * beta)) ** 0.5
    lower, upper = mean - alpha * step, mean + beta * step
    return BetaTrueScore(alpha, beta, lower, upper, 4) if lower >= 0 and upper <= 1 else None


def beta_nodes(alpha: float, beta: float, nodes: int = NODES) -> tuple[Floats, Floats]:
    """Gauss-Jacobi nodes on (0, 1) and weights that sum to 1, for the density of Beta(alpha, beta).

    Golub and Welsch (1969), Mathematics of Computation 23, 221-230; weights as squares of eigenvectors, so that no gamma
    function overflows where the shapes are large.
    """
    p, q, order = beta - 1, alpha - 1, np.arange(1, nodes, dtype=np.float64)
    double = 2 * order + p + q
    diagonal = np.concatenate([[(q - p) / (p + q + 2)], (q * q - p * p) / (double * (double + 2))])
    above = 4 * order * (order + p) * (order + q) * (order + p + q)
    # The first is written out: p + q = -1 would make it 0 / 0.
    above[0], double[0] = 4 * (1 + p) * (1 + q), 2 + p + q
    below = double**2 * (double + 1) * np.where(order == 1, 1.0, double - 1)
    places, vectors = linalg.eigh_tridiagonal(diagonal, np.sqrt(above / below))
    return (np.asarray(places) + 1) / 2, np.asarray(vectors[0] ** 2)


@dataclass(frozen=True)
class PassFail:
    """Shares of all persons: ``passing`` observed, ``both`` on two forms, ``right_pass`` observed and true pass, ``able``
    true pass."""

    passing: float
    both: float
    right_pass: float
    able: float


def pass_fail(true: BetaTrueScore, length: int, least: int, true_cut: float) -> PassFail:
    """What a test of ``length`` items that is passed with ``least`` right does at the true cut (a share)."""
    places, weights = beta_nodes(true.alpha, true.beta)

    def pass_given(standard: Floats) -> Floats:
        share = np.clip(true.lower + (true.upper - true.lower) * standard, 0.0, 1.0)
        if least <= 0 or least > length:
            return np.full(share.shape, float(least <= 0))
        return np.asarray(special.betainc(least, length - least + 1, share), dtype=np.float64)

    passed = pass_given(places)
    passing, both = float(weights @ passed), float(weights @ passed**2)
    place = (true_cut - true.lower) / (true.upper - true.lower)
    if place <= 0 or place >= 1:
        return PassFail(passing, both, passing * (place <= 0), float(place <= 0))
    able = float(special.betaincc(true.alpha, true.beta, place))
    if place > 0.5:
        right = _part(true.beta, true.alpha, 1 - place, lambda rest: pass_given(1 - rest))
        return PassFail(passing, both, right, able)
    return PassFail(passing, both, passing - _part(true.alpha, true.beta, place, pass_given), able)


def _part(near: float, far: float, end: float, values: Callable[[Floats], Floats]) -> float:
    """Integral of ``values`` times the density of Beta(near, far) from 0 to ``end`` <= 1/2.

    x^(near - 1) is in the weights of the rule and may be singular; (1 - x)^(far - 1) is smooth up to 1/2.
    """
    places, weights = beta_nodes(near, 1.0)
    x = end * places
    logarithm = near * np.log(end) - np.log(near) - special.betaln(near, far)
    return float(weights @ (values(x) * np.exp(logarithm + (far - 1) * np.log1p(-x))))
