"""One candidate's sheet and what was answered on it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, Seat, Sitting, SittingRoom
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line


class SheetState(enum.StrEnum):
    """dealt → started → handed_in. ``HandIn`` says how."""

    DEALT = "dealt"
    STARTED = "started"
    HANDED_IN = "handed_in"

    @property
    def chinese(self) -> str:
        return {"dealt": "未开始", "started": "答题中", "handed_in": "已交卷"}[self.value]


class HandIn(enum.StrEnum):
    """How a sheet was handed in. All of them keep the same stored answers."""

    CANDIDATE = "candidate"
    DEADLINE = "deadline"
    FORCED = "forced"
    ABSENT = "absent"

    @property
    def chinese(self) -> str:
        return {"candidate": "考生交卷", "deadline": "到时自动交卷", "forced": "监考员收卷", "absent": "缺考"}[self.value]


class Sheet(Base):
    """答卷: one candidate's shuffled copy of the sealed paper. One per enrolment and sitting, dealt before the start.

    ``layout`` is a list in the order shown: ``{"number": paper number, "kind": "single", "options": "CABD"}`` (canonical
    letters in the order shown). Everything behind the first save is canonical: paper numbers and canonical letters.
    """

    __tablename__ = "sheets"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "enrolment_id"),
                      sa.CheckConstraint("(state = 'HANDED_IN') = (handed_in_at IS NOT NULL)", name="handed_in"))

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    seat_id: Mapped[int] = mapped_column(sa.ForeignKey("seats.id"))
    seed: Mapped[str] = mapped_column(sa.String(64))
    # Secret: it follows from the seed, and the trail must not show who sees which question where before the exam.
    layout: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, info={"secret": True})
    state: Mapped[SheetState] = mapped_column(sa.Enum(SheetState, native_enum=False, length=10), default=SheetState.DEALT)
    started_at: Mapped[datetime | None]
    handed_in_at: Mapped[datetime | None]
    handed_in_how: Mapped[HandIn | None] = mapped_column(sa.Enum(HandIn, native_enum=False, length=10))
    sitting: Mapped[Sitting] = relationship()
    enrolment: Mapped[Enrolment] = relationship()
    seat: Mapped[Seat] = relationship()
    time_entries: Mapped[list[TimeEntry]] = relationship(order_by="TimeEntry.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The candidate whose it is, the invigilators of the room, the offices that see the plan."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), cls.enrolment.has(account_id=viewer.account_id))
        in_room = cls.seat.has(Seat.sitting_room.has(SittingRoom.visible_to(viewer)))
        return sa.or_(own, in_room)


class Dealing(Base):
    """One dealing of a sitting; it may be repeated until the start, the newest one holds."""

    __tablename__ = "dealings"

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    seed: Mapped[str] = mapped_column(sa.String(32))
    sheets: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))  # of the sealed paper, checked when dealing
    dealt_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()


class PageState(enum.StrEnum):
    """waiting → live → ended. A page waits when another computer holds the sheet, until an invigilator admits it."""

    WAITING = "waiting"
    LIVE = "live"
    ENDED = "ended"

    @property
    def chinese(self) -> str:
        return {"waiting": "等待监考员同意换机", "live": "使用中", "ended": "已停用"}[self.value]


class ExamPage(Base):
    """One opening of the exam page. Only the live one may write; the index allows one live page per sheet."""

    __tablename__ = "exam_pages"
    __table_args__ = (sa.Index("uq_exam_pages_live", "sheet_id", unique=True,
                               sqlite_where=sa.text("state = 'LIVE'"), postgresql_where=sa.text("state = 'LIVE'")),)

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, info={"secret": True})
    machine_hash: Mapped[str] = mapped_column(sa.String(64))  # of the random mark that a browser keeps for itself
    address: Mapped[Line]
    opened_at: Mapped[datetime]
    state: Mapped[PageState] = mapped_column(sa.Enum(PageState, native_enum=False, length=8))
    admitted_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: needed nobody's consent
    sheet: Mapped[Sheet] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sheet.has(Sheet.visible_to(viewer))


class Presence(Base):
    """The last sign of life of a sheet's page."""

    __tablename__ = "presences"
    __unaudited__ = "a sign of life every few seconds, not a record"

    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), primary_key=True)
    seen_at: Mapped[datetime]


class AnswerEvent(Base):
    """One change on a sheet, written durably before it is acknowledged. ``sequence`` counts on the candidate's page."""

    __tablename__ = "answer_events"
    __table_args__ = (sa.UniqueConstraint("sheet_id", "sequence"),)
    __unaudited__ = "append-only: the answers' own history, on the hot path of the exam"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"))
    sequence: Mapped[int]
    number: Mapped[int]  # paper number
    answer: Mapped[str] = mapped_column(sa.String(10))  # canonical letters, empty: cleared
    flagged: Mapped[bool]
    received_at: Mapped[datetime]


class Answer(Base):
    """The newest state of one item on one sheet."""

    __tablename__ = "answers"
    __unaudited__ = "the newest of the answer events"

    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[str] = mapped_column(sa.String(10))
    flagged: Mapped[bool]
    sequence: Mapped[int]  # of the event it came from: an older one never overwrites it
    saved_at: Mapped[datetime]


class TimeEntry(Base):
    """One entry of the time ledger of a sheet. Entries add up; none replaces another."""

    __tablename__ = "time_entries"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    seconds: Mapped[int]
    reason: Mapped[str]
    granted_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.select(Sheet.id).where(Sheet.id == cls.sheet_id, Sheet.visible_to(viewer)).exists()
