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

from examroom.delivery import bodies, cards, pages, saving, seb_door, shuffle, tokens, told, writes
from examroom.delivery.blueprint import blueprint
from examroom.delivery.cards import Card, Cards, Terms
from examroom.delivery.models import PageState, SheetState
from qbank.kernel.db import Actor, Database
from qbank.kernel.web import bare, now, proven, settings, signed_in, writer

EVENTS_AT_ONCE = 500
LONGEST_LINE = 200
MOST = 2**31 - 1
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
    with _reading() as session:
        card = _cards().held(sheet_id) or cards.card_of(session, sheet_id)
        if card is None or card.account_id != named[0]:
            raise NotFound
        if card.seb:
            seb_door.require(session, sheet_id)
        terms = _cards().terms(session, card.institution_id)
    holder = tokens.Holder(sheet_id, tokens.draw_generation(), *named)
    token = tokens.issue(settings().secret_key, holder)
    opened: pages.Opened = writer().write(writes.open_pages, pages.Opening(
        card, terms, Actor(named[0], card.name), holder, tokens.hashed(token), pages.mark_of(str(_body().get("machine", ""))[:LONGEST_LINE]),
        request.remote_addr or ""))
    _cards().keep(card)
    if opened.page is PageState.ENDED:  # handed in: a reload shows the receipt again
        with _reading() as session:
            return {"token": "", "page": opened.page} | _told(session, card, terms, holder)[0]
    return {"token": token, "page": opened.page, "generation": holder.generation,
            "sentence": pages.WAITING if opened.page is PageState.WAITING else ""}


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
    taken, refused = _events(card, body)
    written = writer().write(writes.save, saving.Request(card, terms, taken, holder, _signs(body), request.remote_addr or "",
                                                         after=_after(body)))
    return _answer(card, terms, written, refused)


@blueprint.post("/exam/sheets/<int:sheet_id>/hand-in")
@proven
def hand_in(sheet_id: int) -> Any:
    holder = _holder(sheet_id)
    if holder is None:
        return _no("bad_token")
    card, terms = _card(sheet_id)
    body = _body()
    asked = saving.Request(card, terms, (), holder, None, request.remote_addr or "", after=_after(body))
    closing = writes.Closing(asked, Actor(holder.account_id, card.name), body.get("because") == "time")
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
        "page": "live", "refused": [_plain(refusal) for refusal in (*refused, *written.refused)]}
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
    answer = told.told(card, terms, standing, told.words(connection, [card.sheet_id]).get(card.sheet_id, told.Word()), now=now())
    return answer | ({"receipt": told.receipt(connection, card, standing)} if over else {}), stop


def _packed(body: bodies.Body, answer: dict[str, Any]) -> Response:
    """What was compressed when the sheet was dealt goes out as it is; only the rest is compressed now."""
    rest = flask.json.dumps(answer).removeprefix("{")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(bodies.packed(body, rest), mimetype="application/json", headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return Response(bodies.plain(body, rest), mimetype="application/json", headers={"Vary": "Accept-Encoding"})


def _no(code: str, standing: saving.Standing | None = None) -> Any:
    sentence, status = SAID[code]
    held: dict[str, Any] = {"acknowledged": standing.highest} if code == "behind" and standing is not None else {}
    return {"code": code, "sentence": sentence} | held | _fresh(), status


def _fresh() -> dict[str, str]:
    """A CSRF token for the page that has to open again: only that door asks for one."""
    return {"csrf": generate_csrf()}


def _plain(refusal: saving.Refusal) -> dict[str, Any]:
    return {"sequence": refusal.sequence, "code": refusal.code, "sentence": refusal.sentence}


def _holder(sheet_id: int) -> tokens.Holder | None:
    holder = tokens.read(settings().secret_key, request.headers.get("X-Page-Token", ""))
    return holder if holder is not None and holder.sheet_id == sheet_id else None


@contextmanager
def _reading() -> Iterator[Session]:
    """Nothing is connected until something is asked."""
    database: Database = flask.current_app.extensions["examroom"]["database"]
    with database.open(None, reads_only=True) as session:
        yield session


def _cards() -> Cards:
    found: Cards = flask.current_app.extensions["examroom"].setdefault("cards", Cards())
    return found


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
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest
    return body


def _events(card: Card, body: dict[str, Any]) -> tuple[list[saving.Event], list[saving.Refusal]]:
    """The events of the request in canonical terms: here the shuffle is undone. 400 for what is not an event at all."""
    sent = body.get("events")
    if not isinstance(sent, list) or len(sent) > EVENTS_AT_ONCE:
        raise BadRequest
    taken, refused = [], []
    for one in sent:
        sequence, number, answer, flagged = _fields(one)
        try:
            paper_number, letters = shuffle.to_canonical(card.layout, number, answer)
        except ValueError:
            refused.append(saving.Refusal(sequence, "unknown", "题号或选项不在本卷上。"))
            continue
        taken.append(saving.Event(sequence, paper_number, letters, flagged))
    return taken, refused


def _fields(one: Any) -> tuple[int, int, str, bool]:
    fields = one if isinstance(one, dict) else {}
    sequence, number, answer, flagged = (fields.get(name) for name in ("sequence", "number", "answer", "flagged"))
    if not (type(sequence) is int and type(number) is int and isinstance(answer, str) and isinstance(flagged, bool)
            and 1 <= sequence <= saving.HIGHEST_SEQUENCE):
        raise BadRequest
    return sequence, number, answer, flagged


def _after(body: dict[str, Any]) -> int:
    """What the page was last told as acknowledged."""
    after = body.get("after")
    return min(max(after, 0), saving.HIGHEST_SEQUENCE) if type(after) is int else 0


def _signs(body: dict[str, Any]) -> saving.Signs | None:
    """What the page says of itself, as far as it can be read; nonsense is left out, never refused."""
    sent = body.get("signs")
    if not isinstance(sent, dict):
        return None

    def whole(name: str) -> int:
        value = sent.get(name)
        return min(max(value, 0), MOST) if type(value) is int else 0

    clock, full_screen = sent.get("clock"), sent.get("full_screen")
    offset = round(clock - now().timestamp() * 1000) if isinstance(clock, int | float) and abs(clock) < 2**53 else None
    return saving.Signs(whole("left"), None if offset is None else min(max(offset, -MOST), MOST), whole("unsent"),
                        full_screen if isinstance(full_screen, bool) else None, whole("read"))
