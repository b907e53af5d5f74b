"""Certificates."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.results.models import Result, ResultList


class Certificate(Versioned, Base):
    """职业技能等级证书. The fields are copied from the approved result: what was issued never changes with it."""

    __tablename__ = "certificates"
    __table_args__ = (sa.CheckConstraint("(revoked_at IS NULL) = (revoked_why = '')", name="revoked"),)

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), unique=True)
    number: Mapped[str] = mapped_column(sa.String(22), unique=True)
    holder: Mapped[Line]
    identity_hash: Mapped[str] = mapped_column(sa.String(64), index=True, info={"secret": True})
    identity_masked: Mapped[str] = mapped_column(sa.String(18))
    occupation: Mapped[Line]
    work_type: Mapped[Line] = mapped_column(default="")
    level: Mapped[int]
    issuer: Mapped[Line]
    issued_on: Mapped[date]
    pdf: Mapped[bytes]  # signed (PAdES); audited by its hash
    revoked_at: Mapped[datetime | None]
    revoked_why: Mapped[str] = mapped_column(default="")
    result: Mapped[Result] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.result.has(Result.list.has(ResultList.plan.has(ExamPlan.visible_to(viewer))))
