"""Finding option letters in a line: ``A.`` ``A、`` ``A．`` ``(A)`` ``A)``, several on one line or each on its own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from qbank.items.draft import LETTERS

MARK = re.compile(r"(?:(?P<open>[(\[【])\s?|(?<![A-Za-z0-9_\\]))(?P<letter>[A-Ja-j])\s?(?P<close>[.、:)\]】]|,(?=\S)|(?=\s)|(?=[\u4e00-\u9fff]))[\s*]*")
ANOTHER = re.compile(r"\s*[A-J]\s?[、,.和与及]")
MOST_MARKS = 200  # more in a line is no list of options
LOOSE = frozenset({"space", "tight"})  # "A 甲", "A甲"
PLAIN_STYLES = frozenset(".、:,")
PUNCTUATION = re.compile(r"[^\w\s]|_")
CLOSING = {"(": ")", "[": "]", "【": "】"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One option letter: where it begins, where its text begins, how it is written."""

    letter: str
    begin: int
    end: int
    style: str
    apart: bool  # space or the start of the line before it


@dataclass(frozen=True, slots=True)
class Option:
    letter: str
    begin: int
    end: int  # of its text


def options_in(masked: str, expected: str, *, start: int = 0, at_start: bool = True, follows: bool = False) -> list[Option]:
    """The options of a line from ``start`` on, beginning with the letter ``expected`` or a later one.

    ``at_start``: only a letter that begins the line counts, and one is enough. Otherwise two letters in a row are needed,
    or the next line goes on with the next letter (``follows``).
    """
    marks = [_mark(found, masked) for found in islice(MARK.finditer(masked, start), MOST_MARKS) if _closed(found)]
    for index, first in enumerate(marks):
        if at_start and masked[start:first.begin].strip(" \t*"):
            return []
        if first.letter.upper() != expected and not (
                at_start and _later(first.letter.upper(), expected) and first.style not in LOOSE):
            if at_start:
                return []
            continue
        if not at_start and ANOTHER.match(masked, first.end):  # phases A、B、C
            continue
        chain = _chain(first, marks[index + 1:], masked)
        if first.style == "tight" and (not at_start or (len(chain) < 3 and not follows)):
            if at_start:
                return []
            continue
        if not at_start and len(chain) < 3 and not (first.apart or PUNCTUATION.match(masked, first.begin - 1)):
            continue
        if len(chain) == 1 and not _alone(first, masked, at_start, follows):
            if at_start:
                return []
            continue
        ends = [mark.begin for mark in chain[1:]] + [len(masked)]
        return [Option(mark.letter.upper(), mark.end, end) for mark, end in zip(chain, ends, strict=True)]
    return []


def begins_with(masked: str, letter: str) -> bool:
    """Whether the line begins with this option letter."""
    found = MARK.match(masked.lstrip(" \t*"))  # A甲 counts too: options_in asks for more
    return found is not None and _closed(found) and found["letter"].upper() == letter


def _mark(found: re.Match[str], masked: str) -> Mark:
    closing = found["close"] or ("space" if masked[found.end("letter"):found.end("letter") + 1].isspace() else "tight")
    style = (found["open"] or "") + closing
    before = masked[found.start() - 1:found.start()]
    return Mark(found["letter"], found.start(), found.end(), style, not before or before.isspace() or before == "*")


def _closed(found: re.Match[str]) -> bool:
    return not found["open"] or found["close"] == CLOSING[found["open"]]


def _later(letter: str, expected: str) -> bool:
    """One letter skipped (a C after an A) or written twice; more is no option letter."""
    here, there = LETTERS.find(letter), LETTERS.find(expected)
    return there > 0 and here in {there - 1, there + 1, there + 2}


def _alone(mark: Mark, masked: str, at_start: bool, follows: bool) -> bool:
    if mark.style in LOOSE:
        return at_start and follows
    return at_start or (follows and mark.apart and bool(masked[mark.end:].strip()))


def _chain(first: Mark, others: list[Mark], masked: str) -> list[Mark]:
    """``first`` and the letters that go on from it; each next letter where it is best written."""
    chain = [first]
    while True:
        last = chain[-1]
        wanted = LETTERS[LETTERS.index(last.letter.upper()) + 1:][:2]
        step = _best(wanted[:1], last, others, masked) or _best(wanted[1:], last, others, masked, strictly=True)
        if step is None:
            return chain
        chain.append(step)


def _best(letter: str, last: Mark, others: list[Mark], masked: str, *, strictly: bool = False) -> Mark | None:
    best: Mark | None = None
    best_rank = 9
    for mark in others:
        if mark.begin < last.end or mark.letter.upper() != letter or mark.letter.isupper() != last.letter.isupper():
            continue
        if not masked[last.end:mark.begin].strip() or (mark.style != last.style and not {mark.style, last.style} <= PLAIN_STYLES):
            continue
        if mark.style == "tight" and not mark.apart:
            continue
        rank = (0 if mark.style == last.style else 2) + (0 if mark.apart else 1)
        if rank < best_rank and not (strictly and rank):
            best, best_rank = mark, rank
    return best
