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
from qbank.papers.models import Paper

GENESIS = "0" * 64  # the chain of a sheet without events


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


class Admission(enum.StrEnum):
    """What the invigilator found when comparing the candidate with photo and papers."""

    ADMITTED = "admitted"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"admitted": "已核验", "refused": "未准入场"}[self.value]


class TimeKind(enum.StrEnum):
    """Why a time entry was written. The base is the sitting's own length and needs no entry."""

    PROFILE = "profile"
    INTERRUPTION = "interruption"
    ROOM = "room"
    PAUSE = "pause"

    @property
    def chinese(self) -> str:
        return {"profile": "照顾延时", "interruption": "中断补时", "room": "监考加时", "pause": "暂停顺延"}[self.value]


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
    seat_id: Mapped[int] = mapped_column(sa.ForeignKey("seats.id"), index=True)
    # Every sheet has a paper and an end. The columns take null only because the first release's tables had neither.
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True, nullable=True)
    ends_at: Mapped[datetime] = mapped_column(nullable=True)  # the common end and the time ledger: the save path reads this
    paused_at: Mapped[datetime | None]  # null: not paused
    late_until: Mapped[datetime | None]  # an invigilator's permission to come in late
    admission: Mapped[Admission | None] = mapped_column(sa.Enum(Admission, native_enum=False, length=10))  # null: not checked yet
    seed: Mapped[str] = mapped_column(sa.String(64))
    # Secret: it follows from the seed, and the trail must not show who sees which question where before the exam.
    layout: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, info={"secret": True})
    state: Mapped[SheetState] = mapped_column(sa.Enum(SheetState, native_enum=False, length=10), default=SheetState.DEALT)
    started_at: Mapped[datetime | None]
    handed_in_at: Mapped[datetime | None]
    handed_in_how: Mapped[HandIn | None] = mapped_column(sa.Enum(HandIn, native_enum=False, length=10))
    generation: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")  # of its live page; 0: none
    highest: Mapped[int] = mapped_column(default=0, server_default="0")  # highest sequence held
    chain: Mapped[str] = mapped_column(sa.String(64), default=GENESIS, server_default=GENESIS)  # head of its events' hash chain
    sitting: Mapped[Sitting] = relationship()
    paper: Mapped[Paper] = relationship()
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
    __append_only__ = frozenset()

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
    """One opening of the exam page. Only the live one may write: its ``generation`` is the sheet's."""

    __tablename__ = "exam_pages"
    __table_args__ = (sa.Index("uq_exam_pages_live", "sheet_id", unique=True,
                               sqlite_where=sa.text("state = 'LIVE'"), postgresql_where=sa.text("state = 'LIVE'")),)

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, info={"secret": True})
    generation: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")  # drawn at random, unlike any other's
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
    """The last sign of life of a sheet's page, and what the page says of itself."""

    __tablename__ = "presences"
    __unaudited__ = "a sign of life every few seconds, not a record"

    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), primary_key=True)
    seen_at: Mapped[datetime]
    address: Mapped[Line] = mapped_column(default="", server_default="")
    left: Mapped[int] = mapped_column(default=0, server_default="0")  # how often the page was left
    clock_offset_ms: Mapped[int | None]  # the computer's clock minus the server's
    unsent: Mapped[int] = mapped_column(default=0, server_default="0")  # changes the page still holds
    full_screen: Mapped[bool | None]
    read_notice: Mapped[int] = mapped_column(default=0, server_default="0")  # highest notice that the candidate has confirmed


class AnswerEvent(Base):
    """One change on a sheet, written durably before it is acknowledged. ``sequence`` counts on the candidate's page."""

    __tablename__ = "answer_events"
    __append_only__ = frozenset()
    __table_args__ = (sa.UniqueConstraint("sheet_id", "sequence"),)
    __unaudited__ = "append-only: the answers' own history, on the hot path of the exam"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"))
    sequence: Mapped[int]
    number: Mapped[int]  # paper number
    answer: Mapped[str]  # canonical letters, or the text of a written answer; empty: cleared
    flagged: Mapped[bool]
    received_at: Mapped[datetime]
    chain: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # SHA-256 over it and the event before


class Answer(Base):
    """The newest state of one item on one sheet."""

    __tablename__ = "answers"
    __unaudited__ = "the newest of the answer events"

    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[str]
    flagged: Mapped[bool]
    sequence: Mapped[int]  # of the event it came from: an older one never overwrites it
    saved_at: Mapped[datetime]


class SheetBody(Base):
    """What a sheet shows, made and compressed when it is dealt, so that a start only sends it."""

    __tablename__ = "sheet_bodies"
    __unaudited__ = "follows from the sheet and its sealed paper"

    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), primary_key=True)
    content: Mapped[bytes]  # raw deflate without an end: the opening of the JSON text of ``state``
    checksum: Mapped[int] = mapped_column(sa.BigInteger)  # CRC-32 of the text
    length: Mapped[int]  # bytes of the text


class SittingPicture(Base):
    """A picture that some paper of a sitting shows: its candidates may fetch it once they have started."""

    __tablename__ = "sitting_pictures"
    __unaudited__ = "follows from the sealed papers"

    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(sa.ForeignKey("pictures.id"), primary_key=True)


class TimeEntry(Base):
    """One entry of the time ledger of a sheet. Entries add up; none replaces another."""

    __tablename__ = "time_entries"
    __append_only__ = frozenset()

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    kind: Mapped[TimeKind] = mapped_column(sa.Enum(TimeKind, native_enum=False, length=12), default=TimeKind.ROOM, server_default="ROOM")
    seconds: Mapped[int]
    reason: Mapped[str]
    granted_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.select(Sheet.id).where(Sheet.id == cls.sheet_id, Sheet.visible_to(viewer)).exists()


class Interruption(Base):
    """A gap between two signs of life of a started sheet, as the save path measured it. An invigilator settles it."""

    __tablename__ = "interruptions"
    __unaudited__ = "measured, not decided: what is granted for it is a time entry, and refusing one a note of the room"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    lost_at: Mapped[datetime]  # the last sign before
    back_at: Mapped[datetime]  # the first sign after
    settled_at: Mapped[datetime | None]  # null: nobody has decided yet
    sheet: Mapped[Sheet] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sheet.has(Sheet.visible_to(viewer))


class Notice(Base):
    """What invigilators tell the candidates of a room, or one of them, on the exam page."""

    __tablename__ = "notices"

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), index=True)
    sheet_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sheets.id"))  # null: everybody in the room
    text: Mapped[str]
    posted_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # null: stands
    sheet: Mapped[Sheet | None] = relationship()
    author: Mapped[Account] = relationship()
    sitting_room: Mapped[SittingRoom] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sitting_room.has(SittingRoom.visible_to(viewer))
