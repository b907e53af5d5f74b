"""Attempts to sign in: noted, counted, locked out. Many in one statement, because a cohort signs in together.

Counted are the failures of one login from one address, and those of one login from everywhere; never those of an address
alone, because a whole computer room has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from qbank.kernel.db import Base, Id, Line, table_of
from qbank.kernel.metrics import SIGN_INS
from qbank.kernel.refused import Refused

WINDOW = timedelta(minutes=15)
FAILURES_PER_ADDRESS = 5  # of one login from one address: a whole lab shares one address
FAILURES_PER_LOGIN = 20
LONGEST_LOGIN = 200


class SignInAttempt(Base):
    """One attempt to sign in; what the lock-out counts."""

    __tablename__ = "sign_in_attempts"
    __append_only__ = frozenset()
    __unaudited__ = "append-only: its own history"

    id: Mapped[Id]
    login: Mapped[Line] = mapped_column(index=True)
    address: Mapped[Line]
    at: Mapped[datetime]
    succeeded: Mapped[bool]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at a door. ``login`` is what failures are counted under; ``good``: the proof fits."""

    login: str
    address: str
    good: bool


_ATTEMPTS = table_of(SignInAttempt)
_RECENT = (sa.select(_ATTEMPTS.c.login, _ATTEMPTS.c.succeeded, _ATTEMPTS.c.address)
           .where(_ATTEMPTS.c.login.in_(sa.bindparam("logins", expanding=True)), _ATTEMPTS.c.at > sa.bindparam("since"))
           .order_by(_ATTEMPTS.c.id.desc()))


def check(connection: sa.Connection, login: str, address: str, *, now: datetime) -> None:
    """Refuses with ``locked_out`` after repeated failures."""
    if _locked(_recent(connection, [login], now).get(login[:LONGEST_LOGIN], []), address):
        SIGN_INS.labels("locked_out").inc()
        raise _locked_out()


def note(connection: sa.Connection, attempts: Sequence[Attempt], *, now: datetime) -> list[bool | Refused]:
    """Note attempts in their order; whether each may come in. One that is locked out is refused and not noted."""
    recent = _recent(connection, [attempt.login for attempt in attempts], now)
    results: list[bool | Refused] = []
    rows = []
    for attempt in attempts:
        seen = recent.setdefault(attempt.login[:LONGEST_LOGIN], [])
        if _locked(seen, attempt.address):
            results.append(_locked_out())
            SIGN_INS.labels("locked_out").inc()
            continue
        seen.insert(0, (attempt.good, attempt.address))
        rows.append({"login": attempt.login[:LONGEST_LOGIN], "address": attempt.address, "at": now, "succeeded": attempt.good})
        results.append(attempt.good)
        SIGN_INS.labels("good" if attempt.good else "failed").inc()
    if rows:
        connection.execute(sa.insert(_ATTEMPTS), rows)
    return results


def _recent(connection: sa.Connection, logins: Sequence[str], now: datetime) -> dict[str, list[tuple[bool, str]]]:
    """The attempts of these logins inside the window, the newest first."""
    found: dict[str, list[tuple[bool, str]]] = {}
    asked = {"logins": sorted({login[:LONGEST_LOGIN] for login in logins}), "since": now - WINDOW}
    for login, succeeded, address in connection.execute(_RECENT, asked):
        found.setdefault(login, []).append((succeeded, address))
    return found


def _locked(recent: Sequence[tuple[bool, str]], address: str) -> bool:
    """Too many failures from this address since the last success there, or in all."""
    from_here = [succeeded for succeeded, where in recent if where == address]
    failures_here = from_here.index(True) if True in from_here else len(from_here)
    return failures_here >= FAILURES_PER_ADDRESS or sum(not succeeded for succeeded, _ in recent) >= FAILURES_PER_LOGIN


def _locked_out() -> Refused:
    return Refused("locked_out", "连续多次登录失败，已暂时锁定。请 15 分钟后再试，或请管理员重置密码。")
