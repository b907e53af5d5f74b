"""Whose duty a room is, and what every act in it needs: its sheets, its record, whether it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.delivery.models import Sheet
from examroom.invigilation.models import Incident, RoomClosing
from examroom.plans.models import Enrolment, RoomInvigilator, Seat, SittingRoom
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused

ORDINARY = "一般情况"


def is_invigilator(session: Session, sitting_room: SittingRoom, who: Viewer) -> bool:
    """Whether ``who`` is one of this room's own invigilators: seeing a room is not invigilating it."""
    return who.has(Role.INVIGILATOR) and session.scalar(sa.select(RoomInvigilator.id).where(
        RoomInvigilator.sitting_room_id == sitting_room.id, RoomInvigilator.account_id == who.account_id)) is not None


def require_invigilator(session: Session, sitting_room: SittingRoom, who: Viewer) -> None:
    if not is_invigilator(session, sitting_room, who):
        raise Refused("not_your_room", "只有本考场的监考员才能办理。如需更换监考员，请联系考务员。")


def require_running(session: Session, sitting_room: SittingRoom, who: Viewer) -> None:
    """The room's own invigilator, and the room not closed."""
    require_invigilator(session, sitting_room, who)
    if closing_of(session, sitting_room) is not None:
        raise Refused("closed", "本考场已经关闭，不能再办理。需要更正的事项请报考务员。")


def closing_of(session: Session, sitting_room: SittingRoom) -> RoomClosing | None:
    return session.scalar(sa.select(RoomClosing).where(RoomClosing.sitting_room_id == sitting_room.id))


def sheets_of(session: Session, sitting_room: SittingRoom) -> Sequence[Sheet]:
    """The room's sheets in the order of the seats."""
    return session.scalars(
        sa.select(Sheet).join(Sheet.seat).where(Seat.sitting_room_id == sitting_room.id).order_by(Seat.number).options(
            joinedload(Sheet.seat), selectinload(Sheet.enrolment).joinedload(Enrolment.candidate),
            selectinload(Sheet.time_entries))).all()


def note(session: Session, sitting_room: SittingRoom, sheet: Sheet | None, kind: str, text: str, who: Viewer, *,
         now: datetime, voids_theory: bool = False) -> Incident:
    """A line of the room's record; the caller has checked who writes it."""
    incident = Incident(sitting_room_id=sitting_room.id, sheet_id=sheet.id if sheet else None, kind=kind, text=text,
                        voids_theory=voids_theory, recorded_by=who.account_id, at=now)
    session.add(incident)
    session.flush()
    return incident
