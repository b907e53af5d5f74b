"""The live board: what a room looks like at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.delivery import sheets
from examroom.delivery.models import Answer, ExamPage, HandIn, PageState, Presence, Sheet, SheetState
from examroom.plans.models import Enrolment, Seat, SittingRoom
from qbank.kernel.times import local

LOST_AFTER = 25  # seconds without a sign of life: a page sends one at least every 15


def board(session: Session, sitting_room: SittingRoom, *, now: datetime) -> dict[str, Any]:
    """The room and its seats as plain values. No answers, no scores: an invigilator sees progress, not content."""
    seats = session.scalars(sa.select(Seat).where(Seat.sitting_room_id == sitting_room.id).order_by(Seat.number)
                            .options(selectinload(Seat.enrolment).selectinload(Enrolment.candidate))).all()
    found = {sheet.seat_id: sheet for sheet in session.scalars(
        sa.select(Sheet).where(Sheet.seat_id.in_([seat.id for seat in seats])).options(selectinload(Sheet.time_entries)))}
    ids = [sheet.id for sheet in found.values()]
    answered = _counts(session, Answer.sheet_id, ids, Answer.answer != "")
    opened = _counts(session, ExamPage.sheet_id, ids, ExamPage.state != PageState.WAITING)
    seen = {row.sheet_id: row.seen_at for row in session.scalars(sa.select(Presence).where(Presence.sheet_id.in_(ids)))}
    waiting = {page.sheet_id: page for page in session.scalars(
        sa.select(ExamPage).where(ExamPage.sheet_id.in_(ids), ExamPage.state == PageState.WAITING).order_by(ExamPage.id))}
    rows = [_row(seat, found.get(seat.id), answered, opened, seen, waiting, now) for seat in seats]
    sitting = sitting_room.sitting
    return {"opened": sitting_room.opened_at is not None, "starts_in": (sitting.starts_at - now).total_seconds(),
            "ends_in": (sitting.ends_at - now).total_seconds(), "clock": f"{local(now):%H:%M:%S}", "seats": rows,
            "counts": {state.value: sum(row["state"] == state for row in rows) for state in SheetState},
            "lost": sum(row["lost"] for row in rows), "waiting": sum(bool(row["waiting_page"]) for row in rows)}


def _row(seat: Seat, sheet: Sheet | None, answered: dict[int, int], opened: dict[int, int],
         seen: dict[int, datetime], waiting: dict[int, ExamPage], now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {"number": seat.number, "name": seat.enrolment.candidate.name,
                           "ticket": seat.enrolment.ticket_number, "sheet": None, "state": "", "told": "未发卷",
                           "answered": 0, "of": 0, "seen": None, "lost": False, "extra": 0, "ends": "", "how": "",
                           "pages": 0, "waiting_page": None, "waiting_address": ""}
    if sheet is None:
        return row
    age = int((now - seen[sheet.id]).total_seconds()) if sheet.id in seen else None
    page = waiting.get(sheet.id) if sheet.state is SheetState.STARTED else None
    return row | {
        "sheet": sheet.id, "state": sheet.state,
        "told": HandIn.ABSENT.chinese if sheet.handed_in_how is HandIn.ABSENT else sheet.state.chinese, "answered": answered.get(sheet.id, 0),
        "of": len(sheet.layout), "seen": age,
        "lost": sheet.state is SheetState.STARTED and (age is None or age > LOST_AFTER),
        "extra": sheets.granted_seconds(sheet), "ends": f"{local(sheets.ends_at(sheet)):%H:%M:%S}",
        "how": f"{local(sheet.handed_in_at):%H:%M:%S} {sheet.handed_in_how.chinese}"
        if sheet.handed_in_at and sheet.handed_in_how else "", "pages": opened.get(sheet.id, 0),
        "waiting_page": page.id if page else None, "waiting_address": page.address if page else ""}


def _counts(session: Session, column: Any, ids: list[int], condition: sa.ColumnElement[bool]) -> dict[int, int]:
    rows = session.execute(sa.select(column, sa.func.count()).where(column.in_(ids), condition).group_by(column))
    return dict(rows.all())
