"""What invigilators put on record."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.delivery.models import Sheet
from examroom.plans.models import SittingRoom
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line


class Incident(Base):
    """考场情况记录: one remark or irregularity in a room, perhaps about one candidate."""

    __tablename__ = "incidents"

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), index=True)
    sheet_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sheets.id"))  # null: about the room
    kind: Mapped[Line]  # 一般情况 | 设备故障 | 违纪
    text: Mapped[str]
    voids_theory: Mapped[bool] = mapped_column(default=False)  # 违纪: the theory score is void
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    sitting_room: Mapped[SittingRoom] = relationship()
    sheet: Mapped[Sheet | None] = relationship()
    author: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sitting_room.has(SittingRoom.visible_to(viewer))


class RoomClosing(Base):
    """The end of a room: who closed it, what was counted, and the head of the audit trail printed on the record."""

    __tablename__ = "room_closings"

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), unique=True)
    present: Mapped[int]
    absent: Mapped[int]
    remark: Mapped[str] = mapped_column(default="")
    closed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    audit_head: Mapped[str] = mapped_column(sa.String(64))
    author: Mapped[Account] = relationship()
