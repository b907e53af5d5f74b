"""The bank as the engine sees it: one entry of every array per item. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.papers.engine.arrays import Floats, Integers

NEVER = 1_000_000  # sittings ago: an item that was in none


@dataclass(frozen=True, eq=False)
class ItemPool:
    """`n` items as arrays of length n; whatever is left out is unknown or the same for all of them.

    `keys` are unique and order the items: the same items in another order give the same forms. `points` are 鉴定点 (empty:
    unknown), `importance` is X, Y or Z, `grades` the difficulty 1 to 5, `answers` the key as canonical letters, `lengths`
    characters to read. `information` is (n, k): Fisher information at the k abilities in `abilities`, of which `cut` is the
    pass mark's; `expected` the expected share of the item's points at the pass mark, `b` the calibrated difficulty.
    `exposure` counts the papers of this year that an item was on, `last_used` the sittings since (1: the last one).
    Items of one `doubles` label say the same: one at most on a form. `pretest` marks items tried out, which count for
    nothing. `apart` are pairs of keys that do not meet on a form, `together` sets of keys that a form takes whole or not
    at all (one shared material); no item is in two sets. `earlier` names papers by their keys.
    """

    keys: Integers
    ranges: Sequence[str]
    kinds: Sequence[str]
    points: Sequence[str] = ()
    importance: Sequence[str] = ()
    grades: npt.ArrayLike = ()
    answers: Sequence[str] = ()
    lengths: npt.ArrayLike = ()
    abilities: Sequence[float] = ()
    cut: float | None = None
    information: npt.ArrayLike = ()
    expected: npt.ArrayLike = ()
    b: npt.ArrayLike = ()
    exposure: npt.ArrayLike = ()
    last_used: npt.ArrayLike = ()
    doubles: Sequence[str] = ()
    pretest: npt.ArrayLike = ()
    apart: Sequence[tuple[int, int]] = ()
    together: Sequence[frozenset[int]] = ()
    earlier: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = np.asarray(self.keys, dtype=np.int64)
        object.__setattr__(self, "keys", keys)
        if len(np.unique(keys)) != len(keys):
            raise ValueError("item keys must be unique")
        if sum(map(len, self.together)) != len(frozenset().union(*self.together)):
            raise ValueError("an item is in two sets")
        for name in ("ranges", "kinds", *OPTIONAL):
            if len(np.asarray(getattr(self, name))) not in ({len(keys)} if name in ("ranges", "kinds") else {0, len(keys)}):
                raise ValueError(f"{name}: one entry per item, or none")
        if len(self.information_at) and self.information_at.shape != (len(keys), len(self.abilities)):
            raise ValueError("information must be (items, abilities)")

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def information_at(self) -> Floats:
        """Information as floats (n, k); what is not known gives none."""
        return np.nan_to_num(np.asarray(self.information, dtype=np.float64))

    def numbers(self, name: str, otherwise: float = 0.0) -> Floats:
        """The array `name` as floats (n,), `otherwise` where it is not given."""
        values = np.asarray(getattr(self, name), dtype=np.float64)
        return values if len(values) else np.full(len(self), otherwise)

    def labels(self, name: str) -> npt.NDArray[np.str_]:
        """The array `name` as strings (n,), empty where it is not given."""
        values = np.asarray(getattr(self, name), dtype=np.str_)
        return values if len(values) else np.full(len(self), "", dtype="<U1")

    def by_kind(self, worth: Mapping[str, float]) -> Floats:
        """(n,) of each item what its kind is worth, 0 if it is not said."""
        kinds, at = np.unique(self.labels("kinds"), return_inverse=True)
        return np.array([worth.get(str(kind), 0.0) for kind in kinds])[at]

    def take(self, positions: Integers) -> ItemPool:
        """The items at `positions` alone, in that order; pairs, sets and papers keep their other keys."""
        chosen: dict[str, Any] = {}
        for found in fields(self):
            value = getattr(self, found.name)
            if found.name in ("keys", "ranges", "kinds", *OPTIONAL) and len(value):
                chosen[found.name] = np.asarray(value)[positions]
        return replace(self, **chosen)


OPTIONAL = ("points", "importance", "grades", "answers", "lengths", "information", "expected", "b", "exposure", "last_used",
            "doubles", "pretest")
