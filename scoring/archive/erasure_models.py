"""到期删除: personal data that went when nobody needed it any more; 个人信息副本: who took a copy of what is held about whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Versioned
from scoring.archive.models import DestructionState


class Erasure(Versioned, Base):
    """到期删除: asked for by one officer, decided by another. Says whose data went by account, never what it was."""

    __tablename__ = "erasures"
    __table_args__ = (sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name="decided"),
                      sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    people: Mapped[list[Any]]  # keys of accounts
    reason: Mapped[str]
    state: Mapped[DestructionState] = mapped_column(sa.Enum(DestructionState, native_enum=False, length=10), default=DestructionState.ASKED)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    erased: Mapped[list[Any]] = mapped_column(default=list)  # keys of those that are done; a job works through them
    kept: Mapped[list[Any]] = mapped_column(default=list)  # [key, sentence] of those that could no longer be erased
    institution: Mapped[Institution] = relationship()
    asker: Mapped[Account] = relationship(foreign_keys=[asked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.EXAM_OFFICER)

    @property
    def finished(self) -> bool:
        return len(self.erased) + len(self.kept) == len(self.people)


class PersonExport(Base):
    """个人信息副本: reading changes no row, so it is made one."""

    __tablename__ = "person_exports"
    __table_args__ = (sa.CheckConstraint("reason <> ''", name="reason"),)
    __append_only__ = frozenset()

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    taken_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    reason: Mapped[str]
    at: Mapped[datetime]
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    taker: Mapped[Account] = relationship(foreign_keys=[taken_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.account.has(Account.visible_to(viewer))
