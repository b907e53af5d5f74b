"""Who may not be enrolled, and who may not serve. The room that knows registers its answer here: imports go down only."""

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


StaffBans = Callable[[Session, Sequence[int], date], dict[int, str]]
STAFF_BANS: list[StaffBans] = []


def register_staff(bans: StaffBans) -> StaffBans:
    """``bans(session, account_ids, on)``: account → a sentence, for those who may not invigilate, assess or inspect on that day."""
    STAFF_BANS.append(bans)
    return bans


def barred_staff(session: Session, account_ids: Sequence[int], on: date) -> dict[int, str]:
    found: dict[int, str] = {}
    for bans in STAFF_BANS:
        found |= bans(session, account_ids, on)
    return found
