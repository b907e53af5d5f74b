"""What stays as it is while a sheet is answered, kept in memory: a save must not read it again each time."""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import shuffle
from examroom.delivery.models import Sheet
from examroom.plans.models import Enrolment, ExamPlan, Seat, Sitting
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import table_of
from qbank.papers.models import Paper, Specification
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

_SHEETS, _ENROLMENTS, _ACCOUNTS, _SEATS, _PAPERS, _SPECIFICATIONS, _SITTINGS, _PLANS = (
    table_of(model) for model in (Sheet, Enrolment, Account, Seat, Paper, Specification, Sitting, ExamPlan))
_CARD = (sa.select(_SHEETS.c.id, _SHEETS.c.seed, _ACCOUNTS.c.id, _ACCOUNTS.c.name, _ENROLMENTS.c.ticket_number, _SEATS.c.number,
                   _SPECIFICATIONS.c.calculator, _SITTINGS.c.seb_required, _PLANS.c.institution_id, _SITTINGS.c.starts_at,
                   _SITTINGS.c.minutes, _SHEETS.c.layout)
         .join(_ENROLMENTS, _ENROLMENTS.c.id == _SHEETS.c.enrolment_id).join(_ACCOUNTS, _ACCOUNTS.c.id == _ENROLMENTS.c.account_id)
         .join(_SEATS, _SEATS.c.id == _SHEETS.c.seat_id).join(_PAPERS, _PAPERS.c.id == _SHEETS.c.paper_id)
         .join(_SPECIFICATIONS, _SPECIFICATIONS.c.id == _PAPERS.c.specification_id)
         .join(_SITTINGS, _SITTINGS.c.id == _SHEETS.c.sitting_id).join(_PLANS, _PLANS.c.id == _SITTINGS.c.plan_id)
         .where(_SHEETS.c.id.in_(sa.bindparam("sheets", expanding=True))))
MOST_CARDS = 8000
PACK_SECONDS = 5.0  # a changed rule pack is followed within this time


@dataclass(frozen=True, slots=True)
class Card:
    """A started sheet: it cannot be dealt again, nor its sitting moved."""

    sheet_id: int
    seed: str
    account_id: int
    name: str
    ticket: str
    seat: int
    calculator: bool
    seb: bool  # Safe Exam Browser is demanded
    institution_id: int
    starts_at: datetime
    common_end: datetime
    layout: tuple[shuffle.Entry, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers that the province sets."""

    grace: timedelta
    late_entry: timedelta
    earliest_hand_in: timedelta
    photo_check: bool

    @classmethod
    def of(cls, pack: RulePack) -> Terms:
        return cls(timedelta(seconds=pack.grace_seconds), timedelta(minutes=pack.late_entry_minutes),
                   timedelta(minutes=pack.earliest_hand_in_minutes), pack.photo_check)


class Cards:
    """The cards and terms of one process, the least used thrown away first."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, Card] = OrderedDict()
        self._terms: dict[int, tuple[float, Terms | None]] = {}
        self._lock = threading.Lock()

    def held(self, sheet_id: int) -> Card | None:
        with self._lock:
            card = self._held.get(sheet_id)
            if card is not None:
                self._held.move_to_end(sheet_id)
            return card

    def keep(self, card: Card) -> None:
        with self._lock:
            self._held[card.sheet_id] = card
            while len(self._held) > MOST_CARDS:
                self._held.popitem(last=False)

    def held_terms(self, institution_id: int) -> Terms | None:
        until, terms = self._terms.get(institution_id, (0.0, None))
        return terms if until >= time.monotonic() else None

    def terms(self, session: Session, institution_id: int) -> Terms:
        terms = self.held_terms(institution_id)
        if terms is None:
            terms = terms_of(session, institution_id)
            self._terms[institution_id] = (time.monotonic() + PACK_SECONDS, terms)
        return terms


def terms_of(session: Session, institution_id: int) -> Terms:
    return Terms.of(pack_for(session, session.get_one(Institution, institution_id)))


def cards_of(kernel: dict[str, Any]) -> Cards:
    """The cards of this process; ``kernel``: the application's extension."""
    found: Cards = kernel.setdefault("cards", Cards())
    return found


def card_of(session: Session, sheet_id: int) -> Card | None:
    """Read a card; None when there is no such sheet."""
    return cards_on(session.connection(), [sheet_id]).get(sheet_id)


def cards_on(connection: sa.Connection, sheet_ids: Sequence[int]) -> dict[int, Card]:
    """Read the cards of these sheets."""
    return {row[0]: _card(row) for row in connection.execute(_CARD, {"sheets": sheet_ids})}


def _card(row: Any) -> Card:
    *known, starts_at, minutes, layout = tuple(row)
    entries = tuple({"number": entry["number"], "kind": sys.intern(str(entry["kind"])), "options": sys.intern(entry["options"])}
                    for entry in layout)
    return Card(*(*known, starts_at, starts_at + timedelta(minutes=minutes), entries))
