"""What stays as it is while a sheet is answered, kept in memory: a save must not read it again each time."""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import Sheet
from examroom.plans.models import Enrolment, Sitting
from qbank.kernel.accounts import Institution
from qbank.papers.models import Paper
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

MOST_CARDS = 8000
PACK_SECONDS = 5.0  # a changed rule pack is followed within this time


@dataclass(frozen=True, slots=True)
class Entry:
    """One question of the layout. It can be read like the stored mapping."""

    number: int
    kind: str
    options: str

    def __getitem__(self, name: str) -> object:
        return getattr(self, name)


@dataclass(frozen=True, slots=True)
class Card:
    """A started sheet: it cannot be dealt again, nor its sitting moved. ``seed`` tells a card read before the start apart."""

    sheet_id: int
    seed: str
    account_id: int
    name: str
    ticket: str
    seat: int
    calculator: bool
    institution_id: int
    starts_at: datetime
    common_end: datetime
    layout: tuple[Entry, ...]


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
        self._terms: dict[int, tuple[float, Terms]] = {}
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

    def terms(self, session: Session, institution_id: int) -> Terms:
        until, terms = self._terms.get(institution_id, (0.0, None))
        if terms is None or until < time.monotonic():
            terms = Terms.of(pack_for(session, session.get_one(Institution, institution_id)))
            self._terms[institution_id] = (time.monotonic() + PACK_SECONDS, terms)
        return terms


def card_of(session: Session, sheet_id: int) -> Card | None:
    """Read a card; None when there is no such sheet."""
    sheet = session.scalar(sa.select(Sheet).where(Sheet.id == sheet_id).options(
        joinedload(Sheet.enrolment).joinedload(Enrolment.candidate), joinedload(Sheet.seat),
        joinedload(Sheet.paper).joinedload(Paper.specification), joinedload(Sheet.sitting).joinedload(Sitting.plan)))
    return None if sheet is None else card(sheet)


def card(sheet: Sheet) -> Card:
    """The card of a sheet that is at hand."""
    layout = tuple(Entry(entry["number"], sys.intern(str(entry["kind"])), sys.intern(entry["options"])) for entry in sheet.layout)
    enrolment = sheet.enrolment
    return Card(sheet.id, sheet.seed, enrolment.account_id, enrolment.candidate.name, enrolment.ticket_number, sheet.seat.number,
                sheet.paper.specification.calculator, sheet.sitting.plan.institution_id, sheet.sitting.starts_at,
                sheet.sitting.ends_at, layout)
