"""The E-step of marginal maximum likelihood over blocks of persons. Pure.

Bock and Aitkin (1981), Psychometrika 46, 443-459. Persons of a block are sorted by score, so a run of them needs the
window of nodes alone on which some of them have posterior mass; what is dropped is below 1e-9 of a person's mass.

Where nothing is guessed the likelihood depends on theta through the weighted score s = sum of a u, and the complete-data
log-likelihood on the answers through sum of u E(theta): two products of a matrix with a vector take the place of the two
matrix products that guessing needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.engine.blocks import Block, Run
from qbank.statistics.engine.curves import log_odds, log_wrong
from qbank.statistics.engine.parameters import Point
from qbank.statistics.engine.quadrature import Grid

DROPPED = np.log(1e-11)  # against the largest node; the sum of what lies beyond is below 1e-9 of the mass


@dataclass(frozen=True, eq=False)
class Sums:
    """What the M-step needs, summed over persons with their weights.

    ``presented`` (Q, items) posterior mass of those who were given the item; ``right`` (items,) who got it right and
    ``right_theta`` (items,) their posterior means; ``right_at`` (Q, items) their posterior mass, None where not asked for;
    ``groups`` (groups, Q) posterior mass; ``windows`` of each block's runs, to begin the next E-step with.
    """

    presented: Floats
    right: Floats
    right_theta: Floats
    right_at: Floats | None
    groups: Floats
    log_likelihood: float
    windows: tuple[Integers, ...]

    def plus(self, other: Sums) -> Sums:
        """The sums over the persons of both; windows one after the other."""
        both = None if self.right_at is None or other.right_at is None else self.right_at + other.right_at
        return Sums(self.presented + other.presented, self.right + other.right, self.right_theta + other.right_theta, both,
                    self.groups + other.groups, self.log_likelihood + other.log_likelihood, self.windows + other.windows)


@dataclass(frozen=True, eq=False)
class Tables:
    """What depends on the parameters alone: (Q, items) log odds (None where nothing is guessed) and log(1 - P)."""

    point: Point
    nodes: Floats
    prior: Floats
    log_wrong: Floats
    log_odds: Floats | None

    @classmethod
    def of(cls, point: Point, grid: Grid) -> Tables:
        guessed = bool((point.items[:, 2] > -np.inf).any())
        return cls(point, grid.nodes, grid.prior(point), log_wrong(grid.nodes, point.items),
                   log_odds(grid.nodes, point.items) if guessed else None)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Of one run on its window: ``mass`` (w, persons), not normalised, with its ``total``; ``log_marginal`` (persons,)."""

    low: int
    high: int
    mass: Floats
    total: Floats
    log_marginal: Floats


class BlockTables:
    """:class:`Tables` for the items of one block."""

    def __init__(self, tables: Tables, block: Block) -> None:
        columns: Any = slice(None) if len(block.items) == len(tables.point.items) else block.items
        self.nodes = tables.nodes
        self.items = tables.point.items[columns]
        self.log_wrong = tables.log_wrong[:, columns]
        odds = None if tables.log_odds is None else tables.log_odds[:, columns]
        self.log_odds = odds if (self.items[:, 2] > -np.inf).any() else None
        self.prior = tables.prior[block.group]
        self.base = self.prior + self.log_wrong.sum(axis=1) if block.complete else self.prior

    def posterior(self, run: Run, window: Integers) -> Posterior:
        """The posterior of a run, on ``window`` or wider."""
        scores = run.right @ np.ascontiguousarray(self.items[:, :2]) if self.log_odds is None else None
        if scores is not None and run.presented is None:
            low, high = self.window(scores[:, 0])
            return self._on(run, low, high, scores)
        low, high = int(window[0]), int(window[1])
        found = self._on(run, low, high, scores)
        while (low > 0 and found.mass[0].max() > 1e-10) or (high < len(self.nodes) and found.mass[-1].max() > 1e-10):
            margin = max(4, high - low)
            low, high = max(0, low - margin), min(len(self.nodes), high + margin)
            found = self._on(run, low, high, scores)
        return found

    def window(self, scores: Floats) -> tuple[int, int]:
        """Nodes that matter for weighted ``scores`` on a complete form: the posterior is log-concave in theta and ordered in
        the score, so the ends follow from the smallest and the largest one."""
        lowest = scores.min() * self.nodes + self.base
        highest = scores.max() * self.nodes + self.base
        low = int(np.argmax(lowest > lowest.max() + DROPPED))
        return low, len(self.nodes) - int(np.argmax((highest > highest.max() + DROPPED)[::-1]))

    def _on(self, run: Run, low: int, high: int, scores: Floats | None) -> Posterior:
        if scores is not None:
            mass = np.multiply.outer(self.nodes[low:high], scores[:, 0])
        else:
            odds = self.nodes[:, None] * self.items[:, 0] + self.items[:, 1] if self.log_odds is None else self.log_odds
            mass = _times(odds[low:high], run.right)
        if run.presented is not None:
            mass += _times(self.log_wrong[low:high], run.presented)
        mass += self.base[low:high, None]
        top = mass.max(axis=0)
        mass -= top
        np.exp(mass, out=mass)
        total = mass.sum(axis=0)
        marginal = np.log(total) + top
        if scores is not None:
            marginal += scores[:, 1]
        return Posterior(low, high, mass, total, marginal)


class _Accumulator:
    """Sums over the runs of one block."""

    def __init__(self, block: Block, nodes: int, full: bool) -> None:
        across = len(block.items)
        self.complete = block.complete
        self.mass = np.zeros(nodes)
        self.presented = None if block.complete else np.zeros((nodes, across))
        self.right_at = np.zeros((nodes, across)) if full else None
        self.moments = np.zeros((2, across))
        self.log_likelihood = 0.0

    def add(self, run: Run, found: Posterior, nodes: Floats) -> None:
        share = 1 / found.total if run.weights is None else run.weights / found.total
        window = slice(found.low, found.high)
        self.mass[window] += found.mass @ share
        means = (nodes[window] @ found.mass) * share
        ones = np.ones(run.persons) if run.weights is None else run.weights
        self.moments += _times_back(np.stack([ones, means]), run.right)
        self.log_likelihood += float(ones @ found.log_marginal)
        if self.presented is not None or self.right_at is not None:
            weighted = found.mass * share
            if self.presented is not None:
                self.presented[window] += _times_back(weighted, run.presented)
            if self.right_at is not None:
                self.right_at[window] += _times_back(weighted, run.right)


def estep(blocks: Sequence[Block], point: Point, grid: Grid, *, full: bool = False,
          windows: Sequence[Integers] | None = None) -> Sums:
    """Sums over all persons of ``blocks`` at ``point``; with ``full`` also ``right_at``."""
    tables = Tables.of(point, grid)
    nodes, n_items = len(grid.nodes), len(point.items)
    presented, moments = np.zeros((nodes, n_items)), np.zeros((2, n_items))
    right_at = np.zeros((nodes, n_items)) if full else None
    groups, log_likelihood = np.zeros((len(point.groups), nodes)), 0.0
    used: list[Integers] = []
    for place, block in enumerate(blocks):
        local = BlockTables(tables, block)
        window = None if windows is None else windows[place]
        own, sums = _over(block, local, window, nodes, full)
        used.append(own)
        presented[:, block.items] += sums.mass[:, None] if sums.presented is None else sums.presented
        moments[:, block.items] += sums.moments
        if right_at is not None and sums.right_at is not None:
            right_at[:, block.items] += sums.right_at
        groups[block.group] += sums.mass
        log_likelihood += sums.log_likelihood
    return Sums(presented, moments[0], moments[1], right_at, groups, log_likelihood, tuple(used))


def _over(block: Block, local: BlockTables, windows: Integers | None, nodes: int,
          full: bool) -> tuple[Integers, _Accumulator]:
    sums = _Accumulator(block, nodes, full)
    if windows is None:
        windows = np.tile(np.array([0, nodes]), (len(block.starts()), 1))
    used = np.empty_like(windows)
    for place, run in enumerate(block.runs()):
        found = local.posterior(run, windows[place])
        if run.presented is None and local.log_odds is None:
            used[place] = found.low, found.high
        else:
            alive = np.flatnonzero(found.mass.max(axis=1) > 1e-11)
            used[place] = max(0, found.low + alive[0] - 1), min(nodes, found.low + alive[-1] + 2)
        sums.add(run, found, local.nodes)
    return used, sums


def _times(table: Floats, persons: Any) -> Floats:
    """``table`` (w, items) by ``persons`` (persons, items), as (w, persons)."""
    if isinstance(persons, np.ndarray):
        return np.asarray(table @ persons.T)
    return np.ascontiguousarray((persons @ np.ascontiguousarray(table.T)).T)


def _times_back(table: Floats, persons: Any) -> Floats:
    """``table`` (w, persons) by ``persons`` (persons, items), as (w, items)."""
    if isinstance(persons, np.ndarray):
        return np.asarray(table @ persons)
    return np.asarray((persons.T @ np.ascontiguousarray(table.T)).T)
