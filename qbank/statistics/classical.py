"""Classical item statistics from plain arrays. Pure.

``scores`` is (persons, items): 1.0 right, 0.0 wrong or omitted, NaN where the person was not given the item, so that
persons who sat different papers share one matrix. Every function returns its numbers with their n; a number that is not
defined (nobody, no variance) or whose n is below ``minimum`` is NaN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Answers: TypeAlias = npt.NDArray[np.object_]


@dataclass(frozen=True)
class PerItem:
    """``values`` (items,) and the number of persons behind each, ``n`` (items,)."""

    values: Floats
    n: Integers


@dataclass(frozen=True)
class Reliability:
    """A coefficient of one form, the persons behind it and its items."""

    value: float
    n: int
    items: int


def difficulty(scores: Floats, *, minimum: int = 1) -> PerItem:
    """Share correct among those who were given the item, shape (items,). Omitted counts as wrong."""
    presented, right = _split(scores)
    n = presented.sum(axis=0)
    return _reported(_ratio(right.sum(axis=0), n), n, minimum)


def item_rest(scores: Floats, *, minimum: int = 2) -> PerItem:
    """Corrected point-biserial: Pearson's r of the item with the rest of the person's own paper, shape (items,).

    The rest is the share correct of the other items that this person was given, so the item never correlates with
    itself (Henrysson 1963, Psychometrika 28, 211-218) and papers of different items can be pooled. On one form it
    equals the usual item-rest correlation. Persons with a single item have no rest and do not count.
    """
    presented, right = _split(scores)
    given = presented.sum(axis=1, keepdims=True)
    counted = presented & (given > 1)
    total = right.sum(axis=1, keepdims=True)
    rest = np.where(counted, (total - right) / np.maximum(given - 1, 1), 0.0)
    n = counted.sum(axis=0)
    x = np.where(counted, right, 0.0)
    mean_x, mean_y = _ratio(x.sum(axis=0), n), _ratio(rest.sum(axis=0), n)
    from_x, from_y = np.where(counted, x - mean_x, 0.0), np.where(counted, rest - mean_y, 0.0)
    spread = np.sqrt((from_x**2).sum(axis=0) * (from_y**2).sum(axis=0))
    return _reported(_ratio((from_x * from_y).sum(axis=0), spread), n, minimum)


def b_index(scores: Floats, passed: Flags, *, minimum: int = 2) -> PerItem:
    """P(correct | passed) - P(correct | failed), shape (items,): the trade's discrimination.

    Brennan (1972), Educational and Psychological Measurement 32, 289-303. NaN unless both groups were given the item.
    ``passed`` is (persons,).
    """
    presented, right = _split(scores)
    above, below = passed[:, None] & presented, ~passed[:, None] & presented
    upper = _ratio((right * above).sum(axis=0), above.sum(axis=0))
    lower = _ratio((right * below).sum(axis=0), below.sum(axis=0))
    return _reported(upper - lower, presented.sum(axis=0), minimum)


def alpha(scores: Floats, *, minimum: int = 2) -> Reliability:
    """Cronbach's alpha of one form (1951, Psychometrika 16, 297-334): k/(k-1) (1 - sum of item variances / variance).

    Takes one form: persons who were not given every item do not count.
    """
    whole = scores[~np.isnan(scores).any(axis=1)]
    n, items = whole.shape
    if items < 2 or n < max(minimum, 2):
        return Reliability(float("nan"), n, items)
    total = float(whole.sum(axis=1).var())
    if total <= 0:
        return Reliability(float("nan"), n, items)
    return Reliability(items / (items - 1) * (1 - float(whole.var(axis=0).sum()) / total), n, items)


def kr20(scores: Floats, *, minimum: int = 2) -> Reliability:
    """Kuder and Richardson's formula 20 (1937, Psychometrika 2, 151-160): alpha of items scored 0 or 1.

    ValueError when an item is scored otherwise.
    """
    if not np.isin(scores[~np.isnan(scores)], (0.0, 1.0)).all():
        raise ValueError("KR-20 is for items scored 0 or 1")
    return alpha(scores, minimum=minimum)


def omission(scores: Floats, omitted: Flags, *, minimum: int = 1) -> PerItem:
    """Share of those who were given the item and left it open, shape (items,). ``omitted`` is (persons, items)."""
    presented = ~np.isnan(scores)
    n = presented.sum(axis=0)
    return _reported(_ratio((omitted & presented).sum(axis=0), n), n, minimum)


def choices(answers: Answers, scores: Floats) -> list[dict[str, int]]:
    """Per item, how many gave each answer (letters in order; omitted ones are left out). ``answers`` as ``scores``."""
    presented = ~np.isnan(scores)
    counted: list[dict[str, int]] = []
    for j in range(scores.shape[1]):
        given: Sequence[Any] = answers[presented[:, j], j].tolist()
        counted.append(dict(sorted(Counter(str(answer) for answer in given if answer).items())))
    return counted


def _split(scores: Floats) -> tuple[Flags, Floats]:
    """Who was given what, and the scores with 0 where nothing was given; both (persons, items)."""
    presented = ~np.isnan(scores)
    return presented, np.where(presented, scores, 0.0)


def _ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    top, bottom = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    # A spread of about 1e-15 is rounding of a constant, not variance.
    safe = np.abs(bottom) > 1e-12
    return np.where(safe, top / np.where(safe, bottom, 1.0), np.nan)


def _reported(values: Floats, n: Integers, minimum: int) -> PerItem:
    return PerItem(np.where(n >= minimum, values, np.nan), np.asarray(n, dtype=np.int64))
