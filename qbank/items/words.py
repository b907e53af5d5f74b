"""The words of an item as they are searched and compared: without markup, half-width, lower case. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qbank.items.markup import plain
from qbank.items.similarity import comparable
from qbank.items.writing import half_width

MARKED = re.compile(r"[$*!|\\]")  # text without any of these is plain already
SHORT = 12  # a comparable stem below this ("下列说法正确的是") says little without its options


def plain_text(text: str) -> str:
    """As ``markup.plain``, fast for the most texts, which have no markup."""
    return plain(text) if MARKED.search(text) else text


def words_of(stem: str, options: Sequence[str]) -> str:
    """What a search for words looks through."""
    return half_width("\n".join(map(plain_text, (stem, *options)))).lower()


def terms_of(asked: str) -> list[str]:
    """The words that somebody typed, each of which has to occur."""
    return half_width(asked).lower().split()[:8]


def compared(stem: str, options: Sequence[str]) -> str:
    """What near-duplicates are told by: the stem, and the options where the stem is too short to say anything."""
    text = plain_text(stem)
    if options and len(comparable(text)) < SHORT:
        return text + " ".join(sorted(map(plain_text, options)))
    return text
