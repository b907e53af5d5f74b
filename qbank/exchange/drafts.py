"""What a reader hands on and a writer takes: items with their places in the file, pictures, and what could not be carried.

Readers judge nothing but what they cannot read; ``qbank.exchange.check`` judges the items. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qbank.items.draft import Draft


@dataclass(frozen=True)
class Found:
    """One item of a file. ``place`` names it for the person who looks it up there: "第 12 段", "工作表“题目”第 3 行".

    ``problems`` are sentences about what the reader could not make out of this item (a lost picture, two keys); an item
    with problems is shown to be mended, never imported as it is. ``knowledge`` is what the file says about the point
    (鉴定点) in its own words, when it has no codes.
    """

    draft: Draft
    place: str
    number: int = 0  # row, paragraph or line, for sorting
    problems: tuple[str, ...] = ()
    knowledge: str = ""


@dataclass(frozen=True)
class Drafts:
    """All that was read. ``pictures``: SHA-256 of the content → content, as the texts name them (``media:HASH``).

    ``notes`` say what stood in the file and was not read, one sentence each.
    """

    items: tuple[Found, ...]
    format: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """One thing that a format cannot carry."""

    place: str  # which item: "第 3 题"
    field: str  # which of its fields, in Chinese: "评分标准"
    sentence: str


@dataclass(frozen=True)
class LossReport:
    """What writing left out. Empty ``losses``: nothing."""

    format: str
    written: int
    losses: tuple[Loss, ...] = ()
