"""Response curves of dichotomous items in the logistic metric, and their derivatives. Pure.

P = c + (1 - c) S, S = 1 / (1 + exp(-(a theta + d))), c = 1 / (1 + exp(-g)) (Birnbaum 1968, in Lord and Novick, Statistical
theories of mental test scores, chapter 17; D = 1). Item parameters are an array (items, 3) of a, d = -a b and g; g is -inf
for an item that cannot be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from qbank.statistics.arrays import Floats


@dataclass(frozen=True, eq=False)
class Curves:
    """At ``theta`` (points,): P and 1 - P; ``slopes`` (3, points, items) dP by a, d, g. All (points, items)."""

    right: Floats
    wrong: Floats
    slopes: Floats


def log_wrong(theta: Floats, items: Floats) -> Floats:
    """log(1 - P), (points, items); exact in the tails."""
    return np.asarray(np.log1p(-expit(items[:, 2])) - np.logaddexp(0.0, np.multiply.outer(theta, items[:, 0]) + items[:, 1]))


def log_odds(theta: Floats, items: Floats) -> Floats:
    """log P - log(1 - P), (points, items)."""
    z = np.multiply.outer(theta, items[:, 0]) + items[:, 1]
    # (c + S - c S) / ((1 - c)(1 - S)) = (c (1 + e^z) + (1 - c) e^z) / (1 - c) = (c + e^z) / (1 - c) = e^z (1+e^g) + e^g
    return np.asarray(np.logaddexp(items[:, 2], z + np.logaddexp(0.0, items[:, 2])))


def curves(theta: Floats, items: Floats) -> Curves:
    """P, 1 - P and the first derivatives of P by (a, d, g)."""
    c = expit(items[:, 2])
    z = np.multiply.outer(theta, items[:, 0]) + items[:, 1]
    s, t = expit(z), expit(-z)
    by_d = (1 - c) * s * t
    return Curves(c + (1 - c) * s, (1 - c) * t, np.stack([theta[:, None] * by_d, by_d, c * (1 - c) * t]))


def second(theta: Floats, items: Floats) -> Floats:
    """Second derivatives of P by (a, d, g), (3, 3, points, items)."""
    c = expit(items[:, 2])
    z = np.multiply.outer(theta, items[:, 0]) + items[:, 1]
    s, t = expit(z), expit(-z)
    zz, zg, gg = (1 - c) * s * t * (t - s), -c * (1 - c) * s * t, c * (1 - c) * (1 - 2 * c) * t
    x = theta[:, None]
    rows = [[x * x * zz, x * zz, x * zg], [x * zz, zz, zg], [x * zg, zg, gg]]
    return np.array(rows)


def item_information(theta: Floats, items: Floats) -> Floats:
    """Fisher information about theta, P'^2 / (P Q), (points, items)."""
    at = curves(theta, items)
    steep = items[:, 0] * at.slopes[1]
    found = np.zeros_like(steep)
    return np.asarray(np.divide(steep**2, at.right * at.wrong, out=found, where=steep != 0))
