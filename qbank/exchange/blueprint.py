"""The room's blueprint, which its view modules share, and the words that its templates use."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint
from markupsafe import Markup

from qbank.exchange.mapping import COLUMNS, OPTION_COLUMNS, kind_of
from qbank.exchange.rows import letters_shown
from qbank.exchange.workbooks import spoken_errors
from qbank.items import markup
from qbank.items.draft import CHOICES, KINDS, WRITTEN
from qbank.items.models import ImportRow
from qbank.items.states import BatchState, RowVerdict

blueprint = Blueprint("exchange", __name__, url_prefix="/exchange")
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {BatchState.CHECKING: "busy", BatchState.MAPPING: "wait", BatchState.PREVIEWED: "wait", BatchState.APPLYING: "busy",
         BatchState.APPLIED: "good", BatchState.REVERTING: "busy", BatchState.REVERTED: "plain", BatchState.DISCARDED: "plain",
         BatchState.REFUSED: "bad"}
ROW_TONES = {RowVerdict.WRONG: "bad", RowVerdict.UNMATCHED: "wait", RowVerdict.GOOD: "good", RowVerdict.IMPORTED: "good",
             RowVerdict.DUPLICATE: "plain", RowVerdict.DROPPED: "plain"}
MARKED = re.compile(r"\$|\*\*|\]\(media:|^\s*\|", re.MULTILINE)


def place_of(row: ImportRow) -> str:
    """Where a row stands in its file, for the person who looks it up there."""
    return row.place or " ".join(filter(None, (row.sheet_name, f"第 {row.row_number} 行")))


def beside(row: ImportRow) -> dict[str, list[str]]:
    """Column title → what is wrong there; "" for what is about the whole row."""
    found: dict[str, list[str]] = {}
    for title, sentence in spoken_errors(row):
        found.setdefault("鉴定点" if title == "鉴定范围" else title, []).append(sentence)
    return found


def shown(text: str) -> Markup:
    """Item text as it will look."""
    return markup.to_html(text, lambda sha: f"/items/pictures/{sha}")


def facts_of(row: ImportRow) -> dict[str, Any]:
    """What a row's form shows beyond its cells."""
    kind = kind_of(row.cells.get("题型", ""))
    point = "-".join(filter(None, (row.cells.get("鉴定范围"), row.cells.get("鉴定点"))))
    key = row.cells.get("答案", "") or "无"
    line = [KINDS.get(kind) or row.cells.get("题型", "题型不明"), point[:30] or "无鉴定点",
            f"答案 {key if len(key) < 13 else key[:12] + '…'}", *(["已修改"] if row.mended else [])]
    return {"kind": KINDS.get(kind, ""), "line": " · ".join(line), "letters": letters_shown(row.cells), "written": kind in WRITTEN,
            "choice": kind in CHOICES or not kind, "fill": kind == "fill", "judge": kind == "judge",
            "options": [(title[-1], row.cells[title]) for title in OPTION_COLUMNS if row.cells.get(title)],
            "marked": any(MARKED.search(row.cells.get(title, "")) for title in COLUMNS)}


for function in (place_of, beside, shown, facts_of):
    blueprint.add_app_template_global(function, f"import_{function.__name__}")
blueprint.add_app_template_global(TONES.__getitem__, "batch_tone")
blueprint.add_app_template_global(ROW_TONES.__getitem__, "row_tone")
