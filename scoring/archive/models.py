"""The three-year archive."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.db import Base, Id


class ArchivePack(Base):
    """归档卷: the evidence of one plan as one file, with its hash and the head of the audit trail at that time."""

    __tablename__ = "archive_packs"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    file: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    audit_head: Mapped[str] = mapped_column(sa.String(64))
    packed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    packed_at: Mapped[datetime]
    keep_until: Mapped[date]
    plan: Mapped[ExamPlan] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))
