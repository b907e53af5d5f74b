"""Where the persons are: in memory, in chunks that are read again for each pass, or spread over a cluster. Pure.

The fit asks for sums over persons only, so :class:`Persons` is all that it knows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.engine.blocks import Block
from qbank.statistics.engine.estep import Sums, estep
from qbank.statistics.engine.expansion import Form, form_of, merged
from qbank.statistics.engine.observed_information import missing_information
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.engine.quadrature import Grid, largest_information


@dataclass(frozen=True, eq=False)
class Tallies:
    """Over persons with their weights: ``n`` and ``right`` (items,); ``persons`` (groups,) with something presented;
    ``covariance`` (items,) sum of the products of an item's residual with those of the person's other items and
    ``others`` (items,) sum of how many other items those persons had, both None at the first look."""

    n: Floats
    right: Floats
    persons: Floats
    covariance: Floats
    others: Floats

    def plus(self, other: Tallies) -> Tallies:
        return Tallies(self.n + other.n, self.right + other.right, self.persons + other.persons,
                       self.covariance + other.covariance, self.others + other.others)


class Persons(Protocol):
    """Sums over persons; every method is one pass over the data."""

    def tallies(self, ease: Floats | None) -> Tallies: ...

    def forms(self) -> list[Form]: ...

    def largest_information(self, point: Point, theta: Floats) -> Floats: ...

    def sums(self, point: Point, grid: Grid, *, full: bool = False) -> Sums: ...

    def missing_information(self, point: Point, layout: Layout, grid: Grid) -> Floats: ...


class InMemory:
    """All persons in blocks."""

    def __init__(self, blocks: Sequence[Block], n_items: int, n_groups: int) -> None:
        self.blocks, self.n_items, self.n_groups = list(blocks), n_items, n_groups
        self._windows: tuple[Integers, ...] | None = None
        self._nodes = 0

    def tallies(self, ease: Floats | None) -> Tallies:
        found = Tallies(*(np.zeros(self.n_groups if place == 2 else self.n_items) for place in range(5)))
        for block in self.blocks:
            _tally(block, None if ease is None else ease[block.items], found)
        return found

    def forms(self) -> list[Form]:
        return merged([form_of(block) for block in self.blocks], self.n_items)

    def largest_information(self, point: Point, theta: Floats) -> Floats:
        return largest_information(self.blocks, point, theta)

    def sums(self, point: Point, grid: Grid, *, full: bool = False) -> Sums:
        windows = self._windows
        if windows is not None and self._nodes != len(grid.nodes):
            ratio = (len(grid.nodes) - 1) / max(1, self._nodes - 1)
            windows = tuple(np.stack([np.floor(own[:, 0] * ratio), np.minimum(np.ceil(own[:, 1] * ratio), len(grid.nodes))],
                                     axis=1).astype(np.int64) for own in windows)
        found = estep(self.blocks, point, grid, full=full, windows=windows)
        self._windows, self._nodes = found.windows, len(grid.nodes)
        return found

    def missing_information(self, point: Point, layout: Layout, grid: Grid) -> Floats:
        return missing_information(self.blocks, point, layout, grid)


class InChunks:
    """Persons that are read again for each pass: ``chunks()`` gives the parts, each as :class:`InMemory`."""

    def __init__(self, chunks: Callable[[], Iterable[InMemory]]) -> None:
        self.chunks = chunks

    def tallies(self, ease: Floats | None) -> Tallies:
        return _summed(chunk.tallies(ease) for chunk in self.chunks())

    def forms(self) -> list[Form]:
        parts = [chunk.forms() for chunk in self.chunks()]
        size = max((int(form.items.max(initial=-1)) + 1 for part in parts for form in part), default=0)
        return merged([form for part in parts for form in part], size)

    def largest_information(self, point: Point, theta: Floats) -> Floats:
        return np.asarray(np.max([chunk.largest_information(point, theta) for chunk in self.chunks()], axis=0))

    def sums(self, point: Point, grid: Grid, *, full: bool = False) -> Sums:
        found: Sums | None = None
        for chunk in self.chunks():
            part = chunk.sums(point, grid, full=full)
            found = part if found is None else found.plus(part)
        if found is None:
            raise ValueError("there are no chunks")
        return found

    def missing_information(self, point: Point, layout: Layout, grid: Grid) -> Floats:
        found = np.zeros((layout.size, layout.size))
        for chunk in self.chunks():
            found += chunk.missing_information(point, layout, grid)
        return found


def _summed(parts: Iterable[Tallies]) -> Tallies:
    found: Tallies | None = None
    for part in parts:
        found = part if found is None else found.plus(part)
    if found is None:
        raise ValueError("there are no chunks")
    return found


def _tally(block: Block, ease: Floats | None, out: Tallies) -> None:
    items = block.items
    out.persons[block.group] += block.total_weight
    for run in block.runs():
        weights = np.ones(run.persons) if run.weights is None else run.weights
        presented = run.presented
        n = np.full(len(items), weights.sum()) if presented is None else np.asarray(weights @ presented)
        right = np.asarray(weights @ run.right)
        out.n[items] += n
        out.right[items] += right
        if ease is None:
            continue
        # Residuals u - p where presented; the person's total less the item's own.
        given = np.full(run.persons, float(len(items))) if presented is None else np.asarray(presented.sum(axis=1)).ravel()
        expected = ease.sum() if presented is None else presented @ ease
        total = weights * (np.asarray(run.right.sum(axis=1)).ravel() - expected)
        with_others = np.asarray(total @ run.right) - ease * (total.sum() if presented is None else total @ presented)
        out.covariance[items] += with_others - (right * (1 - ease) ** 2 + (n - right) * ease**2)
        counts = weights * (given - 1)
        out.others[items] += counts.sum() if presented is None else np.asarray(counts @ presented)
