"""The exam door: a candidate comes in with the code on the ticket, or with ticket number and identity number.

Who it may be is read first; the attempt is noted, and the lock-out decided, by the combined writer: a cohort that signs in
waits neither for itself nor for the saves of those who sit already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import codes
from examroom.plans.models import Enrolment
from qbank.kernel import attempts
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account, fits_identity
from qbank.kernel.attempts import Attempt
from qbank.kernel.db import table_of
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused

_ENROLMENTS, _ACCOUNTS = table_of(Enrolment), table_of(Account)
_PERSON = (sa.select(_ENROLMENTS.c.id, _ENROLMENTS.c.code_issue, _ACCOUNTS.c.id, _ACCOUNTS.c.login, _ACCOUNTS.c.name,
                     _ACCOUNTS.c.generation, _ACCOUNTS.c.active, _ACCOUNTS.c.identity_hash)
           .join(_ACCOUNTS, _ACCOUNTS.c.id == _ENROLMENTS.c.account_id))
_BY_ENROLMENT = _PERSON.where(_ENROLMENTS.c.id == sa.bindparam("enrolment"))
_BY_TICKET = _PERSON.where(_ENROLMENTS.c.ticket_number == sa.bindparam("ticket"))
_BY_STUDENT = (_PERSON.where(_ENROLMENTS.c.student_number == sa.bindparam("student"), _ACCOUNTS.c.identity_hash.in_(sa.bindparam("identity", expanding=True)))
               .order_by(_ENROLMENTS.c.id.desc()).limit(1))


@dataclass(frozen=True)
class Knock:
    """One attempt, and who it is when it is good."""

    attempt: Attempt
    person: Viewer | None


def by_code(connection: sa.Connection, typed: str, key: bytes, address: str) -> Knock:
    """The usual way. Its failures are counted apart from those of the second way, so that neither locks the other."""
    enrolment_id = codes.named(typed)
    row = None if enrolment_id is None else connection.execute(_BY_ENROLMENT, {"enrolment": enrolment_id}).first()
    good = codes.matches(key, typed, enrolment_id or 0, row[1] if row else 0)
    return _knock(f"code {enrolment_id or ''}", address, row, good)


def by_ticket(connection: sa.Connection, ticket: str, number: str, address: str, cipher: IdentityCipher) -> Knock:
    """The second way, for who has lost the ticket, or has none yet and comes with the student number."""
    held = cipher.fingerprints(number.strip().upper())  # two schools may count their students alike
    row = (connection.execute(_BY_TICKET, {"ticket": ticket}).first()
           or connection.execute(_BY_STUDENT, {"student": ticket, "identity": held}).first())
    return _knock(ticket, address, row, fits_identity(row[7] if row else None, number, cipher))


def note(session: Session, knocks: Sequence[Knock], now: datetime) -> list[bool | Refused]:
    """Whether each may come in; noted for all in one transaction."""
    return attempts.note(session.connection(), [knock.attempt for knock in knocks], now=now)


def _knock(login: str, address: str, row: Any, good: bool) -> Knock:
    if row is None:
        return Knock(Attempt(login, address, False), None)
    account_id, name, full_name, generation, active = row[2:7]
    return Knock(Attempt(login, address, good and active), Viewer(account_id, name, full_name, generation, ()))
