"""Rules as a composer sets them, turned into the rules of the engine. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

import numpy as np

from qbank.papers.engine import rules as engine
from qbank.papers.engine.arrays import Floats
from qbank.papers.engine.items import ItemPool
from qbank.papers.rules import HARD, Setting
from qbank.papers.specification import Quotas

SIDES = (-1.0, 0.0, 1.0)  # of the cut, in units of the distance that is set
MOST_LETTERED = 26  # forms with a letter; more are a pool from which each candidate gets one
# The engine's names of rules, as causes carry them → the rows of the page.
ROW_OF: Mapping[str, str] = {
    engine.OnePerPoint.title: "points", engine.Importance.title: "importance", engine.Grades.title: "grades",
    engine.Difficulty.title: "difficulty", engine.Equal.title: "parallel", engine.Most.title: "sharpest",
    engine.Information.title: "information", engine.ExpectedScore.title: "expected", engine.Exposure.title: "exposure",
    engine.Rest.title: "rest", engine.Overlap.title: "overlap", engine.Earlier.title: "earlier", engine.LittleUsed.title: "fresh",
    engine.KeyBalance.title: "keys", engine.Length.title: "length", engine.Pretest.title: "pretest",
    engine.Pinned.title: "pinned", engine.Barred.title: "barred"}


def abilities(settings: Mapping[str, Setting], cut: float) -> tuple[float, ...]:
    """Where information is looked at: beside the cut, at it, beside it."""
    chosen = settings["sharpest"] if settings["sharpest"].on else settings["parallel"]
    return tuple(round(cut + side * chosen.numbers["beside"], 6) for side in SIDES)


def average_information(pool: ItemPool, quotas: Quotas, settings: Mapping[str, Setting], forms: int = 1) -> tuple[float, ...]:
    """What an average paper of this bank gives at each ability of the pool: each range and kind by its mean item.

    Where a difficulty mix is asked for, items count by it, as far as the bank carries it for all forms without sharing:
    otherwise the target would pull against the mix.
    """
    weight = _shares_asked(pool, settings, forms * sum(part.count for part in quotas.parts))
    total = np.zeros(len(pool.abilities))
    information, cells = pool.information_at, list(zip(pool.ranges, pool.kinds, strict=True))
    places: dict[tuple[str, str], list[int]] = {}
    for position, cell in enumerate(cells):
        places.setdefault(cell, []).append(position)
    for (key, p), count in quotas.counts.items():
        if count and (found := places.get((key, quotas.parts[p].kind))):
            wanted = weight[found]
            total += count * np.average(information[found], axis=0, weights=wanted if wanted.any() else None)
    return tuple(map(float, total))


def _shares_asked(pool: ItemPool, settings: Mapping[str, Setting], needed: int) -> Floats:
    """Of each item: how likely it is among ``needed`` items of the mix; grades that run out leave their place to the others."""
    grades = pool.numbers("grades", 3.0).astype(int)
    if not (rule := settings["grades"]).on or not len(grades):
        return np.ones(len(grades))
    held = np.bincount(grades, minlength=6)[:6].astype(float)
    asked = np.array([0.0, *(rule.numbers[f"g{grade}"] for grade in range(1, 6))]) / 100 * needed
    taken = np.minimum(asked, held)
    spare = held - taken
    taken += spare * min(1.0, (needed - taken.sum()) / max(spare.sum(), 1e-9))
    return np.asarray((taken / np.maximum(held, 1))[grades], dtype=np.float64)


def compiled(settings: Mapping[str, Setting], pool: ItemPool, quotas: Quotas, *, forms: int, pinned: frozenset[int],
             barred: frozenset[int]) -> list[engine.Rule]:
    """Every rule that is on. ``pinned`` and ``barred`` are keys of the pool."""
    items = sum(part.count for part in quotas.parts)
    found = [*_content(settings, items), *_measuring(settings, pool, quotas, forms), *_using(settings, items, forms)]
    if (pretest := settings["pretest"]).on:
        found.append(engine.Pretest(count={kind: int(count) for kind, count in pretest.numbers.items() if count}))
    if pinned:
        found.append(engine.Pinned(keys=pinned))
    if barred:
        found.append(engine.Barred(keys=barred))
    return found


def _content(settings: Mapping[str, Setting], items: int) -> list[engine.Rule]:
    found: list[engine.Rule] = []
    if (rule := settings["points"]).on:
        found.append(engine.OnePerPoint(weight=rule.price))
    if (rule := settings["importance"]).on:
        found.append(engine.Importance(shares={code: rule.numbers[code] / 100 for code in "XYZ"}, weight=rule.price,
                                       slack=ceil(items * rule.numbers["within"] / 100)))
    if (rule := settings["grades"]).on:
        found.append(engine.Grades(shares={grade: rule.numbers[f"g{grade}"] / 100 for grade in range(1, 6)},
                                   slack=int(rule.numbers["within"]), weight=rule.price))
    if (rule := settings["keys"]).on:
        found.append(engine.KeyBalance(slack=int(rule.numbers["within"]), weight=rule.price))
    if (rule := settings["length"]).on:
        found.append(engine.Length(most=int(rule.numbers["most"]), least=int(rule.numbers["least"]), weight=rule.price))
    return found


def _measuring(settings: Mapping[str, Setting], pool: ItemPool, quotas: Quotas, forms: int) -> list[engine.Rule]:
    found: list[engine.Rule] = []
    average = average_information(pool, quotas, settings, forms)
    if (rule := settings["difficulty"]).on:
        found.append(engine.Difficulty(mean=rule.numbers["mean"], tolerance=rule.numbers["within"], weight=rule.price))
    if (rule := settings["parallel"]).on:
        found.append(engine.Equal(target=tuple(value * rule.numbers["times"] / 100 for value in average), weight=float(rule.weight)))
    if (rule := settings["sharpest"]).on:
        found.append(engine.Most(weight=float(rule.weight)))
    if (rule := settings["information"]).on:
        shares = (rule.numbers["sides"], rule.numbers["cut"], rule.numbers["sides"])
        found.append(engine.Information(least=tuple(value * share / 100 for value, share in zip(average, shares, strict=True)),
                                        weight=rule.price))
    if (rule := settings["expected"]).on and forms > 1:
        found.append(engine.ExpectedScore(tolerance=rule.numbers["within"] / 2, weight=rule.price))
    return found


def _using(settings: Mapping[str, Setting], items: int, forms: int) -> list[engine.Rule]:
    found: list[engine.Rule] = []
    if (rule := settings["exposure"]).on:
        found.append(engine.Exposure(most=int(rule.numbers["most"]), weight=rule.price))
    if (rule := settings["rest"]).on:
        found.append(engine.Rest(sittings=int(rule.numbers["sittings"]), weight=rule.price))
    if (rule := settings["earlier"]).on:
        found.append(engine.Earlier(most=floor(items * rule.numbers["percent"] / 100), weight=rule.price))
    if settings["fresh"].on:
        found.append(engine.LittleUsed(weight=float(settings["fresh"].weight)))
    if forms > MOST_LETTERED:  # of a pool any two forms may lie side by side: always a limit
        found.append(engine.Overlap(most=floor(items * settings["overlap"].numbers["pool"] / 100)))
    elif (rule := settings["overlap"]).on and forms > 1:
        found.append(engine.Overlap(most=floor(items * rule.numbers["percent"] / 100) if rule.mode == HARD else None,
                                    weight=float(rule.weight)))
    return found


def tried(settings: Mapping[str, Setting], forms: int) -> dict[str, int]:
    """Kind → how many items without statistics are set apart to be tried out on so many forms."""
    rule = settings["pretest"]
    return {kind: int(count) * (forms + 2) for kind, count in rule.numbers.items() if count} if rule.on else {}
