"""Certificates, what left the house with full identity numbers, and public queries."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.results.models import Result, ResultList


class Certificate(Versioned, Base):
    """职业技能等级证书. The fields are copied from the approved result: what was issued never changes with it."""

    __tablename__ = "certificates"
    __table_args__ = (sa.CheckConstraint("(revoked_at IS NULL) = (revoked_why = '')", name="revoked"),
                      sa.CheckConstraint("length(number) = 22", name="number"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"))

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), unique=True)
    number: Mapped[str] = mapped_column(sa.String(22), unique=True)  # never used twice, not even when revoked
    holder: Mapped[Line]
    identity_hash: Mapped[str] = mapped_column(sa.String(64), index=True, info={"secret": True})
    identity_masked: Mapped[str] = mapped_column(sa.String(18))
    occupation: Mapped[Line]
    occupation_code: Mapped[str] = mapped_column(sa.String(16))
    work_type: Mapped[Line] = mapped_column(default="")
    level: Mapped[int]
    issuer: Mapped[Line]
    issued_on: Mapped[date]
    issued_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    pdf: Mapped[bytes] = mapped_column(deferred=True)  # signed (PAdES); audited by its hash
    revoked_at: Mapped[datetime | None]
    revoked_why: Mapped[str] = mapped_column(default="")
    result: Mapped[Result] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.result.has(Result.list.has(ResultList.plan.has(ExamPlan.visible_to(viewer))))


class Disclosed(enum.StrEnum):
    """What was handed out."""

    CERTIFICATE = "certificate"
    ALL_CERTIFICATES = "all_certificates"
    REPORT = "report"

    @property
    def chinese(self) -> str:
        return {"certificate": "下载证书", "all_certificates": "下载全部证书", "report": "导出上报数据"}[self.value]


class Disclosure(Base):
    """A file with full identity numbers that somebody took: reading changes no row, so it is made one."""

    __tablename__ = "certificate_disclosures"

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    certificate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificates.id"))  # null: the whole list
    what: Mapped[Disclosed] = mapped_column(sa.Enum(Disclosed, native_enum=False, length=20))
    people: Mapped[int]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    account: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.list_id.in_(sa.select(ResultList.id).where(ResultList.visible_to(viewer)))


class PublicQuery(Base):
    """One public query; what its limits count."""

    __tablename__ = "certificate_queries"
    __unaudited__ = "append-only: its own history"

    id: Mapped[Id]
    address: Mapped[Line]
    subject: Mapped[str] = mapped_column(sa.String(64), index=True)  # keyed hash of the number that was asked for
    at: Mapped[datetime] = mapped_column(index=True)
    found: Mapped[bool]
