"""The canonical form of a paper and its SHA-256 fingerprint: what a sealed paper is, to the last character. Pure.

The form is JSON with sorted keys and no spaces (after RFC 8785, for integers, text and lists only), so that anybody can
compute the fingerprint again from the printed parts of a paper.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

FORMAT = 3  # 1: without shared material, marking guide and partial credit, 2: without salt; both to this day in that form


@dataclass(frozen=True)
class BlueprintKey:
    """Which weight table a paper was made for: a code alone does not identify it."""

    catalogue_edition: str
    code: str
    standard_edition: str
    work_type: str
    level: int
    subject: str


@dataclass(frozen=True)
class PaperPart:
    """One part of the specification."""

    position: int
    kind: str
    count: int
    half_points: int


@dataclass(frozen=True)
class PaperOption:
    """One option; ``stays_last`` keeps its place when options are shuffled."""

    text: str
    stays_last: bool


@dataclass(frozen=True)
class NumberedItem:
    """One item as it stands on the paper. ``options``: letter -> option; empty for true/false."""

    number: int
    position: int
    version_id: int
    kind: str
    stem: str
    options: Mapping[str, PaperOption]
    key: str
    half_points: int
    stimulus: str = ""
    guide: str = ""


@dataclass(frozen=True)
class PaperContent:
    """All that is sealed. ``quotas``: range path -> items of each part; ``weights``: range path -> half-per-cent;

    ``scoring``: where partial credit is given. Pictures are covered by their hashes in the texts. ``salt``: random digits that
    keep the fingerprint of a shut paper from confirming a guess of its content.
    """

    blueprint: BlueprintKey
    specification: str
    minutes: int
    weights: Mapping[str, int]
    quotas: Mapping[str, tuple[int, ...]]
    parts: tuple[PaperPart, ...]
    items: tuple[NumberedItem, ...]
    scoring: Mapping[str, bool] = field(default_factory=dict)
    salt: str = ""


def canonical(content: PaperContent) -> str:
    """The canonical JSON text of a paper. The order of mappings does not matter; that of items is by their number."""
    parts = sorted(content.parts, key=lambda part: part.position)
    items = sorted(content.items, key=lambda item: item.number)
    plain = dataclasses.asdict(dataclasses.replace(content, parts=tuple(parts), items=tuple(items)))
    number = FORMAT if content.salt else 2
    if not content.salt:
        del plain["salt"]
    if number == 2 and not content.scoring and not any(item.stimulus or item.guide for item in items):
        number = 1
        del plain["scoring"]
        for item in plain["items"]:
            del item["stimulus"], item["guide"]
    return json.dumps({"format": number, **plain}, ensure_ascii=False, sort_keys=True, separators=(",", ":"),
                      allow_nan=False)


def fingerprint(content: PaperContent) -> str:
    """SHA-256 over the UTF-8 bytes of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()
