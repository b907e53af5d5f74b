"""Which parameters are free, which are fixed and which are shared. Pure.

The state of a calibration is a :class:`Point`. The solver sees the free ones only, as one vector; :class:`Layout` goes
back and forth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qbank.statistics.arrays import Flags, Floats, Integers


@dataclass(frozen=True, eq=False)
class Point:
    """``items`` (items, 3): a, d, g as :mod:`curves`; ``groups`` (groups, 2): mean and log standard deviation of theta."""

    items: Floats
    groups: Floats


@dataclass(frozen=True, eq=False)
class Layout:
    """``base`` holds the fixed values; ``item_places`` (items, 3) and ``group_places`` (groups, 2) where each free
    parameter stands in the vector, -1 where it is fixed. Equal places are one shared parameter."""

    base: Point
    item_places: Integers
    group_places: Integers

    @property
    def size(self) -> int:
        return int(max(self.item_places.max(initial=-1), self.group_places.max(initial=-1))) + 1

    @property
    def common_slope(self) -> bool:
        """Whether free slopes are one parameter."""
        slopes = self.item_places[:, 0]
        free = slopes[slopes >= 0]
        return bool(len(free) > 1 and (free == free[0]).all())

    def vector(self, point: Point) -> Floats:
        found = np.empty(self.size)
        for places, values in ((self.item_places, point.items), (self.group_places, point.groups)):
            found[places[places >= 0]] = values[places >= 0]
        return found

    def point(self, vector: Floats) -> Point:
        items, groups = self.base.items.copy(), self.base.groups.copy()
        for places, values in ((self.item_places, items), (self.group_places, groups)):
            values[places >= 0] = vector[places[places >= 0]]
        return Point(items, groups)

    def collect(self, by_items: Floats, by_groups: Floats) -> Floats:
        """The gradient by the free parameters from the gradients by all; shared ones are summed."""
        found = np.zeros(self.size)
        for places, values in ((self.item_places, by_items), (self.group_places, by_groups)):
            np.add.at(found, places[places >= 0], values[places >= 0])
        return found


def layout(base: Point, free_items: Flags, free_groups: Flags, *, common_slope: bool) -> Layout:
    """Places of the parameters whose flag is set, item after item, then the groups; a common slope stands first."""
    free = np.asarray(free_items, dtype=bool).copy()
    shared = free[:, 0].copy() if common_slope else np.zeros(len(free), dtype=bool)
    free[shared, 0] = False
    first = int(shared.any())
    places = np.where(free, first + np.cumsum(free).reshape(free.shape) - 1, -1)
    places[shared, 0] = 0
    last = first + int(free.sum())
    group_free = np.asarray(free_groups, dtype=bool)
    group_places = np.where(group_free, last + np.cumsum(group_free).reshape(group_free.shape) - 1, -1)
    return Layout(base, places.astype(np.int64), group_places.astype(np.int64))
