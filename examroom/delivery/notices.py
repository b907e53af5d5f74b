"""What invigilators tell candidates on the exam page, and who has confirmed reading it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Notice, Presence, Sheet
from examroom.plans.models import SittingRoom
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused

LONGEST = 500


def post(session: Session, sitting_room: SittingRoom, text: str, who: Viewer, *, sheet: Sheet | None = None,
         now: datetime) -> Notice:
    """A notice to the room, or to one candidate in it."""
    if not text.strip():
        raise Refused("text_missing", "请填写要发送的内容。")
    if len(text.strip()) > LONGEST:
        raise Refused("text_too_long", f"消息最长 {LONGEST} 个字，请缩短。")
    notice = Notice(sitting_room_id=sitting_room.id, sheet_id=sheet.id if sheet else None, text=text.strip(),
                    posted_by=who.account_id, at=now)
    session.add(notice)
    session.flush()
    return notice


def of_room(session: Session, sitting_room: SittingRoom, sheets: Sequence[Sheet]) -> list[dict[str, Any]]:
    """All notices of a room, newest first: to whom, and which of them have confirmed it."""
    read = dict(session.execute(sa.select(Presence.sheet_id, Presence.read_notice).where(
        Presence.sheet_id.in_([sheet.id for sheet in sheets]))).all())
    found = session.scalars(sa.select(Notice).where(Notice.sitting_room_id == sitting_room.id).order_by(Notice.id.desc()))
    told = []
    for notice in found:
        to = [sheet for sheet in sheets if notice.sheet_id in (None, sheet.id)]
        told.append({"notice": notice, "to": to,
                     "unread": [sheet for sheet in to if read.get(sheet.id, 0) < notice.id]})
    return told
