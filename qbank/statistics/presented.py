"""Scores as numbers beside who was given what: the two matrices that every classical formula needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.statistics.responses import NOT_PRESENTED, NOT_REACHED, OMITTED, NotReached, Responses, as_responses

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BLOCK = 1 << 16  # scores in one block of rows: as floats they stay in the processor's cache


@dataclass(frozen=True)
class Presented:
    """``values`` (persons, items) with 0 where nothing was presented; ``given`` (persons, items) 1.0 where something was,
    0.0 elsewhere, or None when everybody was given every item (half of the work falls away). ``binary``: all are 0 or 1."""

    values: Floats
    given: Floats | None
    binary: bool

    @property
    def squares(self) -> Floats:
        """``values`` squared, (persons, items)."""
        return self.values if self.binary else self.values**2

    @property
    def counts(self) -> Floats:
        """Items presented to each person, (persons,)."""
        persons, items = self.values.shape
        return np.full(persons, float(items)) if self.given is None else self.given.sum(axis=1)

    def column_sums(self, columns: Floats) -> Floats:
        """Sum over the persons who were given the item of each column: (persons, c) -> (c, items)."""
        if self.given is None:
            return np.repeat(columns.sum(axis=0)[:, None], self.values.shape[1], axis=1)
        return np.asarray(columns.T @ self.given)

    def mask(self) -> Flags:
        """Who was given what, (persons, items)."""
        return np.ones(self.values.shape, dtype=bool) if self.given is None else self.given > 0


def presented(scores: Any, not_reached: NotReached = "not presented") -> Presented:
    """From whatever :func:`as_responses` takes, and from floats with NaN where nothing was presented (partial credit)."""
    if not_reached not in ("not presented", "wrong"):
        raise ValueError(f"not_reached is 'not presented' or 'wrong', not {not_reached!r}")
    if _plain(scores):
        given = ~np.isnan(scores)
        whole = bool(given.all())
        values = scores if whole else np.where(given, scores, 0.0)
        return Presented(values, None if whole else given.astype(np.float64), bool(np.isin(values, (0.0, 1.0)).all()))
    codes = as_responses(scores).dense()
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
    if low >= 0:
        return Presented(codes.astype(np.float64), None, high <= 1)
    given = codes != NOT_PRESENTED
    if low == NOT_REACHED and not_reached == "not presented":
        given &= codes != NOT_REACHED
    return Presented(np.maximum(codes, 0).astype(np.float64), given.astype(np.float64), high <= 1)


def blocks(scores: Any, not_reached: NotReached = "not presented") -> Iterator[tuple[slice, Presented]]:
    """The same in blocks of rows, so that a province of sparse answer sheets never lies in memory as floats at once."""
    if not isinstance(scores, np.ndarray):
        scores = as_responses(scores)
    persons, items = (scores.persons, scores.n_items) if isinstance(scores, Responses) else scores.shape
    rows = max(1, BLOCK // max(items, 1))
    for start in range(0, max(persons, 1), rows):
        where = slice(start, min(start + rows, persons))
        part = scores.scores[where] if isinstance(scores, Responses) else scores[where]
        yield where, presented(Responses(part) if isinstance(scores, Responses) else part, not_reached)


def coded(scores: Any, code: int) -> npt.NDArray[np.int64]:
    """How many persons have this code (OMITTED, NOT_REACHED) on each item, (items,); floats know no codes: 0."""
    if _plain(scores):
        return np.zeros(scores.shape[1], dtype=np.int64)
    responses = as_responses(scores)
    if responses.sparse:
        hit = responses.scores.data == code
        return np.bincount(responses.scores.indices[hit], minlength=responses.n_items).astype(np.int64)
    if not responses.scores.size or responses.scores.min() > OMITTED:
        return np.zeros(responses.n_items, dtype=np.int64)
    return np.asarray((responses.scores == code).sum(axis=0), dtype=np.int64)


def _plain(scores: Any) -> bool:
    """Floats without codes among them."""
    return isinstance(scores, np.ndarray) and scores.dtype == np.float64 and not (scores < 0).any()
