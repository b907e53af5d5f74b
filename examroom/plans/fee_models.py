"""Fees (notice 五(五)): what a school charges, filed and published; the ledger of every candidate; what an examination cost."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import OFFICE_ROLES, ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import Standard


class FeeSchedule(Versioned, Base):
    """收费标准: what one school charges a candidate for one standard and level. Amounts in fen (0.01 yuan)."""

    __tablename__ = "fee_schedules"
    __table_args__ = (sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"),
                      sa.CheckConstraint("theory_fen >= 0 AND practical_fen >= 0 AND review_fen >= 0", name="amounts"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"))
    level: Mapped[int]
    theory_fen: Mapped[int]
    practical_fen: Mapped[int]
    review_fen: Mapped[int] = mapped_column(default=0)
    basis: Mapped[Line]  # 参考的鉴定考试收费标准
    filed_with: Mapped[Line]  # 备案部门
    filing_reference: Mapped[Line]  # 备案文号
    valid_from: Mapped[date]
    published_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    published_at: Mapped[datetime]
    ended_on: Mapped[date | None]  # the last day it is charged; null: it still is
    institution: Mapped[Institution] = relationship()
    standard: Mapped[Standard] = relationship()

    @property
    def total_fen(self) -> int:
        return self.theory_fen + self.practical_fen + self.review_fen

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *OFFICE_ROLES)


class FeeKind(enum.StrEnum):
    """One kind of entry of the register."""

    CHARGE = "charge"
    WAIVER = "waiver"
    PAYMENT = "payment"
    REFUND = "refund"

    @property
    def chinese(self) -> str:
        return {"charge": "应缴", "waiver": "减免", "payment": "收款", "refund": "退款"}[self.value]


class FeeEntry(Base):
    """One entry; entries are only added. By plan and person, so that it outlives an enrolment that was taken back."""

    __tablename__ = "fee_entries"
    __append_only__ = frozenset()
    __table_args__ = (sa.CheckConstraint("fen > 0", name="fen"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    kind: Mapped[FeeKind] = mapped_column(sa.Enum(FeeKind, native_enum=False, length=10))
    fen: Mapped[int]
    schedule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("fee_schedules.id"))  # of a charge
    receipt: Mapped[str | None] = mapped_column(sa.String(30), unique=True)  # of a payment or refund
    note: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    plan: Mapped[ExamPlan] = relationship()
    person: Mapped[Account] = relationship(foreign_keys=[account_id])
    clerk: Mapped[Account] = relationship(foreign_keys=[entered_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class CostEntry(Base):
    """What a plan cost: staff, material, sites. A wrong entry is cancelled, never changed."""

    __tablename__ = "cost_entries"
    __append_only__ = frozenset({"cancelled_at", "cancelled_by"})
    __table_args__ = (sa.CheckConstraint("fen > 0", name="fen"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    category: Mapped[Line]
    fen: Mapped[int]
    note: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    plan: Mapped[ExamPlan] = relationship()
    clerk: Mapped[Account] = relationship(foreign_keys=[entered_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))
