"""Parallel forms from a bank: the front door of the assembly engine, on plain arrays, without a database. Pure.

    pool = ItemPool(keys, ranges, kinds, grades=..., abilities=(-0.5, 0, 0.5), information=...)
    found = assemble(pool, quotas, forms=5, rules=(Grades(weight=None), Overlap(), Equal()), seed=7)
    found.forms, found.value, found.bound
"""

from __future__ import annotations

from collections.abc import Sequence

from qbank.papers.engine.items import ItemPool
from qbank.papers.engine.results import Assembly, Explanation, Swap
from qbank.papers.engine.rules import STANDARD, Rule
from qbank.papers.specification import Quotas


def assemble(pool: ItemPool, specification: Quotas, *, forms: int = 1, rules: Sequence[Rule] = STANDARD, seed: int = 0,
             locked: Sequence[frozenset[int]] = (), seconds: float = 20.0) -> Assembly:
    """`forms` forms that meet `specification` and every hard rule, and the soft ones as cheaply as found.

    `locked[f]` are keys that stay on form f (lock and re-solve the rest). `seconds` limits every search; a child process
    that does not keep to it is ended. Raises Refused: 'bad_demands' (rules that say nonsense, with the sentence),
    'unmakeable' (`Unmakeable`, which carries the explanation), 'assembly_timeout' (no forms within the time, and no
    proof that there are none).
    """
    raise NotImplementedError


def explain(pool: ItemPool, specification: Quotas, *, forms: int = 1, rules: Sequence[Rule] = STANDARD, seed: int = 0,
            locked: Sequence[frozenset[int]] = (), seconds: float = 20.0) -> Explanation | None:
    """Why there are no such forms; None when there are."""
    raise NotImplementedError


def swaps(pool: ItemPool, specification: Quotas, forms: Sequence[Sequence[int]], form: int, key: int, *,
          rules: Sequence[Rule] = STANDARD, limit: int = 10) -> tuple[Swap, ...]:
    """The best equivalents of item `key` on `forms[form]`, best first: the same range and kind, every hard rule kept
    (or broken no more than it is), all forms counted. With a target, `rules` should name it (`Equal(target=...)`)."""
    raise NotImplementedError
