"""How many assessors an occupation asks for where its standard says otherwise than the rule pack. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from qbank.kernel.refused import Refused

NONE = "无"
ENTRY = re.compile(r"(?P<code>\d-\d{2}-\d{2}-\d{2}(?:-\d{3})?)\s*1[:：](?P<ratio>[1-9]\d?)(?:\s*不少于\s*(?P<least>[1-9]\d?)\s*人)?")


@dataclass(frozen=True)
class Ratio:
    """One assessor for so many candidates, and never fewer than ``least`` assessors (None: as the rule pack says)."""

    candidates: int
    least: int | None = None


def read(text: str) -> Mapping[str, Ratio]:
    """``6-31-01-03 1:8 不少于 5 人；6-18-01-01 1:3`` → code: ratio. Refuses what cannot be read, quoting it."""
    found = {}
    for piece in re.split(r"[；;]", "" if text.strip() == NONE else text):
        if not piece.strip():
            continue
        entry = ENTRY.fullmatch(piece.strip())
        if entry is None:
            raise Refused("assessor_exceptions", "考评员配比应写成“6-31-01-03 1:8 不少于 5 人”，多个用分号隔开，没有填“无”；"
                                                 f"读不懂“{piece.strip()}”。")
        found[entry["code"]] = Ratio(int(entry["ratio"]), int(entry["least"]) if entry["least"] else None)
    return found
