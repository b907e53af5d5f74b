"""The workbooks that go out: the template to fill in, and the rows that could not be imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qbank.exchange.rows import EXAMPLE
from qbank.exchange.sheets import COLUMNS, OPTION_COLUMNS
from qbank.items.models import ImportRow
from qbank.kernel.export import Table
from qbank.standards.models import Point, WeightTable

WIDTHS = {"题干": 60, "解析": 40, "出处": 30, "鉴定范围": 12} | dict.fromkeys(OPTION_COLUMNS, 20)
NOTES = (
    ("鉴定范围", "必填", "细目表中最末一级范围的编码，各级用 - 连接，例如 B-A-C；也可以写编码加名称。见“鉴定点一览”。"),
    ("鉴定点", "必填", "范围内的三位编号，例如 001（写成 1 也可以）。"),
    ("题型", "必填", "单选题、多选题 或 判断题。"),
    ("题干", "必填", "不超过 2000 字。"),
    ("选项A～选项J", "选择题必填", "2～10 个，依次填写，中间不能空；判断题留空。“以上都对”一类选项在考试打乱顺序时始终排在最后。"),
    ("答案", "必填", "单选题填一个字母，多选题填全部字母（如 ACD），判断题填 对 或 错（也可用 正确/错误、√/×）。"),
    ("难度", "必填", "1～5，或 易、较易、中、较难、难。"),
    ("解析", "可空", "说明为什么是这个答案。"),
    ("出处", "可空", "答案的依据，例如标准号、教材页码。"),
    ("注意", "", "表头须在前 10 行内，列的先后不限；可以有多个工作表；不要合并单元格；数字、分数选项（如 1/2）请设为文本格式。"),
    ("注意", "", "同一道题在文件内重复或题库中已有的，会自动跳过；同一个文件导入两次不会重复入库。"),
)


def template(table: WeightTable | None, points: Sequence[Point]) -> list[Table]:
    """The workbook to fill in, with examples, notes and, for a certain table, all codes of its points."""
    first = points[0] if points else None
    place = [first.range.path, first.segment] if first else ["A-B-C", "001"]
    examples: list[list[Any]] = [
        [*place, "单选题", "在额定电压 220 V 下，一只 40 Ω 的电阻通过的电流是（　　）。", "4.5 A", "5.5 A", "6.5 A", "7.5 A",
         *[None] * 6, "B", 2, "I = U / R = 220 / 40 = 5.5 A。", EXAMPLE],
        [*place, "多选题", "下列属于绝缘材料的有（　　）。", "橡胶", "陶瓷", "铝", "云母", *[None] * 6, "ABD", "中",
         "铝是导体。", EXAMPLE],
        [*place, "判断题", "停电检修时，验电前应先在有电设备上确认验电器完好。", *[None] * 10, "对", "易", None, EXAMPLE],
    ]
    sheets = [Table("题目", _columns(COLUMNS), examples),
              Table("填写说明", [("列", 14), ("是否必填", 12), ("怎样填写", 90)], NOTES)]
    if table is not None:
        codes = [[point.range.path, point.range.name, point.segment, point.name, point.importance.value]
                 for point in points]
        sheets.append(Table("鉴定点一览", [("鉴定范围", 12), ("范围名称", 30), ("鉴定点", 8), ("鉴定点名称", 40), ("重要程度", 9)],
                            codes, title=table.label))
    return sheets


def error_table(wrong: Sequence[ImportRow]) -> Table:
    """The rows that could not be imported, as they were, with what is wrong; mended, the file can be imported again."""
    used = {title for row in wrong for title in row.cells}
    own = [title for title in used if title not in COLUMNS]
    titles = [*(title for title in COLUMNS if title in used), *sorted(own)]
    body = [["\n".join(row.errors), row.sheet_name, row.row_number, *(row.cells.get(title) for title in titles)]
            for row in wrong]
    return Table("有错误的行", [("错误", 50), ("原工作表", 12), ("原行号", 8), *_columns(titles)], body)


def _columns(titles: Sequence[str]) -> list[tuple[str, int]]:
    return [(title, WIDTHS.get(title, 9)) for title in titles]
