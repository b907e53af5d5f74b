"""Rubrics (考核评分记录表): built from the skill weight table, split in rows, frozen when a group uses them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Range, Subject, WeightTable
from scoring.practical.joining import spoken_points
from scoring.practical.models import RowKind, Rubric, RubricRow

MOST_ROWS = 200


@dataclass(frozen=True)
class RowDraft:
    """One row as typed: the path of its 职业功能 and its points in half-points, or a ★ row with neither."""

    text: str
    range_path: str = ""
    most: int = 0
    kind: RowKind = RowKind.POINTS


def sections(table: WeightTable) -> list[Range]:
    """The 职业功能 of a skill table that carry weight. A weight in half-percent is the section's half-points."""
    return [one for one in table.ranges if one.parent_id is None and one.weight > 0]


def plain_rows(table: WeightTable) -> list[RowDraft]:
    """One row for each 职业功能 with all its points."""
    return [RowDraft(one.name, one.path, one.weight) for one in sections(table)]


def build_rubric(session: Session, table: WeightTable, institution_id: int, name: str, who: Viewer,
                 rows: Sequence[RowDraft] | None = None) -> Rubric:
    """A rubric for the skill ``table``: with ``rows``, or with one row for each 职业功能."""
    require_duty(session, who, institution_id, Role.EXAM_OFFICER)
    if table.subject is not Subject.SKILL:
        raise Refused("not_skill_table", "评分表要用技能要求权重表来建，请另选一张权重表。")
    drafts = plain_rows(table) if rows is None else list(rows)
    _check(table, drafts)
    rubric = Rubric(institution_id=institution_id, table=table, name=_named(name), created_by=who.account_id)
    rubric.rows = _rows(table, drafts)
    session.add(rubric)
    session.flush()
    return rubric


def change_rubric(session: Session, rubric: Rubric, name: str, rows: Sequence[RowDraft], who: Viewer) -> None:
    """Replace the rows of a rubric that no group uses yet."""
    require_duty(session, who, rubric.institution_id, Role.EXAM_OFFICER)
    if rubric.frozen:
        raise Refused("frozen", "这份评分表已有考核组在用，不能再改。请先“复制后修改”，再用新表编组。")
    _check(rubric.table, rows)
    rubric.name = _named(name)
    rubric.rows = []
    session.flush()  # the old positions must be gone before the new ones are written
    rubric.rows = _rows(rubric.table, rows)
    session.flush()


def copy_rubric(session: Session, rubric: Rubric, name: str, who: Viewer) -> Rubric:
    """A copy that can be edited."""
    return build_rubric(session, rubric.table, rubric.institution_id, name, who, drafts_of(rubric))


def drafts_of(rubric: Rubric) -> list[RowDraft]:
    """The rows as they would be typed."""
    paths = {one.id: one.path for one in rubric.table.ranges}
    return [RowDraft(row.text, paths[row.range_id] if row.range_id else "", row.most, row.kind) for row in rubric.rows]


def _named(name: str) -> str:
    if not name.strip() or len(name.strip()) > 200:
        raise Refused("no_name", "请填写评分表的名称（不超过 200 字）。")
    return name.strip()


def _check(table: WeightTable, rows: Sequence[RowDraft]) -> None:
    """Every section sums to its weight exactly; findings are listed, one a line."""
    wanted = {one.path: one for one in sections(table)}
    if not wanted:
        raise Refused("empty_table", "这张权重表还没有职业功能，请先录入权重。")
    if len(rows) > MOST_ROWS:
        raise Refused("too_many_rows", f"评分表最多 {MOST_ROWS} 行，现在有 {len(rows)} 行，请合并。")
    problems = [f"第 {line} 行：{problem}" for line, row in enumerate(rows, 1) if (problem := _problem(row, wanted.keys()))]
    for path, one in wanted.items():
        got = sum(row.most for row in rows if row.kind is RowKind.POINTS and row.range_path == path)
        if got != one.weight:
            problems.append(f"“{one.name}”各行合计 {spoken_points(got)} 分，应为 {spoken_points(one.weight)} 分")
    if problems:
        raise Refused("rubric_sums", "评分表与技能要求权重表不一致，请按下面逐条修改。", problems)


def _problem(row: RowDraft, paths: Collection[str]) -> str:
    if not row.text.strip():
        return "请填写评分内容"
    if row.kind is RowKind.VETO:
        return "★ 否决项不计分，分值应为空" if row.most else ""
    if row.range_path not in paths:
        return "所属职业功能不在权重表中"
    return "" if row.most > 0 else "分值应大于 0"


def _rows(table: WeightTable, drafts: Sequence[RowDraft]) -> list[RubricRow]:
    """Point rows in the order of the table's sections, ★ rows at the end."""
    keys = {one.path: one.id for one in table.ranges}
    order = {path: place for place, path in enumerate(keys)}
    ordered = sorted(drafts, key=lambda row: (row.kind is RowKind.VETO, order.get(row.range_path, 0)))
    return [RubricRow(position=place, range_id=keys[row.range_path] if row.kind is RowKind.POINTS else None,
                      kind=row.kind, text=row.text.strip(), most=row.most) for place, row in enumerate(ordered)]
