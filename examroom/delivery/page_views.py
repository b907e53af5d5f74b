"""Doors of the exam page: open, state, events, pulse, hand-in, pictures. No account is read to know who asks.

``open`` and pictures go by the sign-in's cookie, the others by the page token alone, so that a sign-in that timed out does
not end an exam. Both are compared with the account and the live page where it counts: in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
from flask import Response, request
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, NotFound

from examroom.delivery import asked, bodies, cards, opening, pages, saving, seb_door, tokens, told, writes
from examroom.delivery.blueprint import blueprint
from examroom.delivery.cards import Card, Cards, Terms, cards_of
from examroom.delivery.models import PageState, SheetState
from qbank.kernel.db import Actor, Database
from qbank.kernel.web import bare, now, proven, settings, signed_in, writer

SAID = {
    "superseded": (pages.SUPERSEDED, 409), "waiting": (pages.WAITING, 409),
    "unknown_page": ("服务器上没有这一页的登记，正在重新登记。", 409), "bad_token": ("本页已失效，请重新进入考试。", 401),
    "behind": ("服务器上缺少一部分已保存的答案，正在补送。", 409),
    "signed_out": ("登录已失效，请重新登录后继续，已保存的答案不受影响。", 401),
}


@blueprint.post("/exam/sheets/<int:sheet_id>/open")
@bare
def open_page(sheet_id: int) -> Any:
    named = signed_in()
    if named is None:
        return _no("signed_out")
    try:
        entry = _enter(named, sheet_id, locked=False)
    except pages.LockDemanded:
        with _reading() as session:
            seb_door.require(session, sheet_id)
        entry = _enter(named, sheet_id, locked=True)
    opened = entry.opened
    if opened.page is PageState.ENDED:  # handed in: a reload shows the receipt again
        with _reading() as session:
            return {"token": "", "page": opened.page} | _told(session, opened.card, opened.terms, entry.holder)[0]
    answer = opening.told_to(entry, now=now())
    return answer if opened.body is None else _packed(opened.body, answer)


def _enter(named: tuple[int, int], sheet_id: int, *, locked: bool) -> opening.Entry:
    try:
        return opening.enter(_kernel(), named, sheet_id, request.get_data() if request.is_json else b"", request.remote_addr or "", locked=locked)
    except ValueError:
        with _reading() as session:
            card = cards.card_of(session, sheet_id)
        if card is None or card.account_id != named[0]:
            raise NotFound from None
        raise BadRequest from None


@blueprint.get("/exam/sheets/<int:sheet_id>/state")
@proven
def state(sheet_id: int) -> Any:
    holder = _holder(sheet_id)
    if holder is None:
        return _no("bad_token")
    card, terms = _card(sheet_id)
    with _reading() as session:
        answer, stop = _told(session, card, terms, holder)
        if answer["state"] is SheetState.HANDED_IN or stop:
            return answer if not stop else _no(stop)
        answer |= bodies.dynamic(session, card)
        return _packed(bodies.read(session, sheet_id), answer)


@blueprint.get("/exam/sheets/<int:sheet_id>/pulse")
@proven
def pulse(sheet_id: int) -> Any:
    holder = _holder(sheet_id)
    if holder is None:
        return _no("bad_token")
    card, terms = _card(sheet_id)
    with _reading() as session:
        answer, stop = _told(session, card, terms, holder)
    page = {"": "live", "unknown_page": "unknown", "waiting": "waiting"}.get(stop, "ended")
    return answer | {"page": page, "sentence": SAID[stop][0]} | _fresh() if stop else answer | {"page": page, "sentence": ""}


@blueprint.post("/exam/sheets/<int:sheet_id>/events")
@proven
def events(sheet_id: int) -> Any:
    holder = _holder(sheet_id)
    if holder is None:
        return _no("bad_token")
    card, terms = _card(sheet_id)
    body = _body()
    try:
        taken, refused = asked.events(card, body)
    except ValueError:
        raise BadRequest from None
    written = writer().write(writes.save, saving.Request(card, terms, taken, holder, asked.signs(body, now()), request.remote_addr or "",
                                                         after=asked.after(body)))
    return _answer(card, terms, written, refused)


@blueprint.post("/exam/sheets/<int:sheet_id>/hand-in")
@proven
def hand_in(sheet_id: int) -> Any:
    holder = _holder(sheet_id)
    if holder is None:
        return _no("bad_token")
    card, terms = _card(sheet_id)
    body = _body()
    wish = saving.Request(card, terms, (), holder, None, request.remote_addr or "", after=asked.after(body))
    closing = writes.Closing(wish, Actor(holder.account_id, card.name), body.get("because") == "time")
    return _answer(card, terms, writer().write(writes.hand_in, closing), [])


@blueprint.get("/exam/media/<sha256>")
@bare
def media(sha256: str) -> Any:
    """A picture of the paper, for candidates who have started a sitting that shows it. Its name is its content: kept for good."""
    named = signed_in()
    with _reading() as session:
        found = bodies.picture(session, sha256, *named) if named and len(sha256) == 64 else None
    if found is None:
        raise NotFound
    return Response(found[0], mimetype=found[1], headers={"Cache-Control": "private, max-age=31536000, immutable"})


def _answer(card: Card, terms: Terms, written: writes.Written, refused: list[saving.Refusal]) -> Any:
    if written.stop or written.standing is None:
        return _no(written.stop or "unknown_page", written.standing)
    answer = told.told(card, terms, written.standing, written.word, now=now()) | {
        "page": "live", "refused": [refusal.plain() for refusal in (*refused, *written.refused)]}
    if written.standing.state is SheetState.HANDED_IN:
        with _reading() as session:
            answer["receipt"] = told.receipt(session.connection(), card, written.standing)
    return answer


def _told(session: Session, card: Card, terms: Terms, holder: tokens.Holder) -> tuple[dict[str, Any], str]:
    """The standing of a sheet, and why the page may not write on it."""
    connection = session.connection()
    standing = saving.standings(connection, [card.sheet_id]).get(card.sheet_id)
    if standing is None:
        raise NotFound
    over = standing.state is SheetState.HANDED_IN
    stop = "" if over else saving.stop_of(connection, standing, holder)
    answer = told.told(card, terms, standing, told.words(connection, [standing]).get(card.sheet_id, told.NOTHING), now=now())
    return answer | ({"receipt": told.receipt(connection, card, standing)} if over else {}), stop


def _packed(body: bodies.Body, answer: dict[str, Any]) -> Response:
    """What was compressed when the sheet was dealt goes out as it is; only the rest is compressed now."""
    rest = flask.json.dumps(answer).removeprefix("{")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(bodies.packed(body, rest), mimetype="application/json", headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return Response(bodies.plain(body, rest), mimetype="application/json", headers={"Vary": "Accept-Encoding"})


def _no(code: str, standing: saving.Standing | None = None) -> Any:
    sentence, status = SAID[code]
    writes.SAVES.labels(code).inc()
    held: dict[str, Any] = {"acknowledged": standing.highest} if code == "behind" and standing is not None else {}
    return {"code": code, "sentence": sentence} | held | _fresh(), status


def _fresh() -> dict[str, str]:
    """A CSRF token for the page that has to open again: only that door asks for one."""
    return {"csrf": generate_csrf()}


def _holder(sheet_id: int) -> tokens.Holder | None:
    holder = tokens.read(settings().secret_key, request.headers.get("X-Page-Token", ""))
    return holder if holder is not None and holder.sheet_id == sheet_id else None


@contextmanager
def _reading() -> Iterator[Session]:
    """Nothing is connected until something is asked."""
    database: Database = flask.current_app.extensions["examroom"]["database"]
    with database.open(None, reads_only=True) as session:
        yield session


def _kernel() -> dict[str, Any]:
    found: dict[str, Any] = flask.current_app.extensions["examroom"]
    return found


def _cards() -> Cards:
    return cards_of(_kernel())


def _card(sheet_id: int) -> tuple[Card, Terms]:
    """A token is only ever issued for a started sheet: its card stays."""
    card = _cards().held(sheet_id)
    terms = _cards().held_terms(card.institution_id) if card is not None else None
    if card is not None and terms is not None:
        return card, terms
    with _reading() as session:
        card = card or cards.card_of(session, sheet_id)
        if card is None:
            raise NotFound
        _cards().keep(card)
        return card, _cards().terms(session, card.institution_id)


def _body() -> dict[str, Any]:
    try:
        return asked.body_of(request.get_data() if request.is_json else b"")
    except ValueError:
        raise BadRequest from None
