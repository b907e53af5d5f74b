"""The exam door: a candidate comes in with the code on the ticket, or with ticket number and identity number."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import codes
from examroom.plans.models import Enrolment
from qbank.kernel import accounts
from qbank.kernel.accounts import Account
from qbank.kernel.identity import IdentityCipher


def by_code(session: Session, typed: str, key: bytes, address: str, *, now: datetime) -> Account | None:
    """The usual way. Its failures are counted apart from those of the second way, so that neither locks the other."""
    enrolment_id = codes.named(typed)
    if enrolment_id is None:
        return None
    enrolment = session.get(Enrolment, enrolment_id)
    good = codes.matches(key, typed, enrolment_id, enrolment.code_issue if enrolment else 0)
    return accounts.sign_in_at_door(session, enrolment.candidate if enrolment else None, f"code {enrolment_id}", good, address,
                                    now=now)


def by_ticket(session: Session, ticket: str, number: str, address: str, cipher: IdentityCipher, *,
              now: datetime) -> Account | None:
    """The second way, for who has lost the ticket."""
    account = session.scalar(sa.select(Account).join(Enrolment, Enrolment.account_id == Account.id)
                             .where(Enrolment.ticket_number == ticket))
    return accounts.sign_in_at_door(session, account, ticket, accounts.has_identity(account, number, cipher), address, now=now)
