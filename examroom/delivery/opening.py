"""A browser opens its sheet: the one door that a whole cohort goes through in the same instant.

Everything is read and written by the combined writer, many starts in one transaction; who starts gets the paper with the
answer, so that a start is one request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from examroom.delivery import asked, bodies, pages, tokens, told, writes
from examroom.delivery.cards import Cards, cards_of
from examroom.delivery.models import PageState
from qbank.kernel.settings import Settings
from qbank.kernel.writer import Writer

LONGEST_MARK = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of it, and the token for the page."""

    opened: pages.Opened
    holder: tokens.Holder
    token: str


def enter(kernel: dict[str, Any], named: tuple[int, int], sheet_id: int, raw: bytes, address: str, *, locked: bool) -> Entry:
    """Open the sheet for the account that the sign-in names. ``raw``: the request as it came; ValueError when it is none.

    Raises Refused, NotFound, and ``pages.LockDemanded`` unless the browser was found to be ``locked``.
    """
    settings: Settings = kernel["settings"]
    writer: Writer = kernel["writer"]
    known: Cards = cards_of(kernel)
    mark = pages.mark_of(str(asked.body_of(raw).get("machine", ""))[:LONGEST_MARK])
    holder = tokens.Holder(sheet_id, tokens.draw_generation(), *named)
    token = tokens.issue(settings.secret_key, holder)
    opened: pages.Opened = writer.write(writes.open_pages, pages.Opening(holder, tokens.hashed(token), mark, address, known, locked))
    known.keep(opened.card)
    return Entry(opened, holder, token)


def told_to(entry: Entry, *, now: datetime) -> dict[str, Any]:
    """The answer to a page that is live or waits; with a body it is the rest of ``state`` too."""
    opened = entry.opened
    waits = opened.page is PageState.WAITING
    answer = {"token": entry.token, "page": opened.page, "generation": entry.holder.generation, "sentence": pages.WAITING if waits else ""}
    if opened.body is None:
        return answer
    return answer | told.told(opened.card, opened.terms, opened.standing, opened.word, now=now) | bodies.untouched(opened.card)
