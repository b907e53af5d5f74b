"""Amendments (变更) of an approved plan: what changes and why, decided on the plan's own route; old and new are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Versioned


class PlanAmendment(Versioned, Base):
    """One change of a plan. Its states and moves are those of a plan; returned, it may be corrected and sent again."""

    __tablename__ = "plan_amendments"
    __table_args__ = (sa.UniqueConstraint("plan_id", "number"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    number: Mapped[int]  # from 1 within the plan
    state: Mapped[PlanState] = mapped_column(sa.Enum(PlanState, native_enum=False, length=12), default=PlanState.DRAFT)
    reason: Mapped[str] = mapped_column(default="")
    before: Mapped[dict[str, Any]]  # the arrangement that was approved; arrangement.read
    arrangement: Mapped[dict[str, Any]]  # what it becomes
    started_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    started_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    plan: Mapped[ExamPlan] = relationship()
    decisions: Mapped[list[AmendmentDecision]] = relationship(order_by="AmendmentDecision.id", cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class AmendmentDecision(Base):
    """One office's decision on an amendment."""

    __tablename__ = "amendment_decisions"
    __append_only__ = frozenset()

    id: Mapped[Id]
    amendment_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_amendments.id"), index=True)
    decided_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    state: Mapped[PlanState] = mapped_column(sa.Enum(PlanState, native_enum=False, length=12))  # what it became
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()
