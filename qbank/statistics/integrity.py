"""Alarms before scores are released: answers faster than reading, items that grow easier, keys that look wrong. Pure.

Alarms are for people who then look; none is a verdict on anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from qbank.statistics.distractors import OptionTable
from qbank.statistics.multiplicity import adjusted
from qbank.statistics.score_distribution import upper_tail

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ResponseTimes:
    """``thresholds`` (items,) in seconds; all others (persons,). ``impossible`` answers below the physical least or
    negative; ``rapid`` below the threshold, ``effort`` the share that is not (Wise and Kong 2005); ``rapid_right`` of them
    and ``rapid_right_p``, the chance of as many right by guessing (small: the answers were known before); ``unusual_p`` of
    the person's pattern of times under the lognormal model, ``unusual_adjusted`` for the number of persons. ``residuals``
    (persons, items) standardised log times, negative faster than expected of this person on this item."""

    thresholds: Floats
    impossible: npt.NDArray[np.int64]
    rapid: npt.NDArray[np.int64]
    effort: Floats
    rapid_right: npt.NDArray[np.int64]
    rapid_right_p: Floats
    unusual_p: Floats
    unusual_adjusted: Floats
    residuals: Floats


def response_times(times: npt.ArrayLike, right: npt.ArrayLike, *, least: npt.ArrayLike = 1.0,
                   guessing: npt.ArrayLike = 0.25, minimum: int = 30) -> ResponseTimes:
    """``times`` (persons, items) in seconds, NaN where unknown or not presented; ``right`` (persons, items) 1 or 0.

    ``least`` the physically possible time, a number or (items,), e.g. from the length of the stem. The threshold of rapid
    guessing is a tenth of the item's mean time, at most 10 s and at least ``least`` (Wise and Ma 2012: NT10); with fewer
    than ``minimum`` times it is ``least``. ``guessing`` the chance of a right answer without reading. Residuals are of van
    der Linden's lognormal model (2006, Journal of Educational and Behavioral Statistics 31, 181-204), their squares summed
    for each person (Marianti, Fox, Avetisyan, Veldkamp and Tijmstra 2014, same journal 39, 426-451).
    """
    seconds, correct = np.asarray(times, dtype=np.float64), np.asarray(right)
    if seconds.shape != correct.shape or seconds.ndim != 2:
        raise ValueError(f"times {seconds.shape} and right {correct.shape} must be persons by items")
    known, items = ~np.isnan(seconds), seconds.shape[1]
    physical = np.broadcast_to(np.asarray(least, dtype=np.float64), (items,))
    n = known.sum(axis=0)
    mean = np.where(known, seconds, 0.0).sum(axis=0) / np.maximum(n, 1)
    thresholds = np.where(n >= minimum, np.maximum(np.minimum(0.1 * mean, 10.0), physical), physical)
    rapid, answered = known & (seconds < thresholds), known.sum(axis=1)
    rapid_right = (rapid & (correct == 1)).sum(axis=1)
    chance = np.broadcast_to(np.asarray(guessing, dtype=np.float64), (items,)) * rapid
    residuals, unusual = _lognormal(np.where(known & (seconds > 0), seconds, np.nan))
    return ResponseTimes(thresholds, (known & (seconds < physical)).sum(axis=1), rapid.sum(axis=1),
                         np.where(answered > 0, 1 - rapid.sum(axis=1) / np.maximum(answered, 1), np.nan), rapid_right,
                         upper_tail(chance, rapid_right), unusual, adjusted(unusual, "holm"), residuals)


def _lognormal(seconds: Floats) -> tuple[Floats, Floats]:
    """Standardised residuals of log T = item - speed of the person + error / alpha of the item, and p of each person."""
    known, logs = ~np.isnan(seconds), np.log(np.where(np.isnan(seconds), 1.0, seconds))
    slow, speed, precision = np.zeros(seconds.shape[1]), np.zeros(len(seconds)), np.ones(seconds.shape[1])
    for _ in range(50):
        weight = known * precision
        slow = np.where(known, logs + speed[:, None], 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        before, speed = speed, (weight * (slow - logs)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
        speed = speed - speed.mean()
        rest = np.where(known, logs - slow + speed[:, None], 0.0)
        # Each person's speed takes one degree of freedom out of the residuals of all of their items.
        freedom = np.maximum((known * (1 - 1 / np.maximum(known.sum(axis=1, keepdims=True), 1))).sum(axis=0), 1)
        precision = freedom / np.maximum((rest**2).sum(axis=0), 1e-9 * freedom)
        if np.abs(speed - before).max(initial=0.0) < 1e-8:
            break
    standard = rest * np.sqrt(precision)
    degrees = known.sum(axis=1) - 1
    p = np.where(degrees > 0, stats.chi2.sf((standard**2).sum(axis=1), np.maximum(degrees, 1)), np.nan)
    return np.where(known, standard, np.nan), p


@dataclass(frozen=True)
class Drift:
    """Items over sittings in order of time. ``trend_z`` (items,) of right answers rising beyond what the sitting's ability
    explains, ``trend_p`` one-sided and ``adjusted_p`` for the number of items; ``cusum`` (sittings, items) the running sum
    and ``alarm`` (items,) the first sitting (0-based) at which it passes the limit, -1 for none; ``leaking`` either alarm.
    ``residuals`` (sittings, items) standardised. NaN where an item was in fewer than two sittings of the minimum n."""

    trend_z: Floats
    trend_p: Floats
    adjusted_p: Floats
    residuals: Floats
    cusum: Floats
    alarm: npt.NDArray[np.int64]
    leaking: Flags


def drift(right: npt.ArrayLike, n: npt.ArrayLike, *, expected: npt.ArrayLike | None = None, minimum: int = 30,
          level: float = 0.01, reference: float = 0.5, limit: float = 5.0) -> Drift:
    """Does the share right of an item rise over sittings more than its companions'? An item that is known grows easier.

    ``right`` and ``n`` (sittings, items) counts, n 0 where the item was not used. ``expected`` (sittings, items) the share
    right by ability, e.g. from a calibration; None: from a logit model of sitting plus item, so that an able sitting lifts
    all. The trend is the score test of a slope in time; the running sum is Page's (1954, Biometrika 41, 100-115) of the
    standardised residuals above ``reference``, with an alarm above ``limit``.
    """
    x, size = np.asarray(right, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if x.shape != size.shape or x.ndim != 2 or (x > size).any():
        raise ValueError("right answers and n are sittings by items, and no more right than answered")
    size = np.where(size >= minimum, size, 0.0)
    x = np.where(size > 0, x, 0.0)
    share = additive_logits(x, size) if expected is None else np.asarray(expected, dtype=np.float64)
    weight = size * share * (1 - share)
    time = np.arange(len(x), dtype=np.float64)[:, None]
    middle = (weight * time).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
    spread = (weight * (time - middle) ** 2).sum(axis=0)
    usable = ((size > 0).sum(axis=0) >= 2) & (spread > 1e-9)
    slope = ((time - middle) * (x - size * share)).sum(axis=0)
    trend = np.where(usable, slope / np.sqrt(np.where(usable, spread, 1.0)), np.nan)
    residuals = _standardised(x - size * share, weight, known=expected is not None)
    running, sums = np.zeros(x.shape[1]), np.zeros(x.shape)
    for sitting, row in enumerate(residuals):
        running = np.maximum(0.0, running + np.where(np.isnan(row), 0.0, row - reference))
        sums[sitting] = running
    over = sums > limit
    p = np.asarray(stats.norm.sf(trend), dtype=np.float64)
    p_adjusted = adjusted(p, "holm")
    alarm = np.where(over.any(axis=0), over.argmax(axis=0), -1)
    return Drift(trend, p, p_adjusted, residuals, sums, alarm, (np.nan_to_num(p_adjusted, nan=1.0) <= level) | (alarm >= 0))


def _standardised(excess: Floats, weight: Floats, *, known: bool) -> Floats:
    """Excess of right answers over its spread, (sittings, items); NaN where an item was not used.

    Where the shares are ``known`` by themselves, as it is. Else against the same item's earlier sittings only (recursive
    residuals: Brown, Durbin and Evans 1975, Journal of the Royal Statistical Society B 37, 149-163): a leak would otherwise
    lift the level that it is compared with. NaN then for the first sitting of an item.
    """
    used = weight > 1e-12
    if known:
        return np.where(used, excess / np.sqrt(np.where(used, weight, 1.0)), np.nan)
    before, behind = np.cumsum(weight, axis=0) - weight, np.cumsum(excess, axis=0) - excess
    compared = used & (before > 1e-12)
    safe = np.where(compared, before, 1.0)
    spread = np.sqrt(np.where(compared, weight + weight**2 / safe, 1.0))
    return np.where(compared, (excess - weight * behind / safe) / spread, np.nan)


def additive_logits(right: Floats, n: Floats) -> Floats:
    """Shares right of the model logit p = item + sitting, (sittings, items), by maximum likelihood, slightly pulled to the
    middle so that an item which everybody has right stays finite."""
    sitting, item = np.zeros(len(n)), special.logit((right.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1))
    for _ in range(200):
        share = special.expit(sitting[:, None] + item)
        step = (right - n * share).sum(axis=1) / ((n * share * (1 - share)).sum(axis=1) + 1e-9)
        sitting = sitting + np.clip(step, -1, 1)
        sitting = sitting - sitting.mean()
        share = special.expit(sitting[:, None] + item)
        own = ((right - n * share).sum(axis=0) + 0.5 - special.expit(item)) / ((n * share * (1 - share)).sum(axis=0) + 0.1)
        item = item + np.clip(own, -1, 1)
        if max(np.abs(step).max(initial=0.0), np.abs(own).max(initial=0.0)) < 1e-9:
            break
    return np.asarray(special.expit(sitting[:, None] + item), dtype=np.float64)


@dataclass(frozen=True)
class Exposure:
    """``rate`` (items,) share of all candidates who saw the item, ``latest`` the same of the last sitting, ``sittings`` in
    which it was used, ``over`` where the rate is above the most allowed."""

    rate: Floats
    latest: Floats
    sittings: npt.NDArray[np.int64]
    over: Flags


def exposure(n: npt.ArrayLike, persons: npt.ArrayLike, *, most: float = 0.3) -> Exposure:
    """How many have seen an item: ``n`` (sittings, items) who were given it, ``persons`` (sittings,) who sat."""
    seen, sat = np.asarray(n, dtype=np.float64), np.asarray(persons, dtype=np.float64)
    if seen.ndim != 2 or sat.shape != (len(seen),) or (seen > sat[:, None]).any():
        raise ValueError("n is sittings by items and persons one for each sitting, no more given than sat")
    everybody = sat.sum()
    rate = seen.sum(axis=0) / everybody if everybody else np.full(seen.shape[1], np.nan)
    latest = seen[-1] / sat[-1] if len(sat) and sat[-1] else np.full(seen.shape[1], np.nan)
    return Exposure(rate, latest, (seen > 0).sum(axis=0).astype(np.int64), np.nan_to_num(rate) > most)


@dataclass(frozen=True)
class KeySuspect:
    """``item`` (0-based), the ``option`` that looks like the key ("" for none), why, and whether chance is ruled out."""

    item: int
    option: str
    reasons: tuple[str, ...]
    certain: bool


NEGATIVE = "negative item-rest correlation"
BEATEN = "a distractor beats the key among the able"
OUTSHONE = "a distractor goes with ability more than the key"
NOBODY = "nobody chose the key"


def key_suspects(options: Sequence[OptionTable], *, minimum: int = 30, level: float = 0.05) -> list[KeySuspect]:
    """Items whose key should be looked at before scores are released, the certain ones first.

    Three signs: the key's point-biserial with the rest is negative; in the highest score group a distractor was chosen more
    often than the key; a distractor's point-biserial is positive and above the key's. ``certain``: the first with an upper
    bound below 0 (Fisher's z), the second by a one-sided sign test, or nobody chose the key at all. Items with fewer than
    ``minimum`` answers are silent.
    """
    found = [_suspect(item, table, level) for item, table in enumerate(options)
             if table.n >= minimum and not table.in_key.all()]
    return sorted((suspect for suspect in found if suspect is not None),
                  key=lambda suspect: (NOBODY not in suspect.reasons, not suspect.certain, -len(suspect.reasons), suspect.item))


def _suspect(item: int, table: OptionTable, level: float) -> KeySuspect | None:
    rivals = np.flatnonzero(~table.in_key)
    if not table.in_key.any():
        return KeySuspect(item, table.options[int(rivals[np.argmax(table.count[rivals])])], (NOBODY,), True)
    key, able = int(np.flatnonzero(table.in_key)[0]), np.flatnonzero(table.group_n >= 5)
    reasons, certain, mark = [], False, float(table.point_biserial[key])
    rival = int(rivals[np.argmax(np.nan_to_num(table.point_biserial[rivals], nan=-2.0))])
    if mark < 0:
        reasons.append(NEGATIVE)
        bound = np.arctanh(max(mark, -1 + 1e-15)) + stats.norm.ppf(1 - level) / np.sqrt(max(table.n - 3, 1))
        certain = bool(bound < 0)
    if len(able):
        top = int(able[-1])
        leader = int(rivals[np.argmax(table.by_group[top, rivals])])
        chosen = np.rint(table.by_group[top, [leader, key]] * table.group_n[top]).astype(int)
        if chosen[0] > chosen[1]:
            reasons.append(BEATEN)
            rival = leader
            certain |= bool(stats.binomtest(int(chosen[0]), int(chosen.sum()), alternative="greater").pvalue < level)
    if table.point_biserial[rival] > max(0.0, float(np.nan_to_num(mark))):
        reasons.append(OUTSHONE)
    named = BEATEN in reasons or OUTSHONE in reasons
    return KeySuspect(item, table.options[rival] if named else "", tuple(reasons), certain) if reasons else None
