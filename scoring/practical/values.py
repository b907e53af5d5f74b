"""What a sheet says after its approved corrections; the marks themselves are never written again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from scoring.practical.mark_models import Correction, CorrectionState
from scoring.practical.models import MarkSheet


@dataclass(frozen=True)
class Value:
    """One row: what was seen, and what follows from it."""

    entry: Any = None
    half_points: int | None = None
    violated: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def effective(sheet: MarkSheet) -> dict[int, Value]:
    """Row id -> value, with approved corrections."""
    session = object_session(sheet)
    if session is None:
        raise ValueError("the sheet belongs to no session")
    return effective_of(session, [sheet])[sheet.id]


def effective_of(session: Session, sheets: Sequence[MarkSheet]) -> dict[int, dict[int, Value]]:
    """Sheet id -> row id -> value, for many sheets with one question for the corrections."""
    found = {sheet.id: {mark.row_id: Value(mark.entry, mark.half_points, mark.violated) for mark in sheet.marks} for sheet in sheets}
    for one in session.scalars(sa.select(Correction).where(Correction.sheet_id.in_(found), Correction.state == CorrectionState.APPROVED)
                               .order_by(Correction.decided_at, Correction.id)):
        found[one.sheet_id][one.row_id] = Value(**one.after)
    return found


def total_of(sheet: MarkSheet) -> int:
    """The half-points on a sheet so far, with approved corrections."""
    return sum(one.half_points or 0 for one in effective(sheet).values())
