"""When tokens are used: counted in memory, written every few minutes after an answer has gone out.

No request writes in its own transaction: a GET stays a GET. The begin of a stretch of use is a row of the audit trail; what
was counted since the last writing is lost when the server is killed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import audit
from qbank.kernel.db import Actor, Database
from scoring.api.models import ApiToken, TokenUse

LOG = logging.getLogger(__name__)
EVERY = timedelta(minutes=5)
PAUSE = timedelta(minutes=30)  # after a longer one, a new stretch begins


@dataclass
class Counted:
    """What came with one token since the last writing."""

    name: str
    first: datetime
    last: datetime
    address: str
    requests: int = 0
    refused: int = 0


class Usage:
    """The counters of one process."""

    def __init__(self) -> None:
        self._counted: dict[int, Counted] = {}
        self._written: dict[int, datetime] = {}
        self._lock = threading.Lock()

    def note(self, token_id: int, name: str, address: str, *, refused: bool, now: datetime) -> None:
        with self._lock:
            held = self._counted.setdefault(token_id, Counted(name, now, now, address))
            held.last, held.address = now, address
            held.requests += 1
            held.refused += refused

    def is_due(self, now: datetime) -> bool:
        """Whether something waits that was not written for a while."""
        with self._lock:
            return any(now - self._written.get(key, datetime.min.replace(tzinfo=now.tzinfo)) >= EVERY for key in self._counted)

    def write(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Write all that was counted, in a transaction of its own."""
        with self._lock:
            taken, self._counted = self._counted, {}
            self._written.update(dict.fromkeys(taken, clock()))
        if not taken:
            return
        try:
            with database.transaction(Actor(None, "数据接口"), clock=clock) as session:
                for token_id, counted in sorted(taken.items()):
                    _keep(session, token_id, counted)
        except sa.exc.SQLAlchemyError:
            LOG.exception("the use of tokens could not be written")


def _keep(session: Session, token_id: int, counted: Counted) -> None:
    newest = session.scalars(sa.select(TokenUse).where(TokenUse.token_id == token_id).order_by(TokenUse.id.desc()).limit(1)).first()
    if newest is None or counted.first - newest.last_at > PAUSE:
        newest = TokenUse(token_id=token_id, began_at=counted.first, last_at=counted.last, requests=0, refused=0, address=counted.address)
        session.add(newest)
        audit.note(session, Actor(None, f"数据接口：{counted.name}"[:200]), "use", ApiToken.__tablename__, token_id,
                   {"began_at": [None, counted.first], "address": [None, counted.address]})
    newest.last_at, newest.address = max(newest.last_at, counted.last), counted.address
    newest.requests += counted.requests
    newest.refused += counted.refused
