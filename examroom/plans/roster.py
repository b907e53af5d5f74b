"""Rosters (考生名单) as they come in an Excel workbook. Pure: bytes in, rows out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import pandas as pd

from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused

MOST_ROWS = 10_000
HEAD_WITHIN = 10  # rows in which the head of the table is looked for
NEEDED = ("name", "identity_number", "entry_condition")
HEADS = {
    "name": ("姓名", "考生姓名"),
    "identity_number": ("身份证号码", "身份证号", "证件号码", "公民身份号码", "居民身份证号码"),
    "student_number": ("学号", "学籍号"),
    "class_name": ("班级", "班级名称"),
    "entry_condition": ("申报条件", "考生申报条件"),
}
INSIDE_A_NAME = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
SCIENTIFIC = re.compile(r"^\d(\.\d+)?[Ee]\+?\d+$")


@dataclass(frozen=True)
class RosterRow:
    """One candidate as written in the file; ``row`` is the line that Excel shows."""

    row: int
    name: str
    identity_number: str
    student_number: str = ""
    class_name: str = ""
    entry_condition: str = ""


def read_roster(content: bytes) -> list[RosterRow]:
    """The rows of the first sheet that has the head of a roster. Refuses what cannot be read, saying what to do."""
    try:
        sheets = pd.read_excel(BytesIO(content), engine="calamine", dtype=str, header=None, sheet_name=None)
    except Exception as error:  # calamine raises errors of many types for damaged files
        raise Refused("unreadable", "这个 Excel 文件已损坏或加了密码，无法读取。请在 Excel 或 WPS 中打开后另存为新的 .xlsx 再上传。") from error
    best: tuple[str, ...] = NEEDED
    for frame in sheets.values():
        found = _head(frame)
        if found is None:
            continue
        line, columns = found
        missing = tuple(field for field in NEEDED if field not in columns)
        if not missing:
            return _rows(frame, line, columns)
        best = min(best, missing, key=len)
    if all(frame.empty for frame in sheets.values()):
        raise Refused("empty_roster", "这个工作簿是空的。请下载名单模板，填写后上传。")
    raise Refused("roster_head", f"没有找到名单表头，缺少“{'”“'.join(HEADS[field][0] for field in best)}”列。请使用名单模板，不要改动表头。")


def _head(frame: pd.DataFrame) -> tuple[int, dict[str, int]] | None:
    """The line of the head, and field -> column; None when no line of the sheet looks like one."""
    for line in range(min(HEAD_WITHIN, len(frame))):
        texts = [_text(value).rstrip("*").replace(" ", "") for value in frame.iloc[line]]
        columns = {field: texts.index(name) for field, names in HEADS.items() for name in names if name in texts}
        if "name" in columns or "identity_number" in columns:
            return line, columns
    return None


def _rows(frame: pd.DataFrame, head: int, columns: dict[str, int]) -> list[RosterRow]:
    rows = []
    for line in range(head + 1, len(frame)):
        values = {field: _text(frame.iat[line, column]) for field, column in columns.items()}
        if any(values.values()):
            rows.append(row_of(line + 1, values))
    if not rows:
        raise Refused("empty_roster", "名单里只有表头，没有考生。请填写后上传。")
    if len(rows) > MOST_ROWS:
        raise Refused("roster_too_long", f"名单有 {len(rows)} 行，一次最多导入 {MOST_ROWS} 行，请分批上传。")
    return rows


def row_of(number: int, values: Mapping[str, str]) -> RosterRow:
    """A row as the person meant it: digits narrowed, no ``.0`` behind a number, no space inside a Chinese name."""
    cleaned = {field: text.replace("\u200b", "").strip() for field, text in values.items()}
    for field in ("identity_number", "student_number"):
        text = unicodedata.normalize("NFKC", cleaned.get(field, "")).lstrip("'")
        cleaned[field] = text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text
    cleaned["name"] = INSIDE_A_NAME.sub("", cleaned.get("name", ""))
    return RosterRow(number, **cleaned)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""  # an empty cell is NaN


def is_scientific(text: str) -> bool:
    """Whether Excel turned a long number into ``4.30102E+17`` and lost its last digits."""
    return bool(SCIENTIFIC.match(text))


def template() -> bytes:
    """The workbook that an officer fills; what each column means stands on a sheet of its own."""
    columns = (("姓名*", 14), ("身份证号码*", 24), ("学号", 16), ("班级", 20), ("申报条件*", 60))
    notes = [("姓名*", "与身份证一致"), ("身份证号码*", "18 位；先把整列设为“文本”格式再填写，否则 Excel 会丢失末尾几位"), ("学号", "可不填"),
             ("班级", "可不填；编排座位时可按班级分场次"),
             ("申报条件*", "按国家职业标准中的申报条件填写，例如“取得技工学校毕业证书（含在读应届毕业生）”")]
    return workbook([Table("考生名单", columns, []), Table("填写说明", (("列", 16), ("说明", 90)), notes)])


def to_json(rows: Sequence[RosterRow]) -> str:
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False)


def from_json(text: str) -> list[RosterRow]:
    return [RosterRow(**row) for row in json.loads(text)]
