"""Right answers of two groups within strata of equal ability: what every method of differential item functioning counts.

Pure. Persons are matched on the number right of their own form (the studied item included, as Holland and Thayer advise),
and only with persons who were given as many items; where forms are told, only within a form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from qbank.statistics.presented import Presented, presented
from qbank.statistics.responses import NotReached, Responses, as_responses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """All (strata, items): persons of the reference and of the focal group who were given the item, and who had it right.

    ``matched`` (strata,) the matching value of each stratum.
    """

    reference: Floats
    reference_right: Floats
    focal: Floats
    focal_right: Floats
    matched: Floats

    def of(self, item: int) -> Counts:
        """The counts of one item, (strata, 1)."""
        one = slice(item, item + 1)
        return Counts(self.reference[:, one], self.reference_right[:, one], self.focal[:, one], self.focal_right[:, one],
                      self.matched)


@dataclass(frozen=True)
class TwoGroups:
    """Scores 0 or 1 of the persons of two groups; ``focal`` (persons,); ``forms`` (persons,) whole numbers."""

    scores: Presented
    focal: Flags
    forms: Integers

    @property
    def items(self) -> int:
        """How many."""
        return int(self.scores.values.shape[1])


def two_groups(responses: Any, groups: npt.ArrayLike | None, focal: Any, reference: Any = None,
               not_reached: NotReached = "not presented") -> TwoGroups:
    """The persons of the focal and of the reference group (None: everybody else).

    ``groups`` (persons,) labels; None takes those of ``responses``. ValueError when a group is empty or an item is not
    scored 0 or 1.
    """
    plain = isinstance(responses, np.ndarray) and responses.dtype == np.float64
    found = Responses(np.zeros((len(responses), 0), np.int8)) if plain else as_responses(responses)
    labels = np.asarray(found.groups if groups is None else groups)
    if labels.shape != (found.persons,):
        raise ValueError(f"groups {labels.shape} must be one label for each of {found.persons} persons")
    is_focal = labels == focal
    is_reference = ~is_focal if reference is None else labels == reference
    if not is_focal.any() or not is_reference.any():
        raise ValueError(f"nobody in the {'reference' if is_focal.any() else 'focal'} group")
    scores = presented(responses if plain else found, not_reached)
    if not scores.binary:
        raise ValueError("differential item functioning is studied on items scored 0 or 1")
    forms = np.zeros(len(labels), np.int64) if found.forms is None else np.unique(found.forms, return_inverse=True)[1]
    kept = is_focal | is_reference
    if kept.all():
        return TwoGroups(scores, is_focal, forms)
    part = Presented(scores.values[kept], None if scores.given is None else scores.given[kept], True)
    return TwoGroups(part, is_focal[kept], forms[kept])


def matching(persons: TwoGroups, items: Flags | None = None) -> tuple[Floats, Floats]:
    """Number right on ``items`` (None: all), and how many of them each person was given, both (persons,)."""
    scores = persons.scores
    if items is None or items.all():
        return scores.values.sum(axis=1), scores.counts
    chosen = items.astype(np.float64)
    total = scores.values @ chosen
    return total, np.full(len(total), chosen.sum()) if scores.given is None else scores.given @ chosen


def strata(persons: TwoGroups, total: Floats, given: Floats) -> Integers:
    """The stratum of each person: equal numbers right of equally many items, on the same form; (persons,)."""
    if persons.scores.given is None and not persons.forms.any():
        return total.astype(np.int64)
    wide = persons.items + 1
    key = (persons.forms * wide + given.astype(np.int64)) * wide + total.astype(np.int64)
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def counts(persons: TwoGroups, values: Floats, places: Integers, columns: slice = slice(None)) -> Counts:
    """Counts of the items in ``columns`` by stratum (``places``, (persons,)) and group; ``values`` (persons,) of matching.

    One product of a matrix of zeros and ones with the scores.
    """
    n = int(places.max()) + 1
    cell = places + n * persons.focal
    order, sizes = np.argsort(cell, kind="stable"), np.bincount(cell, minlength=2 * n)
    # One stored one for each person, in the row of the cell: CSR by hand, as a one-hot matrix would be 400 x 10,000.
    member = sparse.csr_array((np.ones(len(cell)), order, np.concatenate([[0], np.cumsum(sizes)])), shape=(2 * n, len(cell)))
    right = member @ persons.scores.values[:, columns]
    everybody = np.broadcast_to(sizes[:, None].astype(np.float64), right.shape)
    given = everybody if persons.scores.given is None else member @ persons.scores.given[:, columns]
    total = np.bincount(places, weights=values, minlength=n)
    size = np.bincount(places, minlength=n)
    return Counts(given[:n], right[:n], given[n:], right[n:], total / np.maximum(size, 1))
