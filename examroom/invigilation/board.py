"""The live board: what a room looks like at this moment. No answers, no scores, no form: progress, not content.

Every screen asks every few seconds, so the board is a handful of plain queries, and nothing in it depends on the time of
asking: while nothing happened the answer is the same, and a browser that has it gets 304. Times are milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import ledger
from examroom.delivery.models import (
    Answer,
    ExamPage,
    HandIn,
    Interruption,
    Notice,
    PageState,
    Presence,
    Sheet,
    SheetState,
    TimeEntry,
    TimeKind,
)
from examroom.plans.models import Enrolment, Seat, SittingRoom
from qbank.kernel.accounts import Account
from qbank.kernel.times import local

LOST_AFTER = 25  # seconds without a sign of life: a page sends one at least every 15


def board(session: Session, sitting_room: SittingRoom) -> dict[str, Any]:
    """The room and its seats as plain values."""
    rows = session.execute(_seats(sitting_room.id)).mappings().all()
    ids = [row["sheet"] for row in rows if row["sheet"]]
    answered = {row.sheet_id: row for row in session.execute(
        sa.select(Answer.sheet_id, sa.func.count().filter(Answer.answer != "").label("count"),
                  sa.func.max(Answer.saved_at).label("saved")).where(Answer.sheet_id.in_(ids)).group_by(Answer.sheet_id))}
    opened: dict[int, int] = dict(session.execute(sa.select(ExamPage.sheet_id, sa.func.count()).where(
        ExamPage.sheet_id.in_(ids), ExamPage.state != PageState.WAITING).group_by(ExamPage.sheet_id)).all())
    granted: dict[int, int] = dict(session.execute(sa.select(TimeEntry.sheet_id, sa.func.sum(TimeEntry.seconds)).where(
        TimeEntry.sheet_id.in_(ids), TimeEntry.kind != TimeKind.PROFILE).group_by(TimeEntry.sheet_id)).all())
    waiting = {page.sheet_id: page for page in session.execute(
        sa.select(ExamPage.sheet_id, ExamPage.id, ExamPage.address).where(
            ExamPage.sheet_id.in_(ids), ExamPage.state == PageState.WAITING).order_by(ExamPage.id))}
    gaps = {row.sheet_id: row for row in session.execute(
        sa.select(Interruption.sheet_id, Interruption.id, Interruption.lost_at, Interruption.back_at).where(
            Interruption.sheet_id.in_(ids), Interruption.settled_at.is_(None)).order_by(Interruption.id.desc()))}
    pauses = ledger.pauses_of(session, gaps) if gaps else {}
    notices = session.execute(sa.select(Notice.id, Notice.sheet_id).where(
        Notice.sitting_room_id == sitting_room.id, Notice.withdrawn_at.is_(None))).all()
    sitting, room = sitting_room.sitting, sitting_room.room
    seats = []
    for row in rows:
        seat = _seat(row)
        if row["sheet"]:
            seat |= _sheet(row, answered, opened, granted) | _waits(row, waiting.get(row["sheet"]), gaps.get(row["sheet"]), pauses.get(row["sheet"], []))
            seat["unread"] = sum(key > (row["read_notice"] or 0) and sheet in (None, row["sheet"]) for key, sheet in notices)
        seats.append(seat)
    return {"room": sitting_room.id, "opened": _ms(sitting_room.opened_at), "starts": _ms(sitting.starts_at),
            "ends": _ms(sitting.ends_at), "places": room.seats, "columns": room.columns or min(room.seats, 10), "seats": seats,
            "counts": {state.value: sum(seat["state"] == state for seat in seats) for state in SheetState}}


def text_of(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def tag(found: dict[str, Any]) -> str:
    """What the board is known by while nothing happens."""
    return hashlib.sha256(text_of(found).encode()).hexdigest()[:20]


def lost(seat: dict[str, Any], now: datetime) -> bool:
    """Whether a candidate who should be answering gives no sign of life."""
    seen = seat["seen"]
    return seat["state"] == SheetState.STARTED and (seen is None or now.timestamp() * 1000 - seen > LOST_AFTER * 1000)


def _seats(sitting_room_id: int) -> Any:
    return (sa.select(
        Seat.id.label("seat"), Seat.number, Enrolment.ticket_number, Enrolment.class_name, Enrolment.photo_id,
        Enrolment.time_percent, Account.name, Sheet.id.label("sheet"), Sheet.state, Sheet.ends_at,
        sa.func.json_array_length(Sheet.layout).label("of"),  # both databases know it: 60 layouts are not read to be counted
        Sheet.paused_at, Sheet.late_until, Sheet.admission, Sheet.handed_in_at, Sheet.handed_in_how,
        Presence.seen_at, Presence.address, Presence.left, Presence.clock_offset_ms, Presence.unsent,
        Presence.full_screen, Presence.read_notice)
        .join(Enrolment, Enrolment.id == Seat.enrolment_id).join(Account, Account.id == Enrolment.account_id)
        .outerjoin(Sheet, Sheet.seat_id == Seat.id).outerjoin(Presence, Presence.sheet_id == Sheet.id)
        .where(Seat.sitting_room_id == sitting_room_id).order_by(Seat.number))


def _seat(row: Any) -> dict[str, Any]:
    return {"seat": row["seat"], "number": row["number"], "name": row["name"], "ticket": row["ticket_number"],
            "class": row["class_name"], "photo": row["photo_id"] is not None, "percent": row["time_percent"],
            "sheet": None, "state": "", "told": "未发卷", "seen": None}


def _sheet(row: Any, answered: dict[int, Any], opened: dict[int, int], granted: dict[int, int]) -> dict[str, Any]:
    key, how, saved = row["sheet"], row["handed_in_how"], answered.get(row["sheet"])
    return {
        "sheet": key, "state": row["state"].value, "told": how.chinese if how is HandIn.ABSENT else row["state"].chinese,
        "answered": saved.count if saved else 0, "saved": _ms(saved.saved) if saved else None,
        "of": row["of"], "seen": _ms(row["seen_at"]), "address": row["address"] or "",
        "left": row["left"] or 0, "offset": row["clock_offset_ms"], "unsent": row["unsent"] or 0, "full": row["full_screen"],
        "paused": _ms(row["paused_at"]), "late": _ms(row["late_until"]), "admission": row["admission"] and row["admission"].value,
        "extra": granted.get(key, 0), "ends": _ms(row["ends_at"]), "pages": opened.get(key, 0), "forced": how is HandIn.FORCED,
        "how": f"{local(row['handed_in_at']):%H:%M:%S} {how.chinese}" if how and row["handed_in_at"] else ""}


def _waits(row: Any, page: Any, gap: Any, pauses: list[tuple[datetime, datetime]]) -> dict[str, Any]:
    """What the invigilator is asked for: another computer, time for an interruption."""
    live = row["state"] is SheetState.STARTED
    told = None
    if gap and live:
        seconds = ledger.net_seconds(gap.lost_at, gap.back_at, pauses)
        told = {"id": gap.id, "from": f"{local(gap.lost_at):%H:%M:%S}", "to": f"{local(gap.back_at):%H:%M:%S}", "seconds": seconds}
    return {"page": {"id": page.id, "address": page.address} if page and live else None, "gap": told}


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
