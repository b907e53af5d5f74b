"""Closing a sheet: one rule for everybody who may do it, and two ways to write it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.cards import Card, Terms
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.delivery.phase import hand_in_from
from examroom.delivery.saving import Standing
from qbank.kernel.audit import note
from qbank.kernel.db import Actor, table_of
from qbank.kernel.refused import Refused

DEADLINE = Actor(None, "系统：到时收卷")
_SHEETS = table_of(Sheet)


def judged(how: HandIn, state: SheetState, ends_at: datetime, earliest: datetime, *, now: datetime,
           paused_at: datetime | None = None) -> tuple[HandIn, datetime]:
    """How and when a sheet that is not handed in yet counts as handed in; refuses what is not due.

    A candidate's own hand-in is refused before the earliest moment and counts as the deadline's from their end on.
    """
    clock = now if paused_at is None else min(now, paused_at)
    if how is HandIn.CANDIDATE and state is SheetState.DEALT:
        raise Refused("not_started", "还没有开始答题，不能交卷。")
    if how is HandIn.CANDIDATE and clock >= ends_at:
        how = HandIn.DEADLINE
    if how is HandIn.CANDIDATE and now < earliest:
        minutes = -(-int((earliest - now).total_seconds()) // 60)
        raise Refused("too_early", f"还没到允许交卷的时间，请再等约 {minutes} 分钟。您的答案已经保存。")
    if how is HandIn.DEADLINE and clock < ends_at:
        raise Refused("time_left", "考试时间还没有结束，不能按到时交卷处理。")
    return how, min(now, ends_at) if how is HandIn.DEADLINE else now


def close(session: Session, card: Card, terms: Terms, standing: Standing, how: HandIn, actor: Actor, *, now: datetime) -> None:
    """Close a sheet whose row is locked, on the save path. The trail keeps the head of its event chain."""
    earliest = hand_in_from(card.starts_at, standing.ends_at, terms.earliest_hand_in)
    how, at = judged(how, standing.state, standing.ends_at, earliest, now=now, paused_at=standing.paused_at)
    session.connection().execute(sa.update(_SHEETS).where(_SHEETS.c.id == card.sheet_id).values(
        state=SheetState.HANDED_IN, handed_in_at=at, handed_in_how=how))
    note(session, actor, "update", "sheets", card.sheet_id,
         {"state": [standing.state, SheetState.HANDED_IN], "handed_in_at": [None, at], "handed_in_how": [None, how],
          "chain": [None, standing.chain], "highest": [None, standing.highest]})
    standing.state, standing.handed_in_at, standing.handed_in_how = SheetState.HANDED_IN, at, how
