"""Weight tables and 鉴定要素细目表 read from and written to Excel. Every problem names its Excel row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from qbank.standards.models import LEVEL_NAMES, Subject
from qbank.standards.tables import PointDraft, RangeDraft, table_findings
from qbank.standards.weights import ABSENT, WHOLE, read_weight

MOST_ROWS = 20_000
LEVEL_WORDS = {"五级": 5, "四级": 4, "三级": 3, "二级": 2, "一级": 1, "初级": 5, "中级": 4, "高级技师": 1, "高级": 3, "技师": 2}
TOTALS = {"合计", "总计", "小计", "合计(%)", "合计（%）"}
GENERAL, SPECIAL = "基本要求", "相关知识要求"  # the two first-level ranges of a theory table
GENERAL_ROWS = {"职业道德", "基础知识"}
LEVELS_IN_PRINT = (5, 4, 3, 2, 1)
Cells = list[str]


@dataclass
class Column:
    """One level as read: what would be written, and what stands against it."""

    ranges: list[RangeDraft] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """One workbook as read. ``problems`` concern all levels."""

    columns: dict[int, Column] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass
class _Row:
    number: int  # as Excel counts
    group: str
    name: str
    weights: dict[int, int]


def sheets(content: bytes) -> dict[str, list[Cells]]:
    """Every worksheet as rows of text. Refuses what is no workbook, and one that is too long."""
    unreadable = Refused("broken_workbook", "这个 Excel 文件已损坏或受密码保护，无法读取。请在 Excel 或 WPS 中打开，另存为新的 .xlsx 后再上传。")
    found = {name: [[" ".join(str(cell).split()) for cell in row] for row in frame.itertuples(index=False)]
             for name, frame in frames(content, unreadable, na_filter=False).items()}
    if any(len(rows) > MOST_ROWS for rows in found.values()):
        raise Refused("too_many_rows", f"工作表超过 {MOST_ROWS} 行，不像是一张权重表。请删除多余的行后再上传。")
    if not any(any(any(row) for row in rows) for rows in found.values()):
        raise Refused("empty_workbook", "工作簿里没有内容。请下载模板，按模板填写后再上传。")
    return found


def read_weights(content: bytes, subject: Subject) -> Reading:
    """A weight table: rows are functions, columns are levels 五级…一级, a dash where a function is absent."""
    rows, head, levels = _find_head(sheets(content), subject)
    reading = Reading({level: Column() for level in levels.values()})
    if len(reading.columns) < len(levels):
        reading.problems.append(f"第 {head + 1} 行：同一等级出现了两列，请保留一列。")
    found = [row for row in _weight_rows(rows, head, levels, subject, reading) if row]
    if not found:
        reading.problems.append("表头下面没有一行比重，请按模板填写。")
    for level, column in reading.columns.items():
        present = [row for row in found if level in row.weights]
        column.ranges = _flat(found, level) if subject is Subject.SKILL else _theory(present, level)
        if not column.problems and present:
            column.problems = [finding.sentence for finding in table_findings(level, subject, column.ranges)]
    reading.columns = {level: column for level, column in reading.columns.items() if column.ranges or column.problems}
    return reading


def _find_head(found: dict[str, list[Cells]], subject: Subject) -> tuple[list[Cells], int, dict[int, int]]:
    """The sheet of ``subject``, its heading row and ``{column: level}``."""
    word = subject.chinese[:2]
    named = [rows for name, rows in found.items() if word in name] or list(found.values())
    for rows in named:
        for number, row in enumerate(rows[:30]):
            levels = {column: level for column, cell in enumerate(row) if (level := level_of(cell))}
            if levels and min(levels) > 0:
                return rows, number, levels
    if any("鉴定点" in cell for rows in found.values() for row in rows[:30] for cell in row):
        raise Refused("points_as_weights", "这个文件像是鉴定要素细目表，请在“导入哪一种表”中选择“鉴定要素细目表”，再选择等级。")
    raise Refused("no_level_columns", "没有找到表头。表头行应是：职业功能（或项目）、五级/初级工、四级/中级工、三级/高级工、二级/技师、一级/高级技师"
                                      "（没有的等级可以省去）。请下载模板对照。")


def level_of(cell: str) -> int | None:
    """``"三级/高级工(%)"`` → 3; None when the cell heads no level."""
    text = re.sub(r"\s", "", cell)
    if len(text) > 16:
        return None
    return next((level for word, level in LEVEL_WORDS.items() if text.startswith(word)), None)


def _weight_rows(rows: list[Cells], head: int, levels: dict[int, int], subject: Subject,
                 reading: Reading) -> Iterator[_Row | None]:
    group = ""
    numbering = next((c for c, cell in enumerate(rows[head]) if cell in {"序号", "编号"}), -1)
    for number, cells in enumerate(rows[head + 1:], start=head + 2):
        names = [cell for column, cell in enumerate(cells[:min(levels)]) if cell and column != numbering]
        values = {column: cells[column] for column in levels}
        if not names and not any(values.values()):
            continue
        if names and (names[0].replace(" ", "") in TOTALS or names[0].startswith(("注", "说明"))):
            continue
        if not names:
            reading.problems.append(f"第 {number} 行：有比重但没有名称，请补上职业功能或鉴定范围的名称。")
            continue
        name = names[-1]
        if len(names) > 1:
            group = names[0]
        elif subject is Subject.THEORY and min(levels) == 1:
            group = GENERAL if name in GENERAL_ROWS else SPECIAL
        if subject is Subject.THEORY and name in {GENERAL, SPECIAL}:
            group = name
            continue  # a subtotal or heading row: parents weigh what their rows sum to
        yield _Row(number, group or (GENERAL if name in GENERAL_ROWS else SPECIAL), name,
                   _weights(number, name, values, levels, reading))


def _weights(number: int, name: str, values: dict[int, str], levels: dict[int, int], reading: Reading) -> dict[int, int]:
    weights = {}
    for column, text in values.items():
        level = levels[column]
        try:
            weight = read_weight(text)
        except ValueError as error:
            reading.columns[level].problems.append(f"第 {number} 行“{name}”，{LEVEL_NAMES[level]}：{error}")
            continue
        if weight is not None:
            weights[level] = weight
    if all(text in ABSENT for text in values.values()):
        reading.problems.append(f"第 {number} 行“{name}”：没有任何等级的比重，请填写，或删除这一行。")
    return weights


def _flat(rows: Sequence[_Row], level: int) -> list[RangeDraft]:
    return [RangeDraft((f"{place:02d}",), row.name, row.weights[level])
            for place, row in enumerate(rows, start=1) if level in row.weights]


def _theory(rows: Sequence[_Row], level: int) -> list[RangeDraft]:
    ranges = []
    for place, group in enumerate(dict.fromkeys(row.group for row in rows)):
        below = [row for row in rows if row.group == group]
        ranges.append(RangeDraft((letter(place),), group, sum(row.weights[level] for row in below)))
        ranges += [RangeDraft((letter(place), letter(n)), row.name, row.weights[level]) for n, row in enumerate(below)]
    return ranges


def letter(place: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    return (letter(place // 26 - 1) if place >= 26 else "") + chr(65 + place % 26)


def keep_codes(drafts: Sequence[RangeDraft], held: Sequence[RangeDraft]) -> list[RangeDraft]:
    """Flat ``drafts`` with the codes that ranges of the same name already have; the others get free codes."""
    codes = {draft.name: draft.segments for draft in held}
    taken = set(codes.values())
    kept = []
    for draft in drafts:
        segments = codes.get(draft.name) or draft.segments
        if draft.name not in codes and segments in taken:
            segments = (f"{max((int(code[0]) for code in taken if code[0].isdecimal()), default=0) + 1:02d}",)
        taken.add(segments)
        kept.append(RangeDraft(segments, draft.name, draft.weight, draft.points))
    return kept


# Writing

def comparison(title: str, rows: Sequence[tuple[int, str, dict[int, int]]], levels: Sequence[int], *,
               notes: Sequence[str] = ()) -> bytes:
    """Levels side by side: ``rows`` are (depth, name, {level: half-percent}); first-level rows make the sums."""
    columns = [("职业功能 / 鉴定范围", 36), *((LEVEL_NAMES[level], 14) for level in levels)]
    lines = [[("　" * (depth - 1)) + name, *(_number(weights.get(level)) for level in levels)] for depth, name, weights in rows]
    sums = [_number(sum(weights.get(level, 0) for depth, _, weights in rows if depth == 1)) for level in levels]
    return workbook([Table("权重对比", columns, [*lines, ["合计", *sums]], title, notes)])


def _number(weight: int | None) -> int | float | str:
    if weight is None:
        return "-"
    return weight / 2 if weight % 2 else weight // 2


POINT_COLUMNS = [(f"{level}级范围{what}", width) for level in "一二三" for what, width in (("代码", 10), ("名称", 24), ("比重", 8))]
POINT_COLUMNS += [("鉴定点代码", 10), ("鉴定点名称", 40), ("重要程度", 8)]


def points_sheet(title: str, ranges: Sequence[RangeDraft], notes: Sequence[str] = ()) -> bytes:
    """A 鉴定要素细目表 as the importer reads it; repeated ranges are left blank as merged cells would be."""
    return workbook([Table("鉴定要素细目表", POINT_COLUMNS, _point_lines(ranges), title, notes)])


def _point_lines(ranges: Sequence[RangeDraft]) -> Iterator[list[int | float | str]]:
    known = {draft.segments: draft for draft in ranges}
    parents = {draft.segments[:-1] for draft in ranges}
    written: set[tuple[str, ...]] = set()
    for draft in ranges:
        if draft.segments in parents:
            continue
        if len(draft.segments) > 3:
            raise Refused("too_deep", "这张表的范围多于三级，Excel 模板只有三级。请用打印页，或联系系统管理员。")
        for point in draft.points or (None,):
            line: list[int | float | str] = []
            for depth in (1, 2, 3):
                segments = draft.segments[:depth]
                fresh = len(segments) == depth and segments not in written
                line += [segments[-1], known[segments].name, _number(known[segments].weight)] if fresh else ["", "", ""]
                written.add(segments)
            yield line + ([point.segment, point.name, point.importance] if point else ["", "", ""])


EXAMPLE = [
    RangeDraft(("A",), GENERAL, 72), RangeDraft(("A", "A"), "职业道德", 10),
    RangeDraft(("A", "A", "A"), "职业道德基本知识", 6, (PointDraft("001", "职业道德的含义", "X"), PointDraft("002", "职业道德的作用", "Y"))),
    RangeDraft(("A", "A", "B"), "职业守则", 4, (PointDraft("001", "遵守操作规程", "X"),)),
    RangeDraft(("A", "B"), "基础知识", 62, (PointDraft("001", "安全用具的使用", "X"),)),
    RangeDraft(("B",), SPECIAL, WHOLE - 72), RangeDraft(("B", "A"), "第一项职业功能", WHOLE - 72, (PointDraft("001", "示例鉴定点", "Z"),)),
]


def template(kind: str) -> bytes:
    """The blank to fill: ``skill``, ``theory`` or ``points``. Its rows are an example to write over."""
    if kind == "points":
        notes = ["代码请按文本填写（001 不要变成 1）；与上一行相同的范围可以留空。示例行请删除。"]
        return points_sheet("鉴定要素细目表（模板）", EXAMPLE, notes)
    columns = [*([("项目", 16)] if kind == "theory" else []), ("职业功能" if kind == "skill" else "内容", 30),
               *((LEVEL_NAMES[level], 14) for level in LEVELS_IN_PRINT)]
    skill: list[list[int | str]] = [["示例：第一项职业功能", 60, 50, 40, 30, 30], ["示例：第二项职业功能", 40, 50, 60, 50, 40],
                                    ["示例：培训指导", "-", "-", "-", 20, 30]]
    theory: list[list[int | str]] = [[GENERAL, "职业道德", 5, 5, 5, 5, 5], ["", "基础知识", 25, 20, 15, 10, 10],
                                     [SPECIAL, "示例：第一项职业功能", 70, 75, 80, 65, 55],
                                     ["", "示例：培训指导", "-", "-", "-", 20, 30]]
    name = "技能要求权重表" if kind == "skill" else "理论知识权重表"
    notes = ["每一列合计应为 100；该等级没有的项目填“-”；没有的等级可以删去整列。示例行请改成标准原文。"]
    return workbook([Table(name, columns, skill if kind == "skill" else theory, f"{name}（模板）", notes)])
