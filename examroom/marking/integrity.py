"""What the answers of one sitting show about the test and about fairness. Arrays in, a plain report out. Pure.

Everything here is a reason for people to look, never a verdict on anybody: two who learned from the same wrong notes answer
alike, and among a thousand pairs some are alike by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.statistics.answer_similarity import SimilarityReport, similarity_report
from qbank.statistics.bank_analysis import Limits, SatPaper, form_figures
from qbank.statistics.dif import MantelHaenszel, mantel_haenszel
from qbank.statistics.dif_logistic import logistic_dif
from qbank.statistics.distractors import OptionTable, option_tables
from qbank.statistics.integrity import OUTSHONE, Drift, drift, exposure, key_suspects, response_times
from qbank.statistics.multiplicity import benjamini_hochberg
from qbank.statistics.responses import NOT_PRESENTED, Responses

Floats = npt.NDArray[np.float64]

LEAST_SECONDS = 1.0  # nobody reads and answers a question faster
FEW_TIMES = 0.2  # below this share of known times nothing is said of them
DIF_LEVEL = 0.05
MOST_ROWS = 50


@dataclass(frozen=True, eq=False)
class Seated:
    """The persons of one sitting beside their answers, all (persons,): sheet ids, room, seat number, class; ``seconds``
    (persons, items) from one saved answer to the next, NaN unknown; ``numbers`` of the items on the paper.

    With several forms ``part`` holds all of their items (not presented where a person's form had none of it), ``numbers``
    are those of the first form that has the item, and ``forms`` are the parts by themselves, with their persons' rows.
    """

    part: SatPaper
    sheets: tuple[int, ...]
    rooms: tuple[str, ...]
    seats: tuple[int, ...]
    classes: tuple[str, ...]
    seconds: Floats
    numbers: tuple[int, ...]
    forms: tuple[tuple[SatPaper, tuple[int, ...]], ...] = ()

    @property
    def by_form(self) -> tuple[tuple[SatPaper, tuple[int, ...]], ...]:
        return self.forms or ((self.part, tuple(range(len(self.sheets)))),)


@dataclass(frozen=True)
class Care:
    """From where on something is reported: ``level`` of adjusted p, persons that the similarity model needs, the level of
    drift, and answers below which nothing is said of an item."""

    level: float = 0.01
    similarity_from: int = 50
    drift_level: float = 0.01
    minimum: int = 30


@dataclass(frozen=True, eq=False)
class History:
    """Counts of a bank over its sittings in order of time: ``right`` and ``n`` (sittings, versions), ``persons`` (sittings,)."""

    sittings: tuple[int, ...]
    names: tuple[str, ...]
    versions: tuple[int, ...]
    right: Floats
    n: Floats
    persons: Floats


def report(seated: Seated, history: History, care: Care, limits: Limits) -> dict[str, Any]:
    """Everything of one sitting, as JSON can hold it."""
    part = seated.part
    responses = Responses(part.codes, choices=part.choices)
    tables = option_tables(responses, list(part.keys), not_reached="wrong")
    largest, rows = max(seated.by_form, key=lambda form: len(form[1]))
    figures = form_figures([largest], None, None, limits)
    shares = _shares(seated)
    told: dict[str, Any] = _plain({
        "figures": figures.figures, "mean": shares.mean(), "sd": shares.std(ddof=1) if len(shares) > 1 else float("nan"),
        "passed": part.passed.sum(), "items": figures.items, "form": figures.name if len(seated.by_form) > 1 else "",
        "form_n": len(rows), "distribution": np.histogram(shares, bins=20, range=(0, 1))[0],
        "table": _items(seated, tables), "keys": keys(seated, tables, care),
        "similarity": similarity(seated, responses, care), "times": times(seated, care), "dif": fairness(seated, care),
        "leaks": leaks(seated, history, care),
    })
    return told


def _shares(seated: Seated) -> Floats:
    """The share of points of each person on the own form, (persons,)."""
    found = np.zeros(len(seated.sheets))
    for part, rows in seated.by_form:
        worth = np.array(part.worth, dtype=np.float64)
        found[list(rows)] = (part.codes == 1) @ worth / worth.sum()
    return found


def keys(seated: Seated, tables: Sequence[OptionTable], care: Care) -> list[dict[str, Any]]:
    """Items whose key should be looked at before scores are released. One sign stands by itself too often to count: that a
    distractor goes with ability more than the key, where chance is not ruled out."""
    return [{"number": seated.numbers[one.item], "version": seated.part.version_ids[one.item], "key": seated.part.keys[one.item],
             "option": one.option, "reasons": one.reasons, "certain": one.certain}
            for one in key_suspects(tables, minimum=care.minimum) if one.certain or one.reasons != (OUTSHONE,)]


def similarity(seated: Seated, responses: Responses, care: Care) -> dict[str, Any]:
    """Pairs of one room whose answers are more alike than two people's own work would be."""
    seats = np.column_stack([np.zeros(len(seated.seats)), np.array(seated.seats, dtype=float)])
    rooms = np.array(seated.rooms, dtype=object).astype(str)
    found: SimilarityReport = similarity_report(responses, rooms=rooms, seats=seats, level=care.level, minimum=care.similarity_from)
    rows = [{"first": seated.sheets[found.first[at]], "second": seated.sheets[found.second[at]], "items": found.items[at],
             "matches": found.matches[at], "expected": found.expected[at], "identical_wrong": found.identical_wrong[at],
             "both_wrong": found.both_wrong[at], "omega": max(found.omega_first[at], found.omega_second[at]),
             "wrong_p": found.wrong_p[at], "adjusted_p": found.adjusted_p[at], "adjacent": found.adjacent[at]}
            for at in np.flatnonzero(found.noticed)[:MOST_ROWS].tolist()]
    return {"reason": found.reason, "pairs": found.pairs, "adjacent_pairs": found.adjacent_pairs,
            "adjacency_p": found.adjacency_p, "level": care.level, "from": care.similarity_from, "rows": rows}


def times(seated: Seated, care: Care) -> dict[str, Any]:
    """Persons who answered faster than anybody reads, or in an unusual rhythm."""
    known = ~np.isnan(seated.seconds)
    share = float(known.sum() / max(int((seated.part.codes != NOT_PRESENTED).sum()), 1))
    if share < FEW_TIMES:
        return {"known": share, "rows": []}
    found = response_times(seated.seconds, (seated.part.codes == 1).astype(int), least=LEAST_SECONDS, minimum=care.minimum)
    noticed = (found.impossible >= 3) | (found.rapid_right_p <= care.level) | (found.unusual_adjusted <= care.level)
    order = np.flatnonzero(noticed)[np.argsort(-found.rapid[noticed], kind="stable")]
    rows = [{"sheet": seated.sheets[at], "impossible": found.impossible[at], "rapid": found.rapid[at],
             "rapid_right": found.rapid_right[at], "rapid_right_p": found.rapid_right_p[at],
             "unusual_p": found.unusual_adjusted[at], "answered": known[at].sum()} for at in order[:MOST_ROWS].tolist()]
    return {"known": share, "rows": rows}


def fairness(seated: Seated, care: Care) -> list[dict[str, Any]]:
    """Items that ask more of one class or room than of the others at equal score; groups below the minimum are left out.

    p values are adjusted over all items and groups of a kind and form together (Benjamini and Hochberg).
    """
    found = []
    for part, rows in seated.by_form:
        for kind, everybody in (("class", seated.classes), ("room", seated.rooms)):
            found += _fairness(seated, part, kind, tuple(everybody[row] for row in rows), care)
    return found


def _fairness(seated: Seated, part: SatPaper, kind: str, labels: tuple[str, ...], care: Care) -> list[dict[str, Any]]:
    """Of one form and the groups of one kind."""
    responses = Responses(part.codes)
    names, counts = np.unique(np.array(labels, dtype=object).astype(str), return_counts=True)
    large = [str(name) for name, count in zip(names, counts, strict=True)
             if name and count >= care.minimum and len(labels) - count >= care.minimum]
    groups = [(name, np.array([label == name for label in labels]))
              for name in (large[:1] if len(large) == len(names) == 2 else large)]  # of two, one says it all
    tests = [mantel_haenszel(responses, focal.astype(int), purify=True, level=DIF_LEVEL, minimum=care.minimum, not_reached="wrong")
             for _, focal in groups]
    if tests:
        adjusted = benjamini_hochberg(np.concatenate([test.p_value for test in tests])).reshape(len(tests), -1)
        return [_dif(seated, part, kind, group, test, p, care) for group, test, p in zip(groups, tests, adjusted, strict=True)]
    return []


def _dif(seated: Seated, part: SatPaper, kind: str, group: tuple[str, npt.NDArray[np.bool_]], test: MantelHaenszel,
         p: Floats, care: Care) -> dict[str, Any]:
    name, focal = group
    named = np.flatnonzero(np.isin(test.effect, ["B", "C"]) & (np.nan_to_num(p, nan=1.0) <= DIF_LEVEL)).tolist()
    logistic = logistic_dif(Responses(part.codes), focal.astype(int), minimum=care.minimum, not_reached="wrong") if named else None
    number_of = dict(zip(seated.part.version_ids, seated.numbers, strict=True))
    rows = [{"number": number_of[part.version_ids[at]], "version": part.version_ids[at], "delta": test.delta[at],
             "delta_se": test.delta_se[at], "effect": test.effect[at], "adjusted_p": p[at],
             "non_uniform_p": logistic.non_uniform_p[at] if logistic else None,
             "jodoin_gierl": logistic.jodoin_gierl[at] if logistic else ""} for at in named]
    return {"kind": kind, "name": name, "n": focal.sum(), "others": (~focal).sum(), "rows": rows}


def history_of(parts: Sequence[SatPaper], names: Mapping[int, str]) -> History:
    """From the answers of a bank's sittings, given in order of time; parts of one sitting are added up."""
    sittings = list(dict.fromkeys(part.sitting_id for part in parts))
    versions = sorted({version for part in parts for version in part.version_ids})
    right, n, persons = np.zeros((len(sittings), len(versions))), np.zeros((len(sittings), len(versions))), np.zeros(len(sittings))
    for part in parts:
        row, columns = sittings.index(part.sitting_id), np.searchsorted(versions, part.version_ids)
        right[row, columns] += (part.codes == 1).sum(axis=0)
        n[row, columns] += (part.codes >= 0).sum(axis=0) + (part.codes == -2).sum(axis=0)
        persons[row] += len(part.passed)
    return History(tuple(sittings), tuple(names.get(one, "") for one in sittings), tuple(versions), right, n, persons)


def drifting(history: History, care: Care) -> Drift | None:
    """Over all sittings; None while there is only one."""
    if len(history.sittings) < 2:
        return None
    return drift(history.right, history.n, minimum=care.minimum, level=care.drift_level)


def leaks(seated: Seated, history: History, care: Care) -> dict[str, Any]:
    """Of this sitting's items: those whose share right rises over the sittings beyond ability, and how many saw each."""
    seen = exposure(np.minimum(history.n, history.persons[:, None]), history.persons)
    found, rows = drifting(history, care), []
    place = {version: at for at, version in enumerate(history.versions)}
    for number, version in zip(seated.numbers, seated.part.version_ids, strict=True):
        at = place[version]
        if found is not None and found.leaking[at]:
            used = np.flatnonzero(history.n[:, at] > 0).tolist()
            rows.append({"number": number, "version": version, "p": found.adjusted_p[at], "alarm": found.alarm[at] >= 0,
                         "since": history.names[found.alarm[at]] if found.alarm[at] >= 0 else "",
                         "shares": [[history.names[s], history.right[s, at] / history.n[s, at], history.n[s, at]] for s in used]})
    often = [{"number": number, "version": version, "rate": seen.rate[place[version]], "sittings": seen.sittings[place[version]]}
             for number, version in zip(seated.numbers, seated.part.version_ids, strict=True)
             if seen.over[place[version]] and seen.sittings[place[version]] > 1]
    return {"sittings": len(history.sittings), "rows": rows, "often": often}


def _items(seated: Seated, tables: Sequence[OptionTable]) -> list[dict[str, Any]]:
    """One line for each item of the paper."""
    lines = []
    for at, table in enumerate(tables):
        key = np.flatnonzero(table.in_key)
        codes = seated.part.codes[:, at]
        n = int((codes != NOT_PRESENTED).sum())
        lines.append({"number": seated.numbers[at], "version": seated.part.version_ids[at],
                      "p": float((codes == 1).sum() / n) if n else None,
                      "item_rest": table.point_biserial[key[0]] if len(key) else None,
                      "omitted": int(((codes < 0) & (codes != NOT_PRESENTED)).sum())})
    return lines


def _plain(value: Any) -> Any:
    """numpy and NaN as JSON knows them."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
