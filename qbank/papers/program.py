"""A mixed integer linear program, collected column by column and row by row and solved with HiGHS. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


class Program:
    """A mixed integer linear program collected column by column and row by row, minimised with HiGHS."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats, Floats]] = []
        self._width = 0
        self._rows: list[tuple[Integers, Floats]] = []
        self._sides: list[tuple[float, float]] = []

    def columns(
        self,
        count: int,
        *,
        cost: npt.ArrayLike = 0.0,
        lower: npt.ArrayLike = 0.0,
        upper: npt.ArrayLike = inf,
        integer: bool = False,
    ) -> Integers:
        """Add variables; cost and bounds are scalars or shape (count,). Returns their indices, shape (count,)."""
        cost_, lower_, upper_ = (np.broadcast_to(np.asarray(v, dtype=float), count) for v in (cost, lower, upper))
        self._columns.append((cost_, lower_, upper_, np.full(count, float(integer))))
        self._width += count
        return np.arange(self._width - count, self._width, dtype=np.int64)

    def row(self, columns: Integers, coefficients: npt.ArrayLike, low: float, high: float) -> None:
        """Demand low <= sum of coefficient x variable <= high."""
        self._rows.append((columns, np.broadcast_to(np.asarray(coefficients, dtype=float), columns.shape)))
        self._sides.append((low, high))

    def near(self, columns: Integers, low: float, high: float, cost: float) -> None:
        """Ask softly for low <= sum <= high at `cost` per unit outside."""
        slack = self.columns(2, cost=cost)
        self.row(np.append(columns, slack), [1.0] * len(columns) + [1.0, -1.0], low, high)

    def solve(self, *, time_limit: float, gap: float) -> Solution:
        """Minimise within `time_limit` seconds, to the relative optimality gap `gap`."""
        cost, lower, upper, integrality = (np.concatenate(list(block)) for block in zip(*self._columns, strict=True))
        lengths = [len(columns) for columns, _ in self._rows]
        index = np.concatenate([columns for columns, _ in self._rows])
        data = np.concatenate([coefficients for _, coefficients in self._rows])
        pointer = np.concatenate([[0], np.cumsum(lengths)])
        matrix = csr_array((data, index, pointer), shape=(len(lengths), self._width))
        sides = np.array(self._sides)
        result = milp(
            cost,
            integrality=integrality,
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(matrix, sides[:, 0], sides[:, 1]),
            options={"time_limit": time_limit, "mip_rel_gap": gap},
        )
        values = None if result.x is None else np.asarray(result.x, dtype=float)
        reached = inf if values is None or result.mip_gap is None else float(result.mip_gap)
        return Solution(values, result.status == 2, result.status == 0, reached)


@dataclass(frozen=True)
class Solution:
    """`values` per column (None when none was found), proofs of infeasibility and of optimality, relative gap."""

    values: Floats | None
    infeasible: bool
    finished: bool
    gap: float
