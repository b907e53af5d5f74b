"""Blank certificates (空白证书): every printed number with what became of it, the moves that changed it, the counts."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.certificates.models import Certificate

READERS = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)


class MoveKind(enum.StrEnum):
    """Why numbers entered or left the stock."""

    RECEIVED = "received"
    SPOILED = "spoiled"
    RETURNED = "returned"

    @property
    def chinese(self) -> str:
        return {"received": "入库", "spoiled": "作废", "returned": "退回"}[self.value]


class MoveState(enum.StrEnum):
    """Spoiling: asked → done | refused. The others are done at once."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"asked": "待另一人核准", "done": "已办理", "refused": "未同意"}[self.value]


class StockMove(Versioned, Base):
    """A run of printed numbers that was received, spoiled or returned. Spoiling takes two persons."""

    __tablename__ = "stock_moves"
    __table_args__ = (sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
                      sa.CheckConstraint("kind <> 'SPOILED' OR state <> 'DONE' OR decided_by IS NOT NULL", name="spoiled_by_two"),
                      sa.CheckConstraint("pieces > 0", name="pieces"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    kind: Mapped[MoveKind] = mapped_column(sa.Enum(MoveKind, native_enum=False, length=10))
    first: Mapped[str] = mapped_column(sa.String(30))
    last: Mapped[str] = mapped_column(sa.String(30))
    pieces: Mapped[int]
    note: Mapped[str]  # from whom and by which paper; why spoiled; to whom returned
    state: Mapped[MoveState] = mapped_column(sa.Enum(MoveState, native_enum=False, length=10))
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided, or needs no second person
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    institution: Mapped[Institution] = relationship()
    asker: Mapped[Account] = relationship(foreign_keys=[asked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *READERS)


class BlankState(enum.StrEnum):
    """in_stock → used | spoiled | returned; used → spoiled."""

    IN_STOCK = "in_stock"
    USED = "used"
    SPOILED = "spoiled"
    RETURNED = "returned"

    @property
    def chinese(self) -> str:
        return {"in_stock": "在库", "used": "已用", "spoiled": "已作废", "returned": "已退回"}[self.value]


class Blank(Versioned, Base):
    """One blank certificate by the number printed on it. A certificate stands on at most one blank at a time."""

    __tablename__ = "certificate_blanks"
    __table_args__ = (sa.UniqueConstraint("institution_id", "number"),
                      sa.CheckConstraint("state <> 'USED' OR certificate_id IS NOT NULL", name="used"),
                      sa.CheckConstraint("(state IN ('SPOILED', 'RETURNED')) = (left_id IS NOT NULL)", name="left"),
                      sa.Index("ix_certificate_blanks_one_for_each", "certificate_id", unique=True,
                               sqlite_where=sa.text("state = 'USED'"), postgresql_where=sa.text("state = 'USED'")))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    number: Mapped[str] = mapped_column(sa.String(30))
    state: Mapped[BlankState] = mapped_column(sa.Enum(BlankState, native_enum=False, length=10), default=BlankState.IN_STOCK)
    received_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_moves.id"), index=True)
    left_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_moves.id"))  # the move by which it was spoiled or returned
    certificate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificates.id"))  # stays when a used one is spoiled
    used_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    used_at: Mapped[datetime | None]
    certificate: Mapped[Certificate | None] = relationship()
    received: Mapped[StockMove] = relationship(foreign_keys=[received_id])
    gone: Mapped[StockMove | None] = relationship(foreign_keys=[left_id])
    user: Mapped[Account | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *READERS)


class StockCount(Base):
    """盘点: what lay in the cupboard and what the books said at that moment. A difference carries its explanation."""

    __tablename__ = "stock_counts"
    __append_only__ = frozenset()
    __table_args__ = (sa.CheckConstraint("counted = expected OR explanation <> ''", name="explained"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    counted: Mapped[int]
    expected: Mapped[int]
    explanation: Mapped[str] = mapped_column(default="")
    witness: Mapped[Line]  # who counted along
    counted_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    counter: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *READERS)
