"""Papers that are more alike than two people's own work would be. Pure.

A report for people who then look at the seating plan, the camera and the log of the room; never a verdict. Two friends who
learned from the same wrong notes are alike as well, and among thousands of pairs some are alike by chance: so p values are
adjusted for the number of pairs, and the report says how many were compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from qbank.statistics.multiplicity import adjusted
from qbank.statistics.option_model import OptionModel, option_codes, option_model
from qbank.statistics.responses import Responses
from qbank.statistics.score_distribution import upper_tail

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Index: TypeAlias = Literal["omega", "gbt"]

CHUNK = 2000  # pairs at a time


@dataclass(frozen=True)
class SimilarityReport:
    """All (pairs,), the most alike first. ``first`` and ``second`` rows of the responses; ``items`` that both were given;
    ``matches`` same answers and ``expected`` of them if both worked alone; ``omega_first`` Wollack's index of the first as
    the copier, ``omega_second`` of the second; ``omega_p`` of the larger, doubled for looking both ways; ``gbt_p`` of the
    generalised binomial test; ``identical_wrong`` of ``both_wrong`` items with its ``wrong_p``; ``adjacent`` seats;
    ``adjusted_p`` of the ``index`` chosen; ``noticed`` at the level. ``pairs`` compared; ``adjacent_pairs`` of them;
    ``adjacency_p`` the chance that so many of the noticed pairs sit side by side. ``reason`` why there is nothing."""

    first: Integers
    second: Integers
    items: Integers
    matches: Integers
    expected: Floats
    omega_first: Floats
    omega_second: Floats
    omega_p: Floats
    gbt_p: Floats
    identical_wrong: Integers
    both_wrong: Integers
    wrong_p: Floats
    adjacent: npt.NDArray[np.bool_]
    adjusted_p: Floats
    noticed: npt.NDArray[np.bool_]
    index: str
    level: float
    pairs: int
    adjacent_pairs: int
    adjacency_p: float
    reason: str = ""

    def frame(self) -> pd.DataFrame:
        """One row for each pair, for a workbook."""
        names = ("first", "second", "items", "matches", "expected", "omega_first", "omega_second", "omega_p", "gbt_p",
                 "identical_wrong", "both_wrong", "wrong_p", "adjacent", "adjusted_p", "noticed")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def similarity_report(responses: Responses, *, rooms: npt.ArrayLike | None = None, seats: npt.ArrayLike | None = None,
                      pairs: npt.ArrayLike | Literal["room", "adjacent"] = "room", probabilities: npt.ArrayLike | None = None,
                      index: Index = "gbt", adjust: str = "holm", level: float = 0.01, minimum: int = 50) -> SimilarityReport:
    """Compare the papers of pairs of persons by their raw choices (canonical letters, before any shuffle).

    omega: Wollack (1997), Applied Psychological Measurement 21, 307-320. Generalised binomial test: van der Linden and
    Sotaridona (2006), Journal of Educational and Behavioral Statistics 31, 283-304. Identical wrong answers: given that both
    are wrong on an item, the chance of the same wrong option; the tail of the sum over items.

    ``rooms`` (persons,) labels; ``seats`` (persons, 2) row and column of the seat: adjacent are seats of one room not more
    than one row and one column apart. ``pairs`` "room" (everybody with everybody of the room; of all, without rooms),
    "adjacent", or an array (m, 2) of rows. ``probabilities`` (persons, items, options) replaces the empirical nominal model,
    its options in the order of :func:`qbank.statistics.option_model.option_codes`. ``minimum`` persons that the model needs.
    """
    if responses.persons < minimum and probabilities is None:
        return _ordered_report(_empty(), index, adjust, level, f"n = {responses.persons} is below {minimum}")
    model = option_model(responses) if probabilities is None else OptionModel(
        np.asarray(probabilities, dtype=np.float64), *option_codes(responses))
    if model.probabilities.shape != (*model.codes.shape, len(model.options)):
        raise ValueError(f"probabilities {model.probabilities.shape} must be {(*model.codes.shape, len(model.options))}")
    chosen = _pairs(responses.persons, rooms, seats, pairs)
    wrong = (responses.dense() == 0) & (model.codes >= 0)
    in_key = _key(responses, model)
    beside = _adjacent(chosen, rooms, seats)
    parts = [_compared(model, wrong, in_key, chosen[start:start + CHUNK]) for start in range(0, len(chosen), CHUNK)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _empty()
    columns |= {"first": chosen[:, 0], "second": chosen[:, 1], "adjacent": beside}
    return _ordered_report(columns, index, adjust, level, "" if len(chosen) else "there is no pair to compare")


def _compared(model: OptionModel, wrong: npt.NDArray[np.bool_], in_key: Floats, pairs: Integers) -> dict[str, npt.NDArray[Any]]:
    one, other = pairs.T
    both = (model.codes[one] >= 0) & (model.codes[other] >= 0)
    same = both & (model.codes[one] == model.codes[other])
    matches = same.sum(axis=1)
    p_one, p_other = model.probabilities[one], model.probabilities[other]
    chance = np.einsum("pjo,pjo->pj", p_one, p_other) * both
    omega_first, omega_second = (_omega(p, model.codes[source], both, matches)
                                 for p, source in ((p_one, other), (p_other, one)))
    both_wrong = wrong[one] & wrong[other]
    left_one, left_other = p_one * (1 - in_key), p_other * (1 - in_key)
    below = left_one.sum(axis=2) * left_other.sum(axis=2)
    alike = np.einsum("pjo,pjo->pj", left_one, left_other) / np.where(below > 0, below, 1.0) * both_wrong
    identical = (same & both_wrong).sum(axis=1)
    return {"items": both.sum(axis=1), "matches": matches, "expected": chance.sum(axis=1), "omega_first": omega_first,
            "omega_second": omega_second, "gbt_p": upper_tail(chance, matches), "identical_wrong": identical,
            "both_wrong": both_wrong.sum(axis=1), "wrong_p": upper_tail(alike, identical),
            "omega_p": np.minimum(1.0, 2 * stats.norm.sf(np.fmax(omega_first, omega_second)))}


def _omega(p: Floats, source: Integers, both: npt.NDArray[np.bool_], matches: Integers) -> Floats:
    """(matches - expected) / spread, the source's answers held as they are and the copier's by the model."""
    chance = np.take_along_axis(p, np.maximum(source, 0)[:, :, None], axis=2)[:, :, 0] * both
    spread = np.sqrt((chance * (1 - chance)).sum(axis=1))
    return np.where(spread > 1e-9, (matches - chance.sum(axis=1)) / np.where(spread > 1e-9, spread, 1.0), np.nan)


def _key(responses: Responses, model: OptionModel) -> Floats:
    """1.0 where an option scores on an item, and for leaving it open: neither can be an identical wrong answer."""
    scores, in_key = responses.dense(), np.zeros(model.probabilities.shape[1:])
    person, item = np.nonzero(scores > 0)
    in_key[item, model.codes[person, item]] = 1.0
    if "" in model.options:
        in_key[:, model.options.index("")] = 1.0
    return in_key


def _pairs(persons: int, rooms: npt.ArrayLike | None, seats: npt.ArrayLike | None, pairs: npt.ArrayLike | str) -> Integers:
    if not isinstance(pairs, str):
        found = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        if found.size and (found.min() < 0 or found.max() >= persons or (found[:, 0] == found[:, 1]).any()):
            raise ValueError("pairs are two different rows of the responses")
        return found
    if pairs not in ("room", "adjacent") or (pairs == "adjacent" and seats is None):
        raise ValueError("pairs is 'room', 'adjacent' (which needs seats) or an array (m, 2)")
    labels = np.zeros(persons, dtype=np.int64) if rooms is None else np.unique(np.asarray(rooms), return_inverse=True)[1]
    if labels.shape != (persons,):
        raise ValueError(f"rooms {labels.shape} must be ({persons},)")
    found = np.concatenate([np.column_stack([members[rows] for rows in np.triu_indices(len(members), 1)])
                            for members in (np.flatnonzero(labels == label) for label in range(int(labels.max(initial=-1)) + 1))]
                           or [np.empty((0, 2), np.int64)]).astype(np.int64)
    return found if pairs == "room" else found[_adjacent(found, rooms, seats)]


def _adjacent(pairs: Integers, rooms: npt.ArrayLike | None, seats: npt.ArrayLike | None) -> npt.NDArray[np.bool_]:
    if seats is None:
        return np.zeros(len(pairs), dtype=bool)
    place = np.asarray(seats, dtype=np.float64)
    near = np.asarray(np.abs(place[pairs[:, 0]] - place[pairs[:, 1]]).max(axis=1, initial=0.0) <= 1, dtype=bool)
    if rooms is None:
        return near
    room = np.asarray(rooms)
    return np.asarray(near & (room[pairs[:, 0]] == room[pairs[:, 1]]), dtype=bool)


def _ordered_report(columns: dict[str, npt.NDArray[Any]], index: str, adjust: str, level: float,
                    reason: str) -> SimilarityReport:
    if index not in ("omega", "gbt"):
        raise ValueError(f"index is 'omega' or 'gbt', not {index!r}")
    p_value = np.asarray(columns[f"{index}_p"], dtype=np.float64)
    p_adjusted = adjusted(p_value, adjust)
    order = np.lexsort((np.nan_to_num(p_value, nan=2.0), np.nan_to_num(p_adjusted, nan=2.0)))
    noticed, adjacent = p_adjusted <= level, np.asarray(columns["adjacent"], dtype=bool)
    hits = int((noticed & adjacent).sum())
    chance = float(stats.hypergeom.sf(hits - 1, len(order), int(adjacent.sum()), int(noticed.sum()))) if hits else float("nan")
    whole = columns | {"adjusted_p": p_adjusted, "noticed": noticed}
    return SimilarityReport(**{name: column[order] for name, column in whole.items()}, index=index, level=level,
                            pairs=len(order), adjacent_pairs=int(adjacent.sum()), adjacency_p=chance, reason=reason)


def _empty() -> dict[str, npt.NDArray[Any]]:
    whole = ("first", "second", "items", "matches", "identical_wrong", "both_wrong")
    real = ("expected", "omega_first", "omega_second", "omega_p", "gbt_p", "wrong_p")
    return ({name: np.empty(0, np.int64) for name in whole} | {name: np.empty(0) for name in real}
            | {"adjacent": np.empty(0, bool)})
