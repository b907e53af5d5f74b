"""Quadrature nodes chosen from the data. Pure.

Equally spaced nodes: the trapezoidal rule is spectrally accurate for a bell. With spacing h and a posterior of standard
deviation s its relative error is about 2 exp(-2 (pi s / h)^2) (Trefethen and Weideman 2014, SIAM Review 56, 385-458):
4e-5 of one person's mass at h = 1.35 s, 3e-19 after the nodes are doubled once. A fixed number of
nodes fails on long tests, where the posterior is narrow, without any sign of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qbank.statistics.arrays import Floats
from qbank.statistics.engine.blocks import Block
from qbank.statistics.engine.curves import item_information
from qbank.statistics.engine.parameters import Point

SPACING = 1.35  # in units of the smallest posterior standard deviation
WIDEST = 0.5  # in units of the smallest prior standard deviation
REACH = 6.0  # prior standard deviations on either side
MOST = 2001


@dataclass(frozen=True, eq=False)
class Grid:
    """``nodes`` (Q,) equally spaced by ``step``."""

    nodes: Floats
    step: float

    def prior(self, point: Point) -> Floats:
        """log of the density of theta times the step, (groups, Q)."""
        mean, log_sd = point.groups[:, :1], point.groups[:, 1:]
        z = (self.nodes - mean) * np.exp(-log_sd)
        return np.asarray(-0.5 * z * z - log_sd - 0.5 * np.log(2 * np.pi) + np.log(self.step))

    def doubled(self) -> Grid:
        """The same reach with one node more between each two."""
        return grid(self.nodes[0], self.nodes[-1], self.step / 2)

    def covers(self, point: Point) -> bool:
        """Whether the prior of every group still lies well inside."""
        mean, sd = point.groups[:, 0], np.exp(point.groups[:, 1])
        return bool(((mean - 5 * sd) > self.nodes[0]).all() and ((mean + 5 * sd) < self.nodes[-1]).all()
                    and self.step <= 0.8 * sd.min())


def grid(low: float, high: float, step: float) -> Grid:
    """Nodes from ``low`` to ``high``, no further apart than ``step``."""
    count = min(MOST, int(np.ceil((high - low) / step - 1e-9)) + 1)
    nodes = np.linspace(low, high, count)
    return Grid(nodes, float(nodes[1] - nodes[0]))


def grid_for(information: Floats, theta: Floats, point: Point) -> Grid:
    """Nodes for tests whose largest information at ``theta`` is ``information``, both (points,)."""
    mean, sd = point.groups[:, 0], np.exp(point.groups[:, 1])
    inside = (theta >= (mean - 4 * sd).min()) & (theta <= (mean + 4 * sd).max())
    most = float(information[inside].max(initial=0.0))
    smallest = 1 / np.sqrt(most + 1 / float(sd.min()) ** 2)
    step = min(SPACING * smallest, WIDEST * float(sd.min()))
    return grid(float((mean - REACH * sd).min()), float((mean + REACH * sd).max()), step)


def largest_information(blocks: Sequence[Block], point: Point, theta: Floats) -> Floats:
    """The largest test information that anybody's items give at each ``theta``, (points,)."""
    each = item_information(theta, point.items)
    found = np.zeros(len(theta))
    for block in blocks:
        if block.complete:
            found = np.maximum(found, each[:, block.items].sum(axis=1))
        else:
            for run in block.runs():
                found = np.maximum(found, (run.presented @ np.ascontiguousarray(each[:, block.items].T)).max(axis=0))
    return found
