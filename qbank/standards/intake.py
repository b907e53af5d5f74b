"""Rules of the Excel intake: what a workbook would change in a standard, shown first, then written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES, Standard, Subject, WeightTable
from qbank.standards.outline import find_head, read_outline
from qbank.standards.tables import PointDraft, RangeDraft, drafts_of, load_tree, set_table, table_findings
from qbank.standards.weights import WHOLE, Counts
from qbank.standards.workbooks import Column, Reading, keep_codes, read_weights, sheets


@dataclass
class Preview:
    """What one level of a workbook would do."""

    level: int
    ranges: list[RangeDraft]
    problems: list[str]
    table: WeightTable | None  # null: the level has no such table yet
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    reweighed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(draft.weight for draft in self.ranges if len(draft.segments) == 1)

    @property
    def whole(self) -> bool:
        return self.total == WHOLE

    @property
    def counts(self) -> Counts:
        return Counts.of(point.importance for draft in self.ranges for point in draft.points)


def read_points(content: bytes, level: int) -> Reading:
    """A 鉴定要素细目表 of one level."""
    for rows in sheets(content).values():
        if found := find_head(rows):
            outline = read_outline(rows, *found)
            problems = outline.problems or [f.sentence for f in table_findings(level, Subject.THEORY, outline.ranges)]
            return Reading({level: Column(outline.ranges, problems)})
    raise Refused("no_point_columns", "没有找到细目表的表头。表头行应有：一级范围代码、一级范围名称、一级范围比重（二级、三级同样）、"
                                      "鉴定点代码、鉴定点名称、重要程度。请下载模板对照。")


def look(session: Session, standard: Standard, content: bytes, kind: str, level: int | None = None) -> tuple[list[Preview], list[str]]:
    """Read a workbook of ``kind`` (skill, theory, points): one preview per level, and the problems of all levels."""
    if kind == "points":
        if level not in LEVEL_NAMES:
            raise Refused("level", "请选择这张细目表是哪个等级的。")
        reading, subject = read_points(content, level), Subject.THEORY
    else:
        subject = Subject(kind)
        reading = read_weights(content, subject)
    return [_preview(session, standard, subject, number, column, kind) for number, column in reading.columns.items()], reading.problems


def _preview(session: Session, standard: Standard, subject: Subject, level: int, column: Column, kind: str) -> Preview:
    table = session.scalar(sa.select(WeightTable).where(WeightTable.standard_id == standard.id, WeightTable.level == level,
                                                        WeightTable.subject == subject))
    preview = Preview(level, column.ranges, column.problems, table)
    if table is None:
        return preview
    load_tree(session, table)
    held = drafts_of(table)
    if kind == "theory" and any(draft.points or len(draft.segments) > 2 for draft in held):
        preview.problems.append("这个等级已有鉴定要素细目表。请在“修改比重”页逐项修改，或导入新的细目表。")
    if subject is Subject.SKILL:
        preview.ranges = keep_codes(preview.ranges, held)
    _compare(preview, held)
    return preview


def _compare(preview: Preview, held: Sequence[RangeDraft]) -> None:
    before, after = _lines(held), _lines(preview.ranges)
    preview.added = [after[key][0] for key in after.keys() - before.keys()]
    preview.removed = [before[key][0] for key in before.keys() - after.keys()]
    preview.reweighed = [after[key][0] for key in after.keys() & before.keys() if after[key] != before[key]]


def _lines(drafts: Sequence[RangeDraft]) -> dict[tuple[str, ...], tuple[str, int | str]]:
    lines: dict[tuple[str, ...], tuple[str, int | str]] = {}
    for draft in drafts:
        lines[draft.segments] = (draft.name, draft.weight)
        lines |= {(*draft.segments, "", point.segment): (point.name, point.importance) for point in draft.points}
    return lines


def write(session: Session, standard: Standard, subject: Subject, columns: Mapping[int, Sequence[RangeDraft]], who: Viewer,
          *, is_sample: bool, source: str) -> list[WeightTable]:
    """Write the levels that were chosen, all or none."""
    if not columns:
        raise Refused("nothing_chosen", "没有选择要写入的等级，请至少选择一个合计为 100 的等级。")
    if not is_sample and not source.strip():
        raise Refused("no_source", "请填写来源（标准名称、页码），或勾选“示例”。")
    return [set_table(session, standard, level, subject, ranges, who, is_sample=is_sample, source=source)
            for level, ranges in columns.items()]


def pack(ranges: Sequence[RangeDraft]) -> list[Any]:
    """Drafts as plain values, to be carried by a page."""
    return [asdict(draft) for draft in ranges]


def unpack(values: Sequence[Any]) -> list[RangeDraft]:
    return [RangeDraft(tuple(value["segments"]), value["name"], value["weight"],
                       tuple(PointDraft(**point) for point in value["points"])) for value in values]
