"""Misconduct of staff."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.oversight.hearing import Heard
from examroom.oversight.inspection_models import Finding
from examroom.oversight.kinds import CaseState
from examroom.oversight.regions import CENTRES
from examroom.plans.models import ExamPlan
from qbank.kernel.access import STAFF, Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned


class StaffCase(Heard, Versioned, Base):
    """工作人员违规: what an invigilator, assessor or officer did; proposed by one, decided by another after the hearing."""

    __tablename__ = "staff_cases"
    __table_args__ = (
        sa.CheckConstraint("evidence <> ''", name="evidence"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name="second_person"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> account_id", name="not_oneself"),
        sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("state <> 'APPROVED' OR told_at IS NOT NULL", name="told"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)  # where it happened
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("exam_plans.id"))  # null: not within one plan
    finding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("findings.id"))  # null: not found by an inspection
    duty: Mapped[Line]  # as what, e.g. 监考员
    tier: Mapped[Line]  # as the rule pack of that day called it
    happened_on: Mapped[date]
    bar_months: Mapped[int] = mapped_column(default=0)
    barred_until: Mapped[date | None]  # the last day on which he may not serve; counted from the decision; null: none
    evidence: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))
    state: Mapped[CaseState] = mapped_column(sa.Enum(CaseState, native_enum=False, length=10), default=CaseState.PROPOSED)
    proposed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    institution: Mapped[Institution] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    plan: Mapped[ExamPlan | None] = relationship()
    finding: Mapped[Finding | None] = relationship()
    file: Mapped[Attachment | None] = relationship(foreign_keys=[file_id])
    proposer: Mapped[Account] = relationship(foreign_keys=[proposed_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Its school and the centres above; the person himself once he was told."""
        own = sa.and_(sa.literal(viewer.has(*STAFF)), cls.account_id == viewer.account_id, cls.told_at.is_not(None))
        return sa.or_(own, viewer.reach(cls.institution_id, Role.EXAM_OFFICER, *CENTRES, plan=cls.plan_id))
