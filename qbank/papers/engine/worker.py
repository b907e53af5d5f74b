"""The child process that solves: reads one program a frame from its standard input and answers with a frame. Pure.

HiGHS does not keep its own time limit while it presolves, and a thread inside it cannot be stopped; a process can
be ended. highspy rather than scipy: this child is up in a third of the time and 29 MB rather than 72, and a linear program can be
given columns and solved on from its basis, which scipy's interface cannot.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

import highspy
import numpy as np

from qbank.papers.engine.arrays import Floats, Integers

FIRST = 4_000  # columns that a large linear program starts with
MORE = 3_000  # and how many it is given at once
ROUNDS = 60
Frame = Mapping[str, Any]


def write_frame(stream: BinaryIO, arrays: Frame) -> None:
    """One length-prefixed npz."""
    held = BytesIO()
    np.savez(held, **arrays)
    content = held.getvalue()
    stream.write(struct.pack("<Q", len(content)) + content)
    stream.flush()


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """The next frame; None at the end of the stream."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    content = stream.read(struct.unpack("<Q", head)[0])
    with np.load(BytesIO(content), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def serve() -> None:
    """Answer until the parent closes the pipe (or dies: then it is closed too)."""
    while (task := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, grown(task) if bool(task["grow"]) else solved(task))


def solved(task: Frame) -> dict[str, Any]:
    """Minimise; `status` 0 finished, 1 stopped with or without a solution, 2 infeasible."""
    solver = _solver(task)
    everything = np.arange(len(task["cost"]))
    _add_rows(solver, task)
    _add_columns(solver, task, everything)
    if task["integer"].any():
        whole = np.flatnonzero(task["integer"]).astype(np.int32)
        solver.changeColsIntegrality(len(whole), whole, np.full(len(whole), 1, dtype=np.uint8))
        if len(start := task["start"]):
            found = highspy.HighsSolution()
            found.col_value = start.tolist()
            solver.setSolution(found)
    solver.run()
    return _answer(solver, bool(task["integer"].any()))


def grown(task: Frame) -> dict[str, Any]:
    """A linear program with few rows and very many columns: solve with some, add those that would pay, until none would.

    Every column left out stands at its lower bound 0. Its reduced cost is c_j - y'A_j; when none is negative the program is solved
    (sifting: Bixby and others 1992). Even before that, the objective plus the sum of u_j min(0, reduced cost of j)
    is a bound by weak duality: `bound`.
    """
    solver = _solver(task)
    _add_rows(solver, task)
    cost, upper, size = task["cost"], task["upper"], len(task["cost"])
    start, index, value = task["start_at"], task["row"], task["value"]
    of_column = np.repeat(np.arange(size), np.diff(start))
    inside = np.zeros(size, dtype=bool)
    order = np.argsort(-task["merit"], kind="stable")
    chosen = np.sort(order[:FIRST])
    places: Integers = np.empty(0, dtype=np.int64)
    best, answer = -np.inf, {}
    for _ in range(ROUNDS):
        inside[chosen] = True
        places = np.append(places, chosen)
        _add_columns(solver, task, chosen)
        solver.run()
        answer = _answer(solver, False)
        duals: Floats = answer.pop("duals")
        if int(answer["status"]):
            if int(answer["status"]) != 2 or inside.all():
                return answer | {"bound": np.float64(best)}
            chosen = np.flatnonzero(~inside)
            continue
        reduced = cost - np.bincount(of_column, weights=value * duals[index], minlength=size)
        paying = np.flatnonzero(~inside & (reduced < -1e-7))
        best = max(best, float(answer["objective"]) + float((reduced[paying] * upper[paying]).sum()))
        if not len(paying):
            break
        chosen = np.sort(paying[np.argsort(reduced[paying], kind="stable")[:MORE]])
    values = np.zeros(size)
    values[places] = answer["values"]
    return answer | {"values": values, "bound": np.float64(best)}


def _solver(task: Frame) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its wrapper carries no types
    for name, wanted in {
        "output_flag": False, "threads": 1, "random_seed": 0, "time_limit": float(task["seconds"]), "mip_rel_gap": float(task["gap"]),
        "mip_abs_gap": float(task["near"]), "mip_max_nodes": int(task["nodes"]), "mip_detect_symmetry": bool(task["symmetry"]),
        "mip_max_improving_sols": int(task["improvements"]), "mip_feasibility_tolerance": 1e-7,
    }.items():
        solver.setOptionValue(name, wanted)
    return solver


def _add_rows(solver: highspy.Highs, task: Frame) -> None:
    low, high = task["low"], task["high"]
    none = np.empty(0, dtype=np.int32)
    solver.addRows(len(low), low, high, 0, np.zeros(len(low), dtype=np.int32), none, np.empty(0))


def _add_columns(solver: highspy.Highs, task: Frame, chosen: Integers) -> None:
    start = task["start_at"]
    lengths = np.diff(start)[chosen]
    first = np.concatenate([[0], np.cumsum(lengths)])
    at = np.arange(first[-1]) - np.repeat(first[:-1], lengths) + np.repeat(start[chosen], lengths)
    solver.addCols(len(chosen), task["cost"][chosen], task["lower"][chosen], task["upper"][chosen], len(at),
                   first[:-1].astype(np.int32), task["row"][at].astype(np.int32), task["value"][at])


def _answer(solver: highspy.Highs, whole: bool) -> dict[str, Any]:
    """Status, values (empty when there are none), objective, bound, duals."""
    kinds, found = highspy.HighsModelStatus, solver.getModelStatus()
    status = 0 if found == kinds.kOptimal else 2 if found in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible) else 1
    info, solution = solver.getInfo(), solver.getSolution()
    has = int(info.primal_solution_status) == 2
    return {"status": np.int64(status), "values": np.array(solution.col_value if has else [], dtype=np.float64),
            "objective": np.float64(info.objective_function_value if has else np.inf),
            "bound": np.float64(info.mip_dual_bound if whole else info.objective_function_value if status == 0 else -np.inf),
            "timed_out": np.bool_(found == kinds.kTimeLimit), "duals": np.array(solution.row_dual, dtype=np.float64)}
