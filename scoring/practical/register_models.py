"""The register of assessors (考评员): certificates, what a person has declared, draws, and the PIN that signs."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Versioned
from qbank.standards.models import Occupation

READERS = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR)


class Assessor(Versioned, Base):
    """One certificate of an assessor in the register of a school; a person may hold one for each occupation."""

    __tablename__ = "assessors"
    __table_args__ = (sa.UniqueConstraint("institution_id", "certificate_number"),
                      sa.UniqueConstraint("institution_id", "account_id", "occupation_id"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    certificate_number: Mapped[str] = mapped_column(sa.String(40))
    occupation_id: Mapped[int] = mapped_column(sa.ForeignKey("occupations.id"))
    levels: Mapped[list[int]] = mapped_column(sa.JSON)  # 5 to 1, sorted downwards
    senior: Mapped[bool]  # 高级考评员
    expires_on: Mapped[date]  # the last day on which it holds
    institution: Mapped[Institution] = relationship()
    account: Mapped[Account] = relationship()
    occupation: Mapped[Occupation] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = sa.and_(sa.literal(viewer.has(Role.PRACTICAL_ASSESSOR)), cls.account_id == viewer.account_id)
        return sa.or_(own, viewer.reach(cls.institution_id, *READERS))


class AssessorDraw(Base):
    """One drawing of assessors for some candidates of a plan. Each is kept: drawing until it pleases leaves a trace."""

    __tablename__ = "assessor_draws"
    __append_only__ = frozenset()

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    seed: Mapped[str] = mapped_column(sa.String(40))
    eligible: Mapped[list[int]] = mapped_column(sa.JSON)  # account ids in ascending order
    drawn: Mapped[list[int]] = mapped_column(sa.JSON)
    candidates: Mapped[list[int]] = mapped_column(sa.JSON)  # enrolment ids
    drawn_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()


class SigningPin(Base):
    """The PIN with which an assessor signs where a pen cannot be used."""

    __tablename__ = "signing_pins"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), unique=True)
    digest: Mapped[str] = mapped_column(info={"secret": True})  # argon2
    failures: Mapped[int] = mapped_column(default=0)  # in a row; too many shut it
    set_at: Mapped[datetime]
