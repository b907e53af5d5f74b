"""p values of many tests at once, adjusted so that a thousand comparisons do not raise a hundred alarms. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def holm(p_values: npt.ArrayLike) -> Floats:
    """Adjusted p of Holm (1979), Scandinavian Journal of Statistics 6, 65-70: holds the chance of any false alarm.

    NaN stays NaN and does not count as a test.
    """
    p, order = _ordered(p_values)
    steps = np.maximum.accumulate(p[order] * (len(order) - np.arange(len(order))))
    return _back(p, order, steps)


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Adjusted p of Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300: holds the
    expected share of false alarms among the alarms. NaN stays NaN and does not count as a test."""
    p, order = _ordered(p_values)
    steps = np.minimum.accumulate((p[order] * len(order) / np.arange(1, len(order) + 1))[::-1])[::-1]
    return _back(p, order, steps)


ADJUSTMENTS = {"holm": holm, "bh": benjamini_hochberg}


def adjusted(p_values: npt.ArrayLike, method: str) -> Floats:
    """By name, "holm" or "bh"; ValueError for another."""
    if method not in ADJUSTMENTS:
        raise ValueError(f"adjust is 'holm' or 'bh', not {method!r}")
    return ADJUSTMENTS[method](p_values)


def _ordered(p_values: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.intp]]:
    p = np.asarray(p_values, dtype=np.float64)
    return p, np.argsort(p, kind="stable")[:int((~np.isnan(p)).sum())]  # NaN sorts last


def _back(p: Floats, order: npt.NDArray[np.intp], steps: Floats) -> Floats:
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(steps, 1.0)
    return found
