"""Between the cells of a row and a draft, with what is wrong in words for the person who typed it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from qbank.exchange.drafts import Found
from qbank.exchange.mapping import OPTION_COLUMNS, difficulty_of, kind_of
from qbank.items.draft import KINDS, LETTERS, Draft, findings, normalise

EXAMPLE = "示例：导入前请删除本行"
DATE_CELL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
FORMULA_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
WORDS = "原鉴定点"  # the cell that keeps what the file says about the point when it was matched by words
TITLES = {"stem": "题干", "options": "选项", "key": "答案", "guide": "评分标准", "stimulus": "共用题干", "difficulty": "难度",
          "point": "鉴定点", "explanation": "解析"}
FIELDS = {"题型": "kind", "题干": "stem", "答案": "key", "解析": "explanation", "出处": "source", "难度": "difficulty",
          "鉴定范围": "range_path", "鉴定点": "point_segment", "评分标准": "guide", "共用题干": "stimulus", "出处页码": "source_page",
          "出处作者": "source_author"}  # our column → the draft's field


def draft_of_cells(cells: Mapping[str, str]) -> Draft:
    """The normalised draft that a row means. A kind or difficulty that is not understood is left for ``findings``."""
    texts = {field: cells.get(title, "") for title, field in FIELDS.items() if title not in {"题型", "难度"}}
    return normalise(Draft(kind=kind_of(cells.get("题型", "")), difficulty=difficulty_of(cells.get("难度", "")),
                           options=tuple(cells.get(title, "") for title in OPTION_COLUMNS), **texts))


def cells_of(draft: Draft) -> dict[str, str]:
    """The cells of a draft as our workbooks write them; empty ones are left out."""
    cells = {title: str(getattr(draft, field)) for title, field in FIELDS.items()}
    cells["题型"] = KINDS.get(draft.kind, draft.kind)
    cells["难度"] = str(draft.difficulty) if draft.difficulty else ""
    if draft.kind == "judge":
        cells["答案"] = {"T": "对", "F": "错"}.get(draft.key, draft.key)
    cells |= dict(zip(OPTION_COLUMNS, draft.options, strict=False))
    return {title: text for title, text in cells.items() if text}


def cells_of_found(found: Found) -> dict[str, str]:
    """The cells of one item of a file; without codes the words about its point stand in their place."""
    cells = cells_of(found.draft)
    if found.knowledge and not found.draft.point_segment:
        cells |= {"鉴定点": found.knowledge}
    return cells


def cell_findings(cells: Mapping[str, str], draft: Draft) -> Iterator[tuple[str, str]]:
    """(column title, sentence) for all that is wrong with a row but its point."""
    for field, sentence in findings(draft):
        if field != "point":
            yield _title(field, sentence), sentence
    if cells.get("出处", "").startswith(EXAMPLE):
        yield "出处", "这是模板里的示例行，请删除。"
    for title in ("题干", *OPTION_COLUMNS):
        text = cells.get(title, "")
        if DATE_CELL.fullmatch(text):
            yield title, f"{title}被 Excel 当成了日期（{text[:10]}），请把单元格改为文本格式后重新填写，例如 1/2。"
        if text in FORMULA_ERRORS:
            yield title, f"{title}是公式错误 {text}，请改为文字。"


def _title(field: str, sentence: str) -> str:
    """The column beside which a finding is shown."""
    if field == "options":
        named = re.match(r"选项([A-J])(?:是|有|与)", sentence)
        last = re.match(r"选项[A-J]与选项([A-J])", sentence)
        return f"选项{(last or named).group(1)}" if last or named else "选项A"  # type: ignore[union-attr]
    if field == "stem" and sentence.startswith("题型"):
        return "题型"
    if field == "explanation":
        return next((title for title in ("出处页码", "出处作者", "出处") if sentence.startswith(title)), "解析")
    return TITLES.get(field, "")


def letters_shown(cells: Mapping[str, str]) -> str:
    """The option letters that a form shows: those that are filled and one more, at least four for choice items."""
    filled = max((place for place, title in enumerate(OPTION_COLUMNS, start=1) if cells.get(title)), default=0)
    least = 4 if kind_of(cells.get("题型", "")) in {"single", "multiple", ""} else 0
    return LETTERS[:max(filled, least)]
