"""How the number right is distributed given ability: Lord and Wingersky's recursion. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]

_EXACT_BELOW = 0.1  # where the normal tail is above this, no adjustment of p values can matter


def right_probabilities(theta: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike = 0.0) -> Floats:
    """P = c + (1 - c) / (1 + exp(-a (theta - b))), (nodes, items); ``theta`` (nodes,), the parameters (items,)."""
    ability = np.asarray(theta, dtype=np.float64)[:, None]
    guessing = np.asarray(c, dtype=np.float64)
    return np.asarray(guessing + (1 - guessing) * special.expit(np.asarray(a) * (ability - np.asarray(b))), dtype=np.float64)


def score_distribution(probabilities: npt.ArrayLike | Sequence[npt.ArrayLike]) -> Floats:
    """P(score = x | node), (nodes, greatest score + 1).

    ``probabilities`` (nodes, items) of a right answer, or one (nodes, categories) matrix for each item scored 0, 1, ... in
    category order. Lord and Wingersky (1984), Applied Psychological Measurement 8, 453-461; with categories: Hanson (1994).
    ValueError when a probability is not between 0 and 1.
    """
    items = _categories(probabilities)
    found = np.ones((items[0].shape[0], 1))
    for item in items:
        longer = np.zeros((found.shape[0], found.shape[1] + item.shape[1] - 1))
        for score in range(item.shape[1]):
            longer[:, score:score + found.shape[1]] += found * item[:, score:score + 1]
        found = longer
    return found


def expected_scores(probabilities: npt.ArrayLike | Sequence[npt.ArrayLike]) -> Floats:
    """The true score at each node, (nodes,), in points."""
    return np.asarray(sum(item @ np.arange(item.shape[1]) for item in _categories(probabilities)), dtype=np.float64)


def upper_tail(chances: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """P(as many successes or more) in independent trials of unequal ``chances`` (rows, trials), (rows,).

    Exact by recursion where the normal approximation is below 0.1; where it is above, the approximation itself.
    """
    mean, variance = chances.sum(axis=1), (chances * (1 - chances)).sum(axis=1)
    rough = stats.norm.sf((counts - 0.5 - mean) / np.sqrt(np.maximum(variance, 1e-12)))
    found = np.asarray(np.where(counts <= 0, 1.0, rough), dtype=np.float64)
    near = np.flatnonzero(found < _EXACT_BELOW)
    if len(near):
        used = chances[near][:, (chances[near] > 0).any(axis=0)]
        if used.shape[1]:
            scores = score_distribution(np.clip(used, 0.0, 1.0))
            later = np.cumsum(scores[:, ::-1], axis=1)[:, ::-1]  # summed from the small end: no 1 - 0.999...
            found[near] = later[np.arange(len(near)), np.minimum(counts[near], scores.shape[1] - 1)]
    return found


def _categories(probabilities: npt.ArrayLike | Sequence[npt.ArrayLike]) -> list[Floats]:
    if isinstance(probabilities, (list, tuple)) and np.ndim(probabilities[0]) == 2:
        items = [np.asarray(item, dtype=np.float64) for item in probabilities]
    else:
        right = np.asarray(probabilities, dtype=np.float64)
        items = [np.column_stack([1 - column, column]) for column in right.T]
    if not items or any(((item < -1e-12) | (item > 1 + 1e-12)).any() for item in items):
        raise ValueError("probabilities must lie between 0 and 1, and there must be an item")
    return items
