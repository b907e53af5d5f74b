"""What to write so that a paper becomes possible: an Excel task for the authors, range by range, point by point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.items.models import Item, ItemVersion
from qbank.items.states import STANDING, ItemKind, Purpose
from qbank.kernel.export import Table, workbook
from qbank.papers.models import PaperFamily
from qbank.papers.specification import kind_name
from qbank.standards.models import Point, Range


def task_book(session: Session, family: PaperFamily) -> bytes:
    """A sheet of ranges and kinds with how many items are missing, and one of their points, those with fewest items first."""
    short: list[dict[str, Any]] = family.report.get("explanation", {}).get("short", [])
    specification = family.specification
    names = {found.path: found.name for found in specification.table.ranges}
    note = f"{specification.table.label}，方案“{specification.label}”，{family.forms} 套卷"
    needed = [[row["path"], names.get(row["path"], ""), kind_name(row["kind"]), row["need"], row["have"], row["need"] - row["have"]]
              for row in short]
    total = ["合计", "", "", "", "", sum(row[5] for row in needed)]
    return workbook([
        Table("命题任务", [("范围", 12), ("名称", 32), ("题型", 10), ("需要（道）", 11), ("可用（道）", 11), ("要写（道）", 11)],
              [*needed, total], title="命题任务单", notes=[note]),
        Table("鉴定点", [("鉴定点", 14), ("名称", 40), ("重要程度", 10), ("题型", 10), ("现有（道）", 11), ("建议先写", 10)],
              _points(session, family, short), title="可以命题的鉴定点", notes=["同一范围内，先给没有题或题最少的鉴定点命题。"])])


def _points(session: Session, family: PaperFamily, short: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    table_id, school = family.specification.table_id, family.institution_id
    held: Counter[tuple[int, str]] = Counter()
    query = (sa.select(ItemVersion.point_id, ItemVersion.kind, sa.func.count()).join(ItemVersion.item)
             .where(Item.table_id == table_id, Item.institution_id == school, ItemVersion.state.in_(STANDING),
                    Item.purpose == Purpose.EXAM).group_by(ItemVersion.point_id, ItemVersion.kind))
    for point_id, kind, count in session.execute(query):
        held[point_id, ItemKind(kind).value] = count
    ranges = {found.path: found for found in session.scalars(
        sa.select(Range).where(Range.table_id == table_id, Range.path.in_([row["path"] for row in short]))
        .options(selectinload(Range.points)))}
    rows: list[list[Any]] = []
    for row in short:
        points: list[Point] = sorted(ranges[row["path"]].points, key=lambda point: (held[point.id, row["kind"]], point.importance.value, point.segment))
        for place, point in enumerate(points):
            first = "是" if place < row["need"] - row["have"] else ""
            rows.append([f"{row['path']}-{point.segment}", point.name, point.importance.value, kind_name(row["kind"]),
                         held[point.id, row["kind"]], first])
    return rows
