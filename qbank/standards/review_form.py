"""The form on which a review panel marks: its rows and what each counts, as a rule pack spells it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qbank.kernel.refused import Refused

ROW = re.compile(r"(?P<name>[^\d%％]+?)[\s：:]*(?P<percent>\d{1,3})\s*[%％]?")
MOST_ROWS = 8


def read_form(text: str) -> tuple[tuple[str, int], ...]:
    """``"材料 40%、答辩 40%、业绩 20%"`` → rows of (name, percent). Refuses what does not sum to 100."""
    rows = []
    for piece in re.split(r"[、，,；;\n]", text):
        if not piece.strip():
            continue
        found = ROW.fullmatch(piece.strip())
        if found is None or not 1 <= int(found["percent"]) <= 100:
            raise Refused("review_form", f"综合评审评分表的“{piece.strip()[:40]}”应写成名称和百分比，例如“材料 40%”。")
        rows.append((found["name"].strip(), int(found["percent"])))
    names = [name for name, _ in rows]
    if not 1 <= len(rows) <= MOST_ROWS or len(set(names)) != len(names):
        raise Refused("review_form", f"综合评审评分表应有 1 到 {MOST_ROWS} 项，名称不能重复，例如“材料 40%、答辩 40%、业绩 20%”。")
    if (total := sum(percent for _, percent in rows)) != 100:
        raise Refused("review_form", f"综合评审评分表各项比例之和应为 100%，现在是 {total}%。")
    return tuple(rows)


def spoken_form(rows: Sequence[Sequence[object]]) -> str:
    """``材料 40%、答辩 40%、业绩 20%``."""
    return "、".join(f"{name} {percent}%" for name, percent in rows)
