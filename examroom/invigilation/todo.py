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
    rooms = session.scalars(visible(SittingRoom, viewer).join(SittingRoom.sitting).where(
        SittingRoom.invigilators.any(RoomInvigilator.account_id == viewer.account_id), SittingRoom.id.not_in(closed),
        Sitting.state.in_((SittingState.PLANNED, SittingState.DEALT)), Sitting.starts_at < now + SOON))
    return [Todo(f"监考：{room.room.name}" if room.opened_at else f"监考并开启考场：{room.room.name}", "invigilation.room",
                 {"room_id": room.id}, f"{room.sitting.plan.title} {room.sitting.name}", room.sitting.starts_at)
            for room in rooms]
