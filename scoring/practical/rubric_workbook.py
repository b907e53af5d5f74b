"""A rubric as an Excel sheet, out and back in. What comes back is checked like what is typed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from qbank.kernel.export import Table, workbook
from qbank.kernel.forms import half_points
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from scoring.practical.models import Rubric
from scoring.practical.rows import RowKind, spoken, told
from scoring.practical.rubrics import MOST_ROWS, RowDraft, Section, sections_of
from scoring.practical.rule_text import SHAPES, parse

HEADS = ("职业功能", "类型", "评分内容", "配分", "评分标准")
WIDTHS = (26, 12, 50, 8, 60)
KINDS = {kind.chinese.lstrip("★ "): kind for kind in RowKind} | {"配分项": RowKind.POINTS, "测量项": RowKind.MEASURED, "否决": RowKind.VETO}


def rubric_workbook(rubric: Rubric) -> bytes:
    """The rows of a rubric, to be changed in Excel and taken in again."""
    names = {one.id: one.name for one in rubric.table.ranges}
    rows = [(names[row.range_id] if row.range_id else "", row.kind.chinese.lstrip("★ "), row.text,
             row.most / 2 if row.most else None, told(row.rule)) for row in rubric.rows]
    held = sections_of(rubric.table, rubric.targets)
    notes = ["各职业功能的配分合计应为：" + "；".join(f"{one.name} {spoken(one.weight)} 分" for one in held),
             "评分标准的写法：" + "　".join(f"{kind.chinese}“{shape}”" for kind, shape in SHAPES.items())]
    return workbook([Table("评分表", list(zip(HEADS, WIDTHS, strict=True)), rows, title=rubric.name, notes=notes,
                           lists={"职业功能": [one.name for one in held], "类型": [one.chinese.lstrip("★ ") for one in RowKind]})])


def read_rubric(content: bytes, sections: Sequence[Section]) -> list[RowDraft]:
    """The rows of an uploaded workbook. All lines that cannot be read are named together."""
    lines = _lines(content)
    place = next((at for at, line in enumerate(lines) if "评分内容" in line and "配分" in line), None)
    if place is None:
        raise Refused("no_head", f"没有找到表头。第一张工作表应有这些列：{'、'.join(HEADS)}。可以先导出评分表，在导出的文件里修改。")
    columns = {head: lines[place].index(head) for head in HEADS if head in lines[place]}
    paths = {one.name: one.path for one in sections}
    drafts: list[RowDraft] = []
    problems: list[str] = []
    last = ""
    for number, line in enumerate(lines[place + 1:], place + 2):
        cells = {head: line[at] if at < len(line) else "" for head, at in columns.items()}
        if not cells["评分内容"]:
            continue
        last = cells.get("职业功能") or last  # merged cells name it once
        try:
            drafts.append(_draft(cells, paths, last))
        except Refused as refused:
            problems.append(f"第 {number} 行：{refused.sentence}")
    if problems:
        raise Refused("bad_rows", "表里有读不懂的行，没有导入。请按下面逐条修改后重新上传。", problems[:50])
    if not drafts or len(drafts) > MOST_ROWS:
        raise Refused("no_rows", f"表里应有 1 到 {MOST_ROWS} 行评分内容。")
    return drafts


def _draft(cells: dict[str, str], paths: dict[str, str], section: str) -> RowDraft:
    kind = KINDS.get(cells.get("类型", "").lstrip("★ ") or "评分项")
    if kind is None:
        raise Refused("bad_kind", f"类型“{cells['类型'][:20]}”不认识，应为{'、'.join(one.chinese for one in RowKind)}。")
    if kind is RowKind.VETO:
        return RowDraft(cells["评分内容"], "", 0, kind)
    if section not in paths:
        raise Refused("bad_section", f"职业功能“{section[:40]}”不在本评分表中，应为{'、'.join(paths)}。")
    return RowDraft(cells["评分内容"], paths[section], half_points(cells["配分"], "配分"), kind,
                    parse(kind, cells.get("评分标准", "")))


def _lines(content: bytes) -> list[list[str]]:
    read = frames(content, Refused("broken_file", "这个 Excel 文件已损坏，无法读取。请在 Excel 或 WPS 中打开后另存为 .xlsx 再上传。"))
    frame = next(iter(read.values()))
    return [["" if pd.isna(cell) else str(cell).strip() for cell in row] for row in frame.itertuples(index=False)]
