"""The hash chain of a sheet's answer events: each covers the one before, the head stands in the sheet's row.

It finds any event that was changed, removed, inserted, reordered or cut off. Whoever could rewrite all of it and the
head too is found by the heads kept elsewhere: the audit trail of the hand-in and the archive.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import GENESIS, AnswerEvent, Sheet
from qbank.kernel.db import table_of


@dataclass(frozen=True)
class Break:
    """A place where the chain of a sheet does not hold. ``event_id`` 0: at its end."""

    sheet_id: int
    event_id: int
    sentence: str


def link(before: str, sheet_id: int, sequence: int, number: int, answer: str, flagged: bool, received_at: str) -> str:
    """The chain after one event. ``received_at``: as :func:`moment` writes it."""
    text = f"{before}\x1f{sheet_id}\x1f{sequence}\x1f{number}\x1f{flagged:d}\x1f{received_at}\x1f{answer}"
    return hashlib.sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """One text for one moment."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def verify_chain(session: Session, sheet: Sheet) -> list[Break]:
    """Walk one sheet's events. An empty list: they are what was acknowledged, all of it and in that order."""
    return verify(session, {sheet.id: (sheet.chain, sheet.highest)})


def verify_sitting(session: Session, sitting_id: int) -> list[Break]:
    """Walk the events of a whole sitting."""
    rows = session.execute(sa.select(Sheet.id, Sheet.chain, Sheet.highest).where(Sheet.sitting_id == sitting_id).order_by(Sheet.id))
    return verify(session, {key: (head, highest) for key, head, highest in rows})


def verify(session: Session, heads: dict[int, tuple[str, int]]) -> list[Break]:
    """Walk the events of these sheets: id → (head, highest sequence)."""
    breaks: list[Break] = []
    reached = dict.fromkeys(heads, GENESIS)
    highest = dict.fromkeys(heads, 0)
    events = table_of(AnswerEvent)
    query = sa.select(events.c.id, events.c.sheet_id, events.c.sequence, events.c.number, events.c.answer, events.c.flagged,
                      events.c.received_at, events.c.chain).where(events.c.sheet_id.in_(heads)).order_by(events.c.id)
    for key, sheet_id, sequence, number, answer, flagged, at, held in session.execute(query.execution_options(yield_per=1000)):
        if link(reached[sheet_id], sheet_id, sequence, number, answer, flagged, moment(at)) != held:
            breaks.append(Break(sheet_id, key, f"答卷 {sheet_id} 的第 {sequence} 号作答记录与前面不衔接："
                                "有记录被改动、删除、插入或改变了顺序。"))
        reached[sheet_id], highest[sheet_id] = held, max(highest[sheet_id], sequence)
    for sheet_id, head in heads.items():
        if (reached[sheet_id], highest[sheet_id]) != head:
            breaks.append(Break(sheet_id, 0, f"答卷 {sheet_id} 的作答记录在末尾不完整：与答卷上的链首不符。"))
    return breaks
