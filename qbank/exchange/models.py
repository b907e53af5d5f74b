"""What the exchange remembers: which point words of foreign files mean, and files that were made for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.items.models import BANK_ROLES
from qbank.kernel.access import Viewer
from qbank.kernel.db import Base, Id, Line
from qbank.standards.models import Point, WeightTable


class KnowledgeChoice(Base):
    """Somebody of this school said which point (鉴定点) these words mean; equal words need nobody any more."""

    __tablename__ = "knowledge_choices"
    __table_args__ = (sa.UniqueConstraint("institution_id", "table_id", "words_hash"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"))
    words: Mapped[str]
    words_hash: Mapped[str] = mapped_column(sa.String(64))
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id", ondelete="CASCADE"))
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    made_at: Mapped[datetime]
    point: Mapped[Point] = relationship()


class ExportFile(Base):
    """Items of a bank written for one person; the row stays as the record of who took what, the content goes after a day."""

    __tablename__ = "export_files"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"))
    format: Mapped[str] = mapped_column(sa.String(20))
    file_name: Mapped[Line]
    written: Mapped[int]  # items in it
    losses: Mapped[list[Any]]  # [item, field, sentence] of what the format could not carry
    content: Mapped[bytes | None]  # null: removed
    made_at: Mapped[datetime]
    table: Mapped[WeightTable] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.account_id == viewer.account_id if viewer.has(*BANK_ROLES) else sa.false()
