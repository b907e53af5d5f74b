"""Check-lists, inspections, and what they found."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.oversight.kinds import (
    LIVE_FINDINGS,
    FindingState,
    InspectionKind,
    InspectionState,
    Severity,
    TargetKind,
    Verdict,
)
from examroom.oversight.regions import CENTRES, concerns
from examroom.plans.models import ExamPlan, Sitting
from examroom.plans.supervised import register
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned

UNBEGUN = (InspectionState.ASSIGNED, InspectionState.CANCELLED)


class CheckTemplate(Base):
    """检查表: the points of one kind of inspection in one region. Never changed: a change is a new number."""

    __tablename__ = "check_templates"
    __table_args__ = (sa.UniqueConstraint("region", "kind", "number"),)

    id: Mapped[Id]
    region: Mapped[str] = mapped_column(sa.String(6))
    kind: Mapped[InspectionKind] = mapped_column(sa.Enum(InspectionKind, native_enum=False, length=10))
    number: Mapped[int]  # counts from 1 within region and kind
    title: Mapped[Line]
    made_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]  # null: in force
    author: Mapped[Account] = relationship()
    points: Mapped[list[CheckPoint]] = relationship(back_populates="template", order_by="CheckPoint.place")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Schools know what they are measured by."""
        return concerns(cls.region, viewer, Role.EXAM_OFFICER, Role.QUALITY_SUPERVISOR, *CENTRES)


class CheckPoint(Base):
    """检查要点: one question of a check-list."""

    __tablename__ = "check_points"
    __table_args__ = (sa.UniqueConstraint("template_id", "place"),)

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("check_templates.id"), index=True)
    place: Mapped[int]
    section: Mapped[Line]
    text: Mapped[str]
    basis: Mapped[Line] = mapped_column(default="")  # the clause or rule it rests on
    severity: Mapped[Severity] = mapped_column(sa.Enum(Severity, native_enum=False, length=10))  # proposed for a finding here
    template: Mapped[CheckTemplate] = relationship(back_populates="points")


class Inspection(Versioned, Base):
    """检查（督导）: one school, plan or sitting inspected by some supervisors with one check-list."""

    __tablename__ = "inspections"
    __table_args__ = (sa.CheckConstraint("(submitted_at IS NOT NULL) = (state = 'SUBMITTED')", name="submitted"),
                      sa.CheckConstraint("sitting_id IS NULL OR plan_id IS NOT NULL", name="sitting_of_plan"),
                      sa.CheckConstraint("(cancel_reason <> '') = (state = 'CANCELLED')", name="cancelled"))

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(40), unique=True)
    kind: Mapped[InspectionKind] = mapped_column(sa.Enum(InspectionKind, native_enum=False, length=10))
    target_kind: Mapped[TargetKind] = mapped_column(sa.Enum(TargetKind, native_enum=False, length=10))
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)  # null: of the school as a whole
    sitting_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sittings.id"))
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("check_templates.id"))
    draw_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inspection_draws.id"), index=True)  # null: sent by the office
    place: Mapped[int | None]  # in the draw
    due_on: Mapped[date]  # to be done until then
    state: Mapped[InspectionState] = mapped_column(sa.Enum(InspectionState, native_enum=False, length=10), default=InspectionState.ASSIGNED)
    assigned_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    assigned_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    conclusion: Mapped[str] = mapped_column(default="")
    cancel_reason: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]  # 一公开: null: the public does not read it
    institution: Mapped[Institution] = relationship()
    plan: Mapped[ExamPlan | None] = relationship()
    sitting: Mapped[Sitting | None] = relationship()
    template: Mapped[CheckTemplate] = relationship()
    members: Mapped[list[InspectionMember]] = relationship(order_by="InspectionMember.id", back_populates="inspection")
    answers: Mapped[list[CheckAnswer]] = relationship(order_by="CheckAnswer.id")
    findings: Mapped[list[Finding]] = relationship(order_by="Finding.id", back_populates="inspection")
    files: Mapped[list[OversightFile]] = relationship(order_by="OversightFile.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Its inspectors; the centres above; the school once it has begun, or at once when it is announced."""
        school = sa.and_(viewer.reach(cls.institution_id, Role.EXAM_OFFICER, plan=cls.plan_id),
                         sa.or_(cls.state.not_in(UNBEGUN), sa.and_(cls.kind != InspectionKind.SPOT, cls.state == InspectionState.ASSIGNED)))
        return sa.or_(cls.inspected_by(viewer), viewer.reach(cls.institution_id, *CENTRES, plan=cls.plan_id), school)

    @classmethod
    def inspected_by(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        mine = cls.members.any(InspectionMember.account_id == viewer.account_id)
        return sa.and_(sa.literal(viewer.has(Role.QUALITY_SUPERVISOR)), cls.state != InspectionState.CANCELLED, mine)

    @property
    def target_name(self) -> str:
        if self.sitting:
            return f"{self.sitting.plan.title}　{self.sitting.name}"
        return self.plan.title if self.plan else self.institution.name

    @property
    def open_findings(self) -> list[Finding]:
        return [one for one in self.findings if one.state in LIVE_FINDINGS]

    @property
    def told(self) -> str:
        """The state in words: submitted and nothing left to put right is closed."""
        if self.state is not InspectionState.SUBMITTED:
            return self.state.chinese
        return f"已提交，{len(self.open_findings)} 个问题未销号" if self.open_findings else "已结案"


class InspectionMember(Base):
    """One inspector of an inspection."""

    __tablename__ = "inspection_members"
    __table_args__ = (sa.UniqueConstraint("inspection_id", "account_id"),)

    id: Mapped[Id]
    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspections.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    leads: Mapped[bool] = mapped_column(default=False)  # 组长
    inspection: Mapped[Inspection] = relationship(back_populates="members")
    account: Mapped[Account] = relationship()


class CheckAnswer(Base):
    """What was found at one point; the newest word stands, the trail keeps the others."""

    __tablename__ = "check_answers"
    __table_args__ = (sa.UniqueConstraint("inspection_id", "point_id"),)

    id: Mapped[Id]
    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspections.id"), index=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("check_points.id"))
    verdict: Mapped[Verdict] = mapped_column(sa.Enum(Verdict, native_enum=False, length=16))
    note: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    point: Mapped[CheckPoint] = relationship()
    author: Mapped[Account] = relationship()


class Finding(Versioned, Base):
    """问题: what an inspection found wrong, bound to evidence, to be put right by a day, closed by an inspector."""

    __tablename__ = "findings"
    __table_args__ = (sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('CLOSED', 'WITHDRAWN'))", name="ended"),)

    id: Mapped[Id]
    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspections.id"), index=True)
    point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("check_points.id"))  # null: beyond the check-list
    severity: Mapped[Severity] = mapped_column(sa.Enum(Severity, native_enum=False, length=10))
    text: Mapped[str]
    demand: Mapped[str] = mapped_column(default="")  # 整改要求
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    due_on: Mapped[date | None]  # the last working day to put it right; null until the inspection is submitted
    state: Mapped[FindingState] = mapped_column(sa.Enum(FindingState, native_enum=False, length=10), default=FindingState.OPEN)
    ended_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    ended_at: Mapped[datetime | None]
    end_note: Mapped[str] = mapped_column(default="")
    inspection: Mapped[Inspection] = relationship(back_populates="findings")
    point: Mapped[CheckPoint | None] = relationship()
    author: Mapped[Account] = relationship(foreign_keys=[recorded_by])
    replies: Mapped[list[FindingReply]] = relationship(order_by="FindingReply.id", back_populates="finding")
    files: Mapped[list[OversightFile]] = relationship(order_by="OversightFile.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The school reads it when the inspection is handed over."""
        watching = sa.or_(Inspection.inspected_by(viewer), viewer.reach(Inspection.institution_id, *CENTRES, plan=Inspection.plan_id))
        school = sa.and_(viewer.reach(Inspection.institution_id, Role.EXAM_OFFICER, plan=Inspection.plan_id),
                         Inspection.state == InspectionState.SUBMITTED, cls.state != FindingState.WITHDRAWN)
        return cls.inspection.has(sa.or_(watching, school))


class FindingReply(Base):
    """整改回复: what the school did, and what the inspector says to it."""

    __tablename__ = "finding_replies"
    __table_args__ = (sa.CheckConstraint("(judged_at IS NULL) = (accepted IS NULL)", name="judged"),)

    id: Mapped[Id]
    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("findings.id"), index=True)
    text: Mapped[str]
    replied_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    accepted: Mapped[bool | None]  # null: not looked at yet
    judged_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    judged_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    finding: Mapped[Finding] = relationship(back_populates="replies")
    author: Mapped[Account] = relationship(foreign_keys=[replied_by])
    judge: Mapped[Account | None] = relationship(foreign_keys=[judged_by])
    files: Mapped[list[OversightFile]] = relationship(order_by="OversightFile.id")


class OversightFile(Base):
    """取证材料: a photo or document that belongs to an inspection, a finding or a reply, known by its hash."""

    __tablename__ = "oversight_files"
    __table_args__ = (sa.CheckConstraint(
        "CASE WHEN inspection_id IS NULL THEN 0 ELSE 1 END + CASE WHEN finding_id IS NULL THEN 0 ELSE 1 END"
        " + CASE WHEN reply_id IS NULL THEN 0 ELSE 1 END = 1", name="one_owner"),)

    id: Mapped[Id]
    attachment_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    inspection_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inspections.id"), index=True)
    finding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("findings.id"), index=True)
    reply_id: Mapped[int | None] = mapped_column(sa.ForeignKey("finding_replies.id"), index=True)
    attachment: Mapped[Attachment] = relationship()
    inspection: Mapped[Inspection | None] = relationship(viewonly=True)
    finding: Mapped[Finding | None] = relationship(viewonly=True)
    reply: Mapped[FindingReply | None] = relationship(viewonly=True)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        replied = cls.reply.has(FindingReply.finding.has(Finding.visible_to(viewer)))
        return sa.or_(cls.inspection.has(Inspection.visible_to(viewer)), cls.finding.has(Finding.visible_to(viewer)), replied)


@register
def _inspects(plan_id: sa.ColumnElement[int], viewer: Viewer) -> sa.ColumnElement[bool]:
    """An inspector of a plan is sent to it."""
    return sa.exists().where(Inspection.plan_id == plan_id, Inspection.state != InspectionState.CANCELLED,
                             InspectionMember.inspection_id == Inspection.id, InspectionMember.account_id == viewer.account_id)
