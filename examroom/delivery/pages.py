"""Which browser may write on a sheet: one live page, handed over on the same computer or by an invigilator.

A page is live when its generation is the sheet's: the save path compares the two and needs nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from examroom.delivery import bodies, sheets, tokens, told
from examroom.delivery.cards import Card, Cards, Terms, cards_on
from examroom.delivery.handing_in import DEADLINE, close
from examroom.delivery.models import ExamPage, HandIn, PageState, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.delivery.saving import SENTENCES, Standing, standings
from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.audit import NOT_RECORDED, note
from qbank.kernel.db import Actor, table_of
from qbank.kernel.refused import Refused

SUPERSEDED = "这份答卷已在另一台电脑上打开，本页只能查看，不再保存作答。如果不是您本人操作，请立即举手告诉监考员。"
WAITING = "这份答卷正在另一台电脑上使用。请举手，由监考员同意后才能在这台电脑上继续。"
_PAGES, _SHEETS = table_of(ExamPage), table_of(Sheet)
_OPEN_PAGES = (PageState.LIVE, PageState.WAITING)
_HELD_PAGES = sa.select(_PAGES).where(_PAGES.c.sheet_id.in_(sa.bindparam("ids", expanding=True)), _PAGES.c.state.in_(_OPEN_PAGES))
_END_PAGES = sa.update(_PAGES).where(_PAGES.c.id.in_(sa.bindparam("ids", expanding=True))).values(state=PageState.ENDED)
_NEW_PAGES = sa.insert(_PAGES).returning(_PAGES.c.id, _PAGES.c.generation)
_NEW_LIVES = sa.update(_SHEETS).where(_SHEETS.c.id == sa.bindparam("sheet")).values(
    state=sa.bindparam("now_state"), started_at=sa.bindparam("since"), generation=sa.bindparam("page"))


@dataclass(frozen=True, slots=True)
class Opening:
    """One browser that opens a sheet. ``mark``: hash of what the browser keeps for itself; ``locked``: it proved to be Safe
    Exam Browser; ``cards``: what this process knows of sheets already."""

    holder: tokens.Holder
    token_hash: str
    mark: str
    address: str
    cards: Cards
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it. ``page`` ENDED: the sheet is handed in. ``body``: the paper, for who started this moment."""

    page: PageState
    card: Card
    terms: Terms
    standing: Standing
    body: bodies.Body | None = None
    word: told.Word = told.NOTHING


class LockDemanded(Exception):
    """The sitting demands Safe Exam Browser, and nobody has checked whether this is one."""


def open_pages(session: Session, openings: Sequence[Opening], *, now: datetime) -> list[Opened | Exception]:
    """Pages for sheets, started if need be; one result for each opening, in their order.

    Live at once when no other computer holds the sheet, else waiting for an invigilator. Who asks, the sheet and the time
    are looked at here, after the sheets' rows are locked.
    """
    connection = session.connection()
    ids = sorted({opening.holder.sheet_id for opening in openings})
    held = standings(connection, ids, lock=True)
    batch = _Batch(session, now)
    batch.read(held, openings)
    results: list[Opened | Exception] = []
    for opening in openings:
        try:
            results.append(batch.open(opening, held.get(opening.holder.sheet_id)))
        except (Refused, NotFound, LockDemanded) as error:
            results.append(error)
    batch.write()
    return _with_papers(connection, results, batch.begun)


def _with_papers(connection: sa.Connection, results: list[Opened | Exception], begun: set[int]) -> list[Opened | Exception]:
    """Who starts this moment gets the paper with the answer."""
    starting = [one for one in results if isinstance(one, Opened) and one.standing.sheet_id in begun]
    papers = bodies.held(connection, [one.standing.sheet_id for one in starting])
    words = told.words(connection, [one.standing for one in starting])
    return [replace(one, body=papers.get(one.standing.sheet_id), word=words.get(one.standing.sheet_id, told.NOTHING))
            if isinstance(one, Opened) and one.standing.sheet_id in begun else one for one in results]


class _Batch:
    """The openings of one transaction: decided one by one, written together."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.pages: dict[int, list[dict[str, Any]]] = {}  # sheet → its pages that are live or wait
        self.ended: list[tuple[dict[str, Any], Actor]] = []
        self.made: list[tuple[dict[str, Any], Actor]] = []
        self.lives: list[dict[str, Any]] = []  # what becomes of the sheets
        self.cards: dict[int, Card] = {}
        self.begun: set[int] = set()  # sheets that are started here

    def read(self, held: Mapping[int, Standing], openings: Sequence[Opening]) -> None:
        connection = self.session.connection()
        known = [opening.cards.held(opening.holder.sheet_id) for opening in openings]
        self.cards = {card.sheet_id: card for card in known if card is not None}
        self.cards |= cards_on(connection, [key for key in held if key not in self.cards])
        begun = [key for key, standing in held.items() if standing.state is not SheetState.DEALT]  # the others have no page yet
        for row in connection.execute(_HELD_PAGES, {"ids": begun}).mappings() if begun else ():
            self.pages.setdefault(row["sheet_id"], []).append(dict(row))

    def open(self, opening: Opening, standing: Standing | None) -> Opened:
        holder, card = opening.holder, self.cards.get(opening.holder.sheet_id)
        if standing is None or card is None or card.account_id != holder.account_id:
            raise NotFound
        if not standing.active or standing.account_generation != holder.account_generation:
            raise Refused("signed_out", "登录已失效，请重新登录。")
        if card.seb and not opening.locked:
            raise LockDemanded
        terms = opening.cards.terms(self.session, card.institution_id)
        found = standing.phase(card, terms, self.now)
        if found is Phase.OVER:
            how = HandIn.DEADLINE if standing.started_at else HandIn.ABSENT
            close(self.session, card, terms, standing, how, DEADLINE, now=self.now)
        if standing.state is SheetState.HANDED_IN:
            return Opened(PageState.ENDED, card, terms, standing)
        if found not in SAVING and found is not Phase.READY:
            raise Refused(f"start_{found}", SENTENCES[found])
        if any(page["sheet_id"] == card.sheet_id for page, _ in self.made):
            self.write()  # the second of one sheet: the index allows one live page at any moment
        return Opened(self._decide(opening, standing, Actor(card.account_id, card.name)), card, terms, standing)

    def _decide(self, opening: Opening, standing: Standing, actor: Actor) -> PageState:
        pages = self.pages.setdefault(standing.sheet_id, [])
        live = next((page for page in pages if page["state"] is PageState.LIVE), None)
        state = PageState.WAITING if live is not None and live["machine_hash"] != opening.mark else PageState.LIVE
        ended = [page for page in pages if (page is live and state is PageState.LIVE)
                 or (page["state"] is PageState.WAITING and page["machine_hash"] == opening.mark)]
        page = {"sheet_id": standing.sheet_id, "token_hash": opening.token_hash, "generation": opening.holder.generation,
                "machine_hash": opening.mark, "address": opening.address[:200], "opened_at": self.now, "state": state}
        self.ended += [(one, actor) for one in ended]
        self.made.append((page, actor))
        self.pages[standing.sheet_id] = [one for one in pages if one not in ended] + [page]
        self._begin(opening, standing, state, actor)
        return state

    def _begin(self, opening: Opening, standing: Standing, state: PageState, actor: Actor) -> None:
        """Start a sheet that was not, and make the page its live one."""
        if standing.state is SheetState.DEALT:
            note(self.session, actor, "update", "sheets", standing.sheet_id,
                 {"state": [standing.state, SheetState.STARTED], "started_at": [None, self.now]})
            standing.state, standing.started_at = SheetState.STARTED, self.now
            self.begun.add(standing.sheet_id)
        if state is PageState.LIVE:
            standing.generation = opening.holder.generation
        self.lives.append({"sheet": standing.sheet_id, "now_state": standing.state, "since": standing.started_at,
                           "page": standing.generation})

    def write(self) -> None:
        connection = self.session.connection()
        if self.ended:
            connection.execute(_END_PAGES, {"ids": [page["id"] for page, _ in self.ended]})
        for page, actor in self.ended:
            note(self.session, actor, "update", "exam_pages", page["id"], {"state": [page["state"], PageState.ENDED]})
        if self.made:
            keys = {generation: key for key, generation in connection.execute(_NEW_PAGES, [page for page, _ in self.made])}
            for page, actor in self.made:
                changes = {name: [None, NOT_RECORDED if name == "token_hash" else value] for name, value in page.items()}
                page["id"] = keys[page["generation"]]
                note(self.session, actor, "insert", "exam_pages", page["id"], changes)
            connection.execute(_NEW_LIVES, self.lives)
        self.ended, self.made, self.lives = [], [], []


def mark_of(machine: str) -> str:
    """What is kept of the random mark of a browser; an empty one is nobody's."""
    return hashlib.sha256((machine or secrets.token_hex(16)).encode()).hexdigest()


def admit(session: Session, page: ExamPage, who: Viewer) -> None:
    """Let a waiting page take the sheet over; the page before it becomes read-only at once."""
    sheets.lock(session, page.sheet)
    session.refresh(page)
    if page.state is not PageState.WAITING:
        raise Refused("page_not_waiting", "这次换机申请已经处理或已失效，请刷新监控页面。")
    end_live(session, page.sheet)
    page.state, page.admitted_by = PageState.LIVE, who.account_id
    page.sheet.generation = page.generation
    session.flush()


def end_live(session: Session, sheet: Sheet) -> None:
    """No page may write on the sheet until one is opened or admitted."""
    held = live_page(session, sheet)
    if held is not None:
        held.state = PageState.ENDED
    sheet.generation = 0
    session.flush()


def live_page(session: Session, sheet: Sheet) -> ExamPage | None:
    return session.scalar(sa.select(ExamPage).where(ExamPage.sheet_id == sheet.id, ExamPage.state == PageState.LIVE))


def leave(session: Session, who: Viewer) -> None:
    """The candidate signs out: no page of theirs writes any more. Back on the same computer it goes on."""
    for page in session.scalars(sa.select(ExamPage).join(ExamPage.sheet).join(Sheet.enrolment).where(
            Enrolment.account_id == who.account_id, ExamPage.state.in_(_OPEN_PAGES), Sheet.state != SheetState.HANDED_IN)).all():
        sheets.lock(session, page.sheet)
        session.refresh(page)
        if page.sheet.generation == page.generation:
            page.sheet.generation = 0
        page.state = PageState.ENDED
    session.flush()
