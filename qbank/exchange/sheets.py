"""Rows out of the lines of worksheets: where the head is, which column is which, nothing judged but the sheets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qbank.exchange.mapping import (
    ALL_OPTIONS,
    COLUMNS,
    REQUIRED,
    Choice,
    column_of,
    guess,
    guess_kind,
    split_options,
    titles_hash,
)
from qbank.items.writing import clean
from qbank.kernel.refused import Refused

OWN_SHEETS = ("填写说明", "鉴定点一览")  # of the template
OWN_COLUMNS = ("错误", "原工作表", "原行号", "原鉴定点", "题号", "版本", "状态", "重要程度", "命题员", "编写时间")  # of what we write
HEAD_ROWS = 10
SHOWN_ROWS = 8  # lines of a foreign sheet that the mapping step shows
SHOWN_COLUMNS = 60
MOST_ROWS = 20_000
NO_HEAD = -1

Lines = Sequence[Sequence[str]]


@dataclass(frozen=True)
class SheetRow:
    """One item as cells. ``cells``: title → text, known titles in canonical writing. ``problems``: what the reader could
    not make out of it; ``place``: where it stands, when that is not a row of a worksheet."""

    sheet: str
    number: int  # as Excel counts
    cells: dict[str, str]
    place: str = ""
    problems: tuple[str, ...] = ()


@dataclass
class Workbook:
    """What was read, in ``notes`` what was not, one sentence each, and in ``foreign`` the sheets whose columns somebody
    has to name: dicts with sheet, head, lines, columns (our guess), as the batch keeps them."""

    rows: list[SheetRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    foreign: list[dict[str, Any]] = field(default_factory=list)


def rows_of(sheets: Mapping[str, Lines], file_name: str, *, remembered: Mapping[str, Mapping[str, Any]] | None = None,
            chosen: Mapping[str, Choice] | None = None) -> Workbook:
    """All item rows. ``remembered``: hash of a line of titles → its columns; ``chosen``: sheet → what somebody said of it.

    Refuses when there is nothing to read and nothing that could be read with somebody's help.
    """
    read = Workbook()
    for name, lines in sheets.items():
        _read_sheet(read, name, lines, remembered or {}, (chosen or {}).get(name))
        if len(read.rows) > MOST_ROWS:
            raise Refused("too_many_rows", f"文件超过 {MOST_ROWS} 行，请拆成几个文件分别导入。")
    if read.rows:  # sheets that do not look like items at all need nobody's help
        read.notes += [f"工作表“{one['sheet']}”的前 {HEAD_ROWS} 行里没有找到表头，没有读取。" for one in read.foreign if one["known"] < 3]
        read.foreign = [one for one in read.foreign if one["known"] >= 3]
    elif not read.foreign:
        raise Refused("nothing_to_read", f"“{file_name}”里没有题目：工作表是空的，或只有表头。请填写后重新上传。")
    return read


def _read_sheet(read: Workbook, name: str, lines: Lines, remembered: Mapping[str, Mapping[str, Any]],
                chosen: Choice | None) -> None:
    if chosen is not None:
        read.rows += _rows(name, lines, chosen)
        return
    for place, line in enumerate(lines[:HEAD_ROWS]):
        if known := remembered.get(titles_hash(line)):
            columns = [known["columns"].get(clean(title), "") for title in line]
            read.rows += _rows(name, lines, Choice(place, columns, known.get("defaults", {})))
            read.notes.append(f"{_sheet(name)}的各列按以前指定的对应关系读取。")
            return
    head, titles = _head(lines)
    known_titles = [title for title in titles if title in COLUMNS]
    if not [title for title in REQUIRED if title not in known_titles] and len(set(known_titles)) == len(known_titles):
        if unknown := [title for title in titles if title and title not in (*COLUMNS, ALL_OPTIONS, *OWN_COLUMNS)]:
            read.notes.append(f"{_sheet(name)}中的列“{'”“'.join(unknown)}”不是题库的列，已忽略。")
        read.rows += _rows(name, lines, Choice(head, titles))
    elif name not in OWN_SHEETS and (one := _foreign(name, lines, head, len(known_titles))):
        read.foreign.append(one)


def _foreign(name: str, lines: Lines, head: int, known: int) -> dict[str, Any] | None:
    if not known:
        head = next((place for place, line in enumerate(lines[:HEAD_ROWS]) if sum(bool(cell) for cell in line) > 1), 0)
    if not any(any(line) for line in lines[head + 1:]) or max(sum(bool(cell) for cell in line) for line in lines[:50]) < 2:
        return None
    width = min(max(len(line) for line in lines), SHOWN_COLUMNS)
    return {"sheet": name, "head": head, "known": known, "columns": guess(lines, head, width),
            "lines": [[cell[:80] for cell in line[:width]] for line in lines[:max(SHOWN_ROWS, head + 5)]],
            "rows": sum(any(line) for line in lines[head + 1:])}


def _head(lines: Lines) -> tuple[int, list[str]]:
    """The row among the first ten with the most known titles, and its titles."""
    best, titles = 0, [""]
    for index, line in enumerate(lines[:HEAD_ROWS]):
        found = [column_of(cell) for cell in line]
        if sum(title in COLUMNS for title in found) > sum(title in COLUMNS for title in titles):
            best, titles = index, found
    return best, titles


def _rows(sheet: str, lines: Lines, choice: Choice) -> Iterator[SheetRow]:
    places = [(place, title) for place, title in enumerate(choice.columns) if title]
    for number, line in enumerate(lines[choice.head + 1:], start=choice.head + 2):
        cells = {title: text for place, title in places if place < len(line) and (text := clean(line[place]))}
        if not cells:
            continue
        if (together := cells.pop(ALL_OPTIONS, "")) and "选项A" not in cells:
            cells |= split_options(together)
        cells = {title: text for title, text in choice.defaults.items() if text} | cells
        if "题型" not in choice.columns and "题型" not in cells:
            cells["题型"] = guess_kind(cells)
        yield SheetRow(sheet, number, cells)


def _sheet(name: str) -> str:
    return f"工作表“{name}”" if name else "文件"


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return f"'{text}" if re.match(r"'*[=+\-@\t\r]", text) else text


def plain_cell(text: str) -> str:
    """What :func:`safe_cell` wrote, as it was."""
    return text[1:] if re.match(r"'+[=+\-@\t\r]", text) else text
