"""A problem as a mixed integer program over units: one block of columns a form. Pure.

After van der Linden (2005), Linear models for optimal test design, chapters 2 to 6: items x forms, quotas and bands as
rows, minimax and maximin through one more column. `average`: the linear program of one form that stands for the mean of
all. Any set of forms averages to a solution of it (each item at most total / forms), so its optimum is a bound for all
forms at the price of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import Band, Groups, Problem, pair_codes
from qbank.papers.engine.units import Units
from qbank.papers.program import Program

DEAR = {"cell": 10.0, "must": 3.0}  # what an elastic program pays for a unit of a demand, others 1: the table itself goes last
LEVELS = 4  # second to fifth uses of an item apart; those beyond cost as the fifth
Demand: TypeAlias = tuple[str, int, int]  # kind, index of the band, groups or must, and which cell, label, item or pair


@dataclass(frozen=True)
class Slack:
    """Columns that say by how much a hard demand is missed."""

    demand: Demand
    columns: Integers


@dataclass
class Model:
    """The program of `problem` over `units`; `chosen` (forms, units) are the columns of the picks.

    `elastic` gives hard demands a price instead, `dear` times that of `DEAR`: all of
    them, or those in `free`.
    `softly` False leaves the soft rules and costs out, so that only the aim counts. `price`: what the aim's unit costs;
    deviations up to `tolerance` cost nothing. `whole`: which units are counted in whole numbers, by
    default all, of an average form none.
    """

    problem: Problem
    units: Units
    average: bool = False
    elastic: bool = False
    softly: bool = True
    price: float = 1.0
    whole: Flags | bool | None = None
    tolerance: float = 0.0
    free: frozenset[Demand] | None = None
    dear: float = 1.0
    program: Program = field(default_factory=Program)
    slacks: list[Slack] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem, units = self.problem, self.units
        self.forms = 1 if self.average else problem.forms
        lower, upper = self._bounds()
        cost = np.zeros(units.count)
        if self.softly:
            found, values = units.spread(np.arange(problem.size), problem.costs)
            cost[found] = values
        whole = not self.average if self.whole is None else self.whole
        columns = self.program.columns(self.forms * units.count, cost=np.tile(cost, self.forms), lower=lower.ravel(),
                                       upper=upper.ravel(), integer=np.tile(np.broadcast_to(whole, units.count), self.forms))
        self.chosen = columns.reshape(self.forms, units.count)
        self._quotas()
        for index, band in enumerate(problem.bands):
            if self.softly or band.weight is None:
                self._band(index, band)
        for index, groups in enumerate(problem.groups):
            if self.softly or groups.weight is None:
                self._groups(index, groups)
        self._pairs()
        if not self.average:
            self._uses()
            self._overlap()
        self._aim()
        self.repeated: tuple[Integers, ...] | None = None
        if self._shares_little:
            self._sharing(upper[0])

    @property
    def _musts_are_rows(self) -> bool:
        return self.elastic and (self.free is None or any(kind == "must" for kind, _, _ in self.free))

    def _bounds(self) -> tuple[Floats, Floats]:
        problem, units = self.problem, self.units
        must = problem.must()
        upper = np.minimum(units.stock, units.total / problem.forms if self.average else units.total) / units.part
        lower = np.zeros((problem.forms, units.count))
        inside = units.of_item >= 0
        for f in range(problem.forms):
            held = np.flatnonzero(must[f] & inside)
            lower[f, units.of_item[held]] = 1.0
        lower = lower.mean(axis=0, keepdims=True) / units.part if self.average else lower
        upper = np.minimum(upper, 1 / problem.forms) if self._shares_little else upper
        upper = np.maximum(np.broadcast_to(upper, lower.shape), lower)
        return (np.zeros_like(lower) if self._musts_are_rows else lower), upper

    def _slack(self, rows: Integers, kind: str, index: int, labels: Integers, *, below: bool = True, above: bool = True,
               unit: float = 1.0) -> None:
        """Elastic columns for rows (a row each); `labels` tells the demands of one rule apart."""
        if not self.elastic:
            return
        if self.free is not None:
            loose = np.array([(kind, index, int(label)) in self.free for label in labels], dtype=bool)
            rows, labels = rows[loose], labels[loose]
        sides = [sign for sign, wanted in ((1.0, below), (-1.0, above)) if wanted]
        held = []
        for sign in sides:
            columns = self.program.columns(len(rows), cost=self.dear * DEAR.get(kind, 1.0) / unit)
            self.program.enter(rows, columns, sign)
            held.append(columns)
        for label in np.unique(labels):
            self.slacks.append(Slack((kind, index, int(label)), np.concatenate([columns[labels == label] for columns in held])))

    def _quotas(self) -> None:
        problem, cells = self.problem, len(self.problem.quotas)
        rows = self.program.rows(np.tile(problem.quotas, self.forms), np.tile(problem.quotas, self.forms), self.forms * cells)
        inside = np.flatnonzero(self.units.of_item >= 0)
        place = self.units.of_item[inside] * cells + problem.cells[inside]
        found, at = np.unique(place, return_inverse=True)
        content = np.bincount(at, weights=self.units.share[inside]) * self.units.part
        for f in range(self.forms):
            self.program.enter(rows[f * cells + found % cells], self.chosen[f, found // cells], content)
        self._slack(rows, "cell", 0, np.tile(np.arange(cells), self.forms), above=False)
        self._musts()

    def _musts(self) -> None:
        """Elastic musts: a row for each of them; otherwise they are bounds."""
        for index, must in enumerate(self.problem.musts if self._musts_are_rows else ()):
            forms = range(self.forms) if must.form is None or self.average else [must.form]
            share = 1.0 if must.form is None or not self.average else 1 / self.problem.forms
            held = must.items[self.units.of_item[must.items] >= 0]
            for f in forms:
                rows = self.program.rows(share, inf, len(held))
                self.program.enter(rows, self.chosen[f, self.units.of_item[held]], 1.0)
                self._slack(rows, "must", index, held, above=False)

    def _band(self, index: int, band: Band) -> None:
        units, values = self.units.spread(band.items, band.values)
        rows = self.program.rows(band.low, band.high, self.forms)
        self.program.enter(rows[:, None], self.chosen[:, units], values[None, :])
        if band.equal:
            self.program.enter(rows, self.program.columns(1, lower=-inf), -1.0)
        if band.weight is None:
            self._slack(rows, "band", index, np.zeros(self.forms, dtype=np.int64), unit=band.unit)
        else:
            self._soft(rows, band.weight / band.unit, band.low > -inf, band.high < inf)

    def _soft(self, rows: Integers, cost: float, below: bool, above: bool) -> None:
        for sign, wanted in ((1.0, below), (-1.0, above)):
            if wanted:
                self.program.enter(rows, self.program.columns(len(rows), cost=cost), sign)

    def _groups(self, index: int, groups: Groups) -> None:
        """A row for every label that the units could take outside its limits; only where units are items."""
        inside = np.flatnonzero((groups.labels >= 0) & (self.units.of_item >= 0))
        if not self.units.alone.all():
            inside = inside[:0]
        held = np.bincount(groups.labels[inside], minlength=len(groups.least))
        wanted = (held > groups.most) | (groups.least > 0)
        number = np.cumsum(wanted) - 1
        count = int(wanted.sum())
        if not count:
            return
        inside = inside[wanted[groups.labels[inside]]]
        place = self.units.of_item[inside] * count + number[groups.labels[inside]]
        found, times = np.unique(place, return_counts=True)
        labels = np.flatnonzero(wanted)
        for f in range(self.forms):
            rows = self.program.rows(groups.least[labels], groups.most[labels], count)
            self.program.enter(rows[found % count], self.chosen[f, found // count], times * self.units.part)
            if groups.weight is None:
                self._slack(rows, "group", index, labels)
            else:
                self._soft(rows, groups.weight, bool((groups.least > 0).any()), True)

    def _pairs(self) -> None:
        at = self.units.of_item[self.problem.pairs]
        kept = np.flatnonzero((at >= 0).all(axis=1) & (at[:, 0] != at[:, 1]))
        kept = kept[self.units.alone[at[kept]].all(axis=1)]
        for f in range(self.forms):
            rows = self.program.rows(0, 1, len(kept))
            self.program.enter(rows[:, None], self.chosen[f, at[kept]], self.units.part)
            self._slack(rows, "pair", 0, pair_codes(self.problem)[kept], below=False)

    def _uses(self) -> None:
        """No unit more often than its items may be used by all forms together."""
        wanted = np.flatnonzero(self.units.total < self.forms * self.units.stock)
        if len(wanted):
            rows = self.program.rows(-inf, self.units.total[wanted], len(wanted))
            self.program.enter(rows[None, :], self.chosen[:, wanted], 1.0)

    def _overlap(self) -> None:
        """Both of two forms: z >= x + y - 1, for units that both may take; sum of z at most the limit, or at a price."""
        problem, units = self.problem, self.units
        wanted = np.flatnonzero(units.alone & (units.total > 1))
        if self.forms == 1 or not len(wanted) or (problem.overlap is not None and problem.overlap >= problem.quotas.sum()):
            return
        weight = np.bincount(units.of_item[units.of_item >= 0], minlength=units.count)[wanted].astype(np.float64)
        cost = weight * problem.share_cost if problem.overlap is None else 0.0
        for f in range(self.forms):
            for g in range(f):
                both = self.program.columns(len(wanted), cost=cost)
                rows = self.program.rows(-1, inf, len(wanted))
                self.program.enter(rows, both, 1.0)
                self.program.enter(rows, self.chosen[f, wanted], -1.0)
                self.program.enter(rows, self.chosen[g, wanted], -1.0)
                if problem.overlap is not None:
                    limit = self.program.rows(-inf, problem.overlap, 1)
                    self.program.enter(limit, both, weight)
                    self._slack(limit, "overlap", 0, np.zeros(1, dtype=np.int64), below=False)

    @property
    def _shares_little(self) -> bool:
        """Whether the average form has to hear of the overlap."""
        free = self.problem.overlap is None or self.problem.overlap >= self.problem.quotas.sum()
        return self.average and not free and self.problem.forms > 1 and bool(self.units.alone.all()) and bool((self.units.total > 1).any())

    def _sharing(self, upper: Floats) -> None:
        """An item on u forms is shared by u (u - 1) / 2 pairs of them: its use after the k-th costs k pairs. Such uses are columns
        of their own, `repeated` (units, columns), and all pairs together bound what they cost."""
        problem, forms = self.problem, self.problem.forms
        must = problem.must().sum(axis=0)
        pairs = forms * (forms - 1) / 2 * (problem.overlap or 0) - float((must * (must - 1) / 2).sum())
        row = self.program.rows(-inf, pairs, 1)
        size = np.bincount(self.units.of_item[self.units.of_item >= 0], minlength=self.units.count)
        times, found = np.minimum(self.units.total, forms), []
        for k in range(1, min(forms, LEVELS + 1)):
            more = np.flatnonzero((times > k) & (upper <= 1 / forms))
            room = np.minimum(1, times[more] - k) if k < LEVELS else times[more] - k
            again = self.program.copies(self.chosen[0, more], upper=room / forms)
            self.program.enter(row, again, k * forms * size[more])
            found.append((more, again))
        self._slack(row, "overlap", 0, np.zeros(1, dtype=np.int64), below=False)
        self.repeated = tuple(np.concatenate(side) for side in zip(*found, strict=True))

    def _aim(self) -> None:
        """One column: the greatest deviation as a share of the target, or the least information, over all forms."""
        aim, problem = self.problem.aim, self.problem
        if aim is None or (self.elastic and not self.softly):
            return
        cost, lower = (-self.price, -inf) if aim.most else (self.price, self.tolerance)
        reach = self.program.columns(1, cost=cost, lower=lower)
        for k, target in enumerate(aim.target.tolist()):
            units, values = self.units.spread(np.arange(problem.size), aim.information[:, k])
            for f in range(self.forms):
                for sign in (1.0,) if aim.most else (1.0, -1.0):
                    row = self.program.rows(0.0 if aim.most else -inf, inf if aim.most else sign * target, 1)
                    self.program.enter(row, self.chosen[f, units], sign * values)
                    self.program.enter(row, reach, -target)
