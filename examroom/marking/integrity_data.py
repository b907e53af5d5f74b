"""What the report of a sitting needs from the database, and keeping it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import Sheet
from examroom.marking.integrity import Care, Seated
from examroom.marking.keys import forms_of
from examroom.marking.models import SittingReport, TheoryScore
from examroom.marking.responses import sat, seconds_of_sitting
from examroom.plans.models import Seat, Sitting, SittingRoom
from qbank.kernel.accounts import Institution
from qbank.standards.packs import pack_for
from qbank.statistics.bank_analysis import SatPaper
from qbank.statistics.models import ItemStatistic
from qbank.statistics.responses import NOT_PRESENTED


def care_of(session: Session, institution_id: int) -> Care:
    """The levels that the institution's rule pack sets."""
    pack = pack_for(session, session.get_one(Institution, institution_id))
    return Care(pack.similarity_permille / 1000, pack.similarity_minimum_n, pack.flag_drift_permille / 1000,
                pack.statistics_minimum_n)


def seated(session: Session, sitting: Sitting, parts: Sequence[SatPaper]) -> Seated:
    """Who sat where, beside the answers of all forms. ``parts`` were read in the same order of sheets."""
    people = [sheet for sheet, _ in sat(session, sitting)]
    seats = {sheet.id: sheet for sheet in session.scalars(
        sa.select(Sheet).where(Sheet.sitting_id == sitting.id).options(
            joinedload(Sheet.enrolment), joinedload(Sheet.seat).joinedload(Seat.sitting_room).joinedload(SittingRoom.room)))}
    rows = [tuple(at for at, sheet in enumerate(people) if sheet.paper_id == part.paper_id) for part in parts]
    if [len(mine) for mine in rows] != [len(part.passed) for part in parts]:
        raise RuntimeError(f"sheets and answers of sitting {sitting.id} do not agree")
    union = _union(parts, rows, len(people))
    times = seconds_of_sitting(session, sitting, people)
    by_paper = {paper_id: {item.version_id: item.number for item in form.items} for paper_id, form in forms_of(session, sitting).items()}
    number_of = {version: number for numbers in reversed(by_paper.values()) for version, number in numbers.items()}
    seconds = [[own.get(by_paper[sheet.paper_id].get(version, 0), np.nan) for version in union.version_ids]
               for sheet, own in zip(people, times, strict=True)]
    return Seated(union, tuple(sheet.id for sheet in people), tuple(seats[sheet.id].seat.sitting_room.room.name for sheet in people),
                  tuple(sheet.seat.number for sheet in people), tuple(sheet.enrolment.class_name for sheet in people),
                  np.array(seconds, dtype=float).reshape(len(people), len(union.version_ids)),
                  tuple(number_of[version] for version in union.version_ids), tuple(zip(parts, rows, strict=True)))


def _union(parts: Sequence[SatPaper], rows: Sequence[tuple[int, ...]], persons: int) -> SatPaper:
    """All forms as one table; what a person's form had not is not presented."""
    if len(parts) == 1:
        return parts[0]
    versions = sorted({version for part in parts for version in part.version_ids})
    column = {version: at for at, version in enumerate(versions)}
    key = {version: (key, worth) for part in parts for version, key, worth in zip(part.version_ids, part.keys, part.worth, strict=True)}
    codes = np.full((persons, len(versions)), NOT_PRESENTED, dtype=np.int8)
    choices, passed = np.full(codes.shape, "", dtype=object), np.zeros(persons, dtype=bool)
    for part, mine in zip(parts, rows, strict=True):
        place = np.ix_(list(mine), [column[version] for version in part.version_ids])
        codes[place], choices[place], passed[list(mine)] = part.codes, part.choices, part.passed
    return SatPaper(parts[0].paper_id, "、".join(part.name for part in parts), parts[0].sitting_id, tuple(versions),
                    tuple(key[version][0] for version in versions), tuple(key[version][1] for version in versions), codes, choices, passed)


def waiting(session: Session, sittings: list[Sitting], asked: int | None) -> set[int]:
    """The sittings that have no report, or were marked again after it, and the one that somebody asked for."""
    ids = [sitting.id for sitting in sittings]
    reports = sa.select(SittingReport.sitting_id, SittingReport.made_at).where(SittingReport.sitting_id.in_(ids))
    scores = (sa.select(Sheet.sitting_id, sa.func.max(TheoryScore.marked_at)).join(TheoryScore.sheet)
              .where(Sheet.sitting_id.in_(ids)).group_by(Sheet.sitting_id))
    made, marked = dict(session.execute(reports).all()), dict(session.execute(scores).all())
    return {one for one in ids if one == asked or one not in made or (marked.get(one) or made[one]) > made[one]}


def keep(session: Session, sitting_id: int, n: int, found: dict[str, Any], *, now: datetime) -> SittingReport:
    """The newest report takes the place of the one before."""
    held = session.scalars(sa.select(SittingReport).where(SittingReport.sitting_id == sitting_id)).one_or_none()
    if held is None:
        held = SittingReport(sitting_id=sitting_id, made_at=now, n=n, found=found)
        session.add(held)
    held.made_at, held.n, held.found = now, n, found
    session.flush()
    return held


def keep_drift(session: Session, run_id: int, p_of: dict[int, float]) -> None:
    """Beside the other numbers of the run."""
    for row in session.scalars(sa.select(ItemStatistic).where(ItemStatistic.run_id == run_id)):
        value = p_of.get(row.version_id)
        row.drift_p = value if value is not None and np.isfinite(value) else None
    session.flush()
