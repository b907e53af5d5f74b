"""Entry conditions (申报条件): the numbered options of a standard and level, and how an application stands."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import STAFF, Viewer
from qbank.kernel.db import Base, Id, Line
from qbank.standards.models import Standard


class Qualification(enum.StrEnum):
    """资格审核: pending → accepted | returned; returned → pending when something is changed; accepted → pending when taken back."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    RETURNED = "returned"

    @property
    def chinese(self) -> str:
        return {"pending": "待审核", "accepted": "审核通过", "returned": "已退回"}[self.value]


class EntryCondition(Base):
    """One numbered option as the standard says it, with a predicate over recorded facts.

    An option never changes: another wording ends it and is a new row under the same number, so that every application
    keeps what was chosen.
    """

    __tablename__ = "entry_conditions"
    __table_args__ = (sa.UniqueConstraint("standard_id", "level", "number", "version"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"),
                      sa.CheckConstraint("number BETWEEN 1 AND 99", name="number"))

    id: Mapped[Id]
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"), index=True)
    level: Mapped[int]
    number: Mapped[int]  # as the standard counts its options, from 1
    version: Mapped[int]  # from 1
    text: Mapped[str]
    predicate: Mapped[dict[str, Any]]  # predicate.Predicate
    source: Mapped[Line] = mapped_column(default="")  # page or paragraph of the standard
    written_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # null: in force
    standard: Mapped[Standard] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.literal(viewer.has(*STAFF))
