"""What every answer to the exam page carries: time, state, what invigilators say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from examroom.delivery import phase
from examroom.delivery.cards import Card, Terms
from examroom.delivery.models import Answer, Notice, Sheet, SheetState, TimeEntry
from examroom.delivery.saving import Standing
from examroom.plans.models import Seat
from qbank.kernel.db import table_of
from qbank.kernel.times import local, spoken

_SHEETS, _ANSWERS, _NOTICES, _SEATS, _ENTRIES = (table_of(model) for model in (Sheet, Answer, Notice, Seat, TimeEntry))
_SAID = (sa.select(_SHEETS.c.id, _NOTICES.c.id, _NOTICES.c.at, _NOTICES.c.text)
         .join(_SEATS, _SEATS.c.id == _SHEETS.c.seat_id).join(_NOTICES, _NOTICES.c.sitting_room_id == _SEATS.c.sitting_room_id)
         .where(_SHEETS.c.id.in_(sa.bindparam("ids", expanding=True)), _NOTICES.c.withdrawn_at.is_(None),
                sa.or_(_NOTICES.c.sheet_id.is_(None), _NOTICES.c.sheet_id == _SHEETS.c.id)).order_by(_NOTICES.c.id))
_GRANTED = (sa.select(_ENTRIES.c.sheet_id, _ENTRIES.c.seconds, _ENTRIES.c.reason)
            .where(_ENTRIES.c.sheet_id.in_(sa.bindparam("ids", expanding=True))).order_by(_ENTRIES.c.id))
_STORED = sa.select(_ANSWERS.c.number, _ANSWERS.c.answer).where(_ANSWERS.c.sheet_id == sa.bindparam("sheet"))


@dataclass(frozen=True, slots=True)
class Word:
    """What one candidate is told: the newest grant of time, the notices."""

    message: str = ""
    notices: tuple[dict[str, Any], ...] = ()


NOTHING = Word()


def words(connection: sa.Connection, standings: Iterable[Standing | None]) -> dict[int, Word]:
    """By sheet, for many at once; one that is told nothing is missing."""
    ids = {"ids": sorted({standing.sheet_id for standing in standings if standing is not None and standing.has_word})}
    if not ids["ids"]:
        return {}
    messages = {sheet_id: f"监考员已为您调整考试时间 {seconds / 60:+g} 分钟：{reason}"
                for sheet_id, seconds, reason in connection.execute(_GRANTED, ids)}
    notices: dict[int, list[dict[str, Any]]] = {}
    for sheet_id, key, at, text in connection.execute(_SAID, ids):
        notices.setdefault(sheet_id, []).append({"id": key, "at": f"{local(at):%H:%M:%S}", "text": text})
    return {key: Word(messages.get(key, ""), tuple(notices.get(key, ()))) for key in messages.keys() | notices.keys()}


def told(card: Card, terms: Terms, standing: Standing, word: Word, *, now: datetime) -> dict[str, Any]:
    """The standing that goes with an answer."""
    clock = now if standing.paused_at is None else min(now, standing.paused_at)
    over = standing.state is SheetState.HANDED_IN
    earliest = phase.hand_in_from(card.starts_at, standing.ends_at, terms.earliest_hand_in)
    return {"acknowledged": standing.highest, "state": standing.state, "phase": standing.phase(card, terms, now),
            "remaining_seconds": 0.0 if over else phase.seconds_until(standing.ends_at, clock),
            "granted_seconds": (standing.ends_at - card.common_end).total_seconds(),
            "hand_in_in_seconds": phase.seconds_until(earliest, now), "paused": standing.paused_at is not None,
            "message": word.message, "notices": word.notices}


def receipt(connection: sa.Connection, card: Card, standing: Standing) -> dict[str, Any]:
    """What a candidate is shown after the hand-in: when, how, how many; the code covers the stored answers."""
    held = {number: answer for number, answer in connection.execute(_STORED, {"sheet": card.sheet_id}) if answer}
    covered = json.dumps([card.seed, sorted(held.items())], separators=(",", ":"))
    return {"at": spoken(standing.handed_in_at, seconds=True), "how": standing.handed_in_how and standing.handed_in_how.chinese,
            "answered": len(held), "of": len(card.layout), "code": hashlib.sha256(covered.encode()).hexdigest()[:12].upper()}
