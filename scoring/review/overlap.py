"""Passages that two texts have in common. Pure.

Both texts are reduced to their letters, digits and characters (a changed line break or comma hides nothing); every run of
``SHINGLE`` of them that stands in both begins a passage, which grows as far as both agree. Passages that only a few
changed characters keep apart are one.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHINGLE = 13  # the length of a phrase that two people seldom write alike
LEAST = 24  # shorter passages are set phrases of the trade
GAP = 8  # changed characters over which a passage goes on
MOST_PLACES = 4  # of one shingle in the text that is checked


@dataclass(frozen=True)
class Passage:
    """Where a common passage stands: positions in the original texts, ends excluded; ``length`` in counted characters."""

    start: int
    end: int
    other_start: int
    other_end: int
    length: int


@dataclass(frozen=True)
class Plain:
    """A text reduced to what counts, and where each counted character stood."""

    text: str
    places: tuple[int, ...]


def reduce(text: str) -> Plain:
    """Letters, digits and Chinese characters of ``text`` in one shape."""
    kept = [(shape, place) for place, sign in enumerate(text) if sign.isalnum()
            for shape in unicodedata.normalize("NFKC", sign).casefold()]
    return Plain("".join(shape for shape, _ in kept), tuple(place for _, place in kept))


class Checked:
    """One text made ready to be compared with many others."""

    def __init__(self, text: str) -> None:
        self.plain = reduce(text)
        self._places: dict[str, list[int]] = {}
        for place in range(len(self.plain.text) - SHINGLE + 1):
            found = self._places.setdefault(self.plain.text[place:place + SHINGLE], [])
            if len(found) < MOST_PLACES:
                found.append(place)

    def passages(self, other: Plain) -> list[Passage]:
        """What stands in both, in the order of this text."""
        found, place = [], 0
        while place <= len(other.text) - SHINGLE:
            longest = (0, 0)
            for mine in self._places.get(other.text[place:place + SHINGLE], ()):
                longest = max(longest, (self._agree(mine, other.text, place), mine))
            if longest[0]:
                found.append((longest[1], longest[1] + longest[0], place, place + longest[0]))
            place += longest[0] or 1
        return [self._passage(one, other) for one in _bridged(sorted(found)) if one[1] - one[0] >= LEAST]

    def share(self, passages: Iterable[Passage]) -> int:
        """Permille of this text's counted characters that stand in any of ``passages``."""
        held = sorted((one.start, one.end) for one in passages)
        places = self.plain.places
        covered = reached = 0
        for start, end in held:
            first = max(reached, bisect_left(places, start))
            reached = max(reached, bisect_left(places, end))
            covered += max(0, reached - first)
        return round(1000 * covered / len(places)) if places else 0

    def _agree(self, mine: int, other: str, theirs: int) -> int:
        length, most = SHINGLE, min(len(self.plain.text) - mine, len(other) - theirs)
        while length < most and self.plain.text[mine + length] == other[theirs + length]:
            length += 1
        return length

    def _passage(self, one: tuple[int, int, int, int], other: Plain) -> Passage:
        mine, theirs = self.plain.places, other.places
        return Passage(mine[one[0]], mine[one[1] - 1] + 1, theirs[one[2]], theirs[one[3] - 1] + 1, one[1] - one[0])


def _bridged(found: Sequence[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    joined: list[tuple[int, int, int, int]] = []
    for start, end, other_start, other_end in found:
        if joined and 0 <= start - joined[-1][1] <= GAP and 0 <= other_start - joined[-1][3] <= GAP:
            joined[-1] = (joined[-1][0], end, joined[-1][2], other_end)
        else:
            joined.append((start, end, other_start, other_end))
    return joined


def cut(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether it lies in one of ``spans``: for a page that marks them."""
    pieces, at = [], 0
    for start, end in sorted(one for one in spans if one[0] < one[1]):
        if start > at:
            pieces.append((text[at:start], False))
        if end > at:
            pieces.append((text[max(at, start):end], True))
        at = max(at, end)
    return [*pieces, (text[at:], False)] if at < len(text) else pieces
