"""The exam door: a candidate comes in with the code on the ticket, or with ticket number and identity number.

Who it may be is read first; the attempt is noted, and the lock-out decided, by the combined writer: a cohort that signs in
waits neither for itself nor for the saves of those who sit already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans import codes
from examroom.plans.models import Enrolment
from qbank.kernel import accounts
from qbank.kernel.accounts import Account
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused

PERSON = joinedload(Enrolment.candidate).selectinload(Account.grants)


@dataclass(frozen=True)
class Knock:
    """One attempt. ``login`` is what its failures are counted under."""

    login: str
    account: Account | None
    proven: bool
    address: str


def by_code(session: Session, typed: str, key: bytes, address: str) -> Knock:
    """The usual way. Its failures are counted apart from those of the second way, so that neither locks the other."""
    enrolment_id = codes.named(typed)
    enrolment = None if enrolment_id is None else session.get(Enrolment, enrolment_id, options=[PERSON])
    good = codes.matches(key, typed, enrolment_id or 0, enrolment.code_issue if enrolment else 0)
    return Knock(f"code {enrolment_id or ''}", enrolment.candidate if enrolment else None, good, address)


def by_ticket(session: Session, ticket: str, number: str, address: str, cipher: IdentityCipher) -> Knock:
    """The second way, for who has lost the ticket."""
    enrolment = session.scalar(sa.select(Enrolment).where(Enrolment.ticket_number == ticket).options(PERSON))
    account = enrolment.candidate if enrolment else None
    return Knock(ticket, account, accounts.has_identity(account, number, cipher), address)


def note(session: Session, knocks: Sequence[Knock], now: datetime) -> list[bool | Refused]:
    """Whether each may come in; noted for all in one transaction."""
    results: list[bool | Refused] = []
    for knock in knocks:
        try:
            found = accounts.sign_in_at_door(session, knock.account, knock.login, knock.proven, knock.address, now=now)
            session.flush()  # the next one of the same login counts it
            results.append(found is not None)
        except Refused as refusal:
            results.append(refusal)
    return results
