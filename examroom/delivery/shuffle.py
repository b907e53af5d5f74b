"""The shuffle: which order a candidate sees, and the way back to canonical letters. Pure.

An order is the order of SHA-256 digests of (seed, thing): it needs no random generator whose stream a later version
might change, so a sheet can be dealt again from its stored seed in any year.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

LETTERS = "ABCDEFGHIJ"
JUDGE = "judge"
JUDGE_OPTIONS = "TF"
TEXT_KINDS = frozenset({"fill", "short", "essay"})  # answered in words: nothing is shuffled inside them
LONGEST_TEXT = 20_000
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and halves of characters
Entry = Mapping[str, Any]  # {"number": paper number, "kind": "single", "options": canonical letters in the order shown}


@dataclass(frozen=True)
class Shape:
    """What the shuffle must know of one item of a paper. ``options``: canonical letters; ``last``: those that stay last;

    ``material``: the id of the material that it shares with others of its part, 0 for none.
    """

    number: int
    part: int
    kind: str
    options: str
    last: str = ""
    material: int = 0


def sheet_seed(sitting_seed: str, ticket_number: str) -> str:
    """The seed of one sheet: 64 hexadecimal digits."""
    return _digest(sitting_seed, ticket_number)


def deal(shapes: Sequence[Shape], seed: str) -> list[dict[str, Any]]:
    """The layout of one sheet: parts keep their order, items are shuffled within their part, options within their item.

    Items of one material stay together, in the order of the paper. Options in ``last`` stay at the end in canonical
    order (以上都对 means what it says only there); judge items keep 对 before 错.
    """
    leaders = _leaders(shapes)
    order = sorted(shapes, key=lambda s: (s.part, _digest(seed, f"item {leaders[s.number]}"), s.number))
    return [{"number": s.number, "kind": s.kind, "options": _options(s, seed)} for s in order]


def check(layout: Sequence[Entry], shapes: Sequence[Shape]) -> None:
    """Raises ValueError unless the layout shows every item once, in its part, with every option once."""
    by_number = {shape.number: shape for shape in shapes}
    if sorted(entry["number"] for entry in layout) != sorted(by_number):
        raise ValueError("the layout does not show every item exactly once")
    parts = [by_number[entry["number"]].part for entry in layout]
    if parts != sorted(parts):
        raise ValueError("the layout mixes parts")
    leaders = _leaders(shapes)
    sets = [leader for leader, _ in groupby(leaders[entry["number"]] for entry in layout)]
    if len(sets) != len(set(sets)):
        raise ValueError("the layout tears items of one material apart")
    for entry in layout:
        shape = by_number[entry["number"]]
        if sorted(entry["options"]) != sorted(shape.options) or entry["kind"] != shape.kind:
            raise ValueError(f"item {shape.number} does not show every option exactly once")
        if not entry["options"].endswith(shape.last):
            raise ValueError(f"item {shape.number} does not end with the options that stay last")


def to_canonical(layout: Sequence[Entry], shown_number: int, shown_letters: str) -> tuple[int, str]:
    """Paper number and canonical letters of what a candidate chose. Raises ValueError for what is not on the sheet.

    ``shown_number`` counts from 1 down the sheet, ``shown_letters`` are the letters beside the options on the page, or
    what was written where the item is answered in words.
    """
    if not 1 <= shown_number <= len(layout):
        raise ValueError("no such number")
    entry = layout[shown_number - 1]
    if entry["kind"] in TEXT_KINDS:
        if not is_answer(entry, shown_letters):
            raise ValueError("a text that is too long or cannot be stored")
        return entry["number"], shown_letters
    options: str = entry["options"]
    places = [LETTERS.find(letter) for letter in shown_letters]
    if any(not 0 <= place < len(options) for place in places) or len(set(places)) != len(places):
        raise ValueError("not options of this item")
    answer = "".join(sorted(options[place] for place in places))
    if not is_answer(entry, answer):
        raise ValueError("too many options for this item")
    return entry["number"], answer


def to_shown(entry: Entry, answer: str) -> str:
    """The letters on the page of a canonical answer, in the order of the page; a text as it is."""
    if entry["kind"] in TEXT_KINDS:
        return answer
    return "".join(LETTERS[place] for place, letter in enumerate(entry["options"]) if letter in answer)


def is_answer(entry: Entry, answer: str) -> bool:
    """Whether ``answer`` (canonical) can be given to the item: its own letters, once each, one unless multiple choice;

    of an item that is answered in words a text of bounded length, without what no database stores.
    """
    if entry["kind"] in TEXT_KINDS:
        return len(answer) <= LONGEST_TEXT and not UNSTORABLE.search(answer)
    distinct = set(answer)
    return (distinct <= set(entry["options"]) and len(distinct) == len(answer)
            and (len(answer) <= 1 or entry["kind"] == "multiple"))


def _options(shape: Shape, seed: str) -> str:
    if shape.kind == JUDGE:
        return shape.options
    free = [letter for letter in shape.options if letter not in shape.last]
    free.sort(key=lambda letter: _digest(seed, f"option {shape.number} {letter}"))
    return "".join(free) + "".join(letter for letter in shape.options if letter in shape.last)


def _leaders(shapes: Sequence[Shape]) -> dict[int, int]:
    """Number of an item → the least number of its set, its own when it stands alone."""
    first: dict[tuple[int, int], int] = {}
    for shape in sorted(shapes, key=lambda s: s.number):
        first.setdefault((shape.part, shape.material), shape.number)
    return {s.number: first[s.part, s.material] if s.material else s.number for s in shapes}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
