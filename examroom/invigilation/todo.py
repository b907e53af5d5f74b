"""What waits for an invigilator: their own rooms."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.invigilation.models import RoomClosing
from examroom.plans.models import RoomInvigilator, Sitting, SittingRoom, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo

SOON = timedelta(days=7)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.INVIGILATOR):
        return []
    closed = sa.select(RoomClosing.sitting_room_id)
    ahead = Sitting.state.in_((SittingState.PLANNED, SittingState.DEALT))
    rooms = session.scalars(visible(SittingRoom, viewer).join(SittingRoom.sitting).where(
        SittingRoom.invigilators.any(RoomInvigilator.account_id == viewer.account_id), SittingRoom.id.not_in(closed),
        sa.or_(ahead, SittingRoom.opened_at.is_not(None)), Sitting.starts_at < now + SOON))
    return [Todo(f"{_what(room, now)}：{room.room.name}", "invigilation.room", {"room_id": room.id},
                 f"{room.sitting.plan.title} {room.sitting.name}", room.sitting.starts_at if room.opened_at is None else room.sitting.ends_at,
                 "四（二）") for room in rooms]


def _what(room: SittingRoom, now: datetime) -> str:
    if room.opened_at is None:
        return "监考并开启考场"
    return "监考" if now < room.sitting.ends_at else "关闭考场并打印情况记录单"
