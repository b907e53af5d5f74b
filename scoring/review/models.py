"""Comprehensive review (综合评审) for levels 2 and 1."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned


class ReviewPanel(Versioned, Base):
    """评审委员会 of a plan: an odd number of members, one of them the chair."""

    __tablename__ = "review_panels"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    name: Mapped[Line]
    starts_at: Mapped[datetime]
    plan: Mapped[ExamPlan] = relationship()
    members: Mapped[list[PanelMember]] = relationship(back_populates="panel", cascade="all, delete-orphan",
                                                      order_by="PanelMember.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = cls.members.any(PanelMember.account_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)), own),
                      cls.plan.has(ExamPlan.visible_to(viewer)))


class PanelMember(Base):
    """评审专家 of a panel."""

    __tablename__ = "panel_members"
    __table_args__ = (sa.UniqueConstraint("panel_id", "account_id"),)

    id: Mapped[Id]
    panel_id: Mapped[int] = mapped_column(sa.ForeignKey("review_panels.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    is_chair: Mapped[bool] = mapped_column(default=False)
    panel: Mapped[ReviewPanel] = relationship(back_populates="members")
    account: Mapped[Account] = relationship()
    marks: Mapped[list[PanelMark]] = relationship(back_populates="member", order_by="PanelMark.id")


class PanelMark(Versioned, Base):
    """One member's marks for one candidate: written work and defence, each out of 100."""

    __tablename__ = "panel_marks"
    __table_args__ = (sa.UniqueConstraint("member_id", "enrolment_id"),
                      sa.CheckConstraint("(thesis IS NULL OR thesis BETWEEN 0 AND 200) AND "
                                         "(defence IS NULL OR defence BETWEEN 0 AND 200)", name="out_of_100"),
                      sa.CheckConstraint("signed_at IS NULL OR (thesis IS NOT NULL AND defence IS NOT NULL)",
                                         name="no_blanks"))

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_members.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    thesis: Mapped[int | None]  # half-points; null: not yet marked
    defence: Mapped[int | None]
    opinion: Mapped[str] = mapped_column(default="")
    signed_at: Mapped[datetime | None]
    member: Mapped[PanelMember] = relationship(back_populates="marks")
    enrolment: Mapped[Enrolment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The member's own; the others of the panel and the offices only when every member has signed."""
        own = sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)),
                      cls.member.has(PanelMember.account_id == viewer.account_id))
        mine, every, other = sa.orm.aliased(PanelMember), sa.orm.aliased(PanelMember), sa.orm.aliased(PanelMark)
        signed = (sa.exists().where(other.member_id == every.id, other.enrolment_id == cls.enrolment_id,
                                    other.signed_at.is_not(None)).correlate_except(other))
        someone_missing = (sa.exists().where(mine.id == cls.member_id, every.panel_id == mine.panel_id, sa.not_(signed))
                           .correlate_except(mine, every))
        panel = cls.member.has(PanelMember.panel.has(ReviewPanel.visible_to(viewer)))
        return sa.or_(own, sa.and_(sa.not_(someone_missing), panel))


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
        """The offices, and the panel that signed for it; a candidate sees the published result instead."""
        judged = sa.select(ReviewPanel.plan_id).join(ReviewPanel.members).where(PanelMember.account_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)),
                              cls.enrolment.has(Enrolment.plan_id.in_(judged))),
                      cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer))))
