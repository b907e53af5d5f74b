"""Calibration of more answer sheets than one array should hold: a province. Pure.

Chunks come from anywhere: rows of a database cursor, the batches of a Parquet file. With pyarrow, for example::

    def chunks():
        for batch in pyarrow.parquet.ParquetFile("answers.parquet").iter_batches(5_000_000):
            yield from_long(batch["person"], batch["item"], batch["score"], n_items=3000)

    calibrate_chunks(chunks, 3000, model="2PL", priors="default")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from qbank.statistics.calibration import Calibration
from qbank.statistics.engine.blocks import arrange
from qbank.statistics.engine.fitting import Progress
from qbank.statistics.engine.persons import InChunks, InMemory
from qbank.statistics.irt import MOST_ITERATIONS, TOLERANCE, Anchors, calibrate_persons
from qbank.statistics.priors import Priors
from qbank.statistics.responses import NotReached, Responses, as_responses


def calibrate_chunks(chunks: Callable[[], Iterable[Any]], n_items: int, model: str = "2PL",
                     priors: Priors | Mapping[str, Any] | str | None = None, anchors: Anchors | None = None,
                     labels: Sequence[Any] | None = None, se: bool = True, *, keep: bool = True, tolerance: float = TOLERANCE,
                     iterations: int = MOST_ITERATIONS, not_reached: NotReached = "not presented",
                     items: Sequence[str] | None = None, progress: Progress | None = None) -> Calibration:
    """:func:`irt.calibrate` over ``chunks()``: an iterator of anything that :func:`responses.as_responses` takes, persons by
    ``n_items`` each. A person must not be split over two chunks.

    With ``keep`` the sheets are read once and kept in memory at one byte for each answer of a form that many sat and five
    elsewhere: 2 million sheets of 100 items take 0.2 to 1 GB. Without it ``chunks`` is called again for each of the ten or
    twenty passes, and memory holds one chunk. ``labels`` of all groups, in order, where chunks carry groups.
    """
    order = tuple(labels) if labels is not None else (None,)

    def parts() -> Iterator[InMemory]:
        for chunk in chunks():
            yield in_memory(chunk, n_items, order, not_reached)

    kept = list(parts()) if keep else None
    persons = InChunks(parts if kept is None else lambda: kept)
    return calibrate_persons(persons, n_items, model=model, priors=priors, anchors=anchors, labels=order, se=se,
                             tolerance=tolerance, iterations=iterations, items=None if items is None else tuple(items), progress=progress)


def in_memory(chunk: Any, n_items: int, labels: tuple[Any, ...] = (None,),
              not_reached: NotReached = "not presented") -> InMemory:
    """One chunk arranged for the E-step. ValueError for another number of items, an unknown group or a score above 1."""
    data = as_responses(chunk).scored(not_reached)
    if data.n_items != n_items:
        raise ValueError(f"a chunk of {data.n_items} items; there are {n_items}")
    codes = data.scores.data if data.sparse else data.scores
    if codes.size and codes.max() > 1:
        raise ValueError(f"items are scored 0 or 1; there is a {codes.max()}")
    members = None
    if data.groups is not None and labels != (None,):
        known = {label: place for place, label in enumerate(labels)}
        try:
            members = np.array([known[label] for label in data.groups.tolist()], dtype=np.int64)
        except KeyError as unknown:
            raise ValueError(f"group {unknown} is not among {labels}") from None
    return InMemory(arrange(data, members), n_items, len(labels))


def from_long(persons: npt.ArrayLike, items: npt.ArrayLike, scores: npt.ArrayLike, n_items: int) -> Responses:
    """Sparse responses from one row for each answer: ``persons`` any labels, ``items`` places from 0 up to ``n_items``,
    ``scores`` with the codes of :mod:`responses`. Persons come out in the order of their labels. ValueError when a person
    has an item twice."""
    _, rows = np.unique(np.asarray(persons), return_inverse=True)
    columns = np.asarray(items, dtype=np.int64)
    if columns.size and (columns.min() < 0 or columns.max() >= n_items):
        raise ValueError(f"items run from 0 to {n_items - 1}")
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    if ((rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])).any():
        raise ValueError("a person has an item twice")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows))]).astype(np.int64)
    data = np.asarray(scores)[order].astype(np.int8)
    return as_responses(sparse.csr_array((data, columns.astype(np.int32), indptr.astype(np.int32)),
                                         shape=(len(indptr) - 1, n_items)))
