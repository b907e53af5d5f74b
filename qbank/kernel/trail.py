"""The audit trail against what lies elsewhere: heads on printed forms and heads that rows of the database keep.

The chain alone cannot tell that its newest entries were cut off, or that all of it was made anew. A head on paper can: every
signed room record, practical sheet, review minutes and archive volume carries the digest that was the newest at that time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import audit
from qbank.kernel.audit import AuditEntry, Break
from qbank.kernel.db import Base
from qbank.kernel.refused import Refused

KEPT = "audit_head"  # what the column is called in whichever table keeps a head
SHORTEST = 16  # hexadecimal digits: a page may print the beginning of a head only


@dataclass(frozen=True)
class Head:
    """A head that was printed or kept. ``entry_id`` None: the trail has no such entry, ``untouched``: all before it holds."""

    digest: str
    place: str  # where it stands: ``printed``, or table and row
    entry_id: int | None
    at: datetime | None
    untouched: bool

    @property
    def sentence(self) -> str:
        if self.entry_id is None:
            return f"审计链中没有链首 {self.digest[:SHORTEST]}…（{self.place}）：此后的记录被截断，或整条链被重做。"
        told = f"链首 {self.digest[:SHORTEST]}…（{self.place}）是第 {self.entry_id} 条"
        return f"{told}，它和以前的记录没有改动。" if self.untouched else f"{told}，但它以前的记录有改动。"


@dataclass(frozen=True)
class Trail:
    """What was found of the whole trail."""

    entries: int
    head: str
    breaks: list[Break]
    heads: list[Head]  # those asked for, and the kept ones that do not fit

    @property
    def holds(self) -> bool:
        return not self.breaks and all(head.entry_id is not None for head in self.heads)


def examine(session: Session, printed: Sequence[str] = ()) -> Trail:
    """Walk the chain, then look for ``printed`` heads and for those that the database keeps. Refuses what is no head."""
    asked = [_read(text) for text in printed]
    breaks = audit.verify(session)
    first = breaks[0].entry_id if breaks else None
    heads = [_found(session, digest, first) for digest in asked]
    entries = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) or 0
    return Trail(entries, audit.head(session), breaks, heads + _kept_in_vain(session))


def _read(text: str) -> str:
    plain = re.sub(r"[\s:…·-]", "", text).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", plain):
        raise Refused("no_head", f"“{text[:80]}”不是链首：应是印在表单上的 64 位十六进制数，至少抄录前 {SHORTEST} 位。")
    return plain


def _found(session: Session, digest: str, first_break: int | None) -> Head:
    entry = session.execute(sa.select(AuditEntry.id, AuditEntry.at).where(AuditEntry.digest >= digest, AuditEntry.digest < digest + "g")
                            .order_by(AuditEntry.id).limit(1)).one_or_none()
    if entry is None:
        return Head(digest, "印刷件", None, None, False)
    return Head(digest, "印刷件", entry.id, entry.at, first_break is None or entry.id < first_break)


def _kept_in_vain(session: Session) -> list[Head]:
    """Heads in rows of whatever table that the trail does not know: its end was cut off, or it was made anew."""
    missing = []
    for table in Base.metadata.sorted_tables:
        if KEPT in table.columns:
            known = sa.select(AuditEntry.id).where(AuditEntry.digest == table.c[KEPT]).exists()
            rows = session.execute(sa.select(table.c.id, table.c[KEPT]).where(table.c[KEPT].not_in(["", audit.GENESIS]), ~known)
                                   .order_by(table.c.id).limit(20))
            missing += [Head(digest, f"{table.name} #{key}", None, None, False) for key, digest in rows]
    return missing
