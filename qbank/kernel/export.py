"""Tables as Excel workbooks (XlsxWriter)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from qbank.kernel.times import local

LISTED = 2000  # rows below the head that offer a list


@dataclass(frozen=True)
class Chart:
    """A chart of Excel's own beside the rows. ``kind``: column, line or scatter (smooth); ``x`` and ``ys`` titles of columns."""

    kind: str
    title: str
    x: str
    ys: Sequence[str]
    x_title: str = ""
    y_title: str = ""


@dataclass(frozen=True)
class Table:
    """One worksheet: a title line, column heads with widths in characters, rows of plain values.

    ``lists``: column title → what its cells are chosen from, values or a range of the workbook (``='一览'!$A$2:$A$9``).
    """

    sheet: str
    columns: Sequence[tuple[str, int]]
    rows: Iterable[Sequence[Any]]
    title: str = ""
    notes: Sequence[str] = ()
    lists: Mapping[str, Sequence[str] | str] = field(default_factory=dict)
    charts: Sequence[Chart] = ()


def workbook(tables: Sequence[Table], *, made_at: datetime | None = None) -> bytes:
    """An ``.xlsx`` file. Text is written as text: a name that begins with ``=`` never becomes a formula.

    With ``made_at`` the same tables give the same bytes.
    """
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    if made_at is not None:
        book.set_properties({"created": made_at})
    head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "vcenter"})
    body = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    big = book.add_format({"bold": True, "font_size": 14})
    for table in tables:
        sheet = book.add_worksheet(table.sheet[:31])
        first, last = _write(sheet, table, head, body, big)
        for place, chart in enumerate(table.charts):
            _draw(book, sheet, table, chart, first, last, place)
    book.close()
    return stream.getvalue()


def _draw(book: Any, sheet: Any, table: Table, chart: Chart, first: int, last: int, place: int) -> None:
    """To the right of the columns, one chart under the other."""
    titles = [title for title, _ in table.columns]
    made = book.add_chart({"type": chart.kind, **({"subtype": "smooth"} if chart.kind == "scatter" else {})})
    for y in chart.ys:
        column = titles.index(y)
        made.add_series({"name": [sheet.name, first - 1, column], "values": [sheet.name, first, column, last, column],
                         "categories": [sheet.name, first, titles.index(chart.x), last, titles.index(chart.x)]})
    made.set_title({"name": chart.title, "name_font": {"size": 12}})
    made.set_x_axis({"name": chart.x_title or chart.x, "label_position": "low"})
    made.set_y_axis({"name": chart.y_title, "major_gridlines": {"visible": True, "line": {"color": "#D8DEE6"}}})
    made.set_legend({"position": "bottom"} if len(chart.ys) > 1 else {"none": True})
    sheet.insert_chart(first + 18 * place, len(titles) + 1, made, {"object_position": 3})


def _write(sheet: Any, table: Table, head: Any, body: Any, big: Any) -> tuple[int, int]:
    """The rows; the first and the last line that hold any (0-based)."""
    line = 0
    if table.title:
        sheet.write_string(0, 0, table.title, big)
        line = 1
    for note in table.notes:
        sheet.write_string(line, 0, note)
        line += 1
    for column, (title, width) in enumerate(table.columns):
        sheet.set_column(column, column, width)
        sheet.write_string(line, column, title, head)
        if title in table.lists:
            sheet.data_validation(line + 1, column, line + LISTED, column, {
                "validate": "list", "source": source if isinstance(source := table.lists[title], str) else list(source), "show_error": False})
    sheet.freeze_panes(line + 1, 0)
    last = line
    for row in table.rows:
        last += 1
        for column, value in enumerate(row):
            if value is None:
                sheet.write_blank(last, column, None, body)
            elif isinstance(value, bool):
                sheet.write_string(last, column, "是" if value else "否", body)
            elif isinstance(value, int | float):
                sheet.write_number(last, column, value, body)
            elif isinstance(value, datetime):
                sheet.write_string(last, column, f"{local(value):%Y-%m-%d %H:%M}", body)
            else:
                sheet.write_string(last, column, str(value), body)
    sheet.autofilter(line, 0, max(last, line), max(len(table.columns) - 1, 0))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(line)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页 / 共 &N 页")
    return line + 1, max(last, line + 1)
