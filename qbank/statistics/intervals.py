"""Intervals of shares, of differences of shares and of correlations, elementwise over items. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from qbank.statistics.classical import TwoShares, ratio

Floats = npt.NDArray[np.float64]


def wilson(right: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of a share (Wilson 1927, Journal of the American Statistical Association 22, 209-212): stays inside 0
    to 1 and means something at 0 and at 1. NaN where n is 0."""
    z = float(stats.norm.ppf((1 + level) / 2))
    centre = ratio(right + z * z / 2, n + z * z)
    half = z * np.sqrt(np.maximum(right * (n - right) / np.maximum(n, 1e-9), 0) + z * z / 4) / (n + z * z)
    return np.where(n > 0, centre - half, np.nan), np.where(n > 0, centre + half, np.nan)


def newcombe(shares: TwoShares, level: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a difference of two independent shares from their score intervals.

    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    upper, lower = ratio(shares.upper_right, shares.upper_n), ratio(shares.lower_right, shares.lower_n)
    upper_low, upper_high = wilson(shares.upper_right, shares.upper_n, level)
    lower_low, lower_high = wilson(shares.lower_right, shares.lower_n, level)
    below = np.sqrt((upper - upper_low) ** 2 + (lower_high - lower) ** 2)
    above = np.sqrt((upper_high - upper) ** 2 + (lower - lower_low) ** 2)
    return upper - lower - below, upper - lower + above


def fisher(r: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a correlation: tanh(atanh r -+ z / sqrt(n - 3)) (Fisher 1921, Metron 1, 3-32); NaN below 4 persons."""
    usable = (n > 3) & ~np.isnan(r)
    middle = np.arctanh(np.clip(np.where(usable, r, 0.0), -1 + 1e-15, 1 - 1e-15))
    wide = float(stats.norm.ppf((1 + level) / 2)) / np.sqrt(np.where(usable, n - 3, 1.0))
    return np.where(usable, np.tanh(middle - wide), np.nan), np.where(usable, np.tanh(middle + wide), np.nan)
