"""Forms in the making: what is on each, what every rule says of it, and what a swap would change. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.units import counts

HARD_COST = 1e6  # of one unit of a hard demand
ROUNDING = 1e-9


class State:
    """`on` (forms, n) and everything that follows from it, kept up to date by `put` and `take`.

    `content` (n, r) what an item adds to each of r bands, the aim's information last; `sums` (forms, r). A swap keeps the
    quotas of the cells, so they are not among the bands.
    """

    def __init__(self, problem: Problem) -> None:
        n, forms = problem.size, problem.forms
        self.problem = problem
        bands = problem.bands
        self.aims = 0 if problem.aim is None else problem.aim.information.shape[1]
        self.content = np.zeros((n, len(bands) + self.aims))
        for b, band in enumerate(bands):
            self.content[band.items, b] = band.values
        if problem.aim is not None:
            self.content[:, len(bands):] = problem.aim.information
        self.target = problem.aim.target if problem.aim is not None else np.empty(0)
        self.one_sided = problem.aim is not None and problem.aim.most
        self.low = np.array([band.low for band in bands])
        self.high = np.array([band.high for band in bands])
        self.price = np.array([(HARD_COST if band.weight is None else band.weight) / band.unit for band in bands])
        self.hard = np.array([0.0 if band.weight is not None else 1 / band.unit for band in bands])
        self.equal = np.array([band.equal for band in bands], dtype=bool)
        self.counted = np.flatnonzero([counts(band) for band in bands])
        self.real = np.setdiff1d(np.arange(self.content.shape[1]), self.counted)
        self.counts = np.ascontiguousarray(self.content[:, self.counted])
        self.amounts = np.ascontiguousarray(self.content[:, self.real])
        self.centre = np.zeros(len(bands))
        self.on = np.zeros((forms, n), dtype=bool)
        self.sums = np.zeros((forms, self.content.shape[1]))
        self.held = [np.zeros((forms, len(groups.least)), dtype=np.int64) for groups in problem.groups]
        self.blocked = np.zeros((forms, n), dtype=np.int16)
        self.used = np.zeros(n, dtype=np.int64)
        self.shared = np.zeros((forms, forms), dtype=np.int64)
        self._first, self._other = _neighbours(problem)

    def put(self, form: int, item: int) -> None:
        self._change(form, item, 1)

    def take(self, form: int, item: int) -> None:
        self._change(form, item, -1)

    def _change(self, form: int, item: int, sign: int) -> None:
        if sign < 0:
            self.on[form, item] = False
        self.shared[form] += sign * self.on[:, item]
        self.shared[:, form] += sign * self.on[:, item]
        if sign > 0:
            self.on[form, item] = True
        self.used[item] += sign
        self.sums[form] += sign * self.content[item]
        for groups, held in zip(self.problem.groups, self.held, strict=True):
            if groups.labels[item] >= 0:
                held[form, groups.labels[item]] += sign
        near = self._other[self._first[item]:self._first[item + 1]]
        self.blocked[form, near] += sign

    def saved(self) -> list[npt.NDArray[Any]]:
        """Everything that changes, copied."""
        return [part.copy() for part in (self.on, self.sums, self.blocked, self.used, self.shared, self.centre, *self.held)]

    def restore(self, saved: list[npt.NDArray[Any]]) -> None:
        """Back to what was saved."""
        for part, old in zip((self.on, self.sums, self.blocked, self.used, self.shared, self.centre, *self.held), saved, strict=True):
            part[...] = old

    def enemies(self, item: int) -> Integers:
        return self._other[self._first[item]:self._first[item + 1]]

    def settle(self) -> None:
        """Take the mean over forms as the centre of bands that ask for equality."""
        bands = len(self.low)
        self.centre = np.where(self.equal, self.sums[:, :bands].mean(axis=0), 0.0)

    def energy(self, sums: Floats) -> Floats:
        """Cost of forms with these sums (..., r): bands and aim."""
        return np.asarray(self._outside(sums[..., self.counted], self.counted).sum(axis=-1) + self.energy_of_amounts(sums[..., self.real]))

    def energy_of_amounts(self, amounts: Floats) -> Floats:
        """The part of the energy that comes from what is measured rather than counted, (..., real)."""
        bands = len(self.real) - self.aims
        cost: Floats = self._outside(amounts[..., :bands], self.real[:bands]).sum(axis=-1)
        if self.aims:
            cost = cost + self.problem.aim_cost * self.deviation(amounts[..., bands:])
        return cost

    def _outside(self, sums: Floats, bands: Integers) -> Floats:
        part = sums - self.centre[bands]
        over = np.maximum(np.maximum(self.low[bands] - part, part - self.high[bands]), 0.0)
        over[over < ROUNDING] = 0.0
        return np.asarray(over * self.price[bands])

    def steps(self, sums: Floats) -> tuple[Floats, Floats]:
        """What one item less and one more of each counted band cost forms with these sums (..., r)."""
        held = sums[..., self.counted]
        now, less, more = (self._outside(held + step, self.counted) for step in (0.0, -1.0, 1.0))
        return less - now, more - now

    def swapped(self, form: int, out: Integers, into: Integers) -> Floats:
        """What each swap adds to the energy of the form. A counted band changes by one at most, so that its part is looked up
        rather than counted anew: less[b] where only `out` is in b, more[b] where only `into` is."""
        sums = self.sums[form]
        gone, come = self.counts[out], self.counts[into]
        less, more = self.steps(sums)
        now = sums[self.real]
        gain = gone @ less + come @ more - (gone * come) @ (less + more)
        return np.asarray(gain + self.energy_of_amounts(now + self.amounts[into] - self.amounts[out]) - self.energy_of_amounts(now))

    def relief(self, form: int, moves: Floats) -> Floats:
        """What the bands that the form misses and its aim gain by each of `moves` (m, r), whatever other bands lose."""
        bands = len(self.low)
        part = self.sums[form, :bands] - self.centre
        wanted = np.where(part < self.low - ROUNDING, 1.0, np.where(part > self.high + ROUNDING, -1.0, 0.0)) * self.price
        gain: Floats = np.maximum(moves[:, :bands] * wanted, 0.0).sum(axis=1)
        if self.aims:
            now = self.sums[form, bands:]
            gain = gain + self.problem.aim_cost * np.maximum(0.0, self.deviation(now) - self.deviation(now + moves[:, bands:]))
        return gain

    def deviation(self, information: Floats) -> Floats:
        """Greatest deviation from the target over abilities, as a share of it; of a least only what is missing."""
        off = 1 - information / self.target
        return np.asarray((np.maximum(off, 0) if self.one_sided else np.abs(off)).max(axis=-1))

    def group_costs(self, form: int) -> list[tuple[Integers, Floats, Floats]]:
        """For each family of groups: labels of items, and what one less and one more of each label cost this form."""
        found = []
        for groups, held in zip(self.problem.groups, self.held, strict=True):
            price = HARD_COST if groups.weight is None else groups.weight
            count = held[form]
            now, less, more = (_outside(count + step, groups.least, groups.most) for step in (0, -1, 1))
            found.append((groups.labels, np.append((less - now) * price, 0.0), np.append((more - now) * price, 0.0)))
        return found

    def cost(self, form: int) -> float:
        """Everything that form pays, hard misses included."""
        total = float(self.energy(self.sums[form])) + float(self.problem.costs[self.on[form]].sum())
        for groups, held in zip(self.problem.groups, self.held, strict=True):
            price = HARD_COST if groups.weight is None else groups.weight
            total += price * float(_outside(held[form], groups.least, groups.most).sum())
        if self.problem.overlap is None:
            total += self.problem.share_cost * float(self.shared[form].sum())
        return total + HARD_COST * float(self.blocked[form][self.on[form]].sum()) / 2

    def misses(self, form: int) -> float:
        """Units of hard rules that form misses: bands, groups and pairs."""
        part = self.sums[form, :len(self.low)] - self.centre
        over = np.maximum(np.maximum(self.low - part, part - self.high), 0.0) * self.hard
        total = float(over[over > ROUNDING].sum()) + float(self.blocked[form][self.on[form]].sum()) / 2
        for groups, held in zip(self.problem.groups, self.held, strict=True):
            if groups.weight is None:
                total += float(_outside(held[form], groups.least, groups.most).sum())
        return total

    def full(self, form: int, items: Integers | slice = slice(None)) -> Flags:
        """(items,) which of them this form could not take without sharing too many with another, or using them too often."""
        limit = self.problem.overlap
        out = self.used[items] >= self.problem.uses[items]
        if limit is not None:
            tight = (self.shared[form] >= limit) & (np.arange(len(self.on)) != form)
            if tight.any():
                out = out | self.on[tight][:, items].any(axis=0)
        return np.asarray(out)


def _outside(count: Integers, least: Integers, most: Integers) -> Integers:
    return np.asarray(np.maximum(np.maximum(least - count, count - most), 0))


def _neighbours(problem: Problem) -> tuple[Integers, Integers]:
    """Items that may not meet, as a compressed table: those of i are other[first[i]:first[i + 1]]."""
    both = np.concatenate([problem.pairs, problem.pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    first = np.searchsorted(both[:, 0], np.arange(problem.size + 1))
    return first, np.ascontiguousarray(both[:, 1])
