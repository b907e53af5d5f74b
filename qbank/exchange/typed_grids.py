"""What a table in a paper is: answers, a frame around lines, a list of items, a form to fill in, or part of a question. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

from qbank.exchange.typed_keys import answer_pairs
from qbank.exchange.typed_options import begins_with
from qbank.exchange.typed_signs import LABEL, Grid, Line, mask, numbered

FORM = re.compile(r"得分|评卷|阅卷|总分|姓名|准考证|学号|班级|统分|合分|签名|题号")
TITLES = (("number", r"序号|题号|编号"), ("stem", r"题干|题目|试题|题目内容|试题内容|内容"), ("key", r"(?:正确|参考|标准)?答案"),
          ("option", r"(?:选项)?[A-J](?:选项|项)?"), ("options", r"选项|备选答案|备选项"), ("explanation", r"(?:答案|试题)?解析"),
          ("difficulty", r"难度.*"), ("knowledge", r"知识点|鉴定点|考点"), ("source", r"出处|来源"), ("kind", r"题型|类型"))
LABELS = {"key": "【答案】", "explanation": "【解析】", "difficulty": "【难度】", "knowledge": "【知识点】", "source": "【出处】", "kind": "【题型】"}


class Shape(enum.Enum):
    ANSWERS = enum.auto()
    LINES = enum.auto()
    ITEMS = enum.auto()
    LEFT_OUT = enum.auto()
    CONTENT = enum.auto()


def shape_of(grid: Grid) -> Shape:
    cells = [mask(cell).strip() for row in grid.rows for cell in row]
    filled = [cell for cell in cells if cell]
    if not filled:
        return Shape.LEFT_OUT
    if len(answer_pairs(grid.rows)) >= 2 and len(filled) <= 3 * len(answer_pairs(grid.rows)) + 12:
        return Shape.ANSWERS
    if _columns(grid):
        return Shape.ITEMS
    if FORM.search(" ".join(filled).replace(" ", "")) and max(map(len, filled)) < 20:
        return Shape.LEFT_OUT
    if len(filled) >= 3 and all(cell.isdecimal() for cell in filled) and len(filled) * 2 <= len(cells):
        return Shape.LEFT_OUT  # numbers over empty boxes
    if begins_with(filled[0], "A") and (len(filled) == 1 or any(begins_with(cell, "B") for cell in filled)):
        return Shape.LINES
    lines = [line for cell in filled for line in cell.split("\n")]
    signs = sum(1 for line in lines if numbered(line) or begins_with(line, "A") or LABEL.match(line))
    if signs >= 2 and signs * 5 >= len(lines) and max(len(row) for row in grid.rows) <= 2 and (numbered(lines[0]) or len(filled) <= 2):
        return Shape.LINES
    return Shape.CONTENT


def lines_of(grid: Grid) -> Iterator[Line]:
    """The lines of a table that only frames them. Options in a row stay on one line."""
    for row_number, row in enumerate(grid.rows, start=1):
        filled = [cell for cell in row if cell.strip()]
        place = f"{grid.place}第 {row_number} 行"
        if len(filled) > 1 and all("\n" not in cell for cell in filled):
            yield Line("\t".join(filled), place, grid.number)
            continue
        for cell in filled:
            for line in cell.split("\n"):
                if line.strip():
                    yield Line(line, place, grid.number)


def item_lines(grid: Grid) -> Iterator[Line]:
    """Each row of a list of items as the lines that somebody would have typed."""
    columns = _columns(grid)
    for row_number, row in enumerate(grid.rows[1:], start=2):
        cells = dict(zip(columns, row, strict=False))
        place = f"{grid.place}第 {row_number} 行"
        stem = cells.get("stem", "").strip()
        if not stem:
            continue
        number = re.sub(r"\D", "", cells.get("number", "")) or str(row_number - 1)
        yield Line(f"{int(number) % 1000}. {stem}", place, grid.number)
        for name in sorted(name for name in cells if re.fullmatch("option[A-J]", name)):
            if cells[name].strip():
                yield Line(f"{name[-1]}. {cells[name].strip()}", place, grid.number, soft=True)
        for line in cells.get("options", "").split("\n"):
            if line.strip():
                yield Line(line, place, grid.number)
        for name, label in LABELS.items():
            if cells.get(name, "").strip():
                yield Line(label + cells[name].strip(), place, grid.number)


def markup_of(grid: Grid) -> str:
    """The table as markup for a text."""
    width = max(map(len, grid.rows), default=0)
    rows = [[re.sub(r"(?<!\\)\|", r"\\|", re.sub(r"\s*\n\s*", " ", cell)).strip() for cell in row] + [""] * (width - len(row))
            for row in grid.rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines[:1], "|" + "---|" * width, *lines[1:]])


def _columns(grid: Grid) -> list[str]:
    """What each column holds where the first row says it; empty: it does not."""
    if len(grid.rows) < 2:
        return []
    names = []
    for place, cell in enumerate(grid.rows[0]):
        title = re.sub(r"\s|\(.*?\)", "", mask(cell)).upper()
        name = next((name for name, pattern in TITLES if re.fullmatch(pattern, title)), f"other{place}")
        names.append(f"option{re.sub('[^A-J]', '', title)}" if name == "option" else name)
    return names if "stem" in names and "key" in names else []
