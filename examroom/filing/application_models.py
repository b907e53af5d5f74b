"""The application for a filing (备案申请, annexes 1 and 2): tables, materials, the site assessment, the decisions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.filing.models import FiledScope
from examroom.filing.states import ApplicationKind, ApplicationState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import Standard


class Application(Versioned, Base):
    """One application of an institution. The offices see it from its first submission on; a draft is the school's own."""

    __tablename__ = "filing_applications"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    number: Mapped[Line] = mapped_column(unique=True)
    kind: Mapped[ApplicationKind] = mapped_column(sa.Enum(ApplicationKind, native_enum=False, length=10))
    state: Mapped[ApplicationState] = mapped_column(sa.Enum(ApplicationState, native_enum=False, length=12), default=ApplicationState.DRAFT)
    unit: Mapped[dict[str, Any]]  # annexes.UNIT: key -> text
    prose: Mapped[dict[str, Any]]  # annexes.PROSE
    plan: Mapped[dict[str, Any]]  # annexes.PLAN: the six parts
    wish: Mapped[str] = mapped_column(default="")  # 学校意愿: of an extension
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]  # the last time; null: never
    edits: Mapped[int] = mapped_column(default=0)  # of its tables: so that a page drawn before one is told to be stale
    institution: Mapped[Institution] = relationship()
    occupations: Mapped[list[ApplicationOccupation]] = relationship(
        back_populates="application", cascade="all, delete-orphan", order_by="ApplicationOccupation.position")
    rows: Mapped[list[ApplicationRow]] = relationship(cascade="all, delete-orphan", order_by="ApplicationRow.position")
    materials: Mapped[list[Material]] = relationship(back_populates="application", cascade="all, delete-orphan", order_by="Material.id")
    assessments: Mapped[list[SiteAssessment]] = relationship(order_by="SiteAssessment.id")
    decisions: Mapped[list[FilingDecision]] = relationship(order_by="FilingDecision.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        offices = sa.and_(cls.submitted_at.is_not(None), viewer.reach(cls.institution_id, Role.CITY_OFFICER, Role.PROVINCE_OFFICER))
        return sa.or_(viewer.reach(cls.institution_id, Role.EXAM_OFFICER), offices)

    def rows_of(self, part: str) -> list[ApplicationRow]:
        return [row for row in self.rows if row.part == part]


class ApplicationOccupation(Base):
    """One line of annex 1, table 二: an occupation (work type) and level by a standard, and what both offices say of it."""

    __tablename__ = "filing_occupations"
    __table_args__ = (sa.UniqueConstraint("application_id", "standard_id", "level"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"))

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    position: Mapped[int]
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"))
    level: Mapped[int]
    major: Mapped[Line] = mapped_column(default="")  # 对应的主要专业: the specialty that the occupation belongs to (二(一))
    formerly: Mapped[bool] = mapped_column(default=False)  # within the former assessment station's range (一(二))
    industry_standard: Mapped[Line] = mapped_column(default="")  # what an evaluation specification was made from (二(二))
    renews_id: Mapped[int | None] = mapped_column(sa.ForeignKey("filed_scopes.id"))  # the filing that it extends or replaces
    city_agrees: Mapped[bool | None]  # null: not said yet
    city_note: Mapped[Line] = mapped_column(default="")
    province_agrees: Mapped[bool | None]
    province_note: Mapped[Line] = mapped_column(default="")
    scope_id: Mapped[int | None] = mapped_column(sa.ForeignKey("filed_scopes.id"))  # what was published for it
    application: Mapped[Application] = relationship(back_populates="occupations")
    standard: Mapped[Standard] = relationship()
    renews: Mapped[FiledScope | None] = relationship(foreign_keys=renews_id)
    scope: Mapped[FiledScope | None] = relationship(foreign_keys=scope_id)


class ApplicationRow(Base):
    """One row of the other tables of annex 1 (``annexes.PARTS``). The identity number of a person lies beside, encrypted."""

    __tablename__ = "filing_rows"

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(12))
    position: Mapped[int]
    cells: Mapped[dict[str, Any]]  # Field.key -> text
    identity_cipher: Mapped[bytes | None] = mapped_column(info={"secret": True, "identity": "cipher"})
    identity_hash: Mapped[str | None] = mapped_column(sa.String(64), info={"secret": True, "identity": "hash"})
    identity_masked: Mapped[str | None] = mapped_column(sa.String(18))


class Material(Base):
    """One uploaded file of annex 2's list."""

    __tablename__ = "filing_materials"

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))  # annexes.MATERIALS
    standard_id: Mapped[int | None] = mapped_column(sa.ForeignKey("standards.id"))  # null: for all that is applied for
    attachment_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    application: Mapped[Application] = relationship(back_populates="materials")
    standard: Mapped[Standard | None] = relationship()
    attachment: Mapped[Attachment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.application.has(Application.visible_to(viewer))


class SiteAssessment(Base):
    """现场评估记录: what the city saw at the school. A later visit is a further record."""

    __tablename__ = "site_assessments"

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    visited_on: Mapped[date]
    members: Mapped[Line]
    checks: Mapped[dict[str, Any]]  # annexes.CHECKS: key -> {"ok": bool, "note": str}
    opinion: Mapped[str]
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # signed record or pictures
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    application: Mapped[Application] = relationship(back_populates="assessments")
    officer: Mapped[Account] = relationship()
    attachment: Mapped[Attachment | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.application.has(Application.visible_to(viewer))


class FilingDecision(Base):
    """What somebody did to an application: submitted, passed on, returned, decided, withdrew."""

    __tablename__ = "filing_decisions"
    __append_only__ = frozenset()

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    state: Mapped[ApplicationState] = mapped_column(sa.Enum(ApplicationState, native_enum=False, length=12))  # what it became
    comment: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()


class FormTaking(Base):
    """Somebody took the application form with whole identity numbers."""

    __tablename__ = "filing_form_takings"
    __append_only__ = frozenset()

    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("filing_applications.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    format: Mapped[str] = mapped_column(sa.String(4))  # pdf | docx
    at: Mapped[datetime]
