"""From a problem to forms and their bound: exactly where it is small, by strata and swaps where it is large. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

import numpy as np

from qbank.papers.engine import exact
from qbank.papers.engine.arrays import Flags
from qbank.papers.engine.child import Child
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.relaxation import Relaxation, relaxed, shadow
from qbank.papers.engine.search import CLOSE, GOOD, Search
from qbank.papers.engine.starting import MISSED, Start, from_relaxation, jointly, one_by_one, pooled
from qbank.papers.engine.state import State

FINISH = 20  # more shakes for a small problem, where they cost little
MANY = 12  # forms that are made one after the other
STRATIFIED, EXACT = "分层规划与换题", "逐题整数规划"
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Found:
    """`on` (forms, n), None when there is nothing; `broken`: a hard rule is missed. `infeasible` is proved. `bound` is of
    the aim, or of the cost where there is none; `proved`: nothing is better."""

    on: Flags | None
    broken: bool
    infeasible: bool
    bound: float
    cut_short: bool
    method: str
    proved: bool = False


def solve(problem: Problem, seconds: float, child: Child, progress: Progress, *, brief: bool = False) -> Found:
    """The forms of `problem` and what no forms can better. `brief`: without polishing what is whole.

    A maximin is made a one-sided minimax: its target is the bound, so that the deviation is the gap.
    """
    aim = problem.aim
    if aim is None or not aim.most:
        return _solve(problem, None, seconds, child, progress, brief)
    progress(0, problem.forms, "求信息量上界")
    relaxation = relaxed(problem, seconds, child)
    if relaxation.infeasible or relaxation.bound <= 0:
        return Found(None, True, relaxation.infeasible, relaxation.bound, False, STRATIFIED)
    scaled = replace(problem, aim=replace(aim, target=aim.target * relaxation.bound))
    found = _solve(scaled, relaxation, seconds, child, progress, brief)
    return replace(found, bound=found.bound * relaxation.bound)


def _solve(problem: Problem, relaxation: Relaxation | None, seconds: float, child: Child, progress: Progress, brief: bool) -> Found:
    """Swaps where they are the way: large problems, and small ones with soft rules (those branch without end) or with a target
    to meet (a deviation of nearly nothing needs no proof). The exact program proves the rest, or that there is nothing."""
    equal = problem.aim is not None and not problem.aim.most
    if not exact.small(problem):
        return _large(problem, relaxation, seconds, child, progress, brief=brief)
    if equal or exact.is_soft(problem):
        found = _large(problem, relaxation, seconds, child, progress, attempts=2)
        if found.infeasible or (found.on is not None and not found.broken
                                and (exact.is_soft(problem) or _deviation(problem, found.on) <= CLOSE)):
            return found
    return _small(problem, relaxation, seconds, child, progress)


def _small(problem: Problem, relaxation: Relaxation | None, seconds: float, child: Child, progress: Progress) -> Found:
    progress(0, problem.forms, "逐题求解")
    on, solution = exact.solved(problem, seconds, child)
    if on is None and not solution.infeasible:
        return _large(problem, relaxation, seconds, child, progress)
    bound = solution.bound
    if problem.aim is not None and problem.aim.most:
        bound = 1.0 if exact.is_soft(problem) else -solution.bound
    elif problem.aim is not None and on is not None and exact.is_soft(problem):
        bound = _bound(problem, on, seconds, child)  # the program's bound is of costs and aim together: the aim has its own
    return Found(on, False, solution.infeasible, bound, solution.timed_out, EXACT, solution.finished or solution.gap <= exact.PROVED)


def _large(problem: Problem, relaxation: Relaxation | None, seconds: float, child: Child, progress: Progress,
           attempts: int = 4, brief: bool = False) -> Found:
    """One start after the other until swaps have made one of them whole."""
    best: tuple[tuple[float, float], State] | None = None
    cut_short = False
    for turn, (start, within) in enumerate(_starts(problem, relaxation)[:attempts]):
        sharing = relaxation is not None and problem.overlap  # the more a maximin shares, within what it may, the better
        state = State(problem if start is jointly or sharing else sparing(problem))
        rng = np.random.default_rng((problem.seed, turn))
        progress(0, problem.forms, "分层求解" if turn == 0 else f"第 {turn + 1} 次起步")
        solution = start(state.problem, state, rng, seconds, child)
        cut_short |= solution.timed_out
        if turn == 0 and (not state.on.any() or solution.objective >= MISSED) and _impossible(problem, seconds, child):
            return Found(None, True, True, inf, cut_short, STRATIFIED)
        if state.on.any():
            search = Search(state, _fixed(problem), rng, within, brief=brief)
            search.run(progress, FINISH if exact.small(problem) else 0)
            worth = misses(state), search.cost()
            if best is None or worth < best[0]:
                best = worth, state
            if not best[0][0] and (brief or turn > 0 or not any(search.far(form) for form in range(problem.forms))):
                break
        if turn == 0 and _impossible(problem, seconds, child):
            return Found(None, True, True, inf, cut_short, STRATIFIED)
    if best is None:
        return Found(None, True, False, inf, cut_short, STRATIFIED)
    on = best[1].on
    bound = 1.0 if relaxation is not None else 0.0 if brief else _bound(problem, on, seconds, child)
    return Found(on, best[0][0] > 0, False, bound, cut_short, STRATIFIED)


def _impossible(problem: Problem, seconds: float, child: Child) -> bool:
    return relaxed(replace(problem, aim=None), seconds, child).infeasible


def _starts(problem: Problem, relaxation: Relaxation | None) -> list[tuple[Start, Flags | None]]:
    """In turn: what starts and the items that may come in (None: all)."""
    if relaxation is None or relaxation.weight is None:
        if problem.forms > MANY:
            return [(one_by_one, None), (pooled, None)]
        return [(pooled, None), (pooled, None), (pooled, None), (jointly, None)]
    average = from_relaxation(relaxation)
    return [(average, shadow(problem, relaxation)), (average, None), (pooled, None), (jointly, None)]


def _deviation(problem: Problem, on: Flags) -> float:
    assert problem.aim is not None  # noqa: S101  # for the type checker
    return float(np.abs(np.array([problem.aim.information[form].sum(axis=0) for form in on]) / problem.aim.target - 1).max())


def _bound(problem: Problem, on: Flags, seconds: float, child: Child) -> float:
    """The relaxation's; where the target is as good as met, that no deviation is below 0."""
    if problem.aim is not None and _deviation(problem, on) <= GOOD:
        return 0.0
    return relaxed(problem, seconds, child).bound


def sparing(problem: Problem) -> Problem:
    """No item on more forms than a bank of this size makes necessary, with a third to choose from: forms that share little
    from the start need not be pulled apart."""
    held = np.bincount(problem.cells, weights=problem.open(), minlength=len(problem.quotas))
    need = np.ceil(4 / 3 * problem.quotas * problem.forms / np.maximum(held, 1)).astype(np.int64)
    least = np.maximum(need[problem.cells], problem.must().sum(axis=0))
    return replace(problem, uses=np.minimum(problem.uses, np.maximum(least, 1)))


def _fixed(problem: Problem) -> Flags:
    """Musts and the items of sets stay where the start put them."""
    fixed = problem.must()
    for members in problem.sets:
        fixed[:, members] = True
    return fixed


def misses(state: State) -> float:
    """Units of hard rules that the forms miss, counted again from what is on them."""
    problem, on = state.problem, state.on
    total = sum(state.misses(form) for form in range(problem.forms))
    total += float(np.maximum(state.used - problem.uses, 0).sum())
    cells = np.stack([np.bincount(problem.cells[form], minlength=len(problem.quotas)) for form in on])
    total += float(np.abs(cells - problem.quotas).sum())
    total += float((problem.must() & ~on).sum() + on[:, ~problem.open()].sum())
    if problem.overlap is not None and problem.forms > 1:
        total += float(np.maximum(np.triu(state.shared, 1) - problem.overlap, 0).sum())
    for members in problem.sets:
        held = on[:, members].sum(axis=1)
        total += float(((held > 0) & (held < len(members))).sum())
    return total
