"""Responses: who answered what, with omitted, not reached and not presented told apart. Pure.

One type for every function of this package. The scores are one of two shapes:

* dense, int8 (persons, items): 0 wrong, 1 right (0..m for items with more steps), or one of the three codes below;
* sparse, a CSR array of int8 in which every stored entry is an item that the person was given, *including stored
  zeros*; what is not stored was not presented. Trap: ``eliminate_zeros`` or arithmetic on such an array loses the wrong
  answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

NOT_PRESENTED, OMITTED, NOT_REACHED = -1, -2, -3

Scores: TypeAlias = npt.NDArray[np.int8]
NotReached: TypeAlias = Literal["not presented", "wrong"]


@dataclass(frozen=True, eq=False)
class Responses:
    """Scored responses of persons to items.

    ``scores`` (persons, items) as the module says. ``choices`` the raw answers: an array like dense scores, or (stored
    entries,) beside the data of a CSR array. ``weights`` (persons,) how many persons each row stands for, None for one
    each. ``groups`` (persons,) any labels. ``items`` the items' names. ``forms`` (persons,) which form each sat, any labels.
    ValueError when a shape or a code is wrong.
    """

    scores: Any  # int8 array or csr_array of int8
    choices: npt.NDArray[Any] | None = None
    weights: npt.NDArray[np.float64] | None = None
    groups: npt.NDArray[Any] | None = None
    items: tuple[str, ...] | None = None
    forms: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        codes = self.scores.data if self.sparse else self.scores
        if self.scores.ndim != 2 or codes.dtype != np.int8:
            raise ValueError("scores must be a two-dimensional array of int8, dense or CSR; see as_responses")
        if codes.size and codes.min() < NOT_REACHED:
            raise ValueError(f"scores hold a code below {NOT_REACHED}")
        for name in ("weights", "groups", "forms"):
            column = getattr(self, name)
            if column is not None and len(column) != self.persons:
                raise ValueError(f"{name} has {len(column)} entries for {self.persons} persons")
        if self.weights is not None and not (np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise ValueError("weights must be finite and not negative")
        if self.items is not None and len(self.items) != self.n_items:
            raise ValueError(f"{len(self.items)} names for {self.n_items} items")
        if self.choices is not None and self.choices.shape != codes.shape:
            raise ValueError(f"choices {self.choices.shape} must be {codes.shape}")

    @property
    def sparse(self) -> bool:
        """Whether the scores are a CSR array."""
        return bool(sparse.issparse(self.scores))

    @property
    def persons(self) -> int:
        """How many rows."""
        return int(self.scores.shape[0])

    @property
    def n_items(self) -> int:
        """How many columns."""
        return int(self.scores.shape[1])

    def dense(self) -> Scores:
        """Scores with all codes, int8 (persons, items)."""
        if not self.sparse:
            return np.asarray(self.scores, dtype=np.int8)
        full = np.full(self.scores.shape, NOT_PRESENTED, dtype=np.int8)
        full[np.repeat(np.arange(self.persons), np.diff(self.scores.indptr)), self.scores.indices] = self.scores.data
        return full

    def scored(self, not_reached: NotReached = "not presented") -> Responses:
        """The same under the policy: only scores 0..m and NOT_PRESENTED are left.

        An omitted item was read and left open: wrong (0). One that was not reached says nothing about the person's
        ability (Lord 1980, Applications of item response theory, chapter 15): not presented, unless ``not_reached`` is
        "wrong". Nothing is copied where there is nothing to change.
        """
        codes = self.scores.data if self.sparse else self.scores
        if not codes.size or codes.min() >= (0 if self.sparse else NOT_PRESENTED):
            return self
        if self.sparse:
            return self._scored_sparse(not_reached)
        return replace(self, scores=_policy(codes, not_reached))

    def _scored_sparse(self, not_reached: NotReached) -> Responses:
        data = _policy(self.scores.data, not_reached)
        rows = np.repeat(np.arange(self.persons), np.diff(self.scores.indptr))
        kept = data >= 0
        counts = np.bincount(rows[kept], minlength=self.persons)
        parts = data[kept], self.scores.indices[kept], np.concatenate([[0], np.cumsum(counts)])
        choices = None if self.choices is None else self.choices[kept]
        return replace(self, scores=sparse.csr_array(parts, shape=self.scores.shape), choices=choices)

    def floats(self, not_reached: NotReached = "not presented") -> npt.NDArray[np.float64]:
        """Scores as (persons, items) floats with NaN where nothing was presented, as :mod:`classical` takes them."""
        codes = self.scored(not_reached).dense()
        return np.where(codes < 0, np.nan, codes.astype(np.float64))


def as_responses(data: Any, *, weights: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None) -> Responses:
    """Whatever holds responses, as :class:`Responses`; arrays of int8 and CSR arrays of int8 are not copied.

    Takes Responses; a scipy.sparse array or matrix whose stored entries are what was presented; a DataFrame (columns are
    the items' names); or anything numpy reads as (persons, items): 0..m, the codes of this module, NaN or None for not
    presented. ``weights`` and ``groups`` replace those of ``data``. ValueError when a value is neither a score nor a code.
    """
    if isinstance(data, Responses):
        found = data
    elif sparse.issparse(data):
        found = Responses(_csr(data))
    elif isinstance(data, pd.DataFrame):
        found = Responses(_codes(data.to_numpy()), items=tuple(str(name) for name in data.columns))
    else:
        found = Responses(_codes(np.asarray(data)))
    if weights is not None:
        found = replace(found, weights=np.asarray(weights, dtype=np.float64))
    if groups is not None:
        found = replace(found, groups=np.asarray(groups))
    return found


def stacked(parts: Sequence[Responses]) -> Responses:
    """Persons of several responses to the same items, one under the other; choices, items and forms are left out."""
    if any(part.sparse for part in parts):
        scores: Any = sparse.vstack([_csr(part.scores) if part.sparse else _presented(part.scores) for part in parts], "csr")
    else:
        scores = np.concatenate([part.scores for part in parts])
    weights, groups = None, None
    if any(part.weights is not None for part in parts):
        weights = np.concatenate([np.ones(part.persons) if part.weights is None else part.weights for part in parts])
    if all(part.groups is not None for part in parts):
        groups = np.concatenate([part.groups for part in parts if part.groups is not None])
    return Responses(_csr(scores) if sparse.issparse(scores) else scores, weights=weights, groups=groups)


def _policy(codes: Scores, not_reached: NotReached) -> Scores:
    if not_reached not in ("not presented", "wrong"):
        raise ValueError(f"not_reached is 'not presented' or 'wrong', not {not_reached!r}")
    scored = np.where(codes == OMITTED, np.int8(0), codes)
    unseen = np.int8(NOT_PRESENTED if not_reached == "not presented" else 0)
    return np.where(scored == NOT_REACHED, unseen, scored)


def _codes(values: npt.NDArray[Any]) -> Scores:
    """Any two-dimensional array as int8 codes; NaN and None are not presented."""
    if values.ndim != 2:
        raise ValueError(f"responses are persons by items, not of {values.ndim} dimensions")
    if values.dtype == np.int8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.int8)
    numbers = values if values.dtype.kind in "iuf" else pd.DataFrame(values).apply(pd.to_numeric).to_numpy(np.float64)
    if numbers.dtype.kind == "f":
        numbers = np.where(np.isnan(numbers), NOT_PRESENTED, numbers)
    codes: Scores = numbers.astype(np.int8)
    if not np.array_equal(codes, numbers):
        raise ValueError("a response is neither a whole score from 0 to 127 nor a code")
    return codes


def _csr(values: Any) -> Any:
    """A scipy.sparse array as CSR of int8, stored zeros kept, columns of each row in order."""
    rows = sparse.csr_array(values)
    if rows.data.dtype != np.int8:
        rows = sparse.csr_array((_codes(rows.data[None, :])[0], rows.indices, rows.indptr), shape=rows.shape)
    if not rows.has_sorted_indices:
        rows = rows.copy()
        rows.sort_indices()
    return rows


def _presented(codes: Scores) -> Any:
    """Dense codes as a CSR array of what was presented."""
    rows, columns = np.nonzero(codes != NOT_PRESENTED)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(codes)))])
    return sparse.csr_array((codes[rows, columns], columns, indptr), shape=codes.shape)
