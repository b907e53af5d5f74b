"""Response files of others: a table of right and wrong, or of raw answers with a row that holds the key."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from qbank.statistics.distractors import score_choices
from qbank.statistics.responses import NOT_PRESENTED, OMITTED, Responses

KEY_WORDS = frozenset({"key", "答案", "标准答案", "正确答案"})
PERSON_WORDS = frozenset({"id", "person", "candidate", "name", "编号", "考号", "准考证号", "学号", "姓名", "考生"})
BLANKS = frozenset({"", "-", ".", "na", "nan", "none", "null"})
ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, eq=False)
class ResponseFile:
    """What a file held: ``responses`` (with raw choices where it held them), ``persons`` names of the rows, ``key`` None for a
    table of 0 and 1."""

    responses: Responses
    persons: tuple[str, ...]
    key: tuple[str, ...] | None


def read_responses(content: bytes, name: str, *, blank: str = "auto") -> ResponseFile:
    """Read a .csv, .tsv or .xlsx file: a head of item names, one person a row.

    A first column named 编号, id, 姓名 … names the persons. Without a key row the cells are 0, 1 or blank; with one (its first
    cell says "key" or 答案) they are raw answers. ``blank`` says what an empty cell means: "not-presented" (the default of a
    table of 0 and 1) or "omitted" (the default of raw answers). Refuses by name what cannot be read, naming the cell.
    """
    head, *rows = _cells(content, name)
    named = head[0].strip().casefold() in PERSON_WORDS or any(row[0].strip().casefold() in KEY_WORDS for row in rows[:5])
    items = tuple(title.strip() or f"第{j}列" for j, title in enumerate(head[named:], 1))
    if len(items) < 2 or not rows:
        raise Refused("nothing_to_read", f"“{name}”里没有作答数据：第一行应是题目名称，以下每行一名考生。")
    if len(set(items)) != len(items):
        twice = next(title for title in items if items.count(title) > 1)
        raise Refused("column_twice", f"“{name}”的表头里“{twice}”出现了不止一次，请改成不同的名称。")
    keys = [row for row in rows if named and row[0].strip().casefold() in KEY_WORDS]
    people = [row for row in rows if not keys or row is not keys[0]]
    names = tuple(row[0].strip() or str(i) for i, row in enumerate(people, 1)) if named else tuple(
        str(i) for i in range(1, len(people) + 1))
    cells = [[cell.strip() for cell in row[named:]] for row in people]
    if keys:
        return _raw(cells, tuple(cell.strip().upper() for cell in keys[0][named:]), items, names, blank, name)
    unseen = np.int8(OMITTED if blank == "omitted" else NOT_PRESENTED)
    return ResponseFile(Responses(_scores(cells, items, names, unseen, name), items=items), names, None)


def _cells(content: bytes, name: str) -> list[list[str]]:
    """All rows that hold anything, as text, all of the head's length."""
    if not content.strip():
        raise Refused("nothing_to_read", f"“{name}”是空的。")
    frame = _workbook(content, name) if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0") else _text(content, name)
    rows = [[str(cell) for cell in row] for row in frame.to_numpy(dtype=object)]
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise Refused("nothing_to_read", f"“{name}”是空的，或只有表头。")
    return rows


def _workbook(content: bytes, name: str) -> pd.DataFrame:
    return next(iter(frames(content, Refused("unreadable", f"“{name}”打不开：文件可能已损坏或设有密码。"), na_filter=False).values()))


def _text(content: bytes, name: str) -> pd.DataFrame:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        first = text.split("\n", 1)[0]
        separator = max("\t;,", key=first.count)
        try:
            return pd.read_csv(io.StringIO(text), sep=separator, dtype=str, header=None, na_filter=False,
                               skip_blank_lines=True)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise Refused("unreadable", f"“{name}”的各行列数不一致，无法读取：{str(error).strip()[:120]}") from error
    raise Refused("encoding", f"“{name}”既不是 UTF-8 也不是 GBK 编码，请另存为 UTF-8 的 CSV。")


def _scores(cells: Sequence[Sequence[str]], items: Sequence[str], persons: Sequence[str], unseen: np.int8,
            name: str) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    known = {"0": np.int8(0), "1": np.int8(1), "0.0": np.int8(0), "1.0": np.int8(1)}
    table = np.full((len(cells), len(items)), unseen, dtype=np.int8)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            if cell in known:
                table[i, j] = known[cell]
            elif cell.casefold() not in BLANKS:
                raise Refused("bad_cell", f"“{name}”中考生“{persons[i]}”的“{items[j]}”是“{cell[:20]}”，应为 0、1 或空白；"
                                          "如果是原始答案，请加一行答案，第一格写“答案”。")
    return table


def _raw(cells: Sequence[Sequence[str]], key: tuple[str, ...], items: tuple[str, ...], persons: tuple[str, ...], blank: str,
         name: str) -> ResponseFile:
    if missing := [title for title, answer in zip(items, key, strict=True) if not answer]:
        raise Refused("no_key", f"“{name}”的答案行里没有这些题的答案：{'、'.join(missing[:10])}。")
    letters = np.array([["" if cell.casefold() in BLANKS else cell.upper() for cell in row] for row in cells], dtype=object)
    presented = letters != "" if blank == "not-presented" else None
    found = score_choices(pd.DataFrame(letters, columns=list(items)), key, presented=presented)
    return ResponseFile(found, persons, key)
