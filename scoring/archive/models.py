"""The three-year archive."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id


class ArchivePack(Base):
    """归档卷: the evidence of one plan as one file, with its hash and the head of the audit trail at that time."""

    __tablename__ = "archive_packs"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    file: Mapped[bytes] = mapped_column(deferred=True)
    size: Mapped[int]  # bytes of the file
    sha256: Mapped[str] = mapped_column(sa.String(64))
    audit_head: Mapped[str] = mapped_column(sa.String(64))
    packed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    packed_at: Mapped[datetime]
    keep_until: Mapped[date]  # the last day on which it must still be kept
    plan: Mapped[ExamPlan] = relationship()
    packer: Mapped[Account] = relationship()
    accesses: Mapped[list[ArchiveAccess]] = relationship(back_populates="pack", order_by="ArchiveAccess.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class ArchiveAccess(Base):
    """查阅记录: who took a pack out, when and why."""

    __tablename__ = "archive_accesses"
    __table_args__ = (sa.CheckConstraint("reason <> ''", name="reason"),)

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("archive_packs.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    reason: Mapped[str]
    pack: Mapped[ArchivePack] = relationship(back_populates="accesses")
    account: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.pack.has(ArchivePack.visible_to(viewer))
