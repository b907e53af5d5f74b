"""The whole classical analysis of a set of responses: the library's door to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qbank.statistics.classical import ClassicalTable, classical_table, ratio, totals
from qbank.statistics.distractors import OptionTable, option_tables
from qbank.statistics.intervals import fisher, newcombe, wilson
from qbank.statistics.reliability import ErrorOfMeasurement, Reliability, alpha, error_of_measurement, split_half
from qbank.statistics.responses import NotReached, Responses, as_responses
from qbank.statistics.shrinkage import Shrunk, shrink

Floats = npt.NDArray[np.float64]

_HAIR = 1e-9  # 60 of 100 is a pass


@dataclass(frozen=True)
class FormReliability:
    """Of the persons of one form and its items (0-based): alpha or KR-20, odd-even split-half, errors of measurement."""

    form: str
    items: tuple[int, ...]
    alpha: Reliability
    split_half: Reliability
    error: ErrorOfMeasurement | None  # None where an item is not scored 0 or 1


@dataclass(frozen=True)
class Bounds:
    """The interval of each number, all (items,): Wilson's of shares, Newcombe's of differences, Fisher's of correlations (of
    the biserial: that of the item-rest correlation times the same factor). NaN where the number is, and of differences and
    shares where items are not scored 0 or 1."""

    difficulty: tuple[Floats, Floats]
    item_rest: tuple[Floats, Floats]
    biserial: tuple[Floats, Floats]
    upper_lower: tuple[Floats, Floats]
    b_index: tuple[Floats, Floats]
    omitted: tuple[Floats, Floats]
    not_reached: tuple[Floats, Floats]


@dataclass(frozen=True)
class ItemAnalysis:
    """``items`` their names, ``table`` the classical numbers (NaN below the minimum n, with the reason in ``reasons``) and
    ``bounds`` their intervals; ``shrunk`` the difficulties shrunk towards experts, marked, None where an item is not scored
    0 or 1; ``options`` a table for each item, () without raw choices; ``forms`` the reliability of each form."""

    items: tuple[str, ...]
    persons: int
    minimum: int
    table: ClassicalTable
    bounds: Bounds
    shrunk: Shrunk | None
    options: tuple[OptionTable, ...]
    forms: tuple[FormReliability, ...]
    reasons: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """One row for each item, for a workbook: each number, its bounds, and what was shrunk."""
        columns: dict[str, Any] = {"n": self.table.n}
        for name in (field.name for field in fields(Bounds)):
            low, high = getattr(self.bounds, name)
            columns |= {name: getattr(self.table, name), f"{name}_low": low, f"{name}_high": high}
        if self.shrunk is not None:
            columns |= {"shrunk_difficulty": self.shrunk.estimate, "shrunk_low": self.shrunk.low,
                        "shrunk_high": self.shrunk.high, "shrunk": self.shrunk.shrunk}
        return pd.DataFrame({**columns, "reason": self.reasons}, index=pd.Index(self.items, name="item"))


def item_analysis(responses: Any, *, cut: float | None = 0.6, passed: npt.ArrayLike | None = None,
                  key: Sequence[str] | None = None, expert: npt.ArrayLike | None = None, minimum: int = 30,
                  level: float = 0.95, not_reached: NotReached = "not presented") -> ItemAnalysis:
    """Classical item and form statistics of whatever ``as_responses`` takes.

    ``passed`` (persons,) who passed; None: who reached ``cut``, a share of the own form (None: nobody is told, no B-index).
    ``key`` (items,) for the tables of options, which need ``Responses.choices``. ``expert`` (items,) the share right that
    experts expect, towards which items with fewer than ``minimum`` answers are shrunk; nothing else is reported of those.
    ``Responses.weights`` count in the numbers of items, not in the reliability of forms.
    """
    found = as_responses(responses)
    binary = _greatest(found) <= 1
    if passed is None and cut is not None and binary:
        passed = np.nan_to_num(totals(found, not_reached=not_reached).share) >= cut - _HAIR
    full = classical_table(found, passed=passed, weights=found.weights, not_reached=not_reached)
    table = classical_table(found, passed=passed, weights=found.weights, not_reached=not_reached, minimum=minimum)
    right = np.where(full.n > 0, full.difficulty * full.n, 0.0)
    return ItemAnalysis(
        found.items or tuple(str(j + 1) for j in range(found.n_items)), found.persons, minimum, table,
        _bounds(table, binary, level),
        shrink(np.minimum(right, full.n), full.n, expert, threshold=minimum, level=level) if binary else None,
        () if found.choices is None else option_tables(found, key, minimum=minimum, not_reached=not_reached),
        _forms(found, binary, 0.6 if cut is None else cut, minimum, level, not_reached),
        tuple(_reason(n, defined, minimum) for n, defined in zip(full.n, ~np.isnan(table.item_rest), strict=True)))


def _bounds(table: ClassicalTable, binary: bool, level: float) -> Bounds:
    def kept(bounds: tuple[Floats, Floats], number: Floats, defined: bool = True) -> tuple[Floats, Floats]:
        low, high = (np.where(np.isnan(number) | (not defined), np.nan, bound) for bound in bounds)
        return low, high

    rest = fisher(table.item_rest, table.paired, level)
    factor = ratio(table.biserial, table.item_rest)
    return Bounds(
        kept(wilson(np.nan_to_num(table.difficulty) * table.n, table.n, level), table.difficulty, binary), rest,
        kept((rest[0] * factor, rest[1] * factor), table.biserial, binary),
        kept(newcombe(table.by_score, level), table.upper_lower, binary),
        kept(newcombe(table.by_pass, level), table.b_index, binary),
        kept(wilson(np.nan_to_num(table.omitted) * table.seen, table.seen, level), table.omitted),
        kept(wilson(np.nan_to_num(table.not_reached) * table.seen, table.seen, level), table.not_reached))


def _forms(found: Responses, binary: bool, cut: float, minimum: int, level: float,
           not_reached: NotReached) -> tuple[FormReliability, ...]:
    """Each form by its own persons and the items that anybody of them was given; () where forms are not told and nobody was
    given everything."""
    if found.forms is None and found.sparse and np.diff(found.scores.indptr).max(initial=0) < found.n_items:
        return ()  # everybody sat another form, and nobody told which
    labels = np.zeros(found.persons, dtype=np.int64) if found.forms is None else np.asarray(found.forms)
    report = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        codes = Responses(found.scores[rows]).dense()
        items = np.flatnonzero((codes != -1).any(axis=0))
        part = np.ascontiguousarray(codes[:, items])
        report.append(FormReliability(
            "" if found.forms is None else str(label), tuple(items.tolist()),
            alpha(part, minimum=minimum, level=level, not_reached=not_reached),
            split_half(part, minimum=minimum, level=level, not_reached=not_reached),
            error_of_measurement(part, cut=cut, minimum=minimum, not_reached=not_reached) if binary else None))
    return tuple(report)


def _greatest(found: Responses) -> int:
    codes = found.scores.data if found.sparse else found.scores
    return int(codes.max()) if codes.size else 0


def _reason(n: float, defined: bool, minimum: int) -> str:
    if n < minimum:
        return f"n = {n:g} is below {minimum}"
    return "" if defined else "all answers are equal, or all scores on the rest of the form"
