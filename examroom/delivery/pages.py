"""Which browser may write on a sheet: one live page, handed over on the same computer or by an invigilator.

A page is live when its generation is the sheet's: the save path compares the two and needs nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets, tokens
from examroom.delivery.cards import Card, Terms
from examroom.delivery.handing_in import DEADLINE, close
from examroom.delivery.models import ExamPage, HandIn, PageState, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.delivery.saving import SENTENCES, Standing, standings
from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.audit import NOT_RECORDED, note
from qbank.kernel.db import Actor
from qbank.kernel.refused import Refused

SUPERSEDED = "这份答卷已在另一台电脑上打开，本页只能查看，不再保存作答。如果不是您本人操作，请立即举手告诉监考员。"
WAITING = "这份答卷正在另一台电脑上使用。请举手，由监考员同意后才能在这台电脑上继续。"
_PAGES, _SHEETS = sa.inspect(ExamPage).local_table, sa.inspect(Sheet).local_table
_OPEN_PAGES = (PageState.LIVE, PageState.WAITING)


@dataclass(frozen=True, slots=True)
class Opening:
    """One browser that opens a sheet. ``mark``: hash of what the browser keeps for itself."""

    card: Card
    terms: Terms
    actor: Actor
    holder: tokens.Holder
    token_hash: str
    mark: str
    address: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it. ``page`` ENDED: the sheet is handed in."""

    page: PageState
    standing: Standing


def open_pages(session: Session, openings: Sequence[Opening], *, now: datetime) -> list[Opened | Refused]:
    """Pages for sheets, started if need be; one result for each opening, in their order.

    Live at once when no other computer holds the sheet, else waiting for an invigilator.
    """
    connection = session.connection()
    ids = sorted({opening.card.sheet_id for opening in openings})
    held = standings(connection, ids, lock=True)
    pages: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(sa.select(_PAGES).where(_PAGES.c.sheet_id.in_(ids), _PAGES.c.state.in_(_OPEN_PAGES))).mappings():
        pages.setdefault(row["sheet_id"], []).append(dict(row))
    results: list[Opened | Refused] = []
    for opening in openings:
        try:
            results.append(_open(session, opening, held.get(opening.card.sheet_id), pages.setdefault(opening.card.sheet_id, []), now))
        except Refused as refusal:
            results.append(refusal)
    return results


def _open(session: Session, opening: Opening, standing: Standing | None, pages: list[dict[str, Any]], now: datetime) -> Opened | Refused:
    if standing is None or standing.seed != opening.card.seed:
        raise Refused("dealt_again", "试卷刚刚重新发放，请再进入一次。")
    if not standing.active or standing.account_generation != opening.holder.account_generation:
        raise Refused("signed_out", "登录已失效，请重新登录。")
    found = standing.phase(opening.card, opening.terms, now)
    if found is Phase.OVER:
        how = HandIn.DEADLINE if standing.started_at else HandIn.ABSENT
        close(session, opening.card, opening.terms, standing, how, DEADLINE, now=now)
    if standing.state is SheetState.HANDED_IN:
        return Opened(PageState.ENDED, standing)
    if found not in SAVING and found is not Phase.READY:
        raise Refused(f"start_{found}", SENTENCES[found])
    live = next((page for page in pages if page["state"] is PageState.LIVE), None)
    state = PageState.WAITING if live is not None and live["machine_hash"] != opening.mark else PageState.LIVE
    ended = [page for page in pages if (page is live and state is PageState.LIVE)
             or (page["state"] is PageState.WAITING and page["machine_hash"] == opening.mark)]
    _end(session, ended, opening.actor)
    pages[:] = [page for page in pages if page not in ended]
    pages.append(_insert(session, opening, state, now))
    _begin(session, opening, standing, state, now)
    return Opened(state, standing)


def _end(session: Session, pages: Sequence[dict[str, Any]], actor: Actor) -> None:
    if not pages:
        return
    session.connection().execute(sa.update(_PAGES).where(_PAGES.c.id.in_([page["id"] for page in pages])).values(state=PageState.ENDED))
    for page in pages:
        note(session, actor, "update", "exam_pages", page["id"], {"state": [page["state"], PageState.ENDED]})


def _insert(session: Session, opening: Opening, state: PageState, now: datetime) -> dict[str, Any]:
    row = {"sheet_id": opening.card.sheet_id, "token_hash": opening.token_hash, "generation": opening.holder.generation,
           "machine_hash": opening.mark, "address": opening.address[:200], "opened_at": now, "state": state}
    key = session.connection().execute(sa.insert(_PAGES).values(row)).inserted_primary_key[0]  # type: ignore[index]  # an insert has one
    note(session, opening.actor, "insert", "exam_pages", key,
         {name: [None, NOT_RECORDED if name == "token_hash" else value] for name, value in row.items()})
    return row | {"id": key}


def _begin(session: Session, opening: Opening, standing: Standing, state: PageState, now: datetime) -> None:
    """Start a sheet that was not, and make the page its live one."""
    values: dict[str, Any] = {"generation": opening.holder.generation} if state is PageState.LIVE else {}
    if standing.state is SheetState.DEALT:
        values |= {"state": SheetState.STARTED, "started_at": now}
        note(session, opening.actor, "update", "sheets", standing.sheet_id,
             {"state": [standing.state, SheetState.STARTED], "started_at": [None, now]})
    if values:
        session.connection().execute(sa.update(_SHEETS).where(_SHEETS.c.id == standing.sheet_id).values(values))
        for name, value in values.items():
            setattr(standing, name, value)


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
