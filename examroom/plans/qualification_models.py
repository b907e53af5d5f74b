"""What an application was judged by: its proofs, and each check with its verdict."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line


class EntryProof(Base):
    """证明材料: a file that shows a candidate's facts; one file may stand for a whole class."""

    __tablename__ = "entry_proofs"
    __table_args__ = (sa.UniqueConstraint("enrolment_id", "attachment_id"),)

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    attachment_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    title: Mapped[Line]  # what it is: 毕业证书, 学籍表
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # taken back by whoever brought it; stays on record
    enrolment: Mapped[Enrolment] = relationship()
    attachment: Mapped[Attachment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.enrolment.has(Enrolment.visible_to(viewer))


class QualificationCheck(Base):
    """One step of a 资格审核: accepted, returned with a reason, or an acceptance taken back. The newest holds."""

    __tablename__ = "qualification_checks"

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    verdict: Mapped[Qualification] = mapped_column(sa.Enum(Qualification, native_enum=False, length=10))
    reason: Mapped[str] = mapped_column(default="")
    condition: Mapped[str]  # the option as it was judged
    findings: Mapped[list[Any]]  # one sentence for each demand of the predicate, as it stood then
    checked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()
    enrolment: Mapped[Enrolment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.enrolment.has(Enrolment.visible_to(viewer))


class TicketFile(Base):
    """The 准考证 of a plan as one PDF, made for one person. It carries exam codes: its content goes after a day."""

    __tablename__ = "ticket_files"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    count: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(info={"secret": True})
    made_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.account_id == viewer.account_id
