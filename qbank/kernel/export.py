"""Tables as Excel workbooks (XlsxWriter): written for A4, with heads that stay on the screen and on every page."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range_formula

from qbank.kernel.times import local

LISTED = 2000  # rows below the head that offer a list
CHART_ROWS, CHART_COLUMNS = 16, 8  # what a chart covers of rows and columns of the usual size
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito (2008)
LINE = 15  # points: the height of a row
SCORE, SHARE = "0.0", "0.0%"  # number formats


@dataclass(frozen=True)
class Chart:
    """A chart of Excel's own. ``kind``: column, bar, line or scatter (smooth); ``x`` and ``ys`` titles of columns.

    ``bounds``: the columns with the lower and the upper end of the one ``y``, drawn as error bars; ``most``: where the
    axis of values ends.
    """

    kind: str
    title: str
    x: str
    ys: Sequence[str]
    x_title: str = ""
    y_title: str = ""
    stacked: bool = False
    bounds: tuple[str, str] | None = None
    most: float | None = None
    colours: Sequence[str] = COLOURS


@dataclass(frozen=True)
class Table:
    """One worksheet: a title line, column heads with widths in characters, rows of plain values.

    ``lists``: column title → what its cells are chosen from, values or a range of the workbook (``='一览'!$A$2:$A$9``).
    ``formats``: column title → number format; ``least``: column title → numbers below are red; ``frozen``: columns that
    stay while one scrolls to the right; ``signatures``: left below every printed page.
    """

    sheet: str
    columns: Sequence[tuple[str, int]]
    rows: Iterable[Sequence[Any]]
    title: str = ""
    notes: Sequence[str] = ()
    lists: Mapping[str, Sequence[str] | str] = field(default_factory=dict)
    charts: Sequence[Chart] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)
    frozen: int = 0
    portrait: bool = False
    charts_below: bool = False
    signatures: str = ""


def workbook(tables: Sequence[Table], *, made_at: datetime | None = None) -> bytes:
    """An ``.xlsx`` file. Text is written as text: a name that begins with ``=`` never becomes a formula.

    With ``made_at`` the same tables give the same bytes.
    """
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    if made_at is not None:
        book.set_properties({"created": made_at})
    looks = _Looks(book)
    for table in tables:
        sheet = book.add_worksheet(table.sheet[:31])
        first, rows = _write(sheet, table, looks)
        last = max(first + len(rows) - 1, first)
        tall = [_tall(chart, len(rows)) for chart in table.charts]
        for place, chart in enumerate(table.charts):
            at = (last + 2 + sum(tall[:place]), 0) if table.charts_below else (first + sum(tall[:place]), len(table.columns) + 1)
            sheet.insert_chart(*at, _chart(book, sheet, table, chart, first, rows, place), {"object_position": 3})
        _page(sheet, table, first, last, sum(tall))
    book.close()
    return stream.getvalue()


class _Looks:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        self.head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "vcenter"})
        self.big = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"text_wrap": True, "valign": "top"})
        self.wrong = book.add_format({"font_color": "#B3261E", "bold": True})

    def body(self, number: str = "") -> Any:
        if number not in self._made:
            plain = {"border": 1, "text_wrap": True, "valign": "top"}
            self._made[number] = self._book.add_format(plain | ({"num_format": number} if number else {}))
        return self._made[number]


def _tall(chart: Chart, rows: int) -> int:
    """The rows that a chart covers with a gap below: names under each other need room."""
    return max(CHART_ROWS, 5 + rows) if chart.kind == "bar" else CHART_ROWS


def _chart(book: Any, sheet: Any, table: Table, chart: Chart, first: int, rows: Sequence[Sequence[Any]],
           place: int) -> Any:
    titles = [title for title, _ in table.columns]
    last = max(first + len(rows) - 1, first)
    subtype = "smooth" if chart.kind == "scatter" else "stacked" if chart.stacked else ""
    made = book.add_chart({"type": chart.kind, **({"subtype": subtype} if subtype else {})})
    for y, colour in zip(chart.ys, itertools.cycle(chart.colours), strict=False):
        column = titles.index(y)
        series: dict[str, Any] = {"name": [sheet.name, first - 1, column], "values": [sheet.name, first, column, last, column],
                  "categories": [sheet.name, first, titles.index(chart.x), last, titles.index(chart.x)]}
        if chart.kind in {"column", "bar"}:
            series |= {"gap": 40, "fill": {"color": colour}}
        if chart.bounds:
            at = len(titles) + CHART_COLUMNS + 2 + 2 * place
            series["y_error_bars"] = _bars(sheet, at, first, rows, column, *map(titles.index, chart.bounds))
            made.show_hidden_data()
        made.add_series(series)
    made.set_title({"name": chart.title, "name_font": {"size": 12}})
    most = {} if chart.most is None else {"min": 0, "max": chart.most}
    values = {"name": chart.y_title, "major_gridlines": {"visible": True, "line": {"color": "#D8DEE6"}}, **most}
    names: dict[str, Any] = {"name": chart.x_title or chart.x, "label_position": "low"}
    if chart.kind == "bar":  # lies on its side: the first name on top, the values still below
        made.set_x_axis(values | {"label_position": "high"})
        made.set_y_axis(names | {"reverse": True, "name": ""})
    else:
        made.set_x_axis(names)
        made.set_y_axis(values)
    made.set_size({"width": 64 * CHART_COLUMNS - 32, "height": 20 * _tall(chart, len(rows)) - 32})
    made.set_legend({"position": "bottom"} if len(chart.ys) > 1 else {"none": True})
    return made


def _bars(sheet: Any, at: int, first: int, rows: Sequence[Sequence[Any]], y: int, low: int, high: int) -> dict[str, Any]:
    """How far each value reaches down and up: two hidden columns beside what is printed."""
    sheet.set_column(at, at + 1, None, None, {"hidden": True})
    for place, row in enumerate(rows, first):
        known = None not in (row[y], row[low], row[high])
        sheet.write_number(place, at, row[y] - row[low] if known else 0)
        sheet.write_number(place, at + 1, row[high] - row[y] if known else 0)
    ranges = (xl_range_formula(sheet.name, first, column, first + max(len(rows), 1) - 1, column) for column in (at, at + 1))
    return {"type": "custom", "minus_values": next(ranges), "plus_values": next(ranges)}


def _write(sheet: Any, table: Table, looks: _Looks) -> tuple[int, Sequence[Sequence[Any]]]:
    """Title, notes, heads and rows; the first line of the rows (0-based), and the rows."""
    line = _above(sheet, table, looks)
    for column, (title, width) in enumerate(table.columns):
        sheet.set_column(column, column, width)
        sheet.write_string(line, column, title, looks.head)
        if title in table.lists:
            sheet.data_validation(line + 1, column, line + LISTED, column, {
                "validate": "list", "source": source if isinstance(source := table.lists[title], str) else list(source), "show_error": False})
    formats = [looks.body(table.formats.get(title, "")) for title, _ in table.columns]
    rows = list(table.rows)
    for place, row in enumerate(rows, line + 1):
        for column, value in enumerate(row):
            _cell(sheet, place, column, value, formats[column] if column < len(formats) else looks.body())
    last = max(line + len(rows), line + 1)
    for column, (title, _) in enumerate(table.columns):
        if title in table.least:
            sheet.conditional_format(line + 1, column, last, column, {
                "type": "cell", "criteria": "<", "value": table.least[title], "format": looks.wrong})
    sheet.freeze_panes(line + 1, table.frozen)
    sheet.autofilter(line, 0, max(line + len(rows), line), max(len(table.columns) - 1, 0))
    sheet.repeat_rows(line)
    return line + 1, rows


def _above(sheet: Any, table: Table, looks: _Looks) -> int:
    """The title, and notes across all columns, high enough to be read in print; the line below them."""
    line = 0
    if table.title:
        sheet.write_string(0, 0, table.title, looks.big)
        line = 1
    wide, most = sum(width for _, width in table.columns), len(table.columns) - 1
    for note in table.notes:
        if most > 0:
            sheet.merge_range(line, 0, line, most, "")
        sheet.write_string(line, 0, note, looks.note)
        sheet.set_row(line, LINE * max(1, -(-_width(note) // max(wide, 1))))
        line += 1
    return line


def _width(text: str) -> int:
    """In characters; a Chinese one counts as two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _cell(sheet: Any, line: int, column: int, value: Any, look: Any) -> None:
    if value is None:
        sheet.write_blank(line, column, None, look)
    elif isinstance(value, bool):
        sheet.write_string(line, column, "是" if value else "否", look)
    elif isinstance(value, int | float):
        sheet.write_number(line, column, value, look)
    elif isinstance(value, datetime):
        sheet.write_string(line, column, f"{local(value):%Y-%m-%d %H:%M}", look)
    else:
        sheet.write_string(line, column, str(value), look)


def _page(sheet: Any, table: Table, first: int, last: int, tall: int) -> None:
    """A4, as wide as the page, with everything that is drawn; the left margin leaves room for binding."""
    right, bottom = len(table.columns) - 1, last
    if tall and table.charts_below:
        right, bottom = max(right, CHART_COLUMNS - 1), last + 1 + tall
    elif tall:
        right, bottom = right + 1 + CHART_COLUMNS, max(last, first + tall)
    sheet.print_area(0, 0, bottom, max(right, 0))
    sheet.set_portrait() if table.portrait else sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.98, right=0.59, top=0.7, bottom=0.75)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{table.signatures}&C第 &P 页 / 共 &N 页" if table.signatures else "&C第 &P 页 / 共 &N 页")
