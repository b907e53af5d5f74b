"""Trace lines of items scored in steps (written items), for a whole grid at once. Pure.

Two models with slope a and m intercepts d_1..d_m, in the logistic metric (D = 1), thresholds b_k = -d_k / a:

* graded response, "GRM" (Samejima 1969, Psychometrika Monograph 17): P(X >= k) = 1 / (1 + exp(-(a θ + d_k)));
* generalised partial credit, "GPCM" (Muraki 1992, Applied Psychological Measurement 16, 159-176):
  P(X = k) proportional to exp(sum over v <= k of (a θ + d_v)).

With one step both are the 2PL.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit

from qbank.statistics.arrays import Floats

StepModel: TypeAlias = Literal["GRM", "GPCM"]
TINY = 1e-300


def probabilities(model: StepModel, a: float, d: Floats, theta: Floats) -> Floats:
    """P(X = k | θ) as (m + 1, nodes)."""
    if model == "GRM":
        above = _at_least(a, d, theta)
        return above[:-1] - above[1:]
    powers = np.concatenate([np.zeros((1, theta.size)), np.cumsum(a * theta + d[:, None], axis=0)])
    grown = np.exp(powers - powers.max(axis=0))
    return np.asarray(grown / grown.sum(axis=0))


def slopes_of_log(model: StepModel, a: float, d: Floats, theta: Floats) -> Floats:
    """Derivatives of log P(X = k | θ) by (a, d_1..d_m), as (1 + m, m + 1, nodes)."""
    chance = probabilities(model, a, d, theta)
    found = np.zeros((1 + d.size, d.size + 1, theta.size))
    if model == "GRM":
        above = _at_least(a, d, theta)
        density = above * (1 - above)
        found[0] = theta * (density[:-1] - density[1:])
        for k in range(1, d.size + 1):
            found[k, k], found[k, k - 1] = density[k], -density[k]
        return np.asarray(found / np.maximum(chance, TINY))
    steps = np.arange(d.size + 1)[:, None]
    found[0] = theta * (steps - (steps * chance).sum(axis=0))
    reached = np.cumsum(chance[::-1], axis=0)[::-1]
    for k in range(1, d.size + 1):
        found[k] = (steps >= k) - reached[k]
    return found


def information(model: StepModel, a: float, d: Floats, theta: Floats) -> Floats:
    """Fisher information of one item at ``theta``, (nodes,): sum over k of P'_k² / P_k."""
    chance = probabilities(model, a, d, theta)
    if model == "GRM":
        above = _at_least(a, d, theta)
        change = a * np.diff(-above * (1 - above), axis=0)
        return np.asarray((change**2 / np.maximum(chance, TINY)).sum(axis=0))
    steps = np.arange(d.size + 1)[:, None]
    mean = (steps * chance).sum(axis=0)
    return np.asarray(a**2 * ((steps - mean) ** 2 * chance).sum(axis=0))


def expected_score(model: StepModel, a: float, d: Floats, theta: Floats) -> Floats:
    """Mean of X at ``theta``, (nodes,)."""
    return np.asarray(np.arange(d.size + 1) @ probabilities(model, a, d, theta))


def _at_least(a: float, d: Floats, theta: Floats) -> Floats:
    """P(X >= k) for k = 0..m + 1, (m + 2, nodes)."""
    inner = expit(a * theta + d[:, None])
    return np.concatenate([np.ones((1, theta.size)), inner, np.zeros((1, theta.size))])
