"""A roster between its upload and its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base, Id, Line, Versioned


class RosterImport(Versioned, Base):
    """One uploaded roster between its preview and its end. The rows carry identity numbers: encrypted, and gone after."""

    __tablename__ = "roster_imports"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    file_name: Mapped[Line]
    uploaded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]
    content: Mapped[bytes | None] = mapped_column(info={"secret": True, "identity": "cipher"})  # null: imported or thrown away
    imported: Mapped[int] = mapped_column(default=0)  # rows that became enrolments
    defaults: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # for cells that the file leaves empty
    ended_at: Mapped[datetime | None]
    plan: Mapped[ExamPlan] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id))
