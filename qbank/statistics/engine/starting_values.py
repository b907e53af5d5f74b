"""Starting values of item parameters from proportions correct and item-rest covariances. Pure.

One common factor behind the answers: the covariance of an item with another is the product of their loadings, l_j l_k. In
the normal ogive metric the loading of item j is l_j over the ordinate at its threshold (Lord and Novick 1968, section
16.10); 1.702 leads to the logistic metric.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from qbank.statistics.arrays import Floats
from qbank.statistics.engine.persons import Tallies

LOGISTIC = 1.702
GUESSING = 0.15


def ease(tallies: Tallies) -> Floats:
    """Proportions correct, drawn in from 0 and 1 by half an answer, (items,)."""
    return (tallies.right + 0.5) / (tallies.n + 1)


def starting_values(tallies: Tallies, share: Floats, *, guessed: bool) -> Floats:
    """a, d and g, (items, 3); ``tallies`` with covariances about ``share``."""
    c = GUESSING if guessed else 0.0
    known = np.clip((share - c) / (1 - c), 0.02, 0.98)
    pairs = np.maximum(tallies.others, 1.0)
    average = float(tallies.covariance.sum()) / max(float(tallies.others.sum()), 1.0)
    typical = np.sqrt(max(average, 1e-4))
    threshold = norm.ppf(known)
    loading = tallies.covariance / pairs / typical / (1 - c) / norm.pdf(threshold)
    # A few answers say little: draw towards the typical item.
    loading = (loading * tallies.n + 0.5 * 20) / (tallies.n + 20)
    loading = np.clip(loading, -0.3, 0.93)
    loading = np.where(np.abs(loading) < 0.1, 0.1 * np.where(loading < 0, -1.0, 1.0), loading)
    scale = LOGISTIC / np.sqrt(1 - loading**2)
    g = np.log(c / (1 - c)) if guessed else -np.inf
    return np.stack([scale * loading, scale * threshold, np.full(len(share), g)], axis=1)
