"""What falls due every few seconds is done by one worker at a time, however many there are on however many hosts.

On PostgreSQL whoever sweeps holds the row of that sweep until its transaction ends, and the others pass by; on SQLite
transactions that write come one after the other anyway.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel.db import Base, table_of

NOTED_EVERY = timedelta(minutes=1)  # a row that changed at every sweep would be a commit more each time
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class SweepTurn(Base):
    """One kind of sweep."""

    __tablename__ = "sweep_turns"
    __unaudited__ = "a lock, and when it was last held; what a sweep writes is audited"

    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    done_at: Mapped[datetime]  # to the minute


_TURNS = table_of(SweepTurn)
_MISSING = {"sqlite": sqlite.insert(_TURNS).on_conflict_do_nothing(), "postgresql": postgresql.insert(_TURNS).on_conflict_do_nothing()}


def prepare(session: Session, name: str) -> None:
    """See to it that the sweep has its row."""
    if session.scalar(sa.select(_TURNS.c.name).where(_TURNS.c.name == name)) is None:  # an insert would wait for whoever sweeps
        session.execute(_MISSING[session.get_bind().dialect.name], {"name": name, "done_at": NEVER})


def take(session: Session, name: str, *, now: datetime) -> bool:
    """Whether this transaction may sweep: nobody else is at it."""
    held = session.execute(sa.select(_TURNS.c.done_at).where(_TURNS.c.name == name).with_for_update(skip_locked=True)).first()
    if held is None:
        return False
    if now - held[0] >= NOTED_EVERY:
        session.execute(sa.update(_TURNS).where(_TURNS.c.name == name).values(done_at=now))
    return True


def newest(session: Session) -> datetime | None:
    """When a worker last swept, to the minute; None when none ever did."""
    found: datetime | None = session.scalar(sa.select(sa.func.max(_TURNS.c.done_at)).where(_TURNS.c.done_at > NEVER))
    return found
