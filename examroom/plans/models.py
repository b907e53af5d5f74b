"""Exam plans, sittings, rooms, candidates and seats."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.condition_models import EntryCondition, Qualification
from examroom.plans.photo_models import CandidatePhoto as CandidatePhoto
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.papers.models import Paper
from qbank.standards.models import Standard

OFFICE_ROLES = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR)


class PlanState(enum.StrEnum):
    """draft → submitted → (city_filed →) approved; submitted | city_filed → returned → submitted."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CITY_FILED = "city_filed"
    APPROVED = "approved"
    RETURNED = "returned"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "submitted": "待市鉴定中心审核", "city_filed": "市已备案，待省鉴定中心批准", "approved": "已批准",
                "returned": "已退回"}[self.value]


class SittingState(enum.StrEnum):
    """planned → dealt → closed → marked. Whether a room is open is said by the room."""

    PLANNED = "planned"
    DEALT = "dealt"
    CLOSED = "closed"
    MARKED = "marked"

    @property
    def chinese(self) -> str:
        return {"planned": "未发卷", "dealt": "已发卷", "closed": "已收卷", "marked": "已评分"}[self.value]


class ExamPlan(Versioned, Base):
    """考务方案: one batch of one occupation and level at one institution."""

    __tablename__ = "exam_plans"
    __table_args__ = (sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"))
    level: Mapped[int]
    title: Mapped[Line]
    number: Mapped[Line] = mapped_column(unique=True)  # 计划编号
    state: Mapped[PlanState] = mapped_column(sa.Enum(PlanState, native_enum=False, length=12), default=PlanState.DRAFT)
    starts_on: Mapped[date] = mapped_column(index=True)  # the first day of examination: ten working days are counted back from it
    ends_on: Mapped[date | None]  # the last planned day; null: no sites are planned yet
    arrangement: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # days, places, people: arrangement.of
    measures: Mapped[str] = mapped_column(default="", server_default="")  # who does what, secrecy, emergencies
    contact: Mapped[Line] = mapped_column(default="")  # person and telephone, printed on notices
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    submitted_at: Mapped[datetime | None]
    last_serial: Mapped[int] = mapped_column(default=0)  # of the ticket numbers given out; never goes back
    institution: Mapped[Institution] = relationship()
    standard: Mapped[Standard] = relationship()
    decisions: Mapped[list[PlanDecision]] = relationship(order_by="PlanDecision.id")
    sittings: Mapped[list[Sitting]] = relationship(back_populates="plan", order_by="Sitting.starts_at")
    enrolments: Mapped[list[Enrolment]] = relationship(back_populates="plan", order_by="Enrolment.ticket_number")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *OFFICE_ROLES, plan=cls.id)


class PlanDecision(Base):
    """One office's decision on a plan."""

    __tablename__ = "plan_decisions"
    __append_only__ = frozenset()

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    decided_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    state: Mapped[PlanState] = mapped_column(sa.Enum(PlanState, native_enum=False, length=12))  # what it became
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()


class Room(Versioned, Base):
    """考场: a room of the institution."""

    __tablename__ = "rooms"
    __table_args__ = (sa.UniqueConstraint("institution_id", "name"), sa.CheckConstraint("seats > 0", name="seats"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    name: Mapped[Line]
    seats: Mapped[int]
    columns: Mapped[int | None]  # seats in one row, numbered row by row; null: one single row

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.EXAM_OFFICER)


class Enrolment(Versioned, Base):
    """One candidate in one plan."""

    __tablename__ = "enrolments"
    __table_args__ = (sa.UniqueConstraint("plan_id", "account_id"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    ticket_number: Mapped[str] = mapped_column(sa.String(20), unique=True)  # 准考证号
    student_number: Mapped[Line] = mapped_column(default="", index=True)
    class_name: Mapped[Line] = mapped_column(default="")
    entry_condition: Mapped[str] = mapped_column(default="")  # 申报条件, its text when it was chosen
    condition_id: Mapped[int | None] = mapped_column(sa.ForeignKey("entry_conditions.id"))  # null: from before they were numbered
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # what the condition is judged by: predicate.Facts
    born: Mapped[date | None] = mapped_column(info={"secret": True})  # null: from before it was kept
    qualification: Mapped[Qualification] = mapped_column(sa.Enum(Qualification, native_enum=False, length=10),
                                                         default=Qualification.PENDING, server_default="ACCEPTED")
    declared_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # who declared: a student of this school; null: before
    declared_at: Mapped[datetime | None]
    code_issue: Mapped[int] = mapped_column(default=1, server_default="1")  # raised by a reissue: the exam code before it is void
    code_reason: Mapped[Line] = mapped_column(default="", server_default="")  # why it was last issued anew
    time_percent: Mapped[int] = mapped_column(default=100, server_default="100")  # of the exam time: 150 for a disability
    time_reason: Mapped[str] = mapped_column(default="", server_default="", info={"secret": True})  # why; health data
    photo_id: Mapped[int | None] = mapped_column(sa.ForeignKey("candidate_photos.id"))  # null: none given
    plan: Mapped[ExamPlan] = relationship(back_populates="enrolments")
    candidate: Mapped[Account] = relationship(foreign_keys=[account_id])
    photo: Mapped[CandidatePhoto | None] = relationship()
    condition: Mapped[EntryCondition | None] = relationship()
    seats: Mapped[list[Seat]] = relationship(back_populates="enrolment", cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), cls.account_id == viewer.account_id)
        return sa.or_(own, cls.plan.has(ExamPlan.visible_to(viewer)))


class Sitting(Versioned, Base):
    """场次: one theory exam at one time; its rooms open one by one."""

    __tablename__ = "sittings"
    __table_args__ = (sa.Index(None, "state", "starts_at"),)  # what the sweep asks for every few seconds

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    name: Mapped[Line]
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    state: Mapped[SittingState] = mapped_column(sa.Enum(SittingState, native_enum=False, length=10),
                                                default=SittingState.PLANNED)
    seed: Mapped[str | None] = mapped_column(sa.String(32))  # what the sheets were dealt from; null until dealt
    seating_seed: Mapped[str | None] = mapped_column(sa.String(40))  # what the seats were drawn from; null until drawn
    seb_required: Mapped[bool] = mapped_column(default=False, server_default="0")  # only inside Safe Exam Browser
    seb_quit_hash: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # SHA-256 of its quit password
    plan: Mapped[ExamPlan] = relationship(back_populates="sittings")
    forms: Mapped[list[SittingPaper]] = relationship(back_populates="sitting", order_by="SittingPaper.place",
                                                     cascade="all, delete-orphan")
    rooms: Mapped[list[SittingRoom]] = relationship(back_populates="sitting", order_by="SittingRoom.id",
                                                    cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))

    @property
    def ends_at(self) -> datetime:
        """The common end; a candidate's own end adds the entries of the time ledger."""
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def papers(self) -> list[Paper]:
        """The sealed papers, forms of one family, in their order; empty until the officer chooses."""
        return [form.paper for form in self.forms]

    @papers.setter
    def papers(self, chosen: Sequence[Paper]) -> None:
        held = {form.paper: form for form in self.forms}
        self.forms = [held.get(paper) or SittingPaper(paper=paper) for paper in chosen]
        for place, form in enumerate(self.forms, 1):
            form.place = place

    @property
    def paper(self) -> Paper | None:
        """The first of its papers, for display. What a candidate sat is ``Sheet.paper``."""
        return self.forms[0].paper if self.forms else None

    @hybrid_property
    def paper_id(self) -> int | None:
        """The key of the first of its papers."""
        return self.forms[0].paper_id if self.forms else None

    @paper_id.inplace.expression
    @classmethod
    def _first_paper_id(cls) -> sa.ScalarSelect[Any]:
        return (sa.select(SittingPaper.paper_id).where(SittingPaper.sitting_id == cls.id).order_by(SittingPaper.place)
                .limit(1).correlate(cls).scalar_subquery())


class SittingPaper(Base):
    """One paper of a sitting; all of them are forms of one family."""

    __tablename__ = "sitting_papers"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "paper_id"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    place: Mapped[int] = mapped_column(default=1)  # from 1: the order in which forms are dealt
    sitting: Mapped[Sitting] = relationship(back_populates="forms")
    paper: Mapped[Paper] = relationship()


class SittingRoom(Versioned, Base):
    """One room of one sitting, with its invigilators."""

    __tablename__ = "sitting_rooms"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "room_id"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    opened_at: Mapped[datetime | None]  # null until an invigilator opens it
    opened_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    sitting: Mapped[Sitting] = relationship(back_populates="rooms")
    room: Mapped[Room] = relationship()
    invigilators: Mapped[list[RoomInvigilator]] = relationship(back_populates="sitting_room",
                                                               cascade="all, delete-orphan")
    seats: Mapped[list[Seat]] = relationship(back_populates="sitting_room", order_by="Seat.number",
                                             cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Its invigilators, and the offices that see the plan."""
        own: Any = cls.invigilators.any(RoomInvigilator.account_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.INVIGILATOR)), own),
                      cls.sitting.has(Sitting.visible_to(viewer)))


class RoomInvigilator(Base):
    """监考员 of a room in a sitting."""

    __tablename__ = "room_invigilators"
    __table_args__ = (sa.UniqueConstraint("sitting_room_id", "account_id"),)

    id: Mapped[Id]
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    sitting_room: Mapped[SittingRoom] = relationship(back_populates="invigilators")
    account: Mapped[Account] = relationship()


class Seat(Base):
    """座位: where a candidate sits in one sitting."""

    __tablename__ = "seats"
    __table_args__ = (sa.UniqueConstraint("sitting_room_id", "number"),
                      sa.UniqueConstraint("sitting_id", "enrolment_id"))

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"))
    sitting_room_id: Mapped[int] = mapped_column(sa.ForeignKey("sitting_rooms.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    number: Mapped[int]
    sitting_room: Mapped[SittingRoom] = relationship(back_populates="seats")
    enrolment: Mapped[Enrolment] = relationship(back_populates="seats")


class WorkingCalendar(Base):
    """The office's own holiday table for a year that the calendar library does not know yet."""

    __tablename__ = "working_calendars"

    id: Mapped[Id]
    year: Mapped[int] = mapped_column(unique=True)
    holidays: Mapped[list[str]] = mapped_column(sa.JSON)  # ISO dates off work on weekdays
    workdays: Mapped[list[str]] = mapped_column(sa.JSON)  # ISO dates at work on weekends (调休)
    source: Mapped[str]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.literal(viewer.has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.ADMINISTRATOR))
