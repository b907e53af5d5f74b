"""Persons arranged for the E-step: by group and by what they were given, sorted by score, in runs that fit a cache. Pure.

Persons of one presentation pattern are one dense block, so that everything that depends on the items alone is computed
once for all of them. Persons whose pattern is rare share one block: with a mask where most items were presented, as
CSR where few were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.responses import Responses

FEWEST_OF_A_PATTERN = 24  # a block of its own costs about as much as this many persons in the shared one
DENSE_ENOUGH = 0.15  # share presented above which a masked dense block beats CSR
SHORT_TEST = 20  # items up to which equal answer patterns are worth looking for
CACHE_ELEMENTS = 200_000  # float64 numbers of one run: 1.6 MB


@dataclass(frozen=True, eq=False)
class Run:
    """Consecutive persons of a block, as floats. ``presented`` None: all of them were given every item of the block."""

    right: Any  # (persons, items) float64, dense or CSR
    presented: Any
    weights: Floats | None

    @property
    def persons(self) -> int:
        return int(self.right.shape[0])


@dataclass(frozen=True, eq=False)
class Block:
    """Persons of one group. ``codes`` int8 (persons, len(items)), dense or CSR; ``rows`` their places in the data."""

    codes: Any
    items: Integers
    group: int
    weights: Floats | None
    complete: bool
    rows: Integers | None = None

    @property
    def persons(self) -> int:
        return int(self.codes.shape[0])

    @property
    def sparse(self) -> bool:
        return not isinstance(self.codes, np.ndarray)

    @property
    def total_weight(self) -> float:
        return float(self.persons if self.weights is None else self.weights.sum())

    @property
    def step(self) -> int:
        """Persons of one run."""
        across = max(1, self.codes.nnz // max(1, self.persons) * 4 if self.sparse else len(self.items))
        return max(128, min(4096, CACHE_ELEMENTS // across))

    def starts(self) -> range:
        return range(0, self.persons, self.step)

    def runs(self) -> Iterator[Run]:
        """The block, run after run. A dense run is overwritten by the next one."""
        buffer = None if self.sparse else np.empty((min(self.step, self.persons), len(self.items)))
        for start in self.starts():
            codes = self.codes[start:start + self.step]
            weights = None if self.weights is None else self.weights[start:start + self.step]
            if buffer is None:
                yield Run(_like(codes, codes.data.astype(np.float64)), _like(codes, np.ones(len(codes.data))), weights)
                continue
            right = buffer[:len(codes)]
            if self.complete:
                np.copyto(right, codes)
                yield Run(right, None, weights)
            else:
                np.copyto(right, codes > 0)
                yield Run(right, (codes >= 0).astype(np.float64), weights)


def arrange(responses: Responses, groups: Integers | None = None, *, keep_rows: bool = False,
            by_score: bool = True) -> list[Block]:
    """Blocks of all persons who were given something. ``responses`` are scored; ``groups`` (persons,) counts from 0.

    With ``keep_rows`` each block knows its persons' rows, and equal patterns of short tests are not collapsed. Without
    ``by_score`` persons stay as they come.
    """
    weights = responses.weights
    everybody = np.ones(responses.persons, dtype=bool) if weights is None else weights > 0
    blocks: list[Block] = []
    for group in range(1 if groups is None else int(groups.max(initial=0)) + 1):
        members = np.flatnonzero(everybody if groups is None else everybody & (groups == group))
        if len(members):
            whole = len(members) == responses.persons
            scores = responses.scores if whole else responses.scores[members]
            split = _sparse_blocks if responses.sparse else _dense_blocks
            for block, rows in split(scores, group):
                rows = members[rows]
                own = None if weights is None else weights[rows]
                block = _sorted(block, rows, own, keep_rows) if by_score else replace(block, weights=own, rows=rows)
                blocks.append(block if keep_rows else _collapsed(block))
    return blocks


def _dense_blocks(codes: Any, group: int) -> Iterator[tuple[Block, Integers]]:
    presented = codes >= 0
    columns = np.arange(codes.shape[1])
    if presented.all():
        yield Block(codes, columns, group, None, True), np.arange(len(codes))
        return
    packed = np.ascontiguousarray(np.packbits(presented, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    rest = []
    for rows in _alike(keys):
        given = np.flatnonzero(presented[rows[0]])
        if len(given) and len(rows) >= FEWEST_OF_A_PATTERN:
            yield Block(codes[np.ix_(rows, given)], given, group, None, True), rows
        elif len(given):
            rest.append(rows)
    if rest:
        yield from _dense_rest(codes, presented, np.concatenate(rest), group)


def _dense_rest(codes: Any, presented: Any, rows: Integers, group: int) -> Iterator[tuple[Block, Integers]]:
    """Persons of rare patterns."""
    given = np.flatnonzero(presented[rows].any(axis=0))
    part = codes[np.ix_(rows, given)]
    if (part >= 0).mean() >= DENSE_ENOUGH:
        yield Block(part, given, group, None, False), rows
    else:
        line, column = np.nonzero(part >= 0)
        yield Block(_csr(part[line, column], given[column], np.bincount(line, minlength=len(rows)), codes.shape[1]),
                    np.arange(codes.shape[1]), group, None, False), rows


def _sparse_blocks(scores: Any, group: int) -> Iterator[tuple[Block, Integers]]:
    counts = np.diff(scores.indptr)
    # A random number for each item, summed over the person's items with overflow, names the pattern.
    names = np.random.default_rng(20).integers(0, 2**64, size=scores.shape[1], dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(names[scores.indices], dtype=np.uint64)])
    keys = sums[scores.indptr[1:]] - sums[scores.indptr[:-1]]
    rest = []
    for rows in _alike(keys):
        size = int(counts[rows[0]])
        if size and len(rows) >= FEWEST_OF_A_PATTERN:
            given = scores.indices[scores.indptr[rows[0]]:scores.indptr[rows[0]] + size]
            places = scores.indptr[rows][:, None] + np.arange(size)
            if not (counts[rows] == size).all() or not (scores.indices[places] == given).all():
                raise AssertionError("two presentation patterns share one 64-bit name")
            yield Block(scores.data[places], given.astype(np.int64), group, None, True), rows
        elif size:
            rest.append(rows)
    if rest:
        rows = np.concatenate(rest)
        yield Block(scores[rows], np.arange(scores.shape[1]), group, None, False), rows


def _alike(keys: Any) -> list[Integers]:
    """Rows of equal keys together."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    return list(np.split(order, np.cumsum(counts)[:-1]))


def _sorted(block: Block, rows: Integers, weights: Floats | None, keep_rows: bool) -> Block:
    """Persons in order of what they scored against what the items' difficulty lets expect."""
    codes = block.codes
    if block.sparse:
        n = np.maximum(np.bincount(codes.indices, minlength=codes.shape[1]), 1)
        ease = np.bincount(codes.indices, codes.data, minlength=codes.shape[1]) / n
        line = np.repeat(np.arange(codes.shape[0]), np.diff(codes.indptr))
        gain = np.bincount(line, codes.data - ease[codes.indices], minlength=codes.shape[0])
        gain = gain / np.sqrt(np.maximum(np.diff(codes.indptr), 1))
    elif block.complete:
        gain = codes.sum(axis=1, dtype=np.int32)
    else:
        right, presented = codes > 0, codes >= 0
        ease = right.sum(axis=0) / np.maximum(presented.sum(axis=0), 1)
        gain = (right.sum(axis=1) - presented @ ease) / np.sqrt(presented.sum(axis=1))
    order = np.argsort(gain, kind="stable")
    sorted_codes = codes[order] if block.sparse else np.ascontiguousarray(codes[order])
    return Block(sorted_codes, block.items, block.group, None if weights is None else weights[order], block.complete,
                 rows[order] if keep_rows else None)


def _collapsed(block: Block) -> Block:
    """Equal answers of a short complete form as one weighted row."""
    if not block.complete or len(block.items) > SHORT_TEST or block.codes.max(initial=0) > 1:
        return block
    keys = block.codes @ (1 << np.arange(len(block.items), dtype=np.int64))
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) > 0.7 * block.persons:
        return block
    weights = np.bincount(inverse, block.weights, minlength=len(first)).astype(np.float64)
    order = np.argsort(first)
    return Block(block.codes[first[order]], block.items, block.group, weights[order], True)


def _csr(data: Any, indices: Any, counts: Any, columns: int) -> Any:
    return sparse.csr_array((data, indices, np.concatenate([[0], np.cumsum(counts)])), shape=(len(counts), columns))


def _like(codes: Any, data: Floats) -> Any:
    return type(codes)((data, codes.indices, codes.indptr), shape=codes.shape)
