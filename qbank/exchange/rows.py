"""From the cells of a row to a draft, with what is wrong in words for the person who typed it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qbank.exchange.sheets import OPTION_COLUMNS
from qbank.items.draft import Draft, normalise
from qbank.items.writing import half_width

KINDS = {"单选题": "single", "单选": "single", "单项选择题": "single", "单项选择": "single", "选择题": "single", "选择": "single",
         "单项": "single", "多选题": "multiple", "多选": "multiple", "多项选择题": "multiple", "多项选择": "multiple",
         "不定项选择题": "multiple", "多项": "multiple", "判断题": "judge", "判断": "judge", "是非题": "judge", "对错题": "judge"}
DIFFICULTIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "易": 1, "容易": 1, "较易": 2, "中": 3, "中等": 3, "一般": 3,
                "较难": 4, "难": 5}
EXAMPLE = "示例：导入前请删除本行"
DATE_CELL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def draft_of_cells(cells: dict[str, str]) -> Draft:
    """The normalised draft that a row means. A kind or difficulty that is not understood is left for ``problems``."""
    kind = half_width(cells.get("题型", "")).strip()
    return normalise(Draft(
        kind=KINDS.get(kind, ""), stem=cells.get("题干", ""),
        options=tuple(cells.get(title, "") for title in OPTION_COLUMNS), key=cells.get("答案", ""),
        explanation=cells.get("解析", ""), source=cells.get("出处", ""), difficulty=_difficulty(cells.get("难度", "")),
        range_path=cells.get("鉴定范围", ""), point_segment=cells.get("鉴定点", "")))


def cell_problems(cells: dict[str, str]) -> Iterator[str]:
    """What is wrong with the cells themselves, whatever they mean."""
    if cells.get("出处", "").startswith(EXAMPLE):
        yield "这是模板里的示例行，请删除。"
    if "题干" in cells and not ("鉴定范围" in cells and "鉴定点" in cells):
        yield "如果鉴定范围或鉴定点是合并单元格：只有第一行有值，请取消合并后逐行填写。"
    for title in ("题干", *OPTION_COLUMNS):
        text = cells.get(title, "")
        if DATE_CELL.fullmatch(text):
            yield f"{title}被 Excel 当成了日期（{text[:10]}），请把单元格改为文本格式后重新填写，例如 1/2。"
        if text in {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}:
            yield f"{title}是公式错误 {text}，请改为文字。"


def _difficulty(text: str) -> int:
    word = half_width(text).strip().removesuffix(".0").removesuffix("级")
    return DIFFICULTIES.get(word, 0)
