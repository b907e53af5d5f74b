"""What invigilators put on record."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.delivery.models import Sheet
from examroom.plans.models import Enrolment, Sitting, SittingRoom
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line


class Incident(Base):
    """考场情况记录: one remark or irregularity in a room, perhaps about one candidate. A withdrawn one stays readable."""

    __tablename__ = "incidents"
    __append_only__ = frozenset({"voids_theory", "withdrawn_at", "withdrawn_why"})

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), index=True)
    sheet_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sheets.id"), index=True)  # null: about the room
    kind: Mapped[Line]  # one of incidents.KINDS
    text: Mapped[str]
    voids_theory: Mapped[bool] = mapped_column(default=False)  # 违纪: the theory score is void
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # null: stands
    withdrawn_why: Mapped[str] = mapped_column(default="", server_default="")
    sitting_room: Mapped[SittingRoom] = relationship()
    sheet: Mapped[Sheet | None] = relationship()
    author: Mapped[Account] = relationship()
    files: Mapped[list[IncidentFile]] = relationship(order_by="IncidentFile.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sitting_room.has(SittingRoom.visible_to(viewer))


class IncidentFile(Base):
    """A picture or PDF that belongs to an incident, known by its hash."""

    __tablename__ = "incident_files"

    id: Mapped[Id]
    incident_id: Mapped[int] = mapped_column(sa.ForeignKey("incidents.id"), index=True)
    name: Mapped[Line]
    media_type: Mapped[str] = mapped_column(sa.String(40))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[bytes] = mapped_column(info={"secret": True})
    incident: Mapped[Incident] = relationship(back_populates="files")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.incident.has(Incident.visible_to(viewer))


class AdmissionCheck(Base):
    """核验: one comparison of a candidate with photo and papers at the door of a room. The newest one holds."""

    __tablename__ = "admission_checks"
    __append_only__ = frozenset()

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    passed: Mapped[bool]
    reason: Mapped[str] = mapped_column(default="")  # why not; may be empty when passed
    photo: Mapped[str] = mapped_column(sa.String(64), default="")  # hash of the photo that was shown; empty: there was none
    checked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    enrolment: Mapped[Enrolment] = relationship()
    author: Mapped[Account] = relationship()


class RoomClosing(Base):
    """The end of a room: who closed it, what was counted, and the head of the audit trail printed on the record."""

    __tablename__ = "room_closings"
    __append_only__ = frozenset()

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), unique=True)
    present: Mapped[int]
    absent: Mapped[int]
    remark: Mapped[str] = mapped_column(default="")
    closed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    audit_head: Mapped[str] = mapped_column(sa.String(64))
    author: Mapped[Account] = relationship()


class Rehearsal(Base):
    """演练: one rehearsal of a sitting, with what it found. ``findings``: subject, well, detail, remedy."""

    __tablename__ = "rehearsals"

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    well: Mapped[bool]
    findings: Mapped[list[dict[str, str | bool]]] = mapped_column(sa.JSON)
    figures: Mapped[list[dict[str, str | float]]] = mapped_column(sa.JSON)  # act, count, p50, p95, p99 and worst in ms
    sitting: Mapped[Sitting] = relationship()
    author: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        in_room = cls.sitting.has(Sitting.rooms.any(SittingRoom.visible_to(viewer)))
        return sa.or_(cls.sitting.has(Sitting.visible_to(viewer)), in_room)
