"""Differential item functioning by Mantel and Haenszel: does an item ask more of one group at equal ability? Pure.

A large value is a reason for people to look at the item, never a verdict on it: a real difference in what two classes were
taught shows in the same way as an unfair wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from qbank.statistics.responses import NotReached
from qbank.statistics.strata import Counts, TwoGroups, counts, matching, strata, two_groups

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DELTA = -2.35  # ETS delta of one unit of log odds: Holland and Thayer (1988)


@dataclass(frozen=True)
class MantelHaenszel:
    """All (items,). ``chi_square`` (1 degree of freedom) and its ``p_value``; ``odds_ratio`` the common odds of a right
    answer, reference over focal (above 1: the item is harder for the focal group); ``log_odds_se`` the standard error of its
    logarithm; ``delta`` = -2.35 log(odds ratio) (negative: harder for the focal group) and ``delta_se``; ``effect`` the ETS
    class "A" (negligible), "B" (moderate), "C" (large), "" where undefined; ``flagged`` p below the level; ``n_reference``
    and ``n_focal`` persons who count. NaN where no stratum holds both groups and both answers, or n is below the minimum.

    ``purified`` whether flagged items were left out of the matching, after ``rounds`` rounds; ``converged`` False when the
    set of flagged items did not settle.
    """

    chi_square: Floats
    p_value: Floats
    odds_ratio: Floats
    log_odds_se: Floats
    delta: Floats
    delta_se: Floats
    effect: npt.NDArray[np.str_]
    flagged: Flags
    n_reference: Floats
    n_focal: Floats
    purified: bool
    rounds: int
    converged: bool


def mantel_haenszel(responses: Any, groups: npt.ArrayLike | None = None, *, focal: Any = 1, reference: Any = None,
                    purify: bool = False, correct: bool = True, level: float = 0.05, max_rounds: int = 10,
                    minimum: int = 1, not_reached: NotReached = "not presented") -> MantelHaenszel:
    """Mantel-Haenszel DIF of all items at once.

    Mantel and Haenszel (1959), Journal of the National Cancer Institute 22, 719-748; Holland and Thayer (1988), in Wainer
    and Braun, Test validity, 129-145. ``groups`` (persons,) labels, ``focal`` the label of the group that is looked at,
    ``reference`` the other one (None: everybody else). ``correct`` subtracts 0.5 from abs(A - E(A)) before it is squared,
    also where that is less than 0.5, as difR does. ``purify`` matches on
    the unflagged items and the studied one, again and again until the flagged ones no longer change (Candell and Drasgow
    1988, Applied Psychological Measurement 12, 253-260). ``minimum`` the least n of either group. ValueError as
    :func:`two_groups` says.
    """
    persons = two_groups(responses, groups, focal, reference, not_reached)
    everything = np.ones(persons.items, dtype=bool)
    found = _statistics(_matched(persons, everything), correct, level, minimum)
    if not purify:
        return _report(found, purified=False, rounds=0, converged=True)
    rounds, converged = 0, not found.flagged.any()
    seen = [found.flagged]
    while not converged and rounds < max_rounds:
        rounds += 1
        anchors = ~found.flagged if (~found.flagged).any() else everything
        found = _statistics(_matched(persons, anchors), correct, level, minimum)
        converged = bool((found.flagged == seen[-1]).all())
        seen.append(found.flagged)
    return _report(found, purified=True, rounds=rounds, converged=converged)


@dataclass(frozen=True)
class _Found:
    chi_square: Floats
    odds_ratio: Floats
    variance: Floats
    flagged: Flags
    n_reference: Floats
    n_focal: Floats
    level: float


def _matched(persons: TwoGroups, anchors: Flags) -> list[tuple[list[int], Counts]]:
    """Counts of the anchor items together, and of each other item on strata that hold it beside the anchors."""
    total, given = matching(persons, anchors)
    parts = [(np.flatnonzero(anchors).tolist(), counts(persons, total, strata(persons, total, given)))]
    for item in np.flatnonzero(~anchors).tolist():
        own = total + persons.scores.values[:, item]
        many = given + (1.0 if persons.scores.given is None else persons.scores.given[:, item])
        parts.append(([item], counts(persons, own, strata(persons, own, many), slice(item, item + 1))))
    return parts


def _statistics(parts: list[tuple[list[int], Counts]], correct: bool, level: float, minimum: int) -> _Found:
    width = sum(len(items) for items, _ in parts)
    columns = np.full((5, width), np.nan)
    for items, counted in parts:
        whole = common_odds(counted, correct)
        columns[:, items] = whole if len(items) == 1 and whole.shape[1] == 1 else whole[:, items]
    chi_square, odds_ratio, variance, n_reference, n_focal = columns
    few = (n_reference < minimum) | (n_focal < minimum)
    chi_square, odds_ratio, variance = (np.where(few, np.nan, column) for column in (chi_square, odds_ratio, variance))
    flagged = np.nan_to_num(chi_square) >= stats.chi2.ppf(1 - level, 1)
    return _Found(chi_square, odds_ratio, variance, flagged, n_reference, n_focal, level)


def common_odds(c: Counts, correct: bool = True) -> Floats:
    """Chi-square, common odds ratio, variance of its logarithm, n of the reference and of the focal group: (5, items).

    The variance is that of Robins, Breslow and Greenland (1986, Biometrics 42, 311-323), in the form of Phillips and
    Holland (1987, Biometrics 43, 425-431), which is the same number.
    """
    size = c.reference + c.focal
    used = size > 1
    safe = np.where(used, size, 2.0)
    right = c.reference_right + c.focal_right
    wrong_reference, wrong_focal = c.reference - c.reference_right, c.focal - c.focal_right
    expected = np.where(used, c.reference * right / safe, 0.0).sum(axis=0)
    spread = np.where(used, c.reference * c.focal * right * (size - right) / (safe**2 * (safe - 1)), 0.0).sum(axis=0)
    distance = np.abs(np.where(used, c.reference_right, 0.0).sum(axis=0) - expected) - (0.5 if correct else 0.0)
    concordant, discordant = c.reference_right * wrong_focal, c.focal_right * wrong_reference
    above, below = np.where(used, concordant / safe, 0.0).sum(axis=0), np.where(used, discordant / safe, 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # no information: 0 / 0 is NaN, and one-sided is 0 or infinity
        odds = above / below
        weighted = (concordant + odds * discordant) * (c.reference_right + wrong_focal + odds * (c.focal_right + wrong_reference))
        variance = np.where(used, weighted / safe**2, 0.0).sum(axis=0) / (2 * above**2)
        chi_square = distance**2 / spread
    finite = np.isfinite(odds) & (odds > 0)
    return np.stack([np.where(spread > 0, chi_square, np.nan), np.where(spread > 0, odds, np.nan),
                     np.where(finite, variance, np.nan), c.reference.sum(axis=0), c.focal.sum(axis=0)])


def ets_class(delta: Floats, delta_se: Floats, p_value: Floats, level: float = 0.05) -> npt.NDArray[np.str_]:
    """A, B or C of each item (Zieky 1993, in Holland and Wainer, Differential item functioning, 337-347).

    A: the chi-square is not significant or abs(delta) < 1. C: abs(delta) >= 1.5 and significantly above 1, one-sided. B:
    the rest. "" where delta is NaN.
    """
    size = np.abs(delta)
    large = (size >= 1.5) & ((size - 1) / delta_se > stats.norm.ppf(1 - level))
    classes = np.where((p_value >= level) | (size < 1), "A", np.where(large, "C", "B"))
    return np.where(np.isnan(delta), "", classes)


def _report(found: _Found, *, purified: bool, rounds: int, converged: bool) -> MantelHaenszel:
    p_value = np.asarray(stats.chi2.sf(found.chi_square, 1), dtype=np.float64)
    with np.errstate(divide="ignore"):
        delta = DELTA * np.log(found.odds_ratio)
    log_se = np.sqrt(found.variance)
    delta_se = abs(DELTA) * log_se
    return MantelHaenszel(found.chi_square, p_value, found.odds_ratio, log_se, delta, delta_se,
                          ets_class(delta, delta_se, p_value, found.level), found.flagged, found.n_reference,
                          found.n_focal, purified, rounds, converged)
