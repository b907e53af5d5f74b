"""Runs over the responses of a bank: what the analysis needs from the database, and storing what it found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items import figures
from qbank.items.estimates import expert_estimate
from qbank.items.models import Item, ItemVersion
from qbank.kernel.accounts import Institution
from qbank.standards.packs import pack_for
from qbank.statistics.arrays import Floats
from qbank.statistics.bank_analysis import BankAnalysis, Expectation, Limits
from qbank.statistics.distractors import OptionTable
from qbank.statistics.grades import SHARES
from qbank.statistics.linking import Link
from qbank.statistics.models import FormStatistic, ItemStatistic, StatisticRun

AT_ONCE = 2000  # parameters of one IN (...)

INTERVALS = ("item_rest", "biserial", "upper_lower", "b_index", "omitted")


def limits_of(session: Session, institution_id: int) -> Limits:
    """The numbers that the institution's rule pack sets."""
    pack = pack_for(session, session.get_one(Institution, institution_id))
    return Limits(pack.statistics_minimum_n, pack.calibration_minimum_n, pack.two_parameter_minimum_n)


def expectations_of(session: Session, version_ids: Collection[int]) -> dict[int, Expectation]:
    """Version → what its reviewers (Angoff) or else its author's grade expect."""
    wanted = list(version_ids)
    found: dict[int, Expectation] = {}
    for start in range(0, len(wanted), AT_ONCE):
        chunk = wanted[start:start + AT_ONCE]
        grades = session.execute(sa.select(ItemVersion.id, ItemVersion.difficulty).where(ItemVersion.id.in_(chunk)))
        found |= {version_id: Expectation(SHARES[grade], False) for version_id, grade in grades}
    estimates = expert_estimate(session, wanted)
    return found | {version_id: Expectation(estimate.mean, True) for version_id, estimate in estimates.items()}


def scale_of(session: Session, institution_id: int, table_id: int) -> dict[int, tuple[float, float, float]]:
    """Version → its current a, b, c on the bank's scale."""
    rows = session.execute(_current(institution_id, table_id).where(ItemStatistic.b.is_not(None))
                           .with_only_columns(ItemStatistic.version_id, ItemStatistic.a, ItemStatistic.b, ItemStatistic.c))
    return {version_id: (a, b, c or 0.0) for version_id, a, b, c in rows if a is not None and b is not None}


def store(session: Session, institution_id: int, table_id: int, found: BankAnalysis, occasion: str, *,
          now: datetime) -> StatisticRun:
    """Keep a run; its numbers become the current ones of its versions, those of earlier runs stay as history."""
    tried = found.tried
    run = StatisticRun(
        institution_id=institution_id, table_id=table_id, made_at=now, occasion=occasion[:200], persons=found.persons,
        sittings=found.sittings, model=found.calibration.model if found.calibration else "",
        converged=tried.converged if tried else None, log_likelihood=_number(tried.log_likelihood) if tried else None,
        gradient_norm=_number(tried.gradient_norm) if tried else None, iterations=tried.iterations if tried else None,
        nodes=tried.nodes if tried else None, scale=_scale(found.linked, found.anchors), notes=list(found.notes),
        abilities=_histogram(found.abilities))
    session.add(run)
    session.flush()
    for row in session.scalars(_current(institution_id, table_id).where(ItemStatistic.version_id.in_(found.versions))):
        row.current = False
    session.flush()  # before the new ones: only one of a version is current
    measured = [_item(found, j, run.id, now) for j in range(len(found.versions))]
    session.add_all(measured)
    figures.note_statistics(session, _enough(measured, limits_of(session, institution_id).minimum))
    session.add_all(FormStatistic(
        run_id=run.id, paper_id=form.paper_id, name=form.name[:200], n=form.n, items=form.items, mean=_number(form.mean),
        sd=_number(form.sd), passed=form.passed, figures={name: _number(value) for name, value in form.figures.items()},
        versions=list(form.versions), worth=list(form.worth), distribution=list(form.distribution)) for form in found.forms)
    session.flush()
    return run


@dataclass
class Shown:
    """What the bank's list shows of one version."""

    version_id: int
    n: int
    difficulty: float | None
    item_rest: float | None


def all_current(session: Session) -> list[Shown]:
    """The current statistics of every version, for the bank's list."""
    found: list[Shown] = []
    for school in session.scalars(sa.select(StatisticRun.institution_id).distinct()).all():
        rows = session.scalars(sa.select(ItemStatistic).join(ItemStatistic.run).where(
            ItemStatistic.current, StatisticRun.institution_id == school))
        found += _enough(rows, limits_of(session, school).minimum)
    return found


figures.STATISTICS.append(all_current)


def _enough(rows: Iterable[ItemStatistic], minimum: int) -> list[Shown]:
    """No number that rests on fewer than ``minimum`` answers."""
    return [Shown(row.version_id, row.n, row.difficulty if row.n >= minimum else None, row.item_rest) for row in rows]


def _current(institution_id: int, table_id: int) -> sa.Select[ItemStatistic]:
    return (sa.select(ItemStatistic).join(ItemStatistic.version).join(ItemVersion.item)
            .where(ItemStatistic.current, Item.institution_id == institution_id, Item.table_id == table_id))


def _item(found: BankAnalysis, j: int, run_id: int, now: datetime) -> ItemStatistic:
    analysis, table, calibration = found.analysis, found.analysis.table, found.calibration
    values: dict[str, Any] = {
        "difficulty": _raw_difficulty(found, j), "difficulty_low": analysis.bounds.difficulty[0][j],
        "difficulty_high": analysis.bounds.difficulty[1][j], "expert": found.expert[j], "item_rest": table.item_rest[j],
        "biserial": table.biserial[j], "upper_lower": table.upper_lower[j], "b_index": table.b_index[j],
        "shrunk": analysis.shrunk.estimate[j] if analysis.shrunk is not None else np.nan,
        **{name: column[j] for name, column in found.fit.items()}}
    if calibration is not None:
        values |= {name: getattr(calibration, name)[j] for name in ("a", "b", "c", "se_a", "se_b", "se_c")}
    return ItemStatistic(
        version_id=found.versions[j], run_id=run_id, current=True, n=int(table.n[j]), computed_at=now,
        intervals=_intervals(found, j), omitted=int(found.omitted[j]), not_reached=int(found.not_reached[j]), choices=dict(found.choices[j]),
        options=_options(analysis.options[j]) if analysis.options else [], observed=[list(one) for one in found.observed[j]],
        **{name: _number(value) for name, value in values.items()})


def _raw_difficulty(found: BankAnalysis, j: int) -> float:
    """The share right as counted: pages say whether n is enough to show it."""
    n = float(found.analysis.table.n[j])
    return found.right[j] / n if n else float("nan")


def _intervals(found: BankAnalysis, j: int) -> dict[str, list[float]]:
    """Of the classical numbers that have one."""
    pairs = {name: [_number(bound[j]) for bound in getattr(found.analysis.bounds, name)] for name in INTERVALS}
    return {name: [low, high] for name, (low, high) in pairs.items() if low is not None and high is not None}


def _options(table: OptionTable) -> list[dict[str, Any]]:
    return [{"letter": letter, "in_key": bool(table.in_key[o]), "count": int(table.count[o]), "share": _number(table.share[o]),
             "by_group": [_number(value) for value in table.by_group[:, o]],
             "point_biserial": _number(table.point_biserial[o])} for o, letter in enumerate(table.options) if letter]


def _histogram(abilities: Floats) -> list[list[float]]:
    """Middle and persons of each quarter of a unit."""
    places, counts = np.unique(np.floor(abilities[np.isfinite(abilities)] * 4) / 4 + 0.125, return_counts=True)
    return [[float(place), int(count)] for place, count in zip(places, counts, strict=True)]


def _scale(linked: Link | None, anchors: tuple[int, ...]) -> Mapping[str, Any]:
    if linked is None:
        return {}
    return {"slope": linked.slope, "intercept": linked.intercept, "method": linked.method, "anchors": [
        {"version": anchors[one.index], "distance": _number(one.distance), "shift": _number(one.difficulty_shift),
         "drifts": one.drifts, "used": one.index in linked.used} for one in linked.anchors]}


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
