"""What the exam page sends, read and put into canonical terms: here the shuffle is undone. ValueError for what is no request at all. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from examroom.delivery import saving, shuffle
from examroom.delivery.cards import Card

EVENTS_AT_ONCE = 500
MOST = 2**31 - 1


def body_of(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        body = json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(body, dict):
        raise ValueError("no object")
    return body


def events(card: Card, body: dict[str, Any]) -> tuple[list[saving.Event], list[saving.Refusal]]:
    """The events of the request, and those that are not on the sheet."""
    sent = body.get("events")
    if not isinstance(sent, list) or len(sent) > EVENTS_AT_ONCE:
        raise ValueError("no list of events")
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


def after(body: dict[str, Any]) -> int:
    """What the page was last told as acknowledged."""
    found = body.get("after")
    return min(max(found, 0), saving.HIGHEST_SEQUENCE) if type(found) is int else 0


def signs(body: dict[str, Any], now: datetime) -> saving.Signs | None:
    """What the page says of itself, as far as it can be read; nonsense is left out, never refused."""
    sent = body.get("signs")
    if not isinstance(sent, dict):
        return None

    def whole(name: str) -> int:
        value = sent.get(name)
        return min(max(value, 0), MOST) if type(value) is int else 0

    clock, full_screen = sent.get("clock"), sent.get("full_screen")
    offset = round(clock - now.timestamp() * 1000) if isinstance(clock, int | float) and abs(clock) < 2**53 else None
    return saving.Signs(whole("left"), None if offset is None else min(max(offset, -MOST), MOST), whole("unsent"),
                        full_screen if isinstance(full_screen, bool) else None, whole("read"))


def _fields(one: Any) -> tuple[int, int, str, bool]:
    fields = one if isinstance(one, dict) else {}
    sequence, number, answer, flagged = (fields.get(name) for name in ("sequence", "number", "answer", "flagged"))
    if not (type(sequence) is int and type(number) is int and isinstance(answer, str) and isinstance(flagged, bool)
            and 1 <= sequence <= saving.HIGHEST_SEQUENCE):
        raise ValueError("no event")
    return sequence, number, answer, flagged
