"""What the report of a sitting needs from the database, and keeping it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import AnswerEvent, HandIn, Sheet, SheetState
from examroom.marking.integrity import Care, Seated, seconds_of
from examroom.marking.models import SittingReport, TheoryScore
from examroom.marking.responses import keyed_items
from examroom.plans.models import Seat, Sitting, SittingRoom
from qbank.kernel.accounts import Institution
from qbank.standards.packs import pack_for
from qbank.statistics.bank_analysis import SatPaper
from qbank.statistics.models import ItemStatistic


def care_of(session: Session, institution_id: int) -> Care:
    """The levels that the institution's rule pack sets."""
    pack = pack_for(session, session.get_one(Institution, institution_id))
    return Care(pack.similarity_permille / 1000, pack.similarity_minimum_n, pack.flag_drift_permille / 1000,
                pack.statistics_minimum_n)


def seated(session: Session, sitting: Sitting, part: SatPaper) -> Seated:
    """Who sat where, beside the answers of ``part``, which were read in the same order."""
    sheets = session.scalars(
        sa.select(Sheet).join(TheoryScore, TheoryScore.sheet_id == Sheet.id)
        .where(Sheet.sitting_id == sitting.id, Sheet.state == SheetState.HANDED_IN, Sheet.handed_in_how != HandIn.ABSENT,
               TheoryScore.void.is_(False)).order_by(Sheet.id)
        .options(joinedload(Sheet.enrolment), joinedload(Sheet.seat).joinedload(Seat.sitting_room).joinedload(SittingRoom.room))).all()
    if len(sheets) != len(part.passed):
        raise RuntimeError(f"{len(sheets)} sheets and {len(part.passed)} answers of sitting {sitting.id}")
    numbers = tuple(item.number for item in keyed_items(session, sitting.paper_id or 0))
    return Seated(part, tuple(sheet.id for sheet in sheets), tuple(sheet.seat.sitting_room.room.name for sheet in sheets),
                  tuple(sheet.seat.number for sheet in sheets), tuple(sheet.enrolment.class_name for sheet in sheets),
                  _seconds(session, sitting, list(sheets), numbers), numbers)


def _seconds(session: Session, sitting: Sitting, sheets: list[Sheet], numbers: tuple[int, ...]) -> Any:
    events: dict[int, list[tuple[int, datetime]]] = {}
    for sheet_id, number, at in session.execute(
            sa.select(AnswerEvent.sheet_id, AnswerEvent.number, AnswerEvent.received_at).join(Sheet, Sheet.id == AnswerEvent.sheet_id)
            .where(Sheet.sitting_id == sitting.id).order_by(AnswerEvent.sheet_id, AnswerEvent.sequence)):
        events.setdefault(sheet_id, []).append((number, at))
    times = [seconds_of(events.get(sheet.id, []), sheet.started_at) for sheet in sheets]
    return np.array([[own.get(number, np.nan) for number in numbers] for own in times], dtype=float).reshape(len(sheets), len(numbers))


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
