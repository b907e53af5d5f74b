"""The fast lane: what a whole cohort asks at once goes past Flask, which costs several times what the answer itself does.

Saves and pulses of a page; the waiting page, its state, the exam page and the start. It knows only the plain case: a good
token or sign-in, a sheet that is known, an exam that goes on. Whatever else it meets it leaves to the doors behind it
(``examroom.delivery.page_views``, ``views``), with the request as it came: what is sent twice changes nothing. Every check
is the same code, and what decides is decided in the transaction that writes.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask
from werkzeug.exceptions import NotFound

from examroom.delivery import asked, bodies, hall, opening, pages, saving, shells, tokens, told, writes
from examroom.delivery.cards import Card, Cards, Terms, cards_of
from examroom.delivery.models import PageState, SheetState
from qbank.kernel import logs
from qbank.kernel.passport import Passport, Passports
from qbank.kernel.refused import Refused
from qbank.kernel.web import SENTENCES
from qbank.kernel.writer import NotWritten

ADDRESS = re.compile(r"/exam/(hall(?:/state)?|sheets/([0-9]{1,9})(?:/(?:events|pulse|open))?)")
LONGEST_BODY = 65_536  # a written answer that is longer goes the long way
# A cohort that signs in or starts together must not take the processor from those who answer already: of these doors only a
# few requests are at work at once, the others wait; who waits for a commit makes room meanwhile.
CROWDED = re.compile(r"/exam(/hall(/state)?|/sheets/[0-9]+(/open|/state|/hand-in)?)?")
NO_DOOR = (None, "")
Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``more``: headers beyond those that every answer has."""

    body: bytes
    status: str = "200 OK"
    kind: str = "application/json"
    more: tuple[tuple[str, str], ...] = ()


class Lane:
    """Stands before Flask's ``behind``; the kernel of ``app`` is complete by the time the first request comes."""

    def __init__(self, behind: Wsgi, app: Flask) -> None:
        self.behind, self.passports = behind, Passports(app)
        self.shells = app.extensions["shells"] = shells.Shells(app)
        self.extensions = app.extensions
        self.doors = {("POST", "events"): (self._events, "delivery.events"), ("GET", "pulse"): (self._pulse, "delivery.pulse"),
                      ("POST", "open"): (self._open, "delivery.open_page"), ("GET", "hall"): (self._hall, "delivery.waiting_hall"),
                      ("GET", "state"): (self._hall_state, "delivery.hall_state"), ("GET", "exam"): (self._exam, "delivery.exam")}

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        found = ADDRESS.fullmatch(path)
        name = path.rpartition("/")[2]
        door, route = self.doors.get((environ["REQUEST_METHOD"], "exam" if name.isdecimal() else name), NO_DOOR) if found else NO_DOOR
        turn: AbstractContextManager[None] = self._kernel["writer"].turns.taken() if CROWDED.fullmatch(path) else nullcontext()
        with turn:
            try:
                answer = door(environ, int(found[2] or 0)) if door is not None and found is not None else None
            except NotWritten as error:
                answer = _answer({"code": error.code, "sentence": SENTENCES[503]}, status="503 Service Unavailable", more=(("Retry-After", "1"),))
            if answer is None:
                return self.behind(environ, start_response)
        logs.here().route = route
        start_response(answer.status, [("Content-Type", answer.kind), *self._headers, ("Content-Length", str(len(answer.body))), *answer.more])
        return [answer.body]

    def _events(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        known, raw = self._known(environ, sheet_id), _body(environ)
        if known is None or raw is None:
            return None
        holder, card, terms = known
        try:
            body = asked.body_of(raw)
            taken, refused = asked.events(card, body)
        except ValueError:
            return None
        clock = self._kernel["clock"]
        written: writes.Written = self._kernel["writer"].write(writes.save, saving.Request(
            card, terms, taken, holder, asked.signs(body, clock()), environ.get("REMOTE_ADDR", ""), after=asked.after(body)))
        if written.stop or written.standing is None or written.standing.state is not SheetState.STARTED:
            return None
        answer = told.told(card, terms, written.standing, written.word, now=clock())
        return _answer(answer | {"page": "live", "refused": [one.plain() for one in (*refused, *written.refused)]})

    def _pulse(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        known = self._known(environ, sheet_id)
        if known is None:
            return None
        holder, card, terms = known
        with self._kernel["database"].reading() as connection:
            standing = saving.standings(connection, [sheet_id]).get(sheet_id)
            if standing is None or standing.state is not SheetState.STARTED or saving.stop_of(connection, standing, holder):
                return None
            word = told.words(connection, [standing]).get(sheet_id, told.NOTHING)
        return _answer(told.told(card, terms, standing, word, now=self._kernel["clock"]()) | {"page": "live", "sentence": ""})

    def _open(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        passport = self.passports.read(environ)
        raw = _body(environ) if passport is not None and self.passports.is_ours(passport, environ) else None
        if passport is None or raw is None or "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
            return None
        logs.here().account = passport.account_id
        try:
            entry = opening.enter(self._kernel, (passport.account_id, passport.generation), sheet_id, raw, environ.get("REMOTE_ADDR", ""), locked=False)
        except (ValueError, Refused, NotFound, pages.LockDemanded):
            return None
        if entry.opened.page is PageState.ENDED:
            return None
        answer = opening.told_to(entry, now=self._kernel["clock"]())
        if entry.opened.body is None:
            return _answer(answer)
        return Answer(bodies.packed(entry.opened.body, _to_json(answer)[1:]), more=(("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")))

    def _hall(self, environ: dict[str, Any], _: int) -> Answer | None:
        passport, places = self._places(environ)
        if passport is None or not places or not self.passports.has_secret(passport):
            return None
        page = self.shells.hall(places, places[0].person, lambda: self.passports.csrf_token(passport))
        return Answer(page.encode(), kind="text/html; charset=utf-8", more=self.passports.renewed(passport))

    def _hall_state(self, environ: dict[str, Any], _: int) -> Answer | None:
        passport, places = self._places(environ)
        if passport is None or not places:
            return None
        return _answer(hall.state_of(hall.current(places)), more=self.passports.renewed(passport))

    def _exam(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        passport, places = self._places(environ)
        place = next((one for one in places if one.sheet_id == sheet_id), None)
        if passport is None or place is None or not place.shows or place.seb or not self.passports.has_secret(passport):
            return None
        page = self.shells.exam(place, lambda: self.passports.csrf_token(passport))
        return Answer(page.encode(), kind="text/html; charset=utf-8", more=self.passports.renewed(passport))

    def _places(self, environ: dict[str, Any]) -> tuple[Passport | None, list[hall.Place]]:
        """Who asks, and their exams if they may sit them: one statement."""
        passport = self.passports.read(environ)
        if passport is None:
            return None, []
        logs.here().account = passport.account_id
        with self._kernel["database"].reading() as connection:
            found = hall.places_on(connection, passport.account_id, self._terms, now=self._kernel["clock"]())
        return passport, found if all(place.generation == passport.generation for place in found) else []

    def _terms(self, institution_id: int) -> Terms:
        cards: Cards = cards_of(self._kernel)
        held = cards.held_terms(institution_id)
        if held is not None:
            return held
        with self._kernel["database"].open(None, reads_only=True) as session:
            return cards.terms(session, institution_id)

    def _known(self, environ: dict[str, Any], sheet_id: int) -> tuple[tokens.Holder, Card, Terms] | None:
        """Who asks, if the token is good and the sheet's card in memory."""
        holder = tokens.read(self._kernel["settings"].secret_key, environ.get("HTTP_X_PAGE_TOKEN", ""))
        if holder is None or holder.sheet_id != sheet_id:
            return None
        logs.here().account = holder.account_id
        card = cards_of(self._kernel).held(sheet_id)
        return None if card is None else (holder, card, self._terms(card.institution_id))

    @cached_property
    def _headers(self) -> list[tuple[str, str]]:
        return [("Cache-Control", "no-store"), *self._kernel["headers"].items()]

    @property
    def _kernel(self) -> dict[str, Any]:
        found: dict[str, Any] = self.extensions["examroom"]
        return found


def _body(environ: dict[str, Any]) -> bytes | None:
    """The JSON that was sent, kept for the doors behind; None when it is no plain one."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) > LONGEST_BODY or not environ.get("CONTENT_TYPE", "").startswith("application/json"):
        return None
    raw: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(raw)
    return raw


def _answer(told_: dict[str, Any], *, status: str = "200 OK", more: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(_to_json(told_).encode(), status, more=more)
