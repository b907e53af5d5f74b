"""Sheets: dealt from the sealed paper, started once, saved event by event, handed in once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import phase, shuffle
from examroom.delivery.dealing import deal
from examroom.delivery.models import Answer, AnswerEvent, HandIn, Presence, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

__all__ = ["Ack", "Event", "Refusal", "acknowledged", "answers", "deal", "ends_at", "granted_seconds", "hand_in",
           "hand_in_from", "lock", "phase_of", "remaining_seconds", "save", "start", "terms", "touch"]
MOVES = {SheetState.DEALT: {SheetState.STARTED, SheetState.HANDED_IN}, SheetState.STARTED: {SheetState.HANDED_IN},
         SheetState.HANDED_IN: set()}
HIGHEST_SEQUENCE = 1_000_000
SENTENCES = {
    Phase.BEFORE: "考试还没有开始，请在候考页面等待。",
    Phase.SHUT: "考试时间已到，但监考员还没有开启考场。请在候考页面等待。",
    Phase.LATE: "已超过允许入场的时间，不能再开始答题。请联系监考员。",
    Phase.OVER: "考试已经结束，不再接收答案。",
    Phase.HANDED_IN: "已经交卷，不再接收答案。",
}


@dataclass(frozen=True)
class Event:
    """One change in canonical terms. ``answer`` empty: cleared."""

    sequence: int
    number: int
    answer: str
    flagged: bool = False


@dataclass(frozen=True)
class Refusal:
    """An event that was not taken, and why."""

    sequence: int
    code: str
    sentence: str


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


def granted_seconds(sheet: Sheet) -> int:
    """What the time ledger adds up to."""
    return sum(entry.seconds for entry in sheet.time_entries)


def ends_at(sheet: Sheet) -> datetime:
    """The candidate's own end: the common end and the whole ledger."""
    return sheet.sitting.ends_at + timedelta(seconds=granted_seconds(sheet))


def phase_of(session: Session, sheet: Sheet, *, now: datetime) -> Phase:
    """Where the sheet stands at ``now``."""
    pack = terms(session, sheet)
    return phase.phase(now, sheet.sitting.starts_at, ends_at(sheet), sheet.seat.sitting_room.opened_at,
                       sheet.started_at is not None, sheet.state is SheetState.HANDED_IN,
                       grace=timedelta(seconds=pack.grace_seconds), late_entry=timedelta(minutes=pack.late_entry_minutes))


def hand_in_from(session: Session, sheet: Sheet) -> datetime:
    """The first moment at which the candidate may hand in."""
    earliest = timedelta(minutes=terms(session, sheet).earliest_hand_in_minutes)
    return phase.hand_in_from(sheet.sitting.starts_at, ends_at(sheet), earliest)


def remaining_seconds(sheet: Sheet, *, now: datetime) -> float:
    """Seconds to the candidate's own end; 0 once handed in."""
    return 0.0 if sheet.state is SheetState.HANDED_IN else phase.seconds_until(ends_at(sheet), now)


def lock(session: Session, sheet: Sheet) -> None:
    """Make every other writer of this sheet wait, and read it as it stands now."""
    session.flush()
    session.refresh(sheet, ["state", "started_at", "handed_in_at", "handed_in_how"], with_for_update=True)
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
    lock(session, sheet)
    touch(session, sheet, now=now)
    refused = list(_write(session, sheet, sorted(events, key=lambda e: e.sequence), now)) if events else []
    _seen(session, sheet, now)
    session.flush()
    return Ack(acknowledged(session, sheet), remaining_seconds(sheet, now=now), sheet.state, tuple(refused))


def acknowledged(session: Session, sheet: Sheet) -> int:
    """The highest sequence held for this sheet; 0 for none."""
    return session.scalar(sa.select(sa.func.max(AnswerEvent.sequence)).where(AnswerEvent.sheet_id == sheet.id)) or 0


def answers(session: Session, sheet: Sheet) -> dict[int, Answer]:
    """The newest state of every touched item, by paper number."""
    found = session.scalars(sa.select(Answer).where(Answer.sheet_id == sheet.id).order_by(Answer.number))
    return {answer.number: answer for answer in found}


def hand_in(session: Session, sheet: Sheet, how: HandIn, *, now: datetime) -> None:
    """Close the sheet with the answers that are stored. Handing in twice changes nothing.

    A candidate's own hand-in is refused before the earliest moment and counts as the deadline's from their end on.
    """
    lock(session, sheet)
    if sheet.state is SheetState.HANDED_IN:
        return
    end = ends_at(sheet)
    if how is HandIn.CANDIDATE and sheet.state is SheetState.DEALT:
        raise Refused("not_started", "还没有开始答题，不能交卷。")
    if how is HandIn.CANDIDATE and now >= end:
        how = HandIn.DEADLINE
    if how is HandIn.CANDIDATE and now < (earliest := hand_in_from(session, sheet)):
        minutes = -(-int((earliest - now).total_seconds()) // 60)
        raise Refused("too_early", f"还没到允许交卷的时间，请再等约 {minutes} 分钟。您的答案已经保存。")
    if how is HandIn.DEADLINE and now < end:
        raise Refused("time_left", "考试时间还没有结束，不能按到时交卷处理。")
    _move(sheet, SheetState.HANDED_IN)
    sheet.handed_in_at = min(now, end) if how is HandIn.DEADLINE else now
    sheet.handed_in_how = how
    session.flush()


def touch(session: Session, sheet: Sheet, *, now: datetime) -> None:
    """Hand in what is due: at the end and the grace a started sheet, at the end a sheet that was never started."""
    if phase_of(session, sheet, now=now) is Phase.OVER:
        hand_in(session, sheet, HandIn.DEADLINE if sheet.started_at else HandIn.ABSENT, now=now)


def _write(session: Session, sheet: Sheet, events: Sequence[Event], now: datetime) -> Iterable[Refusal]:
    """Write what can be written; yield a refusal for each of the others."""
    entries = {entry["number"]: entry for entry in sheet.layout}
    held = {event.sequence: event for event in session.scalars(sa.select(AnswerEvent).where(
        AnswerEvent.sheet_id == sheet.id, AnswerEvent.sequence.in_([e.sequence for e in events])))}
    newest = {answer.number: answer for answer in session.scalars(sa.select(Answer).where(
        Answer.sheet_id == sheet.id, Answer.number.in_({e.number for e in events})))}
    found = phase_of(session, sheet, now=now)
    for event in events:
        stored = held.get(event.sequence)
        if stored is not None:
            if (stored.number, stored.answer, stored.flagged) != (event.number, event.answer, event.flagged):
                yield Refusal(event.sequence, "taken", "同一序号已有另一条作答记录，以服务器保存的为准。")
            continue
        if refusal := _refusal(event, found, entries.get(event.number), newest.get(event.number)):
            yield refusal
            continue
        held[event.sequence] = AnswerEvent(sheet_id=sheet.id, sequence=event.sequence, number=event.number,
                                           answer=event.answer, flagged=event.flagged, received_at=now)
        session.add(held[event.sequence])
        newest[event.number] = _newest(session, sheet, newest.get(event.number), event, now)


def _refusal(event: Event, found: Phase, entry: shuffle.Entry | None, newest: Answer | None) -> Refusal | None:
    if found not in SAVING:
        return Refusal(event.sequence, "over" if found in {Phase.OVER, Phase.HANDED_IN} else "not_started",
                       SENTENCES.get(found, "还没有开始答题。"))
    if not 1 <= event.sequence <= HIGHEST_SEQUENCE:
        return Refusal(event.sequence, "unknown", "作答记录的序号不正确。")
    if entry is None or not shuffle.is_answer(entry, event.answer):
        return Refusal(event.sequence, "unknown", "题号或选项不在本卷上。")
    if newest is not None and newest.sequence > event.sequence:
        return Refusal(event.sequence, "older", "这道题已有更新的作答，较早的一条不再写入。")
    return None


def _newest(session: Session, sheet: Sheet, answer: Answer | None, event: Event, now: datetime) -> Answer:
    if answer is None:
        answer = Answer(sheet_id=sheet.id, number=event.number)
        session.add(answer)
    answer.answer, answer.flagged = event.answer, event.flagged
    answer.sequence, answer.saved_at = event.sequence, now
    return answer


def _seen(session: Session, sheet: Sheet, now: datetime) -> None:
    presence = session.get(Presence, sheet.id)
    if presence is None:
        presence = Presence(sheet_id=sheet.id)
        session.add(presence)
    presence.seen_at = now


def _move(sheet: Sheet, state: SheetState) -> None:
    if state not in MOVES[sheet.state]:
        raise Refused("sheet_state", f"答卷现在是“{sheet.state.chinese}”，不能改为“{state.chinese}”。")
    sheet.state = state
