"""Comprehensive review (综合评审) for levels 2 and 1: the panel and its seats, each candidate before it, marks, scores."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.review.states import CaseState, Timer


class ReviewPanel(Versioned, Base):
    """评审委员会 of a plan: an odd number of seats, one of them the chair's; substitutes take a seat when it falls empty."""

    __tablename__ = "review_panels"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    name: Mapped[Line]
    place: Mapped[Line] = mapped_column(default="", server_default="")
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=30, server_default="30")  # of each defence, as the standard says
    # The form as the rule pack had it when the panel was formed: [name, percent] each.
    form: Mapped[list[list[str | int]]] = mapped_column(sa.JSON, default=list, server_default="[]")
    spread_half_points: Mapped[int] = mapped_column(default=20, server_default="20")  # more than that is discussed
    closed_at: Mapped[datetime | None]  # the chair closed the review: the minutes stand
    audit_head: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # of that moment; printed on the minutes
    closing_note: Mapped[str] = mapped_column(default="", server_default="")
    plan: Mapped[ExamPlan] = relationship()
    members: Mapped[list[PanelMember]] = relationship(back_populates="panel", cascade="all, delete-orphan",
                                                      order_by="PanelMember.id")
    cases: Mapped[list[ReviewCase]] = relationship(back_populates="panel", order_by="ReviewCase.number")
    draws: Mapped[list[OrderDraw]] = relationship(order_by="OrderDraw.id")

    @property
    def regular(self) -> list[PanelMember]:
        """The members whose seats make the panel."""
        return [one for one in self.members if not one.is_substitute]

    def seat_of(self, viewer: Viewer) -> PanelMember | None:
        return next((one for one in self.members if one.account_id == viewer.account_id), None)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = cls.members.any(PanelMember.account_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)), own),
                      cls.plan.has(ExamPlan.visible_to(viewer)))


class PanelMember(Base):
    """评审专家 of a panel, or a substitute (候补) for one."""

    __tablename__ = "panel_members"
    __table_args__ = (sa.UniqueConstraint("panel_id", "account_id"),)

    id: Mapped[Id]
    panel_id: Mapped[int] = mapped_column(sa.ForeignKey("review_panels.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    is_chair: Mapped[bool] = mapped_column(default=False)
    is_substitute: Mapped[bool] = mapped_column(default=False, server_default="0")
    declared_at: Mapped[datetime | None]  # of his interests; before it nothing is shown to him
    minutes_signed_at: Mapped[datetime | None]
    minutes_signature_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # null: confirmed without a pen
    panel: Mapped[ReviewPanel] = relationship(back_populates="members")
    account: Mapped[Account] = relationship()
    marks: Mapped[list[PanelMark]] = relationship(back_populates="member", order_by="PanelMark.id")
    vacancies: Mapped[list[Vacancy]] = relationship(back_populates="member", foreign_keys="Vacancy.member_id",
                                                    cascade="all, delete-orphan", order_by="Vacancy.id")
    minutes_signature: Mapped[Attachment | None] = relationship()


class Cause(enum.StrEnum):
    """Why a member does not judge a candidate."""

    INTEREST = "interest"
    ABSENT = "absent"

    @property
    def chinese(self) -> str:
        return {"interest": "回避", "absent": "缺席"}[self.value]


class Vacancy(Base):
    """A member's seat that is empty for one candidate, and who came in for him."""

    __tablename__ = "panel_vacancies"
    __table_args__ = (sa.UniqueConstraint("member_id", "enrolment_id"),
                      sa.CheckConstraint("substitute_id IS NULL OR substitute_id <> member_id", name="another"))

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_members.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    cause: Mapped[Cause] = mapped_column(sa.Enum(Cause, native_enum=False, length=10))
    reason: Mapped[str]
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    substitute_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_members.id"))  # null: nobody yet, the review stops
    member: Mapped[PanelMember] = relationship(back_populates="vacancies", foreign_keys=[member_id])
    substitute: Mapped[PanelMember | None] = relationship(foreign_keys=[substitute_id])
    enrolment: Mapped[Enrolment] = relationship()


class OrderDraw(Base):
    """A draw of the order in which the candidates come, repeatable from its seed."""

    __tablename__ = "review_draws"
    __append_only__ = frozenset()

    id: Mapped[Id]
    panel_id: Mapped[int] = mapped_column(sa.ForeignKey("review_panels.id"), index=True)
    seed: Mapped[str] = mapped_column(sa.String(40))
    drawn_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    author: Mapped[Account] = relationship()


class ReviewCase(Versioned, Base):
    """One candidate before the panel, known to it by a number only."""

    __tablename__ = "review_cases"
    __table_args__ = (sa.UniqueConstraint("panel_id", "number"),
                      sa.CheckConstraint("revealed <= round", name="revealed"),
                      sa.CheckConstraint("(state = 'DEFENDING') = (running_since IS NOT NULL)", name="running"))

    id: Mapped[Id]
    panel_id: Mapped[int] = mapped_column(sa.ForeignKey("review_panels.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), unique=True)
    draw_id: Mapped[int] = mapped_column(sa.ForeignKey("review_draws.id"))
    number: Mapped[int]
    state: Mapped[CaseState] = mapped_column(sa.Enum(CaseState, native_enum=False, length=10), default=CaseState.WAITING)
    began_at: Mapped[datetime | None]
    running_since: Mapped[datetime | None]  # null: the clock of the defence stands
    spent_seconds: Mapped[int] = mapped_column(default=0)  # before it was last started
    ended_at: Mapped[datetime | None]
    early_reason: Mapped[str] = mapped_column(default="")  # why the defence ended before its time
    round: Mapped[int] = mapped_column(default=1)
    revealed: Mapped[int] = mapped_column(default=0)  # rounds whose marks lie open
    discussion: Mapped[str] = mapped_column(default="")
    discussed_at: Mapped[datetime | None]
    panel: Mapped[ReviewPanel] = relationship(back_populates="cases")
    enrolment: Mapped[Enrolment] = relationship()
    draw: Mapped[OrderDraw] = relationship()

    @property
    def timer(self) -> Timer:
        return Timer(self.panel.minutes, self.spent_seconds, self.running_since)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The panel and the offices. A candidate sees the published result instead."""
        return cls.panel.has(ReviewPanel.visible_to(viewer))


class PanelMark(Versioned, Base):
    """One member's marks for one candidate in one round: each row of the form out of 100. Sealed until all have signed."""

    __tablename__ = "panel_marks"
    __table_args__ = (sa.UniqueConstraint("member_id", "enrolment_id", "round"),)

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_members.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    round: Mapped[int] = mapped_column(default=1, server_default="1")
    # Half-points in the order of the panel's form, null where not marked yet. Secret: the trail would break the seal.
    points: Mapped[list[int | None]] = mapped_column(sa.JSON, default=list, server_default="[]", info={"secret": True})
    opinion: Mapped[str] = mapped_column(default="", info={"secret": True})
    signed_at: Mapped[datetime | None]
    signature_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # null: confirmed without a pen
    member: Mapped[PanelMember] = relationship(back_populates="marks")
    enrolment: Mapped[Enrolment] = relationship()
    signature: Mapped[Attachment | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The member's own. Once all have signed: whoever judges the same candidate, and the offices; when the review is
        closed, the whole panel."""
        examiner = sa.literal(viewer.has(Role.REVIEW_EXAMINER))
        own = cls.member.has(PanelMember.account_id == viewer.account_id)
        open_now = sa.exists().where(ReviewCase.enrolment_id == cls.enrolment_id, ReviewCase.revealed >= cls.round)
        offices = cls.member.has(PanelMember.panel.has(ReviewPanel.plan.has(ExamPlan.visible_to(viewer))))
        return sa.or_(sa.and_(examiner, own),
                      sa.and_(open_now, sa.or_(sa.and_(examiner, _judged(cls.enrolment_id, viewer)), offices)))


class ReviewScore(Versioned, Base):
    """The joined score of one candidate's comprehensive review."""

    __tablename__ = "review_scores"

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), unique=True)
    half_points: Mapped[int]
    reasons: Mapped[list[str]] = mapped_column(sa.JSON)
    joined_at: Mapped[datetime]
    enrolment: Mapped[Enrolment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices, and who judged this candidate; a candidate sees the published result instead."""
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)), _judged(cls.enrolment_id, viewer)),
                      cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer))))


class Dissent(Base):
    """保留意见: what a judge wants to stand in the minutes beside the joined score."""

    __tablename__ = "review_dissents"
    __table_args__ = (sa.UniqueConstraint("member_id", "enrolment_id"),)

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_members.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    text: Mapped[str]
    at: Mapped[datetime]
    member: Mapped[PanelMember] = relationship()


def _judged(enrolment_id: InstrumentedAttribute[int], viewer: Viewer) -> sa.ColumnElement[bool]:
    """Whether the viewer has signed marks for this candidate, or sits in the panel and its review is closed."""
    mark, member, panel = sa.orm.aliased(PanelMark), sa.orm.aliased(PanelMember), sa.orm.aliased(ReviewPanel)
    signed = sa.exists().where(mark.enrolment_id == enrolment_id, mark.member_id == member.id, mark.signed_at.is_not(None),
                               member.account_id == viewer.account_id).correlate_except(mark, member)
    seat, case = sa.orm.aliased(PanelMember), sa.orm.aliased(ReviewCase)
    closed = sa.exists().where(case.enrolment_id == enrolment_id, case.panel_id == panel.id, panel.closed_at.is_not(None),
                               seat.panel_id == panel.id, seat.account_id == viewer.account_id).correlate_except(case, panel, seat)
    return sa.or_(signed, closed)
