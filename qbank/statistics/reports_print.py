"""A report once, as a PDF and as a workbook with Excel's own charts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from qbank.kernel.export import SHARE, Chart, Table, workbook
from qbank.kernel.printing import typeset

TEMPLATE = Path(__file__).with_name("report.typ")


@dataclass(frozen=True)
class Section:
    """A heading, sentences, SVG pictures and one table. ``columns`` title and width in characters; ``charts`` of the
    worksheet; ``printed`` False: numbers for the workbook only, behind a picture of the PDF. ``formats``, ``least`` and
    ``frozen`` as in :class:`~qbank.kernel.export.Table`; a paper shows numbers in the same formats."""

    title: str
    columns: Sequence[tuple[str, int]] = ()
    rows: Sequence[Sequence[Any]] = ()
    sentences: Sequence[str] = ()
    pictures: Sequence[bytes] = ()
    charts: Sequence[Chart] = ()
    printed: bool = True
    formats: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)
    frozen: int = 0


@dataclass(frozen=True)
class Document:
    """``facts`` what it is about; ``notes`` warnings that stand on every form of it; ``signatures`` who signs below."""

    title: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default=())
    landscape: bool = False
    signatures: Sequence[str] = ("考务负责人（签字）：", "日期：　　　年　　月　　日")


def pdf(document: Document, *, made_at: datetime) -> bytes:
    """As A4 pages."""
    report = {"title": document.title, "facts": [list(pair) for pair in document.facts], "notes": list(document.notes),
              "landscape": document.landscape, "signatures": list(document.signatures),
              "sections": [_printed(section) for section in document.sections]}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"report": json.dumps(report, ensure_ascii=False)}, made_at=made_at)


def xlsx(document: Document) -> bytes:
    """A worksheet for each section that has a table."""
    return workbook(tables_of(document))


def tables_of(document: Document) -> list[Table]:
    """The worksheets: facts and notes above the first, charts below the rows, signatures below each printed page."""
    notes = ["　".join(f"{name}：{value}" for name, value in document.facts), *document.notes]
    signed = "　　　　　".join(one for one in document.signatures if "日期" not in one)
    return [Table(section.title, section.columns, section.rows, f"{document.title} {section.title}",
                  [*notes, *section.sentences] if place == 0 else list(section.sentences), charts=section.charts,
                  formats=section.formats, least=section.least, frozen=section.frozen, charts_below=True,
                  portrait=not document.landscape, signatures=signed)
            for place, section in enumerate(section for section in document.sections if section.columns)]


def spoken_rows(section: Section) -> list[list[str]]:
    """The rows as people read them."""
    return [["".join(cell) for cell in row] for row in _cells(section)]


def _printed(section: Section) -> dict[str, Any]:
    titles = [title for title, _ in section.columns]
    numbers = [place for place in range(len(titles)) if any(isinstance(row[place], int | float) for row in section.rows if len(row) > place)]
    return {"title": section.title, "sentences": list(section.sentences), "numbers": numbers,
            "cells": [cell for row in _cells(section) for cell in row] if section.printed else [],
            "pictures": [picture.decode() for picture in section.pictures], "columns": titles,
            "widths": [max(width, 4) for _, width in section.columns]}


def _cells(section: Section) -> list[list[Any]]:
    looks = [(section.formats.get(title, ""), section.least.get(title)) for title, _ in section.columns]
    return [[_cell(value, *look) for value, look in zip(row, looks, strict=True)] for row in section.rows]


def _cell(value: Any, number: str, least: float | None) -> Any:
    """As text; as a list of it where it lies below ``least``."""
    if value is None:
        return "—"
    if not isinstance(value, int | float):
        return str(value)
    text = _number(value, number)
    return [text] if least is not None and value < least else text


def _number(value: float, number: str) -> str:
    if not number:
        return f"{value:.3g}" if isinstance(value, float) else str(value)
    digits = len(number.rstrip("%").partition(".")[2])
    return f"{value:.{digits}%}" if number == SHARE else f"{value:.{digits}f}"
