"""A report once, as a PDF and as a workbook with Excel's own charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from qbank.kernel.export import Chart, Table, workbook
from qbank.kernel.printing import typeset

TEMPLATE = Path(__file__).with_name("report.typ")


@dataclass(frozen=True)
class Section:
    """A heading, sentences, SVG pictures and one table. ``columns`` title and width in characters; ``charts`` of the
    worksheet; ``printed`` False: numbers for the workbook only, behind a picture of the PDF."""

    title: str
    columns: Sequence[tuple[str, int]] = ()
    rows: Sequence[Sequence[Any]] = ()
    sentences: Sequence[str] = ()
    pictures: Sequence[bytes] = ()
    charts: Sequence[Chart] = ()
    printed: bool = True


@dataclass(frozen=True)
class Document:
    """``facts`` what it is about; ``notes`` warnings that stand on every form of it."""

    title: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default=())


def pdf(document: Document, *, made_at: datetime) -> bytes:
    """As A4 pages."""
    report = {"title": document.title, "facts": [list(pair) for pair in document.facts], "notes": list(document.notes),
              "sections": [_printed(section) for section in document.sections]}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"report": json.dumps(report, ensure_ascii=False)}, made_at=made_at)


def xlsx(document: Document) -> bytes:
    """A worksheet for each section that has a table."""
    notes = [*(f"{name}：{value}" for name, value in document.facts), *document.notes]
    return workbook([Table(section.title, section.columns, section.rows, f"{document.title} {section.title}",
                           [*notes, *section.sentences] if place == 0 else list(section.sentences), charts=section.charts)
                     for place, section in enumerate(section for section in document.sections if section.columns)])


def _printed(section: Section) -> dict[str, Any]:
    rows = [[_cell(value) for value in row] for row in section.rows] if section.printed else []
    numbers = [place for place in range(len(section.columns))
               if any(isinstance(row[place], int | float) for row in section.rows if len(row) > place)]
    return {"title": section.title, "sentences": list(section.sentences), "rows": rows, "numbers": numbers,
            "pictures": [picture.decode() for picture in section.pictures], "columns": [title for title, _ in section.columns],
            "widths": [max(width, 4) for _, width in section.columns]}


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
