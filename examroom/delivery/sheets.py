"""Sheets: dealt from the sealed paper, started once, saved event by event, handed in once.

Rules for one sheet in a session: what the office, the sweep and tests use. The exam page goes through
``examroom.delivery.writes``, which does the same to many sheets in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import cards, phase, saving
from examroom.delivery.cards import Terms
from examroom.delivery.dealing import deal
from examroom.delivery.handing_in import judged
from examroom.delivery.models import Answer, HandIn, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.delivery.saving import HIGHEST_SEQUENCE, SENTENCES, Event, Refusal
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

__all__ = ["HIGHEST_SEQUENCE", "Ack", "Event", "Refusal", "answers", "deal", "ends_at", "granted_seconds", "hand_in",
           "hand_in_from", "lock", "phase_of", "remaining_seconds", "save", "start", "take_in", "terms", "touch"]
MOVES = {SheetState.DEALT: {SheetState.STARTED, SheetState.HANDED_IN}, SheetState.STARTED: {SheetState.HANDED_IN},
         SheetState.HANDED_IN: set()}
LIVELY = ["state", "started_at", "handed_in_at", "handed_in_how", "ends_at", "paused_at", "late_until", "generation", "highest", "chain"]


@dataclass(frozen=True)
class Ack:
    """What the server holds after a save. ``acknowledged``: the highest sequence written durably once this commits."""

    acknowledged: int
    remaining_seconds: float
    state: SheetState
    refused: tuple[Refusal, ...] = ()


def terms(session: Session, sheet: Sheet) -> RulePack:
    """The numbers that the province sets for this sheet's school."""
    return pack_for(session, sheet.sitting.plan.institution)


def ends_at(sheet: Sheet) -> datetime:
    """The candidate's own end: the common end and the whole ledger, which keeps it."""
    return sheet.ends_at


def granted_seconds(sheet: Sheet) -> int:
    """What the time ledger adds up to."""
    return round((sheet.ends_at - sheet.sitting.ends_at).total_seconds())


def phase_of(session: Session, sheet: Sheet, *, now: datetime) -> Phase:
    """Where the sheet stands at ``now``."""
    pack = terms(session, sheet)
    return phase.phase(now, sheet.sitting.starts_at, sheet.ends_at, sheet.seat.sitting_room.opened_at,
                       sheet.started_at is not None, sheet.state is SheetState.HANDED_IN,
                       grace=timedelta(seconds=pack.grace_seconds), late_entry=timedelta(minutes=pack.late_entry_minutes),
                       paused_at=sheet.paused_at, late_until=sheet.late_until,
                       admitted=phase.may_enter(sheet.admission, pack.photo_check))


def hand_in_from(session: Session, sheet: Sheet) -> datetime:
    """The first moment at which the candidate may hand in."""
    earliest = timedelta(minutes=terms(session, sheet).earliest_hand_in_minutes)
    return phase.hand_in_from(sheet.sitting.starts_at, sheet.ends_at, earliest)


def remaining_seconds(sheet: Sheet, *, now: datetime) -> float:
    """Seconds to the candidate's own end; 0 once handed in."""
    if sheet.state is SheetState.HANDED_IN:
        return 0.0
    return phase.seconds_until(sheet.ends_at, now, paused_at=sheet.paused_at)


def lock(session: Session, sheet: Sheet) -> None:
    """Make every other writer of this sheet wait, and read it as it stands now."""
    session.flush()
    session.refresh(sheet, LIVELY, with_for_update=True)
    session.expire(sheet, ["time_entries"])


def start(session: Session, sheet: Sheet, *, now: datetime) -> None:
    """Begin answering. Starting twice changes nothing; refuses outside the time or before the room is open."""
    lock(session, sheet)
    found = phase_of(session, sheet, now=now)
    if found in SAVING:
        return
    if found is not Phase.READY:
        raise Refused(f"start_{found}", SENTENCES[found])
    _move(sheet, SheetState.STARTED)
    sheet.started_at = now
    session.flush()


def save(session: Session, sheet: Sheet, events: Sequence[Event], *, now: datetime) -> Ack:
    """Write events and say what is held. Idempotent; an event that cannot be taken is named, the others are written."""
    refused = _write(session, sheet, events, False, now)
    touch(session, sheet, now=now)
    return Ack(sheet.highest, remaining_seconds(sheet, now=now), sheet.state, refused)


def take_in(session: Session, sheet: Sheet, events: Sequence[Event], *, now: datetime) -> Sequence[Refusal]:
    """As :func:`save`, but whatever the time says and after the hand-in too: who may do that, and why, is the caller's to check."""
    return _write(session, sheet, events, True, now)


def answers(session: Session, sheet: Sheet) -> dict[int, Answer]:
    """The newest state of every touched item, by paper number."""
    found = session.scalars(sa.select(Answer).where(Answer.sheet_id == sheet.id).order_by(Answer.number)
                            .execution_options(populate_existing=True))
    return {answer.number: answer for answer in found}


def hand_in(session: Session, sheet: Sheet, how: HandIn, *, now: datetime) -> None:
    """Close the sheet with the answers that are stored. Handing in twice changes nothing."""
    lock(session, sheet)
    if sheet.state is SheetState.HANDED_IN:
        return
    earliest = hand_in_from(session, sheet)
    how, at = judged(how, sheet.state, sheet.ends_at, earliest, now=now, paused_at=sheet.paused_at)
    _move(sheet, SheetState.HANDED_IN)
    sheet.handed_in_at, sheet.handed_in_how = at, how
    session.flush()


def touch(session: Session, sheet: Sheet, *, now: datetime) -> None:
    """Hand in what is due: at the end and the grace a started sheet, at the end a sheet that was never started."""
    if phase_of(session, sheet, now=now) is Phase.OVER:
        hand_in(session, sheet, HandIn.DEADLINE if sheet.started_at else HandIn.ABSENT, now=now)


def _write(session: Session, sheet: Sheet, events: Sequence[Event], always: bool, now: datetime) -> tuple[Refusal, ...]:
    session.flush()
    card = cards.card_of(session, sheet.id)
    if card is None:
        raise LookupError(f"sheet {sheet.id} is not complete")
    request = saving.Request(card, Terms.of(terms(session, sheet)), events, always=always)
    found = saving.save(session.connection(), [request], now=now)[0]
    session.refresh(sheet, LIVELY)
    return found.refused


def _move(sheet: Sheet, state: SheetState) -> None:
    if state not in MOVES[sheet.state]:
        raise Refused("sheet_state", f"答卷现在是“{sheet.state.chinese}”，不能改为“{state.chinese}”。")
    sheet.state = state
