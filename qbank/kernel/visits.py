"""What people without an account do on public pages, and how often they may: one count for all rooms.

A room says what may happen how often (``Limit``); whoever reaches a limit is told when to come back. Only what helps
guessing is counted where a limit says ``misses``: who knows the right words is never shut out by their own look-ups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel.db import Base, Id, Line
from qbank.kernel.jobs import every
from qbank.kernel.refused import Refused

KEPT = timedelta(days=7)  # longer than any window; an address of the network is not kept for ever


class PublicVisit(Base):
    """One act on a public page."""

    __tablename__ = "public_visits"
    __table_args__ = (sa.Index("ix_public_visits_kind_at", "kind", "at"),)
    __unaudited__ = "append-only: its own history, forgotten after a week"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(sa.String(30))
    address: Mapped[Line]
    subject: Mapped[Line]  # what was asked about, as its room names it; a keyed hash where it is secret
    found: Mapped[bool]
    at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Limit:
    """At most ``most`` acts of a kind within ``window``: from one address, about one subject, or both together."""

    most: int
    window: timedelta
    by_address: bool = False
    by_subject: bool = False
    misses: bool = False  # only acts that found nothing count


def check(session: Session, kind: str, subject: str, address: str, limits: Iterable[Limit], refusal: Refused, *, now: datetime) -> None:
    """Refuse as ``refusal`` says when one of ``limits`` is reached."""
    for limit in limits:
        conditions = [PublicVisit.kind == kind, PublicVisit.at > now - limit.window]
        if limit.by_address:
            conditions.append(PublicVisit.address == address[:200])
        if limit.by_subject:
            conditions.append(PublicVisit.subject == subject[:200])
        if limit.misses:
            conditions.append(sa.not_(PublicVisit.found))
        if (session.scalar(sa.select(sa.func.count()).select_from(PublicVisit).where(*conditions)) or 0) >= limit.most:
            raise Refused(refusal.code, refusal.sentence)  # anew: one exception must not collect the traces of all


def note(session: Session, kind: str, subject: str, address: str, *, found: bool, now: datetime) -> None:
    """Put one act on record."""
    session.add(PublicVisit(kind=kind, subject=subject[:200], address=address[:200], found=found, at=now))
    session.flush()


@every
def forget(session: Session, now: datetime) -> None:
    """Old visits say nothing any more."""
    session.execute(sa.delete(PublicVisit).where(PublicVisit.at < now - KEPT))
