"""Who may not be enrolled. The room that knows registers its answer here: imports go down only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy.orm import Session

Bans = Callable[[Session, Sequence[str], date], dict[str, str]]
BANS: list[Bans] = []


def register(bans: Bans) -> Bans:
    """``bans(session, identity_hashes, on)``: hash → a sentence, for those who may not sit on that day."""
    BANS.append(bans)
    return bans


def barred(session: Session, identity_hashes: Sequence[str], on: date) -> dict[str, str]:
    found: dict[str, str] = {}
    for bans in BANS:
        found |= bans(session, identity_hashes, on)
    return found
