"""The generic core: items x forms with per-form linear bands. Nothing here knows what a range or a grade is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers

SHARE_COST = 20.0  # of an item that two forms share, where sharing is free but unwanted
AIM_UNIT = 1e-3  # of the target: what a weight of the aim is the price of


@dataclass(frozen=True, eq=False)
class Band:
    """On each form: low <= sum of `values` over its items <= high.

    `weight` None is hard, else the cost of one `unit` outside. `equal`: the limits are about a centre that is free
    but the same for all forms.
    """

    rule: str
    name: str
    items: Integers
    values: Floats
    low: float
    high: float
    weight: float | None = None
    unit: float = 1.0
    equal: bool = False


@dataclass(frozen=True, eq=False)
class Groups:
    """On each form: of the items with label l at least least[l] and at most most[l]; `labels` (n,), -1 for none."""

    rule: str
    names: Sequence[str]
    labels: Integers
    least: Integers
    most: Integers
    weight: float | None = None


@dataclass(frozen=True, eq=False)
class Must:
    """Items that are on every form, or on `form` alone."""

    rule: str
    items: Integers
    form: int | None = None


@dataclass(frozen=True, eq=False)
class Bar:
    """Items that are on no form."""

    rule: str
    items: Integers


@dataclass(frozen=True, eq=False)
class Aim:
    """Information (n, k) against `target` (k,): `most` makes min over forms and k of information / target greatest,
    otherwise max |information / target - 1| is made least."""

    information: Floats
    target: Floats
    most: bool = False
    weight: float = 50.0  # of 0.1 % of the target


@dataclass(frozen=True, eq=False)
class Problem:
    """`quotas[c]` items of cell c on each of `forms` forms; every item is in one cell (`cells`, (n,)).

    `uses` (n,): the most forms that an item is on. `overlap`: the most items that two forms share; None: sharing costs.
    `pairs` (p, 2) do not meet on a form; of `sets` a form takes all or none. `costs` (n,): of each use of an item.
    """

    keys: Integers
    cells: Integers
    quotas: Integers
    cell_names: tuple[tuple[str, str], ...]
    forms: int
    uses: Integers
    overlap: int | None
    pairs: Integers
    sets: tuple[Integers, ...]
    bands: tuple[Band, ...]
    groups: tuple[Groups, ...]
    musts: tuple[Must, ...]
    bars: tuple[Bar, ...]
    costs: Floats
    aim: Aim | None
    seed: int
    share_cost: float = SHARE_COST

    @property
    def size(self) -> int:
        return len(self.keys)

    @property
    def aim_cost(self) -> float:
        """Of missing the target by all of it."""
        return 0.0 if self.aim is None else self.aim.weight / AIM_UNIT

    def open(self) -> Flags:
        """(n,) items that no bar keeps out."""
        held = self.uses > 0
        for bar in self.bars:
            held[bar.items] = False
        return held

    def must(self) -> Flags:
        """(forms, n) items that have to be on a form."""
        held = np.zeros((self.forms, self.size), dtype=bool)
        for must in self.musts:
            held[slice(None) if must.form is None else must.form, must.items] = True
        return held


def pair_codes(problem: Problem) -> Integers:
    """(p,) a number for each pair that stays its own when others are left out."""
    return problem.pairs[:, 0] * problem.size + problem.pairs[:, 1]
