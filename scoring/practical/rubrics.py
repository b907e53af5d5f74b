"""Rubrics (考核评分记录表): built from the skill weight table or for a task, split in rows, frozen when a group uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Range, Subject, WeightTable
from scoring.practical.bank_models import TaskState, TaskVersion
from scoring.practical.joining import spoken_points
from scoring.practical.models import Rubric, RubricRow
from scoring.practical.rows import Detail, RowKind, RowRule, from_json, problem, to_json

MOST_ROWS = 200


@dataclass(frozen=True)
class RowDraft:
    """One row as typed: the path of its 职业功能 and its points in half-points, or a ★ row with neither; ``detail`` as its
    kind needs it.
    """

    text: str
    range_path: str = ""
    most: int = 0
    kind: RowKind = RowKind.POINTS
    detail: Detail = None


@dataclass(frozen=True)
class Section:
    """A 职业功能 that a rubric marks, and the half-points that its rows sum to."""

    path: str
    name: str
    weight: int


def sections(table: WeightTable) -> list[Range]:
    """The 职业功能 of a skill table that carry weight. A weight in half-percent is the section's half-points."""
    return [one for one in table.ranges if one.parent_id is None and one.weight > 0]


def sections_of(table: WeightTable, targets: Mapping[str, int] | None) -> list[Section]:
    """What the rows of a rubric sum to: its own targets, or without them the weights of the table."""
    held = {one.path: one.weight for one in sections(table)} if targets is None else targets
    return [Section(one.path, one.name, held[one.path]) for one in sections(table) if held.get(one.path)]


def plain_rows(table: WeightTable, targets: Mapping[str, int] | None = None) -> list[RowDraft]:
    """One row for each 职业功能 with all its points."""
    return [RowDraft(one.name, one.path, one.weight) for one in sections_of(table, targets)]


def build_rubric(session: Session, table: WeightTable, institution_id: int, name: str, who: Viewer,
                 rows: Sequence[RowDraft] | None = None) -> Rubric:
    """A rubric for the skill ``table``: with ``rows``, or with one row for each 职业功能."""
    require_duty(session, who, institution_id, Role.EXAM_OFFICER)
    return make_rubric(session, table, institution_id, name, who, rows)


def make_rubric(session: Session, table: WeightTable, institution_id: int, name: str, who: Viewer,
                rows: Sequence[RowDraft] | None = None, targets: Mapping[str, int] | None = None) -> Rubric:
    """A rubric, for a task with ``targets``; whose duty it is has been checked."""
    if table.subject is not Subject.SKILL:
        raise Refused("not_skill_table", "评分表要用技能要求权重表来建，请另选一张权重表。")
    drafts = plain_rows(table, targets) if rows is None else list(rows)
    _check(table, targets, drafts)
    rubric = Rubric(institution_id=institution_id, table=table, name=_named(name), created_by=who.account_id,
                    targets=None if targets is None else dict(targets),
                    full=sum(one.weight for one in sections_of(table, targets)))
    rubric.rows = _rows(table, drafts)
    session.add(rubric)
    session.flush()
    return rubric


def change_rubric(session: Session, rubric: Rubric, name: str, rows: Sequence[RowDraft], who: Viewer) -> None:
    """Replace the rows of a rubric that nobody uses yet."""
    version = task_version_of(session, rubric)
    require_duty(session, who, rubric.institution_id, Role.ITEM_AUTHOR if version else Role.EXAM_OFFICER,
                 occupation=rubric.table.standard.occupation.code)
    if sentence := closed_because(rubric, version):
        raise Refused("frozen", sentence)
    _check(rubric.table, rubric.targets, rows)
    rubric.name = _named(name)
    rubric.rows = []
    session.flush()  # the old positions must be gone before the new ones are written
    rubric.rows = _rows(rubric.table, rows)
    session.flush()


def task_version_of(session: Session, rubric: Rubric) -> TaskVersion | None:
    """The task version that this rubric marks; None for a rubric of its own."""
    return session.scalar(sa.select(TaskVersion).where(TaskVersion.rubric_id == rubric.id))


def closed_because(rubric: Rubric, version: TaskVersion | None) -> str:
    """Why a rubric cannot be changed any more; empty when it can."""
    if version is not None and version.state is not TaskState.DRAFT:
        return "这份评分表所属的试题已送审或已审定，不能再改。请在试题页“修订为新版本”后再改。"
    return "这份评分表已有考核组在用，不能再改。请先“复制后修改”，再用新表编组。" if rubric.frozen else ""


def copy_rubric(session: Session, rubric: Rubric, name: str, who: Viewer) -> Rubric:
    """A copy that can be edited; that of a task's rubric comes with the next version of the task."""
    if task_version_of(session, rubric):
        raise Refused("belongs_to_task", "试题的评分表随试题的新版本一起复制，请在试题页“修订为新版本”。")
    return build_rubric(session, rubric.table, rubric.institution_id, name, who, drafts_of(rubric))


def drafts_of(rubric: Rubric) -> list[RowDraft]:
    """The rows as they would be typed."""
    paths = {one.id: one.path for one in rubric.table.ranges}
    return [RowDraft(row.text, paths[row.range_id] if row.range_id else "", row.most, row.kind, from_json(row.kind, row.detail))
            for row in rubric.rows]


def _named(name: str) -> str:
    if not name.strip() or len(name.strip()) > 200:
        raise Refused("no_name", "请填写评分表的名称（不超过 200 字）。")
    return name.strip()


def findings(table: WeightTable, targets: Mapping[str, int] | None, rows: Sequence[RowDraft]) -> list[str]:
    """What keeps these rows from being a rubric, a line each: rows that cannot stand, sections with another sum."""
    wanted = {one.path: one for one in sections_of(table, targets)}
    found = [f"第 {line} 行：{text}" for line, row in enumerate(rows, 1) if (text := _problem(row, wanted))]
    for path, one in wanted.items():
        got = sum(row.most for row in rows if row.kind is not RowKind.VETO and row.range_path == path)
        if got != one.weight:
            found.append(f"“{one.name}”各行合计 {spoken_points(got)} 分，应为 {spoken_points(one.weight)} 分")
    return found


def _check(table: WeightTable, targets: Mapping[str, int] | None, rows: Sequence[RowDraft]) -> None:
    """Every section sums to its weight exactly; findings are listed, one a line."""
    if not sections_of(table, targets):
        raise Refused("empty_table", "这张权重表还没有职业功能，请先录入权重。")
    if len(rows) > MOST_ROWS:
        raise Refused("too_many_rows", f"评分表最多 {MOST_ROWS} 行，现在有 {len(rows)} 行，请合并。")
    if found := findings(table, targets, rows):
        raise Refused("rubric_sums", "评分表与技能要求权重表不一致，请按下面逐条修改。", found)


def _problem(row: RowDraft, wanted: Mapping[str, Section]) -> str:
    if not row.text.strip():
        return "请填写评分内容"
    if row.kind is not RowKind.VETO and row.range_path not in wanted:
        return "所属职业功能不在权重表中"
    try:
        return problem(RowRule(row.kind, row.most, row.detail))
    except ValueError:
        return f"请填写{row.kind.chinese}的评分规则"


def _rows(table: WeightTable, drafts: Sequence[RowDraft]) -> list[RubricRow]:
    """Rows in the order of the table's sections, ★ rows at the end."""
    keys = {one.path: one.id for one in table.ranges}
    order = {path: place for place, path in enumerate(keys)}
    ordered = sorted(drafts, key=lambda row: (row.kind is RowKind.VETO, order.get(row.range_path, 0)))
    return [RubricRow(position=place, range_id=None if row.kind is RowKind.VETO else keys[row.range_path], kind=row.kind,
                      text=row.text.strip(), most=row.most, detail=to_json(row.detail)) for place, row in enumerate(ordered)]
