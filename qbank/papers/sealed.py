"""What a sealed paper leaves in the database: its pack, its openings, who looked at it, and what was printed of it.

The house calls this module's tables apart from ``models.py`` because nothing in them may be read but through
``packs``, ``opening``, ``looks`` and ``prints``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line
from qbank.papers.models import Paper


class SealedPack(Base):
    """The content of one sealed paper under a key of its own, which the installation's key file wraps."""

    __tablename__ = "sealed_packs"

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), unique=True)
    content: Mapped[bytes] = mapped_column(info={"secret": True})  # AES-256-GCM over qbank.papers.packs.Packed
    directory: Mapped[bytes] = mapped_column(info={"secret": True})  # the same over the ids of its items alone, for quick checks
    wrapped_key: Mapped[bytes] = mapped_column(info={"secret": True})
    key_name: Mapped[str] = mapped_column(sa.String(16))  # of the key that wraps; see qbank.kernel.keyring
    sealed_at: Mapped[datetime]


class SealedLists(Base):
    """The items that a specification pins to every form or bars from all: what is pinned is on every sealed paper."""

    __tablename__ = "sealed_lists"

    id: Mapped[Id]
    specification_id: Mapped[int] = mapped_column(sa.ForeignKey("specifications.id"), unique=True)
    content: Mapped[bytes] = mapped_column(info={"secret": True})  # AES-256-GCM over the lists as JSON
    wrapped_key: Mapped[bytes] = mapped_column(info={"secret": True})
    key_name: Mapped[str] = mapped_column(sa.String(16))


class PaperOpening(Base):
    """One request to open a sealed paper (启封): by whom, why, and between when another person may agree."""

    __tablename__ = "paper_openings"
    __table_args__ = (sa.CheckConstraint("opens_from < valid_until", name="window"),)

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    whole_family: Mapped[bool] = mapped_column(default=False)  # all sealed forms made together
    reason: Mapped[str]
    asked_at: Mapped[datetime]
    opens_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    needed: Mapped[int]  # persons, as the rule pack said when it was asked
    opened_at: Mapped[datetime | None]  # null: waits, or its window has passed
    paper: Mapped[Paper] = relationship()
    persons: Mapped[list[OpeningPerson]] = relationship(order_by="OpeningPerson.id", cascade="all, delete-orphan")

    @property
    def is_agreed(self) -> bool:
        """As many persons as it needs; what is left is the opening itself."""
        return len(self.persons) >= self.needed


class OpeningPerson(Base):
    """One of the persons of an opening; the first is who asked."""

    __tablename__ = "opening_persons"
    __table_args__ = (sa.UniqueConstraint("opening_id", "account_id"),)

    id: Mapped[Id]
    opening_id: Mapped[int] = mapped_column(sa.ForeignKey("paper_openings.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    address: Mapped[Line] = mapped_column(default="")
    account: Mapped[Account] = relationship()


class PaperLook(Base):
    """Somebody saw, printed or took away the content of a paper. Audited too: nobody takes a look back unnoticed."""

    __tablename__ = "paper_looks"
    __append_only__ = frozenset()

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    what: Mapped[str] = mapped_column(sa.String(20))  # a key of qbank.papers.looks.WHAT
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    address: Mapped[Line]  # from where; empty: from the machine itself (console, worker)
    account: Mapped[Account] = relationship()


class PaperPrint(Base):
    """Something printed of a paper, kept encrypted in the store until somebody takes it away."""

    __tablename__ = "paper_prints"

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    title: Mapped[Line]
    options: Mapped[dict[str, Any]]  # kind, copies, what was shuffled, seed of the copies
    file_name: Mapped[Line]  # the hash of the encrypted file, by which the store knows it
    digest: Mapped[str] = mapped_column(sa.String(64))  # of what was printed, not of the encrypted file
    pages: Mapped[int]
    wrapped_key: Mapped[bytes] = mapped_column(info={"secret": True})
    key_name: Mapped[str] = mapped_column(sa.String(16))
    made_at: Mapped[datetime]
    account: Mapped[Account] = relationship()
    paper: Mapped[Paper] = relationship()
