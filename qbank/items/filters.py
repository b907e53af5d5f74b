"""What the list of a bank is asked for, as it stands in its address. Pure but for the words of the models."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qbank.items.states import ItemKind, ItemState, Purpose
from qbank.standards.models import Importance

DIFFICULTIES = {1: "易", 2: "较易", 3: "中", 4: "较难", 5: "难"}
PAIR_STATES = {"enemy": "有互相提示的题", "similar": "有相近题", "open": "有未核对的相近题"}
SORTS = ("number", "kind", "point", "importance", "difficulty", "state", "made", "author", "uses", "last_used", "ease", "rest")
NAMES = {"table_id": "table", "range_path": "range", "text": "q", "batch_id": "batch", "point_id": "point"}
SHOWN = {"difficulty", "ease_from", "ease_to", "rest_below", "uses_from", "uses_to", "used_after", "used_before",
         "made_since", "author", "pair", "purpose", "importance"}  # behind "更多条件" on the page


@dataclass(frozen=True)
class Filters:
    """What the address asks for. None or empty: not filtered. A value that makes no sense is not a filter."""

    table_id: int | None = None
    kind: ItemKind | None = None
    state: ItemState | None = None  # None: all but the superseded ones
    purpose: Purpose | None = None
    range_path: str = ""  # this range and all below it
    point_id: int | None = None
    importance: Importance | None = None
    difficulty: int | None = None
    text: str = ""  # every word occurs in stem or options; or an item's number
    batch_id: int | None = None
    author: str = ""  # a part of the name
    mine: bool = False
    ease_from: int | None = None  # measured share right, per cent
    ease_to: int | None = None
    rest_below: float | None = None  # measured item-rest correlation
    uses_from: int | None = None  # sealed papers
    uses_to: int | None = None
    used_after: date | None = None
    used_before: date | None = None  # or never
    made_since: date | None = None
    pair: str = ""  # a key of PAIR_STATES
    sort: str = "number"  # one of SORTS, with "-" in front for the other way round

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        def chosen(name: str, values: Any) -> Any:
            return values(args[name]) if args.get(name) in [value.value for value in values] else None

        def number(name: str, most: int = 10**9) -> int | None:
            found = whole(args.get(name, ""))
            return found if found is not None and found <= most else None

        sort, difficulty, pair = args.get("sort", ""), number("difficulty"), args.get("pair", "")
        return cls(table_id=number("table"), kind=chosen("kind", ItemKind), state=chosen("state", ItemState),
                   purpose=chosen("purpose", Purpose), range_path=_plain(args.get("range", ""))[:40],
                   point_id=number("point"), importance=chosen("importance", Importance),
                   difficulty=difficulty if difficulty in DIFFICULTIES else None, text=_plain(args.get("q", ""))[:100],
                   batch_id=number("batch"), author=_plain(args.get("author", ""))[:40], mine=args.get("mine") == "1",
                   ease_from=number("ease_from", 100), ease_to=number("ease_to", 100),
                   rest_below=_share(args.get("rest_below", "")), uses_from=number("uses_from"),
                   uses_to=number("uses_to"), used_after=_day(args.get("used_after", "")),
                   used_before=_day(args.get("used_before", "")), made_since=_day(args.get("made_since", "")),
                   pair=pair if pair in PAIR_STATES else "", sort=sort if sort.removeprefix("-") in SORTS else "number")

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The address of this list, as :meth:`read` reads it."""
        values = dataclasses.replace(self, **changes)
        return {NAMES.get(field.name, field.name): "1" if value is True else str(value)
                for field in dataclasses.fields(values)
                if (value := getattr(values, field.name)) is not None and value != field.default}

    @property
    def more(self) -> bool:
        """Whether one of the rarer filters is set: the page shows them then."""
        return any(getattr(self, name) not in (None, "") for name in SHOWN)


def whole(text: str) -> int | None:
    """A number of at most nine digits; anything else is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _share(text: str) -> float | None:
    try:
        found = float(text[:20])
    except ValueError:
        return None
    return found if math.isfinite(found) and -1 <= found <= 1 else None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year >= 1900 else None


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()
