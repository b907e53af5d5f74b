"""What the exam page writes, as handlers of the kernel's combined writer: many pages, one transaction, one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import Counter
from sqlalchemy.orm import Session

from examroom.delivery import handing_in, pages, saving, told
from examroom.delivery.models import HandIn, SheetState
from examroom.delivery.phase import Phase
from examroom.delivery.told import NOTHING, Word
from qbank.kernel.db import Actor
from qbank.kernel.metrics import REGISTRY
from qbank.kernel.refused import Refused

SAVES = Counter("examroom_saves", "Saves of answer sheets: taken, or why the page was sent away.", ("outcome",), registry=REGISTRY)
ANSWERS_REFUSED = Counter("examroom_answers_refused", "Answers in saves that were taken, which the sheet does not allow.", registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class Written:
    """What one page is answered. ``stop``: it may not write, and why; ``page``: what came of an opening."""

    standing: saving.Standing | None
    word: Word = NOTHING
    stop: str = ""
    refused: Sequence[saving.Refusal] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """A candidate hands in. ``only_over``: because the page's time was over; more may have been granted meanwhile."""

    request: saving.Request
    actor: Actor
    only_over: bool


def _count(outcomes: Sequence[saving.Outcome]) -> None:
    if taken := sum(not outcome.stop for outcome in outcomes):
        SAVES.labels("taken").inc(taken)
    if refused := sum(len(outcome.refused) for outcome in outcomes):
        ANSWERS_REFUSED.inc(refused)


def save(session: Session, requests: Sequence[saving.Request], now: datetime) -> list[Written]:
    """Events of many pages; a sheet whose time is over is handed in."""
    connection = session.connection()
    outcomes = saving.save(connection, requests, now=now)
    _count(outcomes)
    for request, outcome in zip(requests, outcomes, strict=True):
        if outcome.due and outcome.standing is not None:
            _close_over(session, request, outcome.standing, now)
    words = told.words(connection, [outcome.standing for outcome in outcomes])
    return [Written(outcome.standing, words.get(request.card.sheet_id, NOTHING), outcome.stop, outcome.refused)
            for request, outcome in zip(requests, outcomes, strict=True)]


def open_pages(session: Session, openings: Sequence[pages.Opening], now: datetime) -> Sequence[Any]:
    """Pages that open; a sheet whose time is over is handed in instead."""
    return pages.open_pages(session, openings, now=now)


def hand_in(session: Session, closings: Sequence[Closing], now: datetime) -> list[Written | Refused]:
    """Candidates' hand-ins; one that is refused does not hinder the others."""
    connection = session.connection()
    outcomes = saving.save(connection, [closing.request for closing in closings], now=now)
    words = told.words(connection, [outcome.standing for outcome in outcomes])
    results: list[Written | Refused] = []
    for closing, outcome in zip(closings, outcomes, strict=True):
        try:
            if outcome.standing is not None and not outcome.stop:
                _hand_in(session, closing, outcome.standing, now)
            results.append(Written(outcome.standing, words.get(closing.request.card.sheet_id, NOTHING), outcome.stop, outcome.refused))
        except Refused as refusal:
            results.append(refusal)
    return results


def _hand_in(session: Session, closing: Closing, standing: saving.Standing, now: datetime) -> None:
    card, terms = closing.request.card, closing.request.terms
    clock = now if standing.paused_at is None else min(now, standing.paused_at)
    if standing.state is SheetState.HANDED_IN or (closing.only_over and clock < standing.ends_at):
        return
    handing_in.close(session, card, terms, standing, HandIn.CANDIDATE, closing.actor, now=now)


def _close_over(session: Session, request: saving.Request, standing: saving.Standing, now: datetime) -> None:
    if standing.phase(request.card, request.terms, now) is Phase.OVER:
        how = HandIn.DEADLINE if standing.started_at else HandIn.ABSENT
        handing_in.close(session, request.card, request.terms, standing, how, handing_in.DEADLINE, now=now)
