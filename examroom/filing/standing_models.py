"""What becomes of a filing: its history, reports to the ministry's centre, evaluation reports, removals from the directory."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.filing.application_models import Application
from examroom.filing.models import FiledScope
from examroom.filing.states import EventKind, Ground, RemovalState, Verdict
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned

OFFICES = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)


class Evaluation(Versioned, Base):
    """评估报告: how the city rates a school's pilot over a period, reported to the province, which decides what follows."""

    __tablename__ = "pilot_evaluations"
    __table_args__ = (sa.CheckConstraint("ends_on >= starts_on", name="period"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    verdict: Mapped[Verdict] = mapped_column(sa.Enum(Verdict, native_enum=False, length=12))
    sections: Mapped[dict[str, Any]]  # annexes.REPORT: key -> text
    figures: Mapped[dict[str, Any]]  # name -> number, counted when it was written
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # the stamped report
    written_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    written_at: Mapped[datetime]
    reported_at: Mapped[datetime | None]  # null: a draft of the city
    continues: Mapped[bool | None]  # the province's decision; null: none yet
    decision: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    institution: Mapped[Institution] = relationship()
    attachment: Mapped[Attachment | None] = relationship()
    author: Mapped[Account] = relationship(foreign_keys=written_by)
    decider: Mapped[Account | None] = relationship(foreign_keys=decided_by)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The city's own; the province sees what was reported, the school what was decided."""
        return sa.or_(viewer.reach(cls.institution_id, Role.CITY_OFFICER),
                      sa.and_(cls.reported_at.is_not(None), viewer.reach(cls.institution_id, Role.PROVINCE_OFFICER)),
                      sa.and_(cls.continues.is_not(None), viewer.reach(cls.institution_id, Role.EXAM_OFFICER)))


class Removal(Versioned, Base):
    """A case for taking a school, or one line of it, off the directory: proposed with its ground, decided by the province."""

    __tablename__ = "filing_removals"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    scope_id: Mapped[int | None] = mapped_column(sa.ForeignKey("filed_scopes.id"))  # null: everything that it is filed for
    ground: Mapped[Ground] = mapped_column(sa.Enum(Ground, native_enum=False, length=12))
    reason: Mapped[str]
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))
    state: Mapped[RemovalState] = mapped_column(sa.Enum(RemovalState, native_enum=False, length=12), default=RemovalState.PROPOSED)
    proposed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime]
    last_day: Mapped[date | None]  # the last day in the directory; null until decided
    decision: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    institution: Mapped[Institution] = relationship()
    scope: Mapped[FiledScope | None] = relationship()
    attachment: Mapped[Attachment | None] = relationship()
    proposer: Mapped[Account] = relationship(foreign_keys=proposed_by)
    decider: Mapped[Account | None] = relationship(foreign_keys=decided_by)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *OFFICES)


class MinistryReport(Base):
    """报部备案: changes of the directory that were reported on to the ministry's centre, and when."""

    __tablename__ = "ministry_reports"

    id: Mapped[Id]
    reported_on: Mapped[date]
    receipt: Mapped[Line] = mapped_column(default="")  # number of the letter or of the receipt
    reported_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()
    events: Mapped[list[ScopeEvent]] = relationship(back_populates="report", order_by="ScopeEvent.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.events.any(ScopeEvent.scope.has(viewer.reach(FiledScope.institution_id, Role.PROVINCE_OFFICER)))


class ScopeEvent(Base):
    """One thing that happened to a line of the directory. Never changed; only the report that carried it is noted."""

    __tablename__ = "scope_events"
    __append_only__ = frozenset({"report_id"})

    id: Mapped[Id]
    scope_id: Mapped[int] = mapped_column(sa.ForeignKey("filed_scopes.id"), index=True)
    kind: Mapped[EventKind] = mapped_column(sa.Enum(EventKind, native_enum=False, length=12))
    day: Mapped[date]  # from when (published, renewed) or the last day (all others)
    reason: Mapped[str] = mapped_column(default="")
    application_id: Mapped[int | None] = mapped_column(sa.ForeignKey("filing_applications.id"))
    removal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("filing_removals.id"))
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ministry_reports.id"), index=True)  # null: not reported on yet
    by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    scope: Mapped[FiledScope] = relationship()
    application: Mapped[Application | None] = relationship()
    removal: Mapped[Removal | None] = relationship()
    report: Mapped[MinistryReport | None] = relationship(back_populates="events")
    officer: Mapped[Account] = relationship()
