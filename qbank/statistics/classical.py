"""Classical item statistics from plain arrays. Pure.

``scores`` is whatever :func:`qbank.statistics.responses.as_responses` takes, or floats (persons, items) with NaN where
the person was not given the item, so that persons who sat different papers share one matrix. Omitted counts as wrong,
not reached as not presented unless ``not_reached`` says "wrong". Every function returns its numbers with their n; a
number that is not defined (nobody, no variance) or whose n is below ``minimum`` is NaN.

All sums of a form come from two matrix products, so a table of 10,000 x 200 takes milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from qbank.statistics.presented import blocks, coded
from qbank.statistics.responses import NOT_REACHED, OMITTED, NotReached

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Answers: TypeAlias = npt.NDArray[np.object_]

KELLEY = 0.27  # the share in the upper and in the lower group
_CENTRE = 0.5  # rests are shares; taken about this, sums of squares lose no digits


@dataclass(frozen=True)
class PerItem:
    """``values`` (items,) and the number of persons behind each, ``n`` (items,)."""

    values: Floats
    n: Integers


@dataclass(frozen=True)
class TwoShares:
    """Persons and right answers of an upper and of a lower group, all (items,): what a difference of shares rests on."""

    upper_n: Floats
    upper_right: Floats
    lower_n: Floats
    lower_right: Floats

    def difference(self) -> Floats:
        """P(right) of the upper minus that of the lower group."""
        return ratio(self.upper_right, self.upper_n) - ratio(self.lower_right, self.lower_n)


@dataclass(frozen=True)
class ClassicalTable:
    """All of (items,). ``n`` persons who were given the item, ``paired`` those of them with a rest (another item).

    ``difficulty`` mean score (the share right of items scored 0 or 1); ``item_rest`` corrected point-biserial,
    ``biserial`` its biserial; ``upper_lower`` P(right) of the upper minus that of the lower 27 %; ``b_index`` P(right |
    passed) - P(right | failed), NaN when nobody told who passed; ``omitted`` and ``not_reached`` shares of ``seen``, who
    had the item on their form. ``by_score`` and ``by_pass`` the counts behind the two differences.
    """

    n: Floats
    paired: Floats
    seen: Floats
    difficulty: Floats
    item_rest: Floats
    biserial: Floats
    upper_lower: Floats
    b_index: Floats
    omitted: Floats
    not_reached: Floats
    by_score: TwoShares
    by_pass: TwoShares


@dataclass(frozen=True)
class Totals:
    """Each person's ``score`` and number of items ``given`` on the own form, and the ``share``; all (persons,)."""

    score: Floats
    given: Floats

    @property
    def share(self) -> Floats:
        """Score over items given; NaN for who was given nothing."""
        return ratio(self.score, self.given)


def totals(scores: Any, *, not_reached: NotReached = "not presented") -> Totals:
    """Score and number of items of each person."""
    parts = [(part.values.sum(axis=1), part.counts) for _, part in blocks(scores, not_reached)]
    return Totals(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def classical_table(scores: Any, *, passed: npt.ArrayLike | None = None, weights: npt.ArrayLike | None = None,
                    not_reached: NotReached = "not presented", minimum: int = 1) -> ClassicalTable:
    """All classical numbers of all items at once. ``passed`` and ``weights`` are (persons,).

    ``omitted`` and ``not_reached`` count rows, not weights. ValueError when ``passed`` does not fit.
    """
    sums, columns = _sums(scores, passed, weights, not_reached)
    n, k = sums["n"], sums["paired"]
    from_x = sums["xx"] - ratio(sums["x"] ** 2, k)
    from_y = sums["yy"] - ratio(sums["y"] ** 2, k)
    cross = sums["xy"] - ratio(sums["x"] * sums["y"], k)
    defined = (k >= max(minimum, 2)) & (from_x > 1e-9) & (from_y > 1e-9)
    rest = np.where(defined, cross / np.sqrt(np.where(defined, from_x * from_y, 1.0)), np.nan)
    skipped, unseen = coded(scores, OMITTED), coded(scores, NOT_REACHED)
    seen = columns + (unseen if not_reached == "not presented" else 0)
    enough = n >= minimum
    by_score = TwoShares(sums["upper"], sums["x_upper"], sums["lower"], sums["x_lower"])
    by_pass = TwoShares(sums["passed"], sums["x_passed"], n - sums["passed"], sums["all"] - sums["x_passed"])
    difficulties = np.where(enough, ratio(sums["all"], n), np.nan)
    return ClassicalTable(
        n, k, seen, difficulties, rest, rest * biserial_factor(ratio(sums["x"], k)),
        np.where(enough, by_score.difference(), np.nan), np.where(enough, by_pass.difference(), np.nan),
        np.where(seen >= minimum, ratio(skipped, seen), np.nan), np.where(seen >= minimum, ratio(unseen, seen), np.nan),
        by_score, by_pass)


def difficulty(scores: Any, *, minimum: int = 1) -> PerItem:
    """Share right among those who were given the item, shape (items,). Omitted counts as wrong."""
    table = classical_table(scores, minimum=minimum)
    return PerItem(table.difficulty, _whole(table.n))


def item_rest(scores: Any, *, minimum: int = 2) -> PerItem:
    """Corrected point-biserial: Pearson's r of the item with the rest of the person's own paper, shape (items,).

    The rest is the share right of the other items that this person was given, so the item never correlates with itself
    (Henrysson 1963, Psychometrika 28, 211-218) and papers of different items can be pooled. On one form it equals the
    usual item-rest correlation. Persons with a single item have no rest and do not count.
    """
    table = classical_table(scores, minimum=minimum)
    return PerItem(table.item_rest, _whole(table.paired))


def biserial(scores: Any, *, minimum: int = 2) -> PerItem:
    """Corrected biserial, shape (items,): as if a normal variable lay behind right and wrong; may exceed 1."""
    table = classical_table(scores, minimum=minimum)
    return PerItem(table.biserial, _whole(table.paired))


def biserial_factor(p: Floats) -> Floats:
    """sqrt(p q) / y, y the ordinate of the normal density at its p-quantile: point-biserial to biserial.

    Lord and Novick (1968), Statistical theories of mental test scores, eq. 15.9.3. NaN where p is 0 or 1 or no share.
    """
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    ordinate = np.exp(-(special.ndtri(safe) ** 2) / 2) / np.sqrt(2 * np.pi)
    return np.where(inside, np.sqrt(safe * (1 - safe)) / ordinate, np.nan)


def upper_lower(scores: Any, *, minimum: int = 2) -> PerItem:
    """P(right) of the upper minus that of the lower 27 % by share right, shape (items,).

    Kelley (1939), Journal of Educational Psychology 30, 17-24. The groups are exactly 27 %: persons with the score at
    which a group is full count with the same fraction each, so that no order of rows decides who belongs to it.
    """
    table = classical_table(scores, minimum=minimum)
    return PerItem(table.upper_lower, _whole(table.n))


def b_index(scores: Any, passed: npt.ArrayLike, *, minimum: int = 2) -> PerItem:
    """P(right | passed) - P(right | failed), shape (items,): the trade's discrimination.

    Brennan (1972), Educational and Psychological Measurement 32, 289-303. NaN unless both groups were given the item.
    ``passed`` is (persons,).
    """
    table = classical_table(scores, passed=passed, minimum=minimum)
    return PerItem(table.b_index, _whole(table.n))


def omission(scores: Any, omitted: Flags | None = None, *, minimum: int = 1) -> PerItem:
    """Share of those who had the item on their form and left it open, shape (items,).

    ``omitted`` (persons, items) tells it for floats, which know no codes.
    """
    if omitted is None:
        table = classical_table(scores, minimum=minimum)
        return PerItem(table.omitted, _whole(table.seen))
    shown = ~np.isnan(scores)
    n = shown.sum(axis=0)
    return PerItem(np.where(n >= minimum, ratio((omitted & shown).sum(axis=0), n), np.nan), _whole(n))


def choices(answers: Answers, scores: Floats) -> list[dict[str, int]]:
    """Per item, how many gave each answer (letters in order; omitted ones are left out). ``answers`` as ``scores``."""
    shown = ~np.isnan(scores)
    counted: list[dict[str, int]] = []
    for j in range(scores.shape[1]):
        given: Sequence[Any] = answers[shown[:, j], j].tolist()
        counted.append(dict(sorted(Counter(str(answer) for answer in given if answer).items())))
    return counted


def extremes(share: Floats, weights: Floats, part: float = KELLEY) -> tuple[Floats, Floats]:
    """How far each person belongs to the upper and to the lower group, 0 to 1, both (persons,).

    Groups of ``part`` of all weight; a tie at the border is shared out equally. NaN shares belong to neither.
    """
    known = ~np.isnan(share)
    values, place = np.unique(np.where(known, share, -1.0), return_inverse=True)
    mass = np.bincount(place, weights=np.where(known, weights, 0.0), minlength=len(values))
    size, before = part * mass.sum(), np.cumsum(mass) - mass
    low = np.clip(ratio(size - before, mass), 0.0, 1.0)
    high = np.clip(ratio(size - (mass.sum() - before - mass), mass), 0.0, 1.0)
    return np.where(known, np.nan_to_num(high)[place], 0.0), np.where(known, np.nan_to_num(low)[place], 0.0)


def ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    """Elementwise quotient; NaN where the divisor is 0 (1e-15 is rounding of a constant, not a divisor)."""
    top, bottom = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    safe = np.abs(bottom) > 1e-12
    return np.where(safe, top / np.where(safe, bottom, 1.0), np.nan)


def _sums(scores: Any, passed: npt.ArrayLike | None, weights: npt.ArrayLike | None,
          not_reached: NotReached) -> tuple[dict[str, Floats], Floats]:
    """Weighted sums (items,) by name, and how many rows were given each item."""
    own = totals(scores, not_reached=not_reached)
    weight = np.ones(len(own.score)) if weights is None else np.asarray(weights, dtype=np.float64)
    above = np.zeros(len(own.score)) if passed is None else np.asarray(passed, dtype=np.float64)
    if above.shape != own.score.shape or weight.shape != own.score.shape:
        raise ValueError(f"passed {above.shape} and weights {weight.shape} must be {own.score.shape}")
    upper, lower = extremes(own.share, weight)
    alone = own.given <= 1
    per = np.where(alone, 0.0, 1 / np.maximum(own.given - 1, 1))  # a share's step: one item of the rest
    counted = np.where(alone, 0.0, weight)
    whole = own.score * per - _CENTRE  # the rest of who had the item wrong, about the centre
    step, groups = counted * per, weight[:, None] * np.stack([np.ones(len(alone)), above, upper, lower], axis=1)
    of_given = np.column_stack([groups, counted, counted * whole, counted * whole**2, np.ones(len(alone))])
    of_values = np.column_stack([groups, counted, counted * whole, step, step * whole])
    of_squares = np.column_stack([counted, step, step * per])
    given, values, squares = (np.zeros((width, _width(scores))) for width in (8, 8, 3))
    for where, part in blocks(scores, not_reached):
        given += part.column_sums(of_given[where])
        values += of_values[where].T @ part.values
        squares += of_squares[where].T @ part.squares
    return {"n": given[0], "passed": given[1] if passed is not None else np.zeros_like(given[1]), "upper": given[2],
            "lower": given[3], "paired": given[4], "all": values[0], "x_passed": values[1], "x_upper": values[2],
            "x_lower": values[3], "x": values[4], "xx": squares[0], "y": given[5] - values[6],
            "yy": given[6] - 2 * values[7] + squares[2], "xy": values[5] - squares[1]}, given[7]


def _width(scores: Any) -> int:
    return int(scores.shape[1]) if isinstance(scores, np.ndarray) else next(blocks(scores))[1].values.shape[1]


def _whole(n: npt.ArrayLike) -> Integers:
    return np.asarray(np.rint(n), dtype=np.int64)
