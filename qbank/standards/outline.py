"""Reading a 鉴定要素细目表 from worksheet rows: blanks are filled down, codes stay segments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from qbank.standards.tables import PointDraft, RangeDraft
from qbank.standards.weights import read_weight, shown

DEPTHS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}
PARTS = {"代码": "code", "编码": "code", "名称": "name", "比重": "weight"}
Cells = Sequence[str]


@dataclass
class Outline:
    """What was read: ranges with their points in the order of the sheet, and one sentence for each bad row."""

    ranges: list[RangeDraft] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class _Range:
    name: str
    weight: int
    row: int
    points: list[PointDraft] = field(default_factory=list)


def find_head(rows: Sequence[Cells]) -> tuple[int, dict[tuple[int, str], int]] | None:
    """The heading row and ``{(depth, part): column}``; depth 0 is the point. None when there is none."""
    for number, row in enumerate(rows[:30]):
        columns: dict[tuple[int, str], int] = {}
        for column, cell in enumerate(row):
            if key := _heading(cell):
                columns.setdefault(key, column)
        if {(1, "code"), (1, "name"), (1, "weight"), (0, "code"), (0, "name"), (0, "importance")} <= columns.keys():
            return number, columns
    return None


def _heading(cell: str) -> tuple[int, str] | None:
    text = re.sub(r"[\s()（）%％]", "", cell)
    if "重要程度" in text:
        return 0, "importance"
    part = next((part for word, part in PARTS.items() if word in text), None)
    if part is None:
        return None
    if "点" in text and "范围" not in text:
        return (0, part) if part != "weight" else None
    depth = next((depth for word, depth in DEPTHS.items() if f"{word}级" in text), None)
    return (depth, part) if depth else None


def read_outline(rows: Sequence[Cells], head: int, columns: dict[tuple[int, str], int]) -> Outline:
    """All rows below the heading row ``head``."""
    reader = _Reader(columns, _code_width(rows[head + 1:], columns[0, "code"]))
    for number, cells in enumerate(rows[head + 1:], start=head + 2):
        if not any(cells) or cells[0].startswith(("合计", "注", "说明")):
            continue
        try:
            reader.enter(number, cells)
            reader.point(cells)
        except ValueError as error:
            reader.problems.append(f"第 {number} 行：{error}")
    if not reader.ranges and not reader.problems:
        reader.problems.append("表头下面没有内容，请按模板填写。")
    ranges = [RangeDraft(segments, found.name, found.weight, tuple(found.points))
              for segments, found in reader.ranges.items()]
    return Outline(ranges, reader.problems)


class _Reader:
    """Walks down the sheet; ``current`` is the range that the row stands in. Raises ValueError with a sentence."""

    def __init__(self, columns: dict[tuple[int, str], int], width: int) -> None:
        self.columns = columns
        self.width = width
        self.deepest = max(depth for depth, _ in columns)
        self.ranges: dict[tuple[str, ...], _Range] = {}
        self.current: tuple[str, ...] = ()
        self.problems: list[str] = []

    def enter(self, number: int, cells: Cells) -> None:
        """Go to the range of this row: what is blank is as in the row above."""
        for depth in range(1, self.deepest + 1):
            code, name, weight = (_cell(cells, self.columns.get((depth, part))) for part in ("code", "name", "weight"))
            if not (code or name or weight):
                continue
            if len(self.current) < depth - 1:
                raise ValueError(f"填了第 {depth} 级范围，但上面没有第 {depth - 1} 级范围，请先填上一级。")
            if not code:
                raise ValueError(f"第 {depth} 级范围“{name or weight}”缺少代码，请补上（如 A）。")
            segments = (*self.current[:depth - 1], code)
            if self.current[:depth] != segments:
                self.current = segments
            if segments in self.ranges:
                self._compare(segments, name, weight)
            else:
                self._start(number, segments, name, weight)

    def _start(self, number: int, segments: tuple[str, ...], name: str, weight: str) -> None:
        self.ranges[segments] = _Range(name, 0, number)  # even a bad one: its points below are not strays
        if not name:
            raise ValueError(f"范围 {shown(segments)} 缺少名称，请补上。")
        self.ranges[segments].weight = _weight(name, weight)

    def _compare(self, segments: tuple[str, ...], name: str, weight: str) -> None:
        found = self.ranges[segments]
        if name and name != found.name:
            raise ValueError(f"范围 {shown(segments)} 在第 {found.row} 行叫“{found.name}”，这里叫“{name}”，请改成一致。")
        if weight and _weight(name, weight) != found.weight:
            raise ValueError(f"范围 {shown(segments)} 的比重与第 {found.row} 行不同，请改成一致。")

    def point(self, cells: Cells) -> None:
        code, name, importance = (_cell(cells, self.columns[0, part]) for part in ("code", "name", "importance"))
        if not (code or name or importance):
            return
        if self.current not in self.ranges:
            raise ValueError(f"鉴定点“{name or code}”上面没有范围，请先填一级范围的代码、名称和比重。")
        missing = [what for what, text in (("代码", code), ("名称", name), ("重要程度", importance)) if not text]
        if missing:
            raise ValueError(f"鉴定点“{name or code}”缺少{'、'.join(missing)}，请补上。")
        if importance.upper() not in {"X", "Y", "Z"}:
            raise ValueError(f"鉴定点“{name}”的重要程度应为 X、Y 或 Z，现在是“{importance}”。")
        segment = code.zfill(self.width) if code.isdecimal() else code
        points = self.ranges[self.current].points
        if any(point.segment == segment for point in points):
            raise ValueError(f"范围 {shown(self.current)} 里已有代码为 {segment} 的鉴定点，请改其中一个。")
        points.append(PointDraft(segment, name, importance.upper()))


def _weight(name: str, text: str) -> int:
    weight = read_weight(re.sub(r"[(（].*", "", text))  # "15% (116:28:05)" carries the counts behind the weight
    if weight is None:
        raise ValueError(f"范围“{name}”缺少比重，请补上。")
    return weight


def _code_width(rows: Sequence[Cells], column: int) -> int:
    """How many digits point codes have: Excel drops leading zeros of codes typed as numbers, and they are put back."""
    padded = [len(code) for cells in rows if (code := _cell(cells, column)).isdecimal() and code.startswith("0")]
    return max(padded, default=3)


def _cell(cells: Cells, column: int | None) -> str:
    return "" if column is None or column >= len(cells) else cells[column].strip()
