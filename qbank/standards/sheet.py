"""A table as it is looked at: counts climbing the tree, and the printed 鉴定要素细目表 with its merged cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from qbank.standards.models import Point, Range, Standard, Subject, WeightTable
from qbank.standards.tables import in_order, load_tree, points_in_order, segments_of
from qbank.standards.weights import Counts, quantity_warnings, share_warnings


@dataclass
class Line:
    """One range on the table's page."""

    range: Range
    depth: int
    counts: Counts
    points: Sequence[Point]

    @property
    def is_leaf(self) -> bool:
        return not self.range.children


@dataclass
class Cell:
    """A range in the printed table, over so many rows; no range: the leaf ended at a higher level."""

    line: Line | None
    rows: int


@dataclass
class PrintRow:
    """One printed row: a cell for each column that begins here (None: merged with the row above), and its point."""

    cells: list[Cell | None]
    point: Point | None


def lines_of(session: Session, table: WeightTable) -> list[Line]:
    """The ranges in the order of print, each with the counts of all points below it."""
    lines = [Line(found, len(segments_of(found)), Counts.of(p.importance.value for p in found.points), points_in_order(found))
             for found in load_tree(session, table)]
    by_id = {line.range.id: line for line in lines}
    for line in reversed(lines):
        if line.range.parent_id is not None:
            by_id[line.range.parent_id].counts += line.counts
    return lines


def total_of(lines: Sequence[Line]) -> Counts:
    return sum((line.counts for line in lines if line.depth == 1), Counts())


def warnings_of(table: WeightTable, lines: Sequence[Line]) -> list[str]:
    """What a reader of a theory table should know; never a reason to refuse it."""
    if table.subject is not Subject.THEORY:
        return []
    leaves = [(line.range.name, line.range.weight, len(line.points)) for line in lines if line.is_leaf]
    return quantity_warnings(leaves) + share_warnings(total_of(lines))


def print_rows(lines: Sequence[Line]) -> Iterator[PrintRow]:
    """The printed table: ranges of every level left to right, then the point."""
    deepest = max((line.depth for line in lines), default=1)
    heights = _heights(lines)
    waiting: list[Line] = []
    for line in lines:
        waiting = [*waiting, line]
        if not line.is_leaf:
            continue
        cells: list[Cell | None] = [None] * deepest
        for begun in waiting:
            cells[begun.depth - 1] = Cell(begun, heights[begun.range.id])
        for depth in range(line.depth, deepest):
            cells[depth] = Cell(None, heights[line.range.id])
        waiting = []
        for point in line.points or (None,):
            yield PrintRow(cells, point)
            cells = [None] * deepest


def _heights(lines: Sequence[Line]) -> dict[int, int]:
    heights = {line.range.id: max(len(line.points), 1) if line.is_leaf else 0 for line in lines}
    for line in reversed(lines):
        if line.range.parent_id is not None:
            heights[line.range.parent_id] += heights[line.range.id]
    return heights


@dataclass
class Abreast:
    """The levels of one subject of a standard side by side: rows are ranges matched by name and place."""

    tables: dict[int, WeightTable]
    rows: list[tuple[int, str, dict[int, int]]]  # depth, name, {level: half-percent}

    @property
    def levels(self) -> list[int]:
        return sorted(self.tables, reverse=True)

    @property
    def sums(self) -> dict[int, int]:
        return {level: sum(weights.get(level, 0) for depth, _, weights in self.rows if depth == 1) for level in self.tables}


def abreast(session: Session, standard: Standard, subject: Subject) -> Abreast:
    """All tables of ``subject``; a range is the same in two levels when the names down to it are the same."""
    tables = {table.level: table for table in standard.tables if table.subject is subject}
    found: dict[tuple[str, ...], dict[int, int]] = {}
    for level in sorted(tables, reverse=True):
        load_tree(session, tables[level])
        nodes = [(_names(node), node.weight) for node in in_order(tables[level].ranges)]
        for place, (names, weight) in enumerate(nodes):
            if names not in found:
                later = next((n for n, _ in nodes[place + 1:] if n in found and n[:-1] == names[:-1]), None)
                found = _insert(found, names, later)
            found[names][level] = weight
    return Abreast(tables, [(len(names), names[-1], weights) for names, weights in found.items()])


def _insert(rows: dict[tuple[str, ...], dict[int, int]], names: tuple[str, ...],
            later: tuple[str, ...] | None) -> dict[tuple[str, ...], dict[int, int]]:
    """A new row before the sibling that follows it in its own level, or as the last child of its parent."""
    keys = list(rows)
    kin = names[:-1]
    family = [place for place, key in enumerate(keys) if key[:len(kin)] == kin]
    place = keys.index(later) if later else family[-1] + 1 if family else len(keys)
    keys.insert(place, names)
    return {key: rows.get(key, {}) for key in keys}


def _names(node: Range) -> tuple[str, ...]:
    return (*(_names(node.parent) if node.parent else ()), node.name)
