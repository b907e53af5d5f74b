"""What candidates hand in for the comprehensive review, and what it shares with earlier work."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.review.models import PanelMember, ReviewCase, ReviewPanel, Vacancy


class ReviewCall(Versioned, Base):
    """材料提交通知 of a plan: until when its candidates hand in."""

    __tablename__ = "review_calls"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    until: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")  # what is asked for, as the candidates read it
    set_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    plan: Mapped[ExamPlan] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)),
                      cls.plan.has(ExamPlan.enrolments.any(Enrolment.account_id == viewer.account_id)))
        return sa.or_(own, cls.plan.has(ExamPlan.visible_to(viewer)))


class SubmissionKind(enum.StrEnum):
    """A technical summary or thesis of which the newest counts, or a piece of evidence beside others."""

    PAPER = "paper"
    EVIDENCE = "evidence"

    @property
    def chinese(self) -> str:
        return {"paper": "技术总结（论文）", "evidence": "业绩证明材料"}[self.value]


class Submission(Base):
    """One file as a candidate handed it in, with its receipt. Later versions stand beside it, never in its place."""

    __tablename__ = "review_submissions"
    __table_args__ = (sa.UniqueConstraint("enrolment_id", "kind", "number"),)

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"))
    kind: Mapped[SubmissionKind] = mapped_column(sa.Enum(SubmissionKind, native_enum=False, length=10))
    number: Mapped[int]  # of a paper: its version
    title: Mapped[Line]
    attachment_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    receipt: Mapped[str] = mapped_column(sa.String(24), unique=True)
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # of evidence taken back before the deadline
    enrolment: Mapped[Enrolment] = relationship()
    attachment: Mapped[Attachment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The candidate's own; the offices; and who judges this candidate, once he has declared his interests and the
        order is drawn."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), cls.enrolment.has(Enrolment.account_id == viewer.account_id))
        judge = sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)), cls.withdrawn_at.is_(None),
                        judges_now(cls.enrolment_id, viewer))
        return sa.or_(own, judge, cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer))))


def judges_now(enrolment_id: InstrumentedAttribute[int], viewer: Viewer) -> sa.ColumnElement[bool]:
    """Whether the viewer has declared his interests and sits before this candidate, in a seat of his own or another's."""
    member, case, panel = sa.orm.aliased(PanelMember), sa.orm.aliased(ReviewCase), sa.orm.aliased(ReviewPanel)
    left, filled = sa.orm.aliased(Vacancy), sa.orm.aliased(Vacancy)
    leaves = sa.exists().where(left.member_id == member.id, left.enrolment_id == enrolment_id).correlate_except(left)
    comes_in = (sa.exists().where(filled.substitute_id == member.id, filled.enrolment_id == enrolment_id)
                .correlate_except(filled))
    return sa.exists().where(
        case.enrolment_id == enrolment_id, panel.id == case.panel_id, member.panel_id == panel.id,
        member.account_id == viewer.account_id, member.declared_at.is_not(None), sa.not_(leaves),
        sa.or_(sa.not_(member.is_substitute), comes_in)).correlate_except(case, panel, member)


class SubmissionText(Base):
    """The words of a paper, read once from its file."""

    __tablename__ = "review_texts"
    __unaudited__ = "read from a kept file, which says the same at any time"

    id: Mapped[Id]
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("review_submissions.id"), unique=True)
    text: Mapped[str]
    problem: Mapped[str] = mapped_column(default="")  # why there is little or no text
    submission: Mapped[Submission] = relationship()


class OverlapCheck(Base):
    """One comparison of a paper with all others that had been handed in by then."""

    __tablename__ = "review_overlap_checks"
    __unaudited__ = "computed from kept files; repeated at any time"

    id: Mapped[Id]
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("review_submissions.id"), index=True)
    at: Mapped[datetime]
    compared: Mapped[int]  # with how many papers of other candidates
    permille: Mapped[int]  # of its text that stands in any of them
    problem: Mapped[str] = mapped_column(default="")
    submission: Mapped[Submission] = relationship()
    hits: Mapped[list[OverlapHit]] = relationship(order_by="OverlapHit.permille.desc()", cascade="all, delete-orphan",
                                                  back_populates="check")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices and the judges; never the candidate, who could write until the number falls."""
        judge = sa.and_(sa.literal(viewer.has(Role.REVIEW_EXAMINER)),
                        cls.submission.has(judges_now(Submission.enrolment_id, viewer)))
        return sa.or_(judge, cls.submission.has(Submission.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer)))))


class OverlapHit(Base):
    """Another paper with passages in common."""

    __tablename__ = "review_overlap_hits"
    __unaudited__ = "as its check"

    id: Mapped[Id]
    check_id: Mapped[int] = mapped_column(sa.ForeignKey("review_overlap_checks.id"), index=True)
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("review_submissions.id"))
    permille: Mapped[int]  # of the checked paper's text
    longest: Mapped[int]  # characters of the longest passage
    check: Mapped[OverlapCheck] = relationship(back_populates="hits")
    other: Mapped[Submission] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.check.has(OverlapCheck.visible_to(viewer))
