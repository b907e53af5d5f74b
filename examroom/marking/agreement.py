"""How markers agree: with each other, with the rest, with marks that are known. Arrays in, figures out. Pure.

Undefined is NaN: nobody agrees or disagrees about a single script, or where nobody's marks differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def icc_agreement(ratings: npt.ArrayLike) -> float:
    """ICC(2,1): absolute agreement of single ratings, markers drawn at random from many.

    ``ratings`` (scripts, markers) without gaps. Shrout, P. E. and Fleiss, J. L. (1979), Intraclass correlations: uses in
    assessing rater reliability, Psychological Bulletin 86, 420-428: (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n).
    """
    x = np.asarray(ratings, dtype=np.float64)
    n, k = x.shape
    if n < 2 or k < 2:
        return float("nan")
    mean, rows, columns = x.mean(), x.mean(axis=1), x.mean(axis=0)
    between = k * ((rows - mean) ** 2).sum() / (n - 1)
    judges = n * ((columns - mean) ** 2).sum() / (k - 1)
    error = ((x - rows[:, None] - columns[None, :] + mean) ** 2).sum() / ((n - 1) * (k - 1))
    below = between + (k - 1) * error + k * (judges - error) / n
    return float((between - error) / below) if below > 0 else float("nan")


def weighted_kappa(first: npt.ArrayLike, second: npt.ArrayLike, disagreement: npt.ArrayLike | None = None,
                   *, counts: npt.ArrayLike | None = None) -> float:
    """Cohen's weighted kappa, 1 - Σ v p_observed / Σ v p_chance; Cohen, J. (1968), Psychological Bulletin 70, 213-220.

    ``first`` and ``second`` (scripts,) hold whole categories; ``disagreement`` (categories, categories) the weights v,
    None: the squared difference. ``counts`` (categories, categories) gives the cross table itself instead of the scripts.
    """
    if counts is None:
        one, two = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        if not len(one):
            return float("nan")
        size = int(max(one.max(), two.max())) + 1
        table = np.zeros((size, size))
        np.add.at(table, (one, two), 1.0)
    else:
        table = np.asarray(counts, dtype=np.float64)
    observed = table / table.sum()
    expected = observed.sum(axis=1)[:, None] * observed.sum(axis=0)[None, :]
    places = np.arange(len(table), dtype=np.float64)
    v = (places[:, None] - places[None, :]) ** 2 if disagreement is None else np.asarray(disagreement, dtype=np.float64)
    chance = float((v * expected).sum())
    return float(1 - (v * observed).sum() / chance) if chance > 0 else float("nan")


@dataclass(frozen=True)
class Pair:
    """Two markers on the scripts that both marked."""

    first: int
    second: int
    n: int
    exact: float  # share of equal marks
    near: float  # share within one half-point
    icc: float
    kappa: float


@dataclass(frozen=True)
class MarkerFigures:
    """One marker. ``severity``: own mark minus the other marker's on the same script, in half-points; negative: strict."""

    marker: int
    n: int
    mean: float
    sd: float
    severity: float
    compared: int
    exact: float
    seeds: int
    seed_error: float  # mean of |mark - known mark|, half-points
    seed_bias: float  # mean of mark - known mark


def pairs(marks: Mapping[int, Mapping[int, int]]) -> list[Pair]:
    """``marks``: marker → script → half-points. One entry for each two markers with a script in common."""
    found = []
    for first, second in combinations(sorted(marks), 2):
        shared = sorted(marks[first].keys() & marks[second].keys())
        if not shared:
            continue
        one, two = (np.array([marks[who][script] for script in shared]) for who in (first, second))
        found.append(Pair(first, second, len(shared), float((one == two).mean()), float((abs(one - two) <= 1).mean()),
                          icc_agreement(np.column_stack([one, two])), weighted_kappa(one, two)))
    return found


def figures(marks: Mapping[int, Mapping[int, int]], seeds: Mapping[int, Sequence[tuple[int, int]]]) -> list[MarkerFigures]:
    """``seeds``: marker → (mark, known mark) of each seed script."""
    found = []
    for marker in sorted(marks.keys() | seeds.keys()):
        own = marks.get(marker, {})
        values = np.array(list(own.values()), dtype=np.float64)
        apart = np.array([own[script] - other[script] for who, other in marks.items() if who != marker
                          for script in own.keys() & other.keys()], dtype=np.float64)
        off = np.array([mark - known for mark, known in seeds.get(marker, ())], dtype=np.float64)
        found.append(MarkerFigures(
            marker, len(values), _mean(values), float(values.std(ddof=1)) if len(values) > 1 else float("nan"), _mean(apart),
            len(apart), _mean((apart == 0).astype(np.float64)), len(off), _mean(abs(off)), _mean(off)))
    return found


def drifts(seeds: Sequence[tuple[int, int]], worth: int, percent: int, *, newest: int = 3) -> bool:
    """Whether the newest seed marks of one marker are off by more than ``percent`` of the worth on average."""
    last = seeds[-newest:]
    return len(last) >= 2 and 100 * sum(abs(mark - known) for mark, known in last) > percent * worth * len(last)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
