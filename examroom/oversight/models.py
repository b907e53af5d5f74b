"""Quality supervision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from examroom.plans.supervised import register
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id


class Supervision(Base):
    """质量督导: one supervisor sent to one plan by the city centre, and the report that closes it."""

    __tablename__ = "supervisions"
    __table_args__ = (sa.UniqueConstraint("plan_id", "supervisor_id"),
                      sa.CheckConstraint("(report = '') = (reported_at IS NULL)", name="reported"))

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    supervisor_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    assigned_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    assigned_at: Mapped[datetime]
    report: Mapped[str] = mapped_column(default="")
    reported_at: Mapped[datetime | None]
    plan: Mapped[ExamPlan] = relationship()
    supervisor: Mapped[Account] = relationship(foreign_keys=[supervisor_id])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Its supervisor, the school and the offices above; not other supervisors of the region."""
        own = sa.and_(sa.literal(viewer.has(Role.QUALITY_SUPERVISOR)), cls.supervisor_id == viewer.account_id)
        offices = viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER,
                               plan=ExamPlan.id)
        return sa.or_(own, cls.plan.has(offices))

    @property
    def is_reported(self) -> bool:
        return self.reported_at is not None


@register
def _sent(plan_id: Any, viewer: Viewer) -> sa.ColumnElement[bool]:
    return sa.exists().where(Supervision.plan_id == plan_id, Supervision.supervisor_id == viewer.account_id)
