"""Parallel forms from a bank: the front door of the assembly engine, on plain arrays, without a database. Pure.

    pool = ItemPool(keys, ranges, kinds, grades=..., abilities=(-0.5, 0, 0.5), information=...)
    found = assemble(pool, quotas, forms=5, rules=(Grades(weight=None), Overlap(), Equal()), seed=7)
    found.forms, found.value, found.bound
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from time import perf_counter

import numpy as np

from qbank.kernel.refused import Refused
from qbank.papers.engine.arrays import Flags
from qbank.papers.engine.child import Child, borrowed
from qbank.papers.engine.compiling import compiled
from qbank.papers.engine.explaining import conflict
from qbank.papers.engine.items import ItemPool
from qbank.papers.engine.problem import Problem
from qbank.papers.engine.reporting import assembly_of
from qbank.papers.engine.results import Assembly, Explanation, Swap, Unmakeable
from qbank.papers.engine.rules import STANDARD, Overlap, Rule
from qbank.papers.engine.sentences import breaks, causes, to_write
from qbank.papers.engine.solving import Found, Progress, solve
from qbank.papers.engine.swapping import equivalents
from qbank.papers.specification import Quotas

__all__ = ["Assembly", "Explanation", "ItemPool", "Swap", "Unmakeable", "assemble", "explain", "proof", "swaps"]


def _silent(done: int, total: int, message: str) -> None:
    """Progress that nobody watches."""


def assemble(pool: ItemPool, specification: Quotas, *, forms: int = 1, rules: Sequence[Rule] = STANDARD, seed: int = 0,
             locked: Sequence[frozenset[int]] = (), seconds: float = 20.0, progress: Progress = _silent) -> Assembly:
    """`forms` forms that meet `specification` and every hard rule, and the soft ones as cheaply as found.

    `locked[f]` are keys that stay on form f (lock and re-solve the rest). `seconds` limits every search; a child process
    that does not keep to it is ended; `progress` is told (forms done, forms, what goes on).

    Raises Refused: 'bad_demands' and 'pinned_unusable' (rules that say nonsense, with the sentence); `Unmakeable`, which
    carries the explanation, with the code 'unmakeable', or 'assembly_timeout' where it is not proved that there are no
    forms; a plain 'assembly_timeout' where nothing at all was found.
    """
    started = perf_counter()
    with borrowed() as child:
        held, problem, found = _found(pool, specification, forms, rules, seed, locked, seconds, child, progress)
        if found.on is None or found.broken:
            raise _no_forms(_explained(held, specification, problem, found, seconds, child, progress), seconds)
    return assembly_of(held, specification, problem, found, found.on, perf_counter() - started)


def explain(pool: ItemPool, specification: Quotas, *, forms: int = 1, rules: Sequence[Rule] = STANDARD, seed: int = 0,
            locked: Sequence[frozenset[int]] = (), seconds: float = 20.0, progress: Progress = _silent) -> Explanation | None:
    """Why there are no such forms; None when there are."""
    try:
        assemble(pool, specification, forms=forms, rules=rules, seed=seed, locked=locked, seconds=seconds,
                 progress=progress)
    except Unmakeable as refused:
        return refused.explanation
    return None


def proof(pool: ItemPool, specification: Quotas, forms: Sequence[Sequence[int]], *, rules: Sequence[Rule] = STANDARD) -> Assembly:
    """Given forms against every demand, with no search: the same lines as `assemble` gives. No bound is computed: it is 0, or
    for a maximin infinite. ValueError for items that the pool does not hold."""
    held, problem, on = _given(pool, specification, forms, rules)
    bound = inf if problem.aim is not None and problem.aim.most else 0.0
    return assembly_of(held, specification, problem, Found(on, False, False, bound, False, "按给定的题"), on, 0.0)


def swaps(pool: ItemPool, specification: Quotas, forms: Sequence[Sequence[int]], form: int, key: int, *,
          rules: Sequence[Rule] = STANDARD, limit: int = 10) -> tuple[Swap, ...]:
    """The best equivalents of item `key` on `forms[form]`, best first: the same range and kind, no hard rule broken that
    was not broken before, all forms counted. With a target, `rules` should name it (`Equal(target=...)`). ValueError if `key` is
    not on the form."""
    held, problem, on = _given(pool, specification, forms, rules)
    place = np.flatnonzero(held.keys == key)
    if not len(place) or not on[form, place[0]]:
        raise ValueError(f"item {key} is not on form {form}")
    return equivalents(problem, on, form, int(place[0]), limit)


def _given(pool: ItemPool, specification: Quotas, forms: Sequence[Sequence[int]], rules: Sequence[Rule]) -> tuple[ItemPool, Problem, Flags]:
    held, problem = compiled(pool, specification, len(forms), rules, 0)
    on = np.zeros((len(forms), problem.size), dtype=bool)
    for f, keys in enumerate(forms):
        on[f] = np.isin(held.keys, np.asarray(keys, dtype=np.int64))
        if on[f].sum() != len(set(keys)):
            lost = sorted(set(keys) - set(held.keys.tolist()))
            raise ValueError(f"not in the pool, or of a range and kind without a quota: {lost}")
    return held, problem, on


def _found(pool: ItemPool, specification: Quotas, forms: int, rules: Sequence[Rule], seed: int, locked: Sequence[frozenset[int]],
           seconds: float, child: Child, progress: Progress) -> tuple[ItemPool, Problem, Found]:
    """Where sharing is free, forms without shared items come first: that is the cheapest sharing."""
    if forms > 1 and _shares_freely(rules):
        apart = [rule for rule in rules if not isinstance(rule, Overlap)] + [Overlap(most=0)]
        held, problem = compiled(pool, specification, forms, apart, seed, locked)
        lone = replace(problem, overlap=int(problem.quotas.sum()))  # what must be on several forms may be
        need = np.bincount(problem.cells, weights=problem.uses * problem.open(), minlength=len(problem.quotas))
        if (need >= problem.quotas * forms).all():
            found = solve(lone, seconds, child, progress)
            if found.on is not None and not found.broken:
                return held, lone, found
    held, problem = compiled(pool, specification, forms, rules, seed, locked)
    return held, problem, solve(problem, seconds, child, progress)


def _shares_freely(rules: Sequence[Rule]) -> bool:
    return next((rule.most is None for rule in rules if isinstance(rule, Overlap)), True)


def _explained(pool: ItemPool, specification: Quotas, problem: Problem, found: Found, seconds: float, child: Child,
               progress: Progress) -> Explanation:
    started = perf_counter()
    why = conflict(problem, seconds, child, progress, found)
    nearest = None
    on: Flags | None = why.nearest.on if why.nearest is not None else None
    if why.nearest is not None and on is not None:
        nearest = assembly_of(pool, specification, problem, why.nearest, on, perf_counter() - started)
    return Explanation(causes(problem, why), nearest, breaks(nearest) if nearest else (), to_write(problem, why), why.proved,
                       why.certain)


def _no_forms(explanation: Explanation, seconds: float) -> Refused:
    if explanation.causes:
        return Unmakeable(explanation)
    return Refused("assembly_timeout", f"在限定的搜索量和 {seconds:g} 秒内没有找到可行的试卷，也没有证明不存在。"
                                       "请减少套数、放宽要求，或把部分硬性要求改为软性要求。", explanation.breaks)
