"""The save path: events of many sheets checked and written by a handful of statements, inside one transaction.

It writes on Core and never commits. What must hold is checked here, after the sheets' rows are locked: the live page, the
account as it was at the sign-in, the window of time, idempotency by sequence, nothing older over something newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from examroom.delivery import chain, ledger, models, phase, shuffle
from examroom.delivery.cards import Card, Terms
from examroom.delivery.models import HandIn, PageState, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.delivery.tokens import Holder
from examroom.plans.models import Enrolment, Seat, SittingRoom
from qbank.kernel.accounts import Account
from qbank.kernel.db import table_of

HIGHEST_SEQUENCE = 1_000_000
SENTENCES = {
    Phase.BEFORE: "考试还没有开始，请在候考页面等待。",
    Phase.SHUT: "考试时间已到，但监考员还没有开启考场。请在候考页面等待。",
    Phase.UNCHECKED: "监考员还没有核对您的身份，请举手等候。",
    Phase.LATE: "已超过允许入场的时间，不能再开始答题。请联系监考员。",
    Phase.OVER: "考试已经结束，不再接收答案。",
    Phase.HANDED_IN: "已经交卷，不再接收答案。",
}
_SHEETS, _EVENTS, _ANSWERS, _PRESENCES, _PAGES, _ENTRIES, _NOTICES = (table_of(model) for model in (
    models.Sheet, models.AnswerEvent, models.Answer, models.Presence, models.ExamPage, models.TimeEntry, models.Notice))
_ACCOUNTS, _ENROLMENTS, _SEATS, _ROOMS = (table_of(model) for model in (Account, Enrolment, Seat, SittingRoom))


@dataclass(frozen=True, slots=True)
class Event:
    """One change in canonical terms. ``answer`` empty: cleared."""

    sequence: int
    number: int
    answer: str
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken, and why."""

    sequence: int
    code: str
    sentence: str

    def plain(self) -> dict[str, Any]:
        return {"sequence": self.sequence, "code": self.code, "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page says of itself."""

    left: int = 0
    clock_offset_ms: int | None = None
    unsent: int = 0
    full_screen: bool | None = None
    read: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What one page sends. ``holder`` None: a rule of the program asks, no page has to be live. ``always``: whatever the
    time says (an approved answer file)."""

    card: Card
    terms: Terms
    events: Sequence[Event] = ()
    holder: Holder | None = None
    signs: Signs | None = None
    address: str = ""
    always: bool = False
    after: int = 0  # what the page was last told that the server holds: a copy of the database may hold less


@dataclass(slots=True)
class Standing:
    """A sheet's row as it stands in this transaction."""

    sheet_id: int
    state: SheetState
    started_at: datetime | None
    handed_in_at: datetime | None
    handed_in_how: HandIn | None
    generation: int
    ends_at: datetime
    paused_at: datetime | None
    highest: int
    chain: str
    seen_at: datetime | None
    account_id: int
    active: bool
    account_generation: int
    late_until: datetime | None
    admission: str | None
    room_opened: datetime | None
    has_word: bool  # time was granted, or a notice stands: the candidate is told (``examroom.delivery.told``)

    def phase(self, card: Card, terms: Terms, now: datetime) -> Phase:
        """Where it stands at ``now``."""
        return phase.phase(now, card.starts_at, self.ends_at, self.room_opened, self.started_at is not None,
                           self.state is SheetState.HANDED_IN, grace=terms.grace, late_entry=terms.late_entry,
                           paused_at=self.paused_at, late_until=self.late_until,
                           admitted=phase.may_enter(self.admission, terms.photo_check))


@dataclass(slots=True)
class Outcome:
    """What came of one request. ``stop``: the page may not write, nothing was; ``due``: the sheet is to be handed in."""

    standing: Standing | None
    stop: str = ""
    refused: tuple[Refusal, ...] = ()
    due: bool = False


_HAS_WORD = sa.or_(sa.exists().where(_ENTRIES.c.sheet_id == _SHEETS.c.id),
                   sa.exists().where(_NOTICES.c.sitting_room_id == _ROOMS.c.id, _NOTICES.c.withdrawn_at.is_(None)))
_HELD = (sa.select(_SHEETS.c.id, _SHEETS.c.state, _SHEETS.c.started_at, _SHEETS.c.handed_in_at, _SHEETS.c.handed_in_how,
                   _SHEETS.c.generation, _SHEETS.c.ends_at, _SHEETS.c.paused_at, _SHEETS.c.highest, _SHEETS.c.chain,
                   _PRESENCES.c.seen_at, _ACCOUNTS.c.id, _ACCOUNTS.c.active, _ACCOUNTS.c.generation,
                   _SHEETS.c.late_until, _SHEETS.c.admission, _ROOMS.c.opened_at, _HAS_WORD)
         .select_from(_SHEETS).join(_ENROLMENTS, _ENROLMENTS.c.id == _SHEETS.c.enrolment_id)
         .join(_ACCOUNTS, _ACCOUNTS.c.id == _ENROLMENTS.c.account_id)
         .join(_SEATS, _SEATS.c.id == _SHEETS.c.seat_id).join(_ROOMS, _ROOMS.c.id == _SEATS.c.sitting_room_id)
         .outerjoin(_PRESENCES, _PRESENCES.c.sheet_id == _SHEETS.c.id)
         .where(_SHEETS.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(_SHEETS.c.id))
_LOCKED = _HELD.with_for_update(of=_SHEETS)
_OLD_EVENTS = sa.select(_EVENTS.c.sheet_id, _EVENTS.c.sequence, _EVENTS.c.number, _EVENTS.c.answer, _EVENTS.c.flagged).where(
    _EVENTS.c.sheet_id.in_(sa.bindparam("ids", expanding=True)), _EVENTS.c.sequence.in_(sa.bindparam("sequences", expanding=True)))
_OLD_ANSWERS = sa.select(_ANSWERS.c.sheet_id, _ANSWERS.c.number, _ANSWERS.c.sequence).where(
    _ANSWERS.c.sheet_id.in_(sa.bindparam("ids", expanding=True)), _ANSWERS.c.number.in_(sa.bindparam("numbers", expanding=True)))
_NEW_EVENTS = sa.insert(_EVENTS)
_NEW_HEADS = sa.update(_SHEETS).where(_SHEETS.c.id == sa.bindparam("sheet")).values(highest=sa.bindparam("top"), chain=sa.bindparam("head"))
_PAGE = sa.select(_PAGES.c.state).where(_PAGES.c.sheet_id == sa.bindparam("sheet"), _PAGES.c.generation == sa.bindparam("page"))


def _upserts(insert: Any) -> tuple[Any, Any, Any]:
    answers, signs, seen = insert(_ANSWERS), insert(_PRESENCES), insert(_PRESENCES)

    def newest(statement: Any, key: Sequence[str], names: Sequence[str]) -> Any:
        return statement.on_conflict_do_update(index_elements=key, set_={name: statement.excluded[name] for name in names})

    return (newest(answers, ["sheet_id", "number"], ["answer", "flagged", "sequence", "saved_at"]),
            newest(signs, ["sheet_id"], ["seen_at", "address", "left", "clock_offset_ms", "unsent", "full_screen", "read_notice"]),
            newest(seen, ["sheet_id"], ["seen_at", "address"]))


_UPSERTS = {"sqlite": _upserts(sqlite.insert), "postgresql": _upserts(postgresql.insert)}


def standings(connection: sa.Connection, sheet_ids: Iterable[int], *, lock: bool = False) -> dict[int, Standing]:
    """The rows of these sheets; ``lock``: nobody else writes them until this transaction ends."""
    rows = connection.execute(_LOCKED if lock else _HELD, {"ids": sorted(set(sheet_ids))})
    return {row[0]: Standing(*tuple(row)) for row in rows}


def stop_of(connection: sa.Connection, standing: Standing | None, holder: Holder) -> str:
    """Why this page may not write: a code; empty when it may."""
    if standing is None:
        return "unknown_page"
    if not standing.active or (standing.account_id, standing.account_generation) != (holder.account_id, holder.account_generation):
        return "signed_out"
    if standing.generation == holder.generation:
        return ""
    state = connection.scalar(_PAGE, {"sheet": holder.sheet_id, "page": holder.generation})
    return "unknown_page" if state is None else "waiting" if state is PageState.WAITING else "superseded"


def save(connection: sa.Connection, requests: Sequence[Request], *, now: datetime) -> list[Outcome]:
    """Check and write what these pages sent; one outcome for each, in their order."""
    held = standings(connection, (request.card.sheet_id for request in requests), lock=True)
    batch = _Batch(now=now)
    batch.read_old(connection, requests, held)
    outcomes = []
    for request in requests:
        standing = held.get(request.card.sheet_id)
        stop = "unknown_page" if standing is None else ""
        if standing is not None and request.holder is not None and standing.state is not SheetState.HANDED_IN:
            stop = stop_of(connection, standing, request.holder) or ("behind" if standing.highest < request.after else "")
        if standing is None or stop:
            outcomes.append(Outcome(standing, stop))
            continue
        found = standing.phase(request.card, request.terms, now)
        refused = batch.take(request, standing, found) if request.events else ()
        if request.holder is not None and standing.state is SheetState.STARTED:
            batch.see(request, standing)
        outcomes.append(Outcome(standing, "", tuple(refused), found is Phase.OVER))
    batch.write(connection, held)
    return outcomes


@dataclass
class _Batch:
    """What one transaction writes."""

    now: datetime
    moment: str = ""
    events: dict[tuple[int, int], tuple[int, str, bool]] = field(default_factory=dict)  # (sheet, sequence) → what is held
    newest: dict[tuple[int, int], int] = field(default_factory=dict)  # (sheet, number) → sequence held
    new_events: list[dict[str, Any]] = field(default_factory=list)
    new_answers: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    signs: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)
    gaps: list[tuple[int, datetime, datetime]] = field(default_factory=list)

    def read_old(self, connection: sa.Connection, requests: Sequence[Request], held: dict[int, Standing]) -> None:
        """What is stored of events that are not plainly new: a page sends them again, or a gap is filled."""
        old = [(request.card.sheet_id, event) for request in requests for event in request.events
               if request.card.sheet_id in held and event.sequence <= held[request.card.sheet_id].highest]
        if not old:
            return
        ids = sorted({sheet_id for sheet_id, _ in old})
        for sheet_id, sequence, *stored in connection.execute(
                _OLD_EVENTS, {"ids": ids, "sequences": sorted({event.sequence for _, event in old})}):
            self.events[sheet_id, sequence] = (stored[0], stored[1], stored[2])
        for sheet_id, number, sequence in connection.execute(
                _OLD_ANSWERS, {"ids": ids, "numbers": sorted({event.number for _, event in old})}):
            self.newest[sheet_id, number] = sequence

    def take(self, request: Request, standing: Standing, found: Phase) -> list[Refusal]:
        """The events of one request in the order of their sequence; what cannot be taken is named."""
        refused = []
        entries = {entry["number"]: entry for entry in request.card.layout}
        for event in sorted(request.events, key=lambda one: one.sequence):
            stored = self.events.get((standing.sheet_id, event.sequence))
            if stored is not None:
                if stored != (event.number, event.answer, event.flagged):
                    refused.append(Refusal(event.sequence, "taken", "同一序号已有另一条作答记录，以服务器保存的为准。"))
            elif refusal := self._refusal(request, event, found, entries.get(event.number)):
                refused.append(refusal)
            else:
                self._keep(standing, event)
        return refused

    def _refusal(self, request: Request, event: Event, found: Phase, entry: Any) -> Refusal | None:
        if found not in SAVING and not request.always:
            return Refusal(event.sequence, "over" if found in {Phase.OVER, Phase.HANDED_IN} else "not_started",
                           SENTENCES.get(found, "还没有开始答题。"))
        if not 1 <= event.sequence <= HIGHEST_SEQUENCE:
            return Refusal(event.sequence, "unknown", "作答记录的序号不正确。")
        if entry is None or not shuffle.is_answer(entry, event.answer):
            return Refusal(event.sequence, "unknown", "题号或选项不在本卷上。")
        if self.newest.get((request.card.sheet_id, event.number), 0) > event.sequence:
            return Refusal(event.sequence, "older", "这道题已有更新的作答，较早的一条不再写入。")
        return None

    def _keep(self, standing: Standing, event: Event) -> None:
        key = standing.sheet_id
        self.moment = self.moment or chain.moment(self.now)
        standing.chain = chain.link(standing.chain, key, event.sequence, event.number, event.answer, event.flagged, self.moment)
        standing.highest = max(standing.highest, event.sequence)
        self.events[key, event.sequence] = (event.number, event.answer, event.flagged)
        self.newest[key, event.number] = event.sequence
        self.touched.add(key)
        common = {"sheet_id": key, "number": event.number, "answer": event.answer, "flagged": event.flagged, "sequence": event.sequence}
        self.new_events.append(common | {"received_at": self.now, "chain": standing.chain})
        self.new_answers[key, event.number] = common | {"saved_at": self.now}

    def see(self, request: Request, standing: Standing) -> None:
        """The page showed itself; a long gap before that is noted for the invigilator."""
        key, signs = standing.sheet_id, request.signs
        if standing.seen_at is not None and (self.now - standing.seen_at).total_seconds() >= ledger.GAP_SECONDS:
            self.gaps.append((key, standing.seen_at, self.now))
        standing.seen_at = self.now
        row = {"sheet_id": key, "seen_at": self.now, "address": request.address[:200]}
        if signs is None:
            self.seen[key] = row
        else:
            self.signs[key] = row | {"left": signs.left, "clock_offset_ms": signs.clock_offset_ms, "unsent": signs.unsent,
                                     "full_screen": signs.full_screen, "read_notice": signs.read}

    def write(self, connection: sa.Connection, held: dict[int, Standing]) -> None:
        answers, signs, seen = _UPSERTS[connection.dialect.name]
        if self.new_events:
            connection.execute(_NEW_EVENTS, self.new_events)
            connection.execute(answers, list(self.new_answers.values()))
            connection.execute(_NEW_HEADS, [{"sheet": key, "top": held[key].highest, "head": held[key].chain}
                                            for key in sorted(self.touched)])
        for sheet_id, lost_at, back_at in self.gaps:
            connection.execute(ledger.gap(sheet_id, lost_at, back_at))
        if self.signs:
            connection.execute(signs, list(self.signs.values()))
        if bare := [row for key, row in self.seen.items() if key not in self.signs]:
            connection.execute(seen, bare)
