"""Who chose which option: the table of options of each item, by ability. Pure.

An option is an answer as a whole: of a multiple choice item "AC" is one option and "ABC" another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qbank.statistics.classical import Totals, totals
from qbank.statistics.responses import NOT_PRESENTED, OMITTED, NotReached, Responses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

GROUPS = 5  # fifths by score
NO_ANSWER = ("", "nan", "None", "NaN", "<NA>")


@dataclass(frozen=True)
class OptionTable:
    """The options of one item; arrays are (options,) or (groups, options).

    ``options`` in order; ``in_key``; ``count`` and ``share`` of the ``n`` who were given the item (who left it open are the
    rest up to 1); ``by_group`` the share in each score group, lowest first, for the quantile plot, with ``group_n`` persons
    and ``group_share`` their mean share right on the own form (groups,); ``point_biserial`` of having chosen the option with
    the rest of the own form. NaN where n is below the minimum or nothing varies.
    """

    options: tuple[str, ...]
    in_key: npt.NDArray[np.bool_]
    n: int
    count: Integers
    share: Floats
    by_group: Floats
    group_n: Integers
    group_share: Floats
    point_biserial: Floats


def score_choices(choices: npt.ArrayLike | pd.DataFrame, key: Sequence[str], *, groups: npt.ArrayLike | None = None,
                  forms: npt.ArrayLike | None = None, presented: npt.ArrayLike | None = None) -> Responses:
    """Raw answers (persons, items) and the key as scored responses; an empty answer is omitted.

    ``presented`` (persons, items) tells who was given what; None: everybody everything. ValueError when the key does not
    fit.
    """
    names = tuple(str(name) for name in choices.columns) if isinstance(choices, pd.DataFrame) else None
    letters = _letters(choices)
    if letters.ndim != 2 or letters.shape[1] != len(key):
        raise ValueError(f"{len(key)} keys for answers {letters.shape}")
    scores = (letters == np.array([str(letter) for letter in key], dtype=object)).astype(np.int8)
    scores[letters == ""] = OMITTED
    if presented is not None:
        scores[~np.asarray(presented, dtype=bool)] = NOT_PRESENTED
    return Responses(scores, choices=letters, groups=None if groups is None else np.asarray(groups), items=names,
                     forms=None if forms is None else np.asarray(forms))


def option_tables(responses: Responses, key: Sequence[str] | None = None, *, groups: int = GROUPS, minimum: int = 1,
                  not_reached: NotReached = "not presented") -> tuple[OptionTable, ...]:
    """One table for each item of ``responses``, which must carry ``choices``. ``key`` None: what was scored highest.

    ValueError without choices.
    """
    if responses.choices is None:
        raise ValueError("a table of options needs the raw choices")
    found = responses.scored(not_reached)
    own = totals(responses, not_reached=not_reached)
    person, item, score, choice = _entries(found)
    codes, names = pd.factorize(_letters(choice), sort=True)
    counted = _Counted(person, item, np.asarray(codes, dtype=np.int64), score, score_groups(own.share, groups), own, len(names))
    per_option, per_group = counted.counts(found.n_items, groups)
    correlations, points = counted.correlations(found.n_items)
    share = _group_means(own.share, counted.group, groups)
    tables = []
    for j in range(found.n_items):
        here = [o for o in np.flatnonzero(per_option[j]).tolist() if names[o] != ""]
        options = tuple(str(names[o]) for o in here)
        best = points[j] > 0 if key is None else np.array([str(name) == str(key[j]) for name in names])
        group_n, n = per_group[j].sum(axis=1), int(per_option[j].sum())
        enough = np.nan if n < minimum else 1.0
        by_group = np.where(group_n[:, None] > 0, per_group[j][:, here] / np.maximum(group_n, 1)[:, None], np.nan)
        tables.append(OptionTable(options, best[here], n, per_option[j][here], per_option[j][here] / max(n, 1) * enough,
                                  by_group * enough, group_n, share, correlations[j][here] * enough))
    return tuple(tables)


def score_groups(share: Floats, groups: int = GROUPS) -> Integers:
    """The group (0 the lowest) of each person by rank; equal shares stay together. -1 for NaN."""
    known = ~np.isnan(share)
    values, place, sizes = np.unique(share[known], return_inverse=True, return_counts=True)
    middle = (np.cumsum(sizes) - sizes / 2) / max(int(sizes.sum()), 1) if len(values) else np.zeros(0)
    found = np.full(share.shape, -1, dtype=np.int64)
    found[known] = np.minimum((middle * groups).astype(np.int64), groups - 1)[place]
    return found


@dataclass(frozen=True)
class _Counted:
    """Presented entries: person, item, code of the answer and score of each; the persons' groups and totals."""

    person: Integers
    item: Integers
    code: Integers
    score: Floats
    group: Integers
    own: Totals
    width: int

    def counts(self, items: int, groups: int) -> tuple[Integers, Integers]:
        """Answers (items, options) and (items, groups, options)."""
        group = self.group[self.person]
        cell = (self.item * groups + group) * self.width + self.code
        per_group = np.bincount(cell[group >= 0], minlength=items * groups * self.width).reshape(items, groups, self.width)
        return per_group.sum(axis=1), per_group

    def correlations(self, items: int) -> tuple[Floats, Floats]:
        """Point-biserials of every option with the rest, and mean points of who chose it, (items, options)."""
        given = self.own.given[self.person]
        counted = given > 1
        item, code, score = self.item[counted], self.code[counted], self.score[counted]
        rest = (self.own.score[self.person[counted]] - score) / (given[counted] - 1)
        n = np.bincount(item, minlength=items).astype(np.float64)
        rest = rest - (np.bincount(item, weights=rest, minlength=items) / np.maximum(n, 1))[item]
        spread = np.bincount(item, weights=rest**2, minlength=items)[:, None]
        cell, size = item * self.width + code, items * self.width
        chosen = np.bincount(cell, minlength=size).reshape(items, -1).astype(np.float64)
        cross = np.bincount(cell, weights=rest, minlength=size).reshape(items, -1)
        points = np.bincount(cell, weights=score, minlength=size).reshape(items, -1)
        below = spread * chosen * (1 - chosen / np.maximum(n, 1)[:, None])
        defined = below > 1e-12
        return np.where(defined, cross / np.sqrt(np.where(defined, below, 1.0)), np.nan), points / np.maximum(chosen, 1)


def _entries(found: Responses) -> tuple[Integers, Integers, Floats, npt.NDArray[Any]]:
    assert found.choices is not None  # noqa: S101  the caller looked
    if found.sparse:
        person = np.repeat(np.arange(found.persons), np.diff(found.scores.indptr))
        return person, np.asarray(found.scores.indices, np.int64), found.scores.data.astype(np.float64), found.choices
    person, item = np.nonzero(found.scores >= 0)
    return person, item, found.scores[person, item].astype(np.float64), found.choices[person, item]


def _letters(choices: npt.ArrayLike | pd.DataFrame) -> npt.NDArray[np.object_]:
    """Answers as text; nothing, NaN and None are ""."""
    values = np.asarray(choices, dtype=object)
    codes, names = pd.factorize(values.ravel())
    texts = np.array([*("" if str(name) in NO_ANSWER else str(name) for name in names), ""], dtype=object)
    return np.asarray(texts[codes], dtype=object).reshape(values.shape)


def _group_means(share: Floats, group: Integers, groups: int) -> Floats:
    inside = group >= 0
    n = np.bincount(group[inside], minlength=groups)
    return np.where(n > 0, np.bincount(group[inside], weights=share[inside], minlength=groups) / np.maximum(n, 1), np.nan)
