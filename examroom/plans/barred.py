"""Who may not be enrolled, and who may not serve. The room that knows registers its answer here: imports go down only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Generic, TypeAlias, TypeVar

from sqlalchemy.orm import Session

Key = TypeVar("Key", str, int)
Bans: TypeAlias = Callable[[Session, Sequence[Key], date], dict[Key, str]]


class Barred(Generic[Key]):
    """``barred(session, keys, on)``: key → a sentence, for those who are kept away on that day."""

    def __init__(self) -> None:
        self._bans: list[Bans[Key]] = []

    def register(self, bans: Bans[Key]) -> Bans[Key]:
        self._bans.append(bans)
        return bans

    def __call__(self, session: Session, keys: Sequence[Key], on: date) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for bans in self._bans:
            found |= bans(session, keys, on)
        return found


candidates: Barred[str] = Barred()  # by identity hash: may not sit
staff: Barred[int] = Barred()  # by account: may not invigilate, assess or inspect
