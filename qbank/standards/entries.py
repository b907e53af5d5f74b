"""What was typed into the forms of tables: kept as typed, with the problem of each row and column beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES, Subject
from qbank.standards.sheet import Abreast, Line
from qbank.standards.tables import PointDraft, RangeDraft, point_findings, table_findings
from qbank.standards.weights import percent, read_weight
from qbank.standards.workbooks import keep_codes

LEVELS = (5, 4, 3, 2, 1)
Typed = MultiDict[str, str]


@dataclass
class TreeRow:
    """One row of the tree form. ``depth`` and the rows above say where it hangs; codes are never parsed."""

    depth: int
    segment: str
    name: str
    weight: str
    points: int = 0
    fixed: bool = False  # the range exists: its code stays
    problems: list[str] = field(default_factory=list)


@dataclass
class TreeEntry:
    """The tree form: rows as typed, drafts where they could be read, problems of the whole."""

    rows: list[TreeRow]
    drafts: list[RangeDraft] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return bool(self.problems or any(row.problems for row in self.rows))


def tree_of(lines: Sequence[Line]) -> list[TreeRow]:
    return [TreeRow(line.depth, line.range.segment, line.range.name, percent(line.range.weight), len(line.points), True)
            for line in lines]


def read_tree(form: Typed, held: Sequence[RangeDraft], level: int) -> TreeEntry:
    """The tree as typed; ranges that stay keep their points. A row without name and weight is no row."""
    by_segments = {draft.segments: draft for draft in held}
    entry = TreeEntry([])
    path: list[str] = []
    for depth, segment, name, weight in zip(*(form.getlist(key) for key in ("depth", "segment", "name", "weight")), strict=False):
        if not name.strip() and not weight.strip():
            continue
        row = TreeRow(int(depth) if depth in {"1", "2", "3", "4", "5", "6"} else 1, segment.strip(), name.strip(), weight.strip())
        entry.rows.append(row)
        if row.depth > len(path) + 1:
            row.problems.append(f"这一行是第 {row.depth} 级，但上面没有第 {row.depth - 1} 级范围。请把级别改小，或先填上一级。")
            continue
        path = [*path[:row.depth - 1], row.segment]
        before = by_segments.get(tuple(path))
        row.points, row.fixed = (len(before.points), True) if before else (0, False)
        entry.drafts.append(RangeDraft(tuple(path), row.name, _typed_weight(row), before.points if before else ()))
    _place_findings(entry, level)
    return entry


def _typed_weight(row: TreeRow) -> int:
    try:
        weight = read_weight(row.weight)
        if weight is None:
            row.problems.append("请填写比重；这个等级没有的范围请删除整行。")
    except ValueError as error:
        row.problems.append(str(error))
        weight = None
    return weight or 0


def _place_findings(entry: TreeEntry, level: int) -> None:
    """Findings go to the row they are about, the sum of the whole to the foot of the column."""
    if entry.refused:
        return  # sums over unreadable rows would only confuse
    rows = dict(zip((draft.segments for draft in entry.drafts), entry.rows, strict=True))
    for finding in table_findings(level, Subject.THEORY, entry.drafts):
        if finding.segments in rows:
            rows[finding.segments].problems.append(finding.sentence)
        else:
            entry.problems.append(finding.sentence)


@dataclass
class PointRow:
    """One point as typed."""

    draft: PointDraft
    fixed: bool = False  # the point exists: its code stays
    remove: bool = False
    problems: list[str] = field(default_factory=list)


def read_points(form: Typed, place: str, held: Collection[str]) -> list[PointRow]:
    """The points as typed. A new row without a name is no row; an old one whose name was cleared is a mistake."""
    removed = set(form.getlist("remove"))
    rows = []
    for segment, name, importance in zip(*(form.getlist(key) for key in ("segment", "name", "importance")), strict=False):
        draft = PointDraft(segment.strip(), " ".join(name.split()), importance)
        row = PointRow(draft, draft.segment in held, draft.segment in removed & set(held))
        if row.fixed or draft.name:
            row.problems = [] if row.remove else [f.sentence for f in point_findings(place, [draft])]
            rows.append(row)
    return rows


def blank_points(taken: Collection[str], how_many: int = 5) -> list[PointRow]:
    """Empty rows with the next free codes, for adding."""
    width = max((len(segment) for segment in taken if segment.isdecimal()), default=3)
    last = max((int(segment) for segment in taken if segment.isdecimal()), default=0)
    return [PointRow(PointDraft(f"{last + n:0{width}d}", "", "X")) for n in range(1, how_many + 1)]


@dataclass
class GridRow:
    """One 职业功能 over all levels, as typed. ``was``: its name before."""

    was: str
    name: str
    weights: dict[int, str]


@dataclass
class Grid:
    """The skill tables of a standard side by side, as typed; problems stand at their column."""

    rows: list[GridRow]
    samples: set[int] = field(default_factory=set)
    sources: dict[int, str] = field(default_factory=dict)
    problems: dict[int, list[str]] = field(default_factory=dict)
    drafts: dict[int, list[RangeDraft]] = field(default_factory=dict)


def grid_of(found: Abreast) -> Grid:
    rows = [GridRow(name, name, {level: percent(weights[level]) if level in weights else "-" if level in found.tables else ""
                                 for level in LEVELS}) for _, name, weights in found.rows]
    return Grid(rows, {level for level, table in found.tables.items() if table.is_sample},
                {level: table.source for level, table in found.tables.items()})


def read_grid(form: Typed, held: Mapping[int, Sequence[RangeDraft]]) -> Grid:
    """The grid as typed. A level whose column is empty and that has no table stays without one."""
    columns = {level: form.getlist(f"weight-{level}") for level in LEVELS}
    rows = [GridRow(was, " ".join(name.split()), {level: cells[place].strip() if place < len(cells) else ""
                                                  for level, cells in columns.items()})
            for place, (was, name) in enumerate(zip(form.getlist("was"), form.getlist("name"), strict=False))]
    rows = [row for row in rows if row.name or any(text not in {"", "-"} for text in row.weights.values())]
    grid = Grid(rows, {level for level in LEVELS if str(level) in form.getlist("sample")},
                {level: form.get(f"source-{level}", "").strip() for level in LEVELS})
    for level in LEVELS:
        _read_column(grid, level, held.get(level, ()))
    return grid


def _read_column(grid: Grid, level: int, held: Sequence[RangeDraft]) -> None:
    problems: list[str] = []
    drafts: list[RangeDraft] = []
    renamed: dict[str, str] = {}
    for place, row in enumerate(grid.rows, start=1):
        try:
            weight = read_weight(row.weights[level])
        except ValueError as error:
            problems.append(f"“{row.name}”：{error}")
            continue
        if weight is not None:
            if any(draft.name == row.name for draft in drafts):
                problems.append(f"“{row.name or '（未填名称）'}”出现了两次，请合并成一行。")
            drafts.append(RangeDraft((f"{place:02d}",), row.name, weight))
            renamed[row.was] = row.name
    if not drafts and not problems and not held:
        return
    if not drafts and not problems:
        problems.append("这一列已有权重表，不能整列清空。不再需要这个等级时，请打开该等级的权重表页面删除。")
    if drafts and not grid.sources[level] and level not in grid.samples:
        problems.append("请填写来源（标准名称、页码），或勾选“示例”。")
    if not problems:
        kept = [RangeDraft(draft.segments, renamed.get(draft.name, draft.name), draft.weight) for draft in held]
        grid.drafts[level] = keep_codes(drafts, kept)
        problems = [finding.sentence for finding in table_findings(level, Subject.SKILL, grid.drafts[level])]
    if problems:
        grid.problems[level] = problems
        grid.drafts.pop(level, None)


def same(drafts: Sequence[RangeDraft], held: Sequence[RangeDraft]) -> bool:
    """Whether a column was left as it is."""
    return sorted(drafts, key=lambda d: d.segments) == sorted(held, key=lambda d: d.segments)


def refuse_columns(grid: Grid) -> None:
    """Refuse the grid naming the first bad column; the others are details."""
    if grid.problems:
        sentences = [sentence for found in grid.problems.values() for sentence in found]
        names = "、".join(LEVEL_NAMES[level] for level in grid.problems)
        raise Refused("weights_not_100", f"{names}有问题，所有等级都没有写入。请按说明改正后再保存。", sentences)
