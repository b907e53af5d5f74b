"""How the assessors of a plan agree: severity, ICC, kappa at the pass line, rows that stand out, a many-facet model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Account
from qbank.standards.rulepack import PASS_HALF_POINTS
from qbank.statistics.facets import Facets, facets, grades
from qbank.statistics.raters import Floats, Intraclass, Kappa, Severity, intraclass, severity, weighted_kappa
from scoring.practical.models import GroupMember, MarkSheet, PracticalGroup, RowKind, RubricRow
from scoring.practical.values import effective_of

BANDS = (0, PASS_HALF_POINTS, 140, 160, 201)  # half-points out of 200: 不合格, 60, 70, 80
FAR = 3.0  # standard errors
LEAST_RATINGS = 100  # for the many-facet model
LEAST_SHARE = 0.1  # of a row's marks: less is no outlier, however regular the others are


@dataclass(frozen=True)
class Outlier:
    """One mark that neither the candidate's other marks nor the assessor's habit explains."""

    sheet_id: int
    candidate: str
    assessor: str
    row: str
    given: float  # points
    others: float  # mean of the others
    standardised: float


@dataclass(frozen=True)
class GroupRaters:
    """One group whose assessors marked the same candidates. Totals in points out of the rubric's full marks."""

    group: PracticalGroup
    names: tuple[str, ...]
    totals: Floats  # (candidates, assessors)
    severity: Severity
    agreement: Intraclass
    pairs: tuple[tuple[str, str, Kappa, Kappa, float], ...]  # passed or not, bands, mean distance in points
    outliers: tuple[Outlier, ...]

    @property
    def passing(self) -> float:
        return self.group.rubric.full * PASS_HALF_POINTS / 400


@dataclass(frozen=True)
class PlanFacets:
    """The many-facet model over a set of assessors who can be compared."""

    names: tuple[str, ...]
    found: Facets


def groups_of(session: Session, plan: ExamPlan, viewer: Viewer) -> list[GroupRaters]:
    """Every group of the plan that has candidates whom all assessors have signed for."""
    found = []
    for group in session.scalars(sa.select(PracticalGroup).where(PracticalGroup.plan_id == plan.id).order_by(PracticalGroup.id)):
        table = _read(session, group, viewer)
        if table is not None:
            found.append(_group(group, table))
    return found


@dataclass(frozen=True)
class _Table:
    assessors: list[Account]
    members: list[GroupMember]
    rows: list[RubricRow]
    marks: Floats  # (candidates, assessors, rows), points
    sheets: dict[tuple[int, int], int]


def _read(session: Session, group: PracticalGroup, viewer: Viewer) -> _Table | None:
    """Only what the viewer may see: candidates whom every assessor has signed for."""
    sheets = session.scalars(visible(MarkSheet, viewer).join(MarkSheet.member).where(
        GroupMember.group_id == group.id, MarkSheet.signed_at.is_not(None), sa.not_(MarkSheet.is_chief)).options(selectinload(MarkSheet.marks))).all()
    held = {(sheet.member_id, sheet.assessor_id): sheet for sheet in sheets}
    assessors = sorted((one.account for one in group.assessors), key=lambda one: one.id)
    members = [one for one in group.members if all((one.id, who.id) in held for who in assessors)]
    rows = [row for row in group.rubric.rows if row.kind is not RowKind.VETO]
    if not members or not rows:
        return None
    values = effective_of(session, sheets)
    marks = np.array([[[(values[held[one.id, who.id].id][row.id].half_points or 0) / 2 for row in rows] for who in assessors] for one in members])
    return _Table(assessors, members, rows, marks, {place: sheet.id for place, sheet in held.items()})


def _group(group: PracticalGroup, table: _Table) -> GroupRaters:
    totals = table.marks.sum(axis=2)
    names = tuple(one.name for one in table.assessors)
    return GroupRaters(group, names, totals, severity(totals), intraclass(totals), _pairs(names, totals, group.rubric.full), _outliers(table))


def _pairs(names: tuple[str, ...], totals: Floats, full: int) -> tuple[tuple[str, str, Kappa, Kappa, float], ...]:
    """Kappa of each two assessors: passed or failed, and weighted by the distance of the bands."""
    shares = np.rint(totals * 2 * 200 / full)
    passed = shares >= PASS_HALF_POINTS
    bands = np.digitize(shares, BANDS[1:-1])
    return tuple((names[one], names[other], weighted_kappa(passed[:, one].tolist(), passed[:, other].tolist(), [False, True], weights="none"),
                  weighted_kappa(bands[:, one].tolist(), bands[:, other].tolist(), [0, 1, 2, 3], weights="quadratic"),
                  float(np.abs(totals[:, one] - totals[:, other]).mean())) for one, other in combinations(range(len(names)), 2))


def _outliers(table: _Table) -> tuple[Outlier, ...]:
    found = []
    for place, row in enumerate(table.rows):
        marks = table.marks[:, :, place]
        far = severity(marks).standardised
        for one, who in zip(*np.nonzero(np.abs(np.nan_to_num(far)) > FAR), strict=True):
            others = float(np.delete(marks[one], who).mean())
            if abs(marks[one, who] - others) >= LEAST_SHARE * row.most / 2:
                member, assessor = table.members[one], table.assessors[who]
                found.append(Outlier(table.sheets[member.id, assessor.id], member.enrolment.candidate.name, assessor.name, row.text,
                                     float(marks[one, who]), others, float(far[one, who])))
    return tuple(sorted(found, key=lambda one: -abs(one.standardised)))


def many_facets(session: Session, plan: ExamPlan, viewer: Viewer) -> list[PlanFacets]:
    """One model for each set of groups that share assessors: severity cannot be compared where nothing is shared."""
    tables = [table for group in session.scalars(sa.select(PracticalGroup).where(PracticalGroup.plan_id == plan.id).order_by(PracticalGroup.id))
              if (table := _read(session, group, viewer)) is not None]
    found = []
    for linked in _linked(tables):
        made = _facets(linked)
        if made is not None:
            found.append(made)
    return found


def _linked(tables: Sequence[_Table]) -> list[list[_Table]]:
    sets: list[tuple[set[tuple[str, int]], list[_Table]]] = []
    for table in tables:
        keys = {("assessor", one.id) for one in table.assessors} | {("candidate", one.enrolment_id) for one in table.members}
        meeting = [one for one in sets if one[0] & keys]
        sets = [one for one in sets if not one[0] & keys]
        sets.append((keys.union(*(one[0] for one in meeting)), [*(held for one in meeting for held in one[1]), table]))
    return [held for _, held in sets]


def _facets(tables: Sequence[_Table]) -> PlanFacets | None:
    persons: dict[int, int] = {}
    tasks: dict[int, int] = {}
    raters: dict[int, int] = {}
    names: list[str] = []
    lines = []
    for table in tables:
        for place, member in enumerate(table.members):
            for judge, who in enumerate(table.assessors):
                if who.id not in raters:
                    names.append(who.name)
                for at, row in enumerate(table.rows):
                    lines.append((table.marks[place, judge, at] * 2 / row.most, persons.setdefault(member.enrolment_id, len(persons)),
                                  tasks.setdefault(row.id, len(tasks)), raters.setdefault(who.id, len(raters))))
    if len(raters) < 2 or len(lines) < LEAST_RATINGS:
        return None
    shares, person, task, rater = (np.array(column) for column in zip(*lines, strict=True))
    try:
        found = facets(grades(shares), person, task, rater)
    except ValueError:
        return None
    return PlanFacets(tuple(names), found) if found.converged and found.n >= LEAST_RATINGS else None


def known(value: float) -> bool:
    """Whether a number is defined."""
    return math.isfinite(value)
