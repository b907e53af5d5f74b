"""What a program chooses: single items, whole sets, or strata of like items of which only the number matters. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import Band, Problem

THIRDS = 3  # of the information within a cell and class


@dataclass(frozen=True, eq=False)
class Units:
    """`of_item` (n,) the unit of each item, -1 for items that are barred. `share` (n,) what one pick of the unit takes of
    an item: 1, or 1 / members where any one of a stratum may be meant. `stock` (units,) how often a form could pick it,
    `total` all forms together. `part`: what a pick counts for, 1 or, where those of all forms are counted together, 1 / forms.
    `alone` (units,): one item or one set, so that rules about items speak of it."""

    of_item: Integers
    share: Floats
    stock: Integers
    total: Integers
    alone: Flags
    part: float = 1.0

    @property
    def count(self) -> int:
        return len(self.stock)

    def spread(self, items: Integers, values: Floats) -> tuple[Integers, Floats]:
        """(units, coefficients) of what each of `items` gives."""
        at = self.of_item[items]
        inside = at >= 0
        summed: Floats = np.bincount(at[inside], weights=(values * self.share[items] * self.part)[inside], minlength=self.count).astype(np.float64)
        found = np.flatnonzero(summed)
        return found, np.asarray(summed[found], dtype=np.float64)


def items_and_sets(problem: Problem) -> Units:
    """Every set a unit and every other item one."""
    return _united(problem, np.arange(problem.size))


def strata(problem: Problem, most: int) -> Units:
    """Sets, musts and items of small groups apart; the rest by cell, class and third of information.

    The class is which whole-number bands an item counts in: hard bands first, then soft ones, as long as there are no
    more than `most` strata. What of an item is not in its stratum is left to the swaps.
    """
    labels = problem.cells.copy()
    for band in sorted((band for band in problem.bands if counts(band)), key=lambda band: band.weight is not None):
        marked = np.zeros(problem.size, dtype=np.int64)
        marked[band.items] = 1
        finer = np.unique(labels * 2 + marked, return_inverse=True)[1]
        if finer.max(initial=0) < most // THIRDS:
            labels = finer
    if problem.aim is not None:
        labels = labels * THIRDS + _thirds(labels, problem.aim.information.mean(axis=1))
    own = problem.must().any(axis=0)
    labels = np.where(own, labels.max(initial=0) + 1 + np.arange(problem.size), labels)
    return _united(problem, np.unique(labels, return_inverse=True)[1])


def classes(problem: Problem) -> Integers:
    """(n,) items with the same label are of one cell and count in the same whole-number bands."""
    labels = problem.cells
    for band in problem.bands:
        if counts(band):
            marked = np.zeros(problem.size, dtype=np.int64)
            marked[band.items] = 1
            labels = np.unique(labels * 2 + marked, return_inverse=True)[1]
    return labels


def ranks(labels: Integers, worth: Floats) -> Integers:
    """(n,) the place of each item among those of its label, from the worthiest, 0."""
    order = np.lexsort((-worth, labels))
    held = np.bincount(labels)
    first = np.concatenate([[0], np.cumsum(held)[:-1]])
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels)) - first[labels[order]]
    return place


def counts(band: Band) -> bool:
    """Whether the band counts items: in whole numbers, against limits of its own."""
    return bool((band.values == 1).all()) and not band.equal


def _thirds(labels: Integers, information: Floats) -> Integers:
    """Which third of its label's items each one is in, by information."""
    return np.asarray(ranks(labels, information) * THIRDS // np.bincount(labels)[labels], dtype=np.int64)


def _united(problem: Problem, labels: Integers) -> Units:
    """Units of the given labels, sets made one each; barred items and broken sets are in none."""
    inside = problem.open()
    labels = labels.copy()
    in_set = np.zeros(problem.size, dtype=bool)
    enemies = {(int(one), int(other)) for one, other in problem.pairs}
    for s, members in enumerate(problem.sets):
        labels[members] = labels.max() + 1 + s
        in_set[members] = True
        torn = any((int(one), int(other)) in enemies for one in members for other in members if one < other)
        if torn or not inside[members].all():
            inside[members] = False
    _, found = np.unique(labels[inside], return_inverse=True)
    of_item = np.full(problem.size, -1, dtype=np.int64)
    of_item[inside] = found
    members_of = np.bincount(found, minlength=0)
    whole = np.zeros(len(members_of), dtype=bool)
    whole[of_item[in_set & inside]] = True
    share = np.ones(problem.size)
    strata_items = inside & ~in_set
    share[strata_items] = 1 / members_of[of_item[strata_items]]
    total = np.bincount(found, weights=problem.uses[inside]).astype(np.int64)
    least = np.full(len(members_of), problem.forms)
    np.minimum.at(least, found, problem.uses[inside])
    return Units(of_item, share, np.where(whole, 1, members_of), np.where(whole, least, total), whole | (members_of == 1))
