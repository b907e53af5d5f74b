"""The fast lane: a page's saves and pulses go past Flask, which costs several times what the answer itself does.

It knows only the plain case: a good token, a sheet that is known here, a page that may write, an exam that goes on. Whatever
else it meets it leaves to the doors behind it (``examroom.delivery.page_views``), with the request as it came: a save that is
sent twice changes nothing. Every check is the same code, and what decides is decided in the transaction that writes.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from examroom.delivery import asked, saving, tokens, told, writes
from examroom.delivery.cards import Card, Cards, Terms, cards_of
from examroom.delivery.models import SheetState
from qbank.kernel.web import SAFE_HEADERS, SENTENCES
from qbank.kernel.writer import NotWritten

ADDRESS = re.compile(r"/exam/sheets/([0-9]{1,15})/(events|pulse)")
ASKED_WITH = {"events": "POST", "pulse": "GET"}
LONGEST_BODY = 65_536  # a written answer that is longer goes the long way
# A cohort that signs in or starts together must not take the processor from those who answer already: of these doors only a
# few requests are at work at once, the others wait; who waits for a commit makes room meanwhile.
CROWDED = re.compile(r"/exam(/hall(/state)?|/sheets/[0-9]+(/open|/state|/hand-in)?)?")
HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *SAFE_HEADERS.items()]
Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]
Answer = dict[str, Any]
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Lane:
    """Stands before Flask's ``app``; ``extensions`` are the application's, filled by the time the first request comes."""

    def __init__(self, app: Wsgi, extensions: dict[str, Any]) -> None:
        self.app, self.extensions = app, extensions

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        found = ADDRESS.fullmatch(environ["PATH_INFO"])
        if found is None or ASKED_WITH[found[2]] != environ["REQUEST_METHOD"]:
            if CROWDED.fullmatch(environ["PATH_INFO"]) is None:
                return self.app(environ, start_response)
            with self.extensions["examroom"]["writer"].turns.taken():
                return self.app(environ, start_response)
        try:
            answer = self._events(environ, int(found[1])) if found[2] == "events" else self._pulse(environ, int(found[1]))
        except NotWritten as error:
            return _send(start_response, "503 Service Unavailable", {"code": error.code, "sentence": SENTENCES[503]}, ("Retry-After", "1"))
        return self.app(environ, start_response) if answer is None else _send(start_response, "200 OK", answer)

    def _events(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        known = self._known(environ, sheet_id)
        length = environ.get("CONTENT_LENGTH") or ""
        if known is None or not length.isdecimal() or int(length) > LONGEST_BODY or not environ.get("CONTENT_TYPE", "").startswith("application/json"):
            return None
        holder, card, terms = known
        raw = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(raw)
        try:
            body = asked.body_of(raw)
            taken, refused = asked.events(card, body)
        except ValueError:
            return None
        clock, writer = self.extensions["examroom"]["clock"], self.extensions["examroom"]["writer"]
        written: writes.Written = writer.write(writes.save, saving.Request(
            card, terms, taken, holder, asked.signs(body, clock()), environ.get("REMOTE_ADDR", ""), after=asked.after(body)))
        if written.stop or written.standing is None or written.standing.state is not SheetState.STARTED:
            return None
        answer = told.told(card, terms, written.standing, written.word, now=clock())
        return answer | {"page": "live", "refused": [one.plain() for one in (*refused, *written.refused)]}

    def _pulse(self, environ: dict[str, Any], sheet_id: int) -> Answer | None:
        known = self._known(environ, sheet_id)
        if known is None:
            return None
        holder, card, terms = known
        with self.extensions["examroom"]["database"].open(None, reads_only=True) as session:
            connection = session.connection()
            standing = saving.standings(connection, [sheet_id]).get(sheet_id)
            if standing is None or standing.state is not SheetState.STARTED or saving.stop_of(connection, standing, holder):
                return None
            word = told.words(connection, [standing]).get(sheet_id, told.NOTHING)
        return told.told(card, terms, standing, word, now=self.extensions["examroom"]["clock"]()) | {"page": "live", "sentence": ""}

    def _known(self, environ: dict[str, Any], sheet_id: int) -> tuple[tokens.Holder, Card, Terms] | None:
        """Who asks, if the token is good and the sheet's card in memory."""
        kernel = self.extensions["examroom"]
        holder = tokens.read(kernel["settings"].secret_key, environ.get("HTTP_X_PAGE_TOKEN", ""))
        if holder is None or holder.sheet_id != sheet_id:
            return None
        cards: Cards = cards_of(kernel)
        card = cards.held(sheet_id)
        terms = cards.held_terms(card.institution_id) if card is not None else None
        return None if card is None or terms is None else (holder, card, terms)


def _send(start_response: Start, status: str, answer: Answer, *more: tuple[str, str]) -> list[bytes]:
    body = _to_json(answer).encode()
    start_response(status, [*HEADERS, ("Content-Length", str(len(body))), *more])
    return [body]
