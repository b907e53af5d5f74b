"""The whole classical analysis of a set of responses: the library's door to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from qbank.statistics.classical import ClassicalTable, classical_table, ratio, totals
from qbank.statistics.distractors import OptionTable, option_tables
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
class ItemAnalysis:
    """``items`` their names, ``table`` the classical numbers (NaN below the minimum n, with the reason in ``reasons``);
    intervals of difficulty (Wilson 1927, Journal of the American Statistical Association 22, 209-212) and item-rest
    correlation (Fisher's z), all (items,); ``shrunk`` the difficulties shrunk towards experts, marked, None where an item is
    not scored 0 or 1; ``options`` a table for each item, () without raw choices; ``forms`` the reliability of each form."""

    items: tuple[str, ...]
    persons: int
    minimum: int
    table: ClassicalTable
    difficulty_low: Floats
    difficulty_high: Floats
    item_rest_low: Floats
    item_rest_high: Floats
    shrunk: Shrunk | None
    options: tuple[OptionTable, ...]
    forms: tuple[FormReliability, ...]
    reasons: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """One row for each item, for a workbook."""
        columns: dict[str, Any] = {"n": self.table.n, "difficulty": self.table.difficulty}
        columns |= {"difficulty_low": self.difficulty_low, "difficulty_high": self.difficulty_high}
        columns |= {"item_rest": self.table.item_rest, "item_rest_low": self.item_rest_low,
                    "item_rest_high": self.item_rest_high, "biserial": self.table.biserial}
        columns |= {"upper_lower": self.table.upper_lower, "b_index": self.table.b_index, "omitted": self.table.omitted,
                    "not_reached": self.table.not_reached}
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
    """
    found = as_responses(responses)
    own = totals(found, not_reached=not_reached)
    binary = own.score.size == 0 or _greatest(found) <= 1
    if passed is None and cut is not None and binary:
        passed = np.nan_to_num(own.share) >= cut - _HAIR
    full = classical_table(found, passed=passed, weights=found.weights, not_reached=not_reached)
    right = np.where(full.n > 0, full.difficulty * full.n, 0.0)
    table = classical_table(found, passed=passed, weights=found.weights, not_reached=not_reached, minimum=minimum)
    low, high = wilson_interval(right, full.n, level) if binary else (np.full(len(full.n), np.nan),) * 2
    enough = np.where(full.n >= minimum, 1.0, np.nan)
    rest_low, rest_high = fisher_interval(table.item_rest, table.paired, level)
    return ItemAnalysis(
        found.items or tuple(str(j + 1) for j in range(found.n_items)), found.persons, minimum, table, low * enough,
        high * enough, rest_low, rest_high,
        shrink(right, full.n, expert, threshold=minimum, level=level) if binary else None,
        () if found.choices is None else option_tables(found, key, minimum=minimum, not_reached=not_reached),
        _forms(found, binary, 0.6 if cut is None else cut, minimum, level, not_reached),
        tuple(_reason(n, defined, minimum) for n, defined in zip(full.n, ~np.isnan(table.item_rest), strict=True)))


def wilson_interval(right: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of a share, elementwise: stays inside 0 to 1 and means something at 0 and at 1."""
    z = float(stats.norm.ppf((1 + level) / 2))
    centre, half = ratio(right + z * z / 2, n + z * z), z * np.sqrt(np.maximum(right * (n - right) / np.maximum(n, 1), 0) + z * z / 4)
    wide = half / (n + z * z)
    return np.where(n > 0, centre - wide, np.nan), np.where(n > 0, centre + wide, np.nan)


def fisher_interval(r: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a correlation, elementwise: tanh(atanh r -+ z / sqrt(n - 3)); NaN below 4 persons."""
    usable = (n > 3) & ~np.isnan(r)
    middle = np.arctanh(np.clip(np.where(usable, r, 0.0), -1 + 1e-15, 1 - 1e-15))
    wide = float(stats.norm.ppf((1 + level) / 2)) / np.sqrt(np.where(usable, n - 3, 1.0))
    return np.where(usable, np.tanh(middle - wide), np.nan), np.where(usable, np.tanh(middle + wide), np.nan)


def _forms(found: Responses, binary: bool, cut: float, minimum: int, level: float,
           not_reached: NotReached) -> tuple[FormReliability, ...]:
    """Each form by its own persons and the items that anybody of them was given."""
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
