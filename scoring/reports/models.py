"""Who took which report when."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import OFFICE_ROLES, ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line


class ReportFile(Base):
    """A report made for one person: the row stays as the record of who took what, the content goes after a day."""

    __tablename__ = "report_files"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)  # null: over several plans
    kind: Mapped[str] = mapped_column(sa.String(20))  # a key of the catalogue
    file_name: Mapped[Line]
    size: Mapped[int]  # bytes
    content: Mapped[bytes | None]  # null: handed over at once, or removed
    made_at: Mapped[datetime]
    account: Mapped[Account] = relationship()
    plan: Mapped[ExamPlan | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The person's own, as long as the plan is."""
        plan = sa.or_(cls.plan_id.is_(None), cls.plan.has(ExamPlan.visible_to(viewer)))
        return sa.and_(cls.account_id == viewer.account_id, plan) if viewer.has(*OFFICE_ROLES) else sa.false()
