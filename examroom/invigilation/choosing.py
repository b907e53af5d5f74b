"""What the forms of the room's page name: sheets, entries, notices of this room, and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.exceptions import NotFound

from examroom.delivery.models import Sheet
from examroom.plans.models import Seat, SittingRoom
from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, viewer, wants_json

TOP = 2**31 - 1
MOST = 500


def the_room(room_id: int) -> SittingRoom:
    return fetch(db(), SittingRoom, room_id, viewer())


def numbers(field: str, label: str) -> list[int]:
    """All whole numbers sent as ``field``; empty texts are nothing."""
    sent = [text for text in request.form.getlist(field) if text.strip()]
    if len(sent) > MOST:
        raise Refused("too_many", f"一次最多选 {MOST} 个。")
    return [whole_number(text, label, 1, TOP) for text in sent]


def chosen(found: SittingRoom) -> Sequence[Sheet]:
    """The sheets named in the form, in the order of the seats; each must be of this room. None named: an empty list."""
    wanted = set(numbers("sheet_id", "考生"))
    if not wanted:
        return []
    sheets = db().scalars(visible(Sheet, viewer()).join(Sheet.seat).where(
        Sheet.id.in_(wanted), Seat.sitting_room_id == found.id).order_by(Seat.number)).all()
    if len(sheets) != len(wanted):
        raise NotFound
    return sheets


def the_one(found: SittingRoom) -> Sheet:
    """The one sheet named in the form."""
    sheets = chosen(found)
    if len(sheets) != 1:
        raise Refused("choose_one", "请先在座位图上选定一名考生。")
    return sheets[0]


def named(sheets: Sequence[Sheet]) -> str:
    """Who was meant, for the sentence afterwards."""
    if not sheets:
        return "全考场"
    names = "、".join(sheet.enrolment.candidate.name for sheet in sheets[:3])
    return names if len(sheets) <= 3 else f"{names}等 {len(sheets)} 人"


def done(found: SittingRoom, sentence: str, undo: str = "", **fields: Any) -> Any:
    """The answer to an act: a sentence and how to take it back, for the page's script; else back to the page."""
    if wants_json():
        return {"told": sentence, "undo": {"url": undo, "fields": {name: value if isinstance(value, list) else [value]
                                                                   for name, value in fields.items()}} if undo else None}
    flash(sentence, "success")
    return redirect(url_for("invigilation.room", room_id=found.id))
