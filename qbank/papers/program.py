"""A mixed integer linear program, collected column by column and row by row and solved by HiGHS in a child process. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from qbank.papers.engine.arrays import Floats, Integers
from qbank.papers.engine.child import Child, borrowed

__all__ = ["Floats", "Integers", "Program", "Solution"]


class Program:
    """A mixed integer linear program collected in blocks of columns and rows, minimised with HiGHS."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats, Floats]] = []
        self._entries: list[tuple[Integers, Integers, Floats]] = []
        self._sides: list[tuple[Floats, Floats]] = []
        self.width = 0
        self.height = 0

    def columns(self, count: int, *, cost: npt.ArrayLike = 0.0, lower: npt.ArrayLike = 0.0, upper: npt.ArrayLike = inf,
                integer: npt.ArrayLike = False) -> Integers:
        """Add variables; cost, bounds and whether whole are scalars or shape (count,). Returns their indices, shape (count,)."""
        cost_, lower_, upper_ = (np.broadcast_to(np.asarray(v, dtype=float), count) for v in (cost, lower, upper))
        self._columns.append((cost_, lower_, upper_, np.broadcast_to(np.asarray(integer, dtype=float), count)))
        self.width += count
        return np.arange(self.width - count, self.width, dtype=np.int64)

    def rows(self, low: npt.ArrayLike, high: npt.ArrayLike, count: int) -> Integers:
        """Add `count` empty rows low <= . <= high. Returns their indices."""
        self._sides.append((np.broadcast_to(np.asarray(low, dtype=float), count), np.broadcast_to(np.asarray(high, dtype=float), count)))
        self.height += count
        return np.arange(self.height - count, self.height, dtype=np.int64)

    def enter(self, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Put coefficients at (row, column); the three are broadcast together. A place is entered once."""
        row, column, value = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(values, dtype=float))
        self._entries.append((row.ravel().astype(np.int64), column.ravel().astype(np.int64), value.ravel()))

    def copies(self, columns: Integers, *, upper: npt.ArrayLike) -> Integers:
        """Add variables that cost and count as `columns` do in every row so far. Returns their indices."""
        cost = np.concatenate([block[0] for block in self._columns])
        made = self.columns(len(columns), cost=cost[columns], upper=upper)
        place = np.full(self.width, -1)
        place[columns] = made
        for row, column, value in list(self._entries):
            inside = place[column] >= 0
            self._entries.append((row[inside], place[column[inside]], value[inside]))
        return made

    def row(self, columns: Integers, coefficients: npt.ArrayLike, low: float, high: float) -> None:
        """Demand low <= sum of coefficient x variable <= high."""
        self.enter(self.rows(low, high, 1), columns, coefficients)

    def solve(self, *, time_limit: float, gap: float, near: float = 0.0, nodes: int = 2**31 - 1, grow: npt.ArrayLike = (),
              start: npt.ArrayLike = (), improvements: int = 2**31 - 1, symmetry: bool = True, child: Child | None = None) -> Solution:
        """Minimise within `time_limit` seconds and `nodes` nodes, to the relative gap `gap` or the absolute one `near`, or
        until so many `improvements` were found.

        `grow`: the program is linear with very many columns; the merit of each column says which are tried first.
        `start`: values of a solution known before. `child`: the process to ask, one's own if there is none.
        """
        task = self._task() | {
            "seconds": np.float64(time_limit), "gap": np.float64(gap), "near": np.float64(near), "nodes": np.int64(nodes),
            "grow": np.bool_(np.size(grow) > 0), "merit": np.asarray(grow, dtype=np.float64), "improvements": np.int64(improvements),
            "start": np.asarray(start, dtype=np.float64), "symmetry": np.bool_(symmetry)}
        if child is None:
            with borrowed() as own:
                answer = own.ask(task, time_limit)
        else:
            answer = child.ask(task, time_limit)
        if answer is None:
            return Solution(None, False, False, inf, inf, -inf, True)
        values = answer["values"] if len(answer["values"]) else None
        objective, bound = float(answer["objective"]), float(answer["bound"])
        gap_left = inf if values is None else abs(objective - bound) / max(abs(objective), 1e-9) if objective != bound else 0.0
        return Solution(values, int(answer["status"]) == 2, int(answer["status"]) == 0, gap_left, objective, bound,
                        bool(answer["timed_out"]))

    def _task(self) -> dict[str, npt.NDArray[np.generic]]:
        cost, lower, upper, integer = (np.concatenate(block) for block in zip(*self._columns, strict=True))
        row, column, value = (np.concatenate(block) for block in zip(*self._entries, strict=True))
        order = np.lexsort((row, column))
        start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=self.width))])
        low, high = (np.concatenate(block) for block in zip(*self._sides, strict=True))
        return {"cost": cost, "lower": lower, "upper": upper, "integer": integer > 0, "low": low, "high": high,
                "start_at": start, "row": row[order], "value": value[order]}


@dataclass(frozen=True)
class Solution:
    """`values` per column (None when none was found), proofs of infeasibility and of optimality, relative gap, objective,
    what it cannot be below, and whether time ran out."""

    values: Floats | None
    infeasible: bool
    finished: bool
    gap: float
    objective: float
    bound: float
    timed_out: bool
