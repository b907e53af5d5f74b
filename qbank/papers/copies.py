"""Personal copies (个人卷): items and options of each copy in an order of its own, from one seed. Pure.

The order is that of SHA-256 digests of (seed, copy, thing), so a copy can be made again in any year from the seed alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True)
class Master:
    """One item of the paper. ``options``: letters; ``last``: those that stay last; ``key``: letters, T or F, else empty;
    ``material``: what it shares with its neighbours, 0 for nothing."""

    number: int
    part: int
    options: str
    last: str
    key: str
    material: int = 0


@dataclass(frozen=True)
class Placed:
    """One item of a copy: ``number`` on the copy, ``master`` its number on the paper, ``options`` its letters in the order shown."""

    number: int
    master: int
    options: str
    key: str


def arrange(items: Sequence[Master], seed: str, copy: int, *, items_too: bool = True, options_too: bool = True) -> list[Placed]:
    """Copy number ``copy``: parts keep their places, items of one material stay together in their order."""
    leader: dict[tuple[int, int], int] = {}
    for item in sorted(items, key=lambda one: one.number):
        leader.setdefault((item.part, item.material), item.number)

    def place(item: Master) -> tuple[int, str, int]:
        first = leader[item.part, item.material] if item.material else item.number
        return item.part, _digest(seed, str(copy), f"item {first}") if items_too else f"{first:06d}", item.number

    made = []
    for number, item in enumerate(sorted(items, key=place), start=1):
        options = _options(item, seed, copy) if options_too else item.options
        made.append(Placed(number, item.number, options, shown_key(item.key, options)))
    return made


def shown_key(key: str, options: str) -> str:
    """The key in the letters of a copy; of true and false, and of answers in words, as it is."""
    return "".join(LETTERS[place] for place, letter in enumerate(options) if letter in key) if options else key


def _options(item: Master, seed: str, copy: int) -> str:
    free = sorted((letter for letter in item.options if letter not in item.last),
                  key=lambda letter: _digest(seed, str(copy), f"option {item.number} {letter}"))
    return "".join(free) + "".join(letter for letter in item.options if letter in item.last)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
