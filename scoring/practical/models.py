"""Practical examination: rubrics, groups of candidates before their assessors, marks, joined scores, absences."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import WeightTable
from scoring.practical.rows import RowKind as RowKind
from scoring.practical.rows import RowRule, from_json
from scoring.practical.structure_models import STRUCTURE_ROLES, PracticalModule, occupation_of


class Part(enum.StrEnum):
    """A part of the examination from which a candidate can be recorded as absent (theory absence is said by the sheet)."""

    PRACTICAL = "practical"
    REVIEW = "review"

    @property
    def chinese(self) -> str:
        return {"practical": "操作技能考核", "review": "综合评审"}[self.value]


class Rubric(Versioned, Base):
    """考核评分记录表 as a form, built from the skill weight table. Frozen once a group uses it."""

    __tablename__ = "rubrics"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"))
    name: Mapped[Line]
    frozen: Mapped[bool] = mapped_column(default=False)
    full: Mapped[int] = mapped_column(default=200, server_default="200")  # half-points that all rows together are worth
    # Of a task: path of a 职业功能 -> half-points that its rows sum to; null: the weights of the table.
    targets: Mapped[dict[str, int] | None] = mapped_column(sa.JSON(none_as_null=True))
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    table: Mapped[WeightTable] = relationship()
    rows: Mapped[list[RubricRow]] = relationship(order_by="RubricRow.position", cascade="all, delete-orphan",
                                                 back_populates="rubric")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *STRUCTURE_ROLES, occupation=occupation_of(cls.table_id))


class RubricRow(Base):
    """One line of a rubric."""

    __tablename__ = "rubric_rows"
    __table_args__ = (sa.UniqueConstraint("rubric_id", "position"),
                      sa.CheckConstraint("(kind = 'VETO') = (most = 0)", name="most"))

    id: Mapped[Id]
    rubric_id: Mapped[int] = mapped_column(sa.ForeignKey("rubrics.id"))
    position: Mapped[int]
    range_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ranges.id"))  # 职业功能; null for a veto row
    kind: Mapped[RowKind] = mapped_column(sa.Enum(RowKind, native_enum=False, length=10))
    text: Mapped[str]
    most: Mapped[int]  # half-points; 0 for a veto row
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # what its kind needs: rows.from_json
    rubric: Mapped[Rubric] = relationship(back_populates="rows")

    @property
    def rule(self) -> RowRule:
        return RowRule(self.kind, self.most, from_json(self.kind, self.detail))


class PracticalGroup(Versioned, Base):
    """操作技能考核组: candidates of one plan before the same assessors with the same rubric."""

    __tablename__ = "practical_groups"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    rubric_id: Mapped[int] = mapped_column(sa.ForeignKey("rubrics.id"))
    module_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practical_modules.id"))  # null: the whole part in one group
    name: Mapped[Line]
    place: Mapped[Line] = mapped_column(default="")
    starts_at: Mapped[datetime]
    chief_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # 考评组长: decides where marks lie too far apart
    plan: Mapped[ExamPlan] = relationship()
    rubric: Mapped[Rubric] = relationship()
    module: Mapped[PracticalModule | None] = relationship()
    chief: Mapped[Account | None] = relationship()
    assessors: Mapped[list[GroupAssessor]] = relationship(back_populates="group", cascade="all, delete-orphan",
                                                          order_by="GroupAssessor.id")
    members: Mapped[list[GroupMember]] = relationship(back_populates="group", cascade="all, delete-orphan",
                                                      order_by="GroupMember.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = sa.or_(cls.assessors.any(GroupAssessor.account_id == viewer.account_id), cls.chief_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.PRACTICAL_ASSESSOR)), own),
                      cls.plan.has(ExamPlan.visible_to(viewer)))


class GroupAssessor(Base):
    """考评员 of a group."""

    __tablename__ = "group_assessors"
    __table_args__ = (sa.UniqueConstraint("group_id", "account_id"),)

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_groups.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    group: Mapped[PracticalGroup] = relationship(back_populates="assessors")
    account: Mapped[Account] = relationship()


class GroupMember(Base):
    """A candidate of a group."""

    __tablename__ = "group_members"
    __table_args__ = (sa.UniqueConstraint("group_id", "enrolment_id"),)

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_groups.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    group: Mapped[PracticalGroup] = relationship(back_populates="members")
    enrolment: Mapped[Enrolment] = relationship()
    sheets: Mapped[list[MarkSheet]] = relationship(back_populates="member", order_by="MarkSheet.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.group.has(PracticalGroup.visible_to(viewer))


class MarkSheet(Versioned, Base):
    """One assessor's marks for one candidate. Signed: never changes again."""

    __tablename__ = "mark_sheets"
    __table_args__ = (sa.UniqueConstraint("member_id", "assessor_id"),)

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("group_members.id"), index=True)
    assessor_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    signed_at: Mapped[datetime | None]  # null: still being filled in
    signed_with: Mapped[str] = mapped_column(sa.String(4), default="", server_default="")  # pen, pin; empty before there were both
    signature_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # what the pen wrote
    is_chief: Mapped[bool] = mapped_column(default=False, server_default="0")  # of the chief assessor, after a spread
    audit_head: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # when it was signed; printed on the form
    member: Mapped[GroupMember] = relationship(back_populates="sheets")
    signature: Mapped[Attachment | None] = relationship()
    assessor: Mapped[Account] = relationship()
    marks: Mapped[list[Mark]] = relationship(cascade="all, delete-orphan", back_populates="mark_sheet")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The assessor's own; the other assessors and the offices only when every assessor has signed."""
        own = sa.and_(sa.literal(viewer.has(Role.PRACTICAL_ASSESSOR)), cls.assessor_id == viewer.account_id)
        other = sa.orm.aliased(MarkSheet)
        signed = (sa.exists().where(other.member_id == cls.member_id, other.assessor_id == GroupAssessor.account_id,
                                    other.signed_at.is_not(None)).correlate_except(other))
        someone_missing = (sa.exists().where(GroupMember.id == cls.member_id,
                                             GroupAssessor.group_id == GroupMember.group_id, sa.not_(signed))
                           .correlate_except(GroupMember, GroupAssessor))
        return sa.or_(own, sa.and_(sa.not_(someone_missing), cls.signed_at.is_not(None),
                                   cls.member.has(GroupMember.visible_to(viewer))))


class Mark(Base):
    """The mark of one rubric row: half-points, or for a veto row whether it was violated."""

    __tablename__ = "marks"
    __table_args__ = (sa.UniqueConstraint("mark_sheet_id", "row_id"),
                      sa.CheckConstraint("half_points IS NULL OR (half_points >= 0 AND violated IS NULL)", name="one_kind"))

    id: Mapped[Id]
    mark_sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("mark_sheets.id"))
    row_id: Mapped[int] = mapped_column(sa.ForeignKey("rubric_rows.id"))
    entry: Mapped[Any] = mapped_column(sa.JSON(none_as_null=True), nullable=True)  # what was seen; old marks have none
    half_points: Mapped[int | None]  # null: not yet marked, or a veto row
    violated: Mapped[bool | None]  # null: not yet decided, or a points row
    mark_sheet: Mapped[MarkSheet] = relationship(back_populates="marks")
    row: Mapped[RubricRow] = relationship()


class PracticalScore(Versioned, Base):
    """The joined score of one candidate's practical part."""

    __tablename__ = "practical_scores"

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), unique=True)
    half_points: Mapped[int]
    vetoed: Mapped[bool]
    reasons: Mapped[list[str]] = mapped_column(sa.JSON)
    joined_at: Mapped[datetime]
    enrolment: Mapped[Enrolment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices, and the assessors who signed for it; a candidate sees the published result instead."""
        judged = sa.select(GroupMember.enrolment_id).join(GroupMember.group).join(PracticalGroup.assessors).where(
            GroupAssessor.account_id == viewer.account_id)
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.PRACTICAL_ASSESSOR)), cls.enrolment_id.in_(judged)),
                      cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer))))


class Absence(Base):
    """缺考: a candidate who did not appear for one part. Without it a missing score stops the publication."""

    __tablename__ = "absences"
    __table_args__ = (sa.UniqueConstraint("enrolment_id", "part"),)

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"))
    part: Mapped[Part] = mapped_column(sa.Enum(Part, native_enum=False, length=10))
    reason: Mapped[str] = mapped_column(default="")
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    enrolment: Mapped[Enrolment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer)))
