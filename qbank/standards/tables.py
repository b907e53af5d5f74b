"""Rules for occupations, standards and weight tables: who stands where in the tree, and what may be changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, attributes, selectinload

from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base
from qbank.kernel.refused import Refused
from qbank.standards.models import (
    LEVEL_NAMES,
    Basis,
    Importance,
    Occupation,
    Point,
    Range,
    Standard,
    Subject,
    WeightTable,
)
from qbank.standards.weights import SEGMENT, Finding, Node, order, shown, tree_findings

EDITORS = frozenset({Role.ADMINISTRATOR, Role.EXAM_OFFICER, Role.PAPER_COMPOSER})
OCCUPATION_CODE = re.compile(r"\d-\d{2}-\d{2}-\d{2}(-\d{3})?")
YEAR = re.compile(r"(19|20)\d{2}")
USERS = {"item_versions": "试题", "quotas": "组卷规格", "items": "试题", "specifications": "组卷规格", "import_batches": "导入批次",
         "rubrics": "评分表", "rubric_rows": "评分表"}


@dataclass(frozen=True)
class PointDraft:
    """A point as it was typed or read: code within its range, name, X/Y/Z."""

    segment: str
    name: str
    importance: str


@dataclass(frozen=True)
class RangeDraft:
    """A range as it was typed or read. ``weight`` in half-percent; only leaves carry points."""

    segments: tuple[str, ...]
    name: str
    weight: int
    points: tuple[PointDraft, ...] = ()


def add_occupation(session: Session, code: str, name: str, who: Viewer, *, catalogue_edition: str,
                   is_access_type: bool = False) -> Occupation:
    """Put an occupation of one edition of the classification on the list."""
    code, edition = code.strip(), catalogue_edition.strip()
    if not OCCUPATION_CODE.fullmatch(code):
        raise Refused("occupation_code", f"职业编码“{code}”的格式不对，应形如 6-31-01-03，带工种的形如 6-30-05-01-014。")
    _check_year(edition, "大典版本")
    if session.scalar(sa.select(Occupation.id).where(Occupation.code == code, Occupation.catalogue_edition == edition)):
        raise Refused("occupation_twice", f"{edition} 年版大典的职业 {code} 已在目录中，请直接打开它。")
    occupation = Occupation(code=code, name=_line(name, "职业名称"), catalogue_edition=edition,
                            is_access_type=is_access_type)
    session.add(occupation)
    session.flush()
    return occupation


def add_standard(session: Session, occupation: Occupation, who: Viewer, *, edition: str, title: str, work_type: str = "",
                 document_number: str = "", basis: Basis = Basis.NATIONAL_STANDARD) -> Standard:
    """Add one edition of a standard for the whole occupation or one work type (工种/方向)."""
    edition, work_type = edition.strip(), _line(work_type, "工种/方向", needed=False)
    _check_year(edition, "标准版本（年）")
    _only_one(session, occupation, edition, work_type)
    standard = Standard(occupation=occupation, edition=edition, work_type=work_type, title=_line(title, "标准名称"),
                        document_number=_line(document_number, "发文号", needed=False), basis=basis)
    session.add(standard)
    session.flush()
    return standard


def _only_one(session: Session, occupation: Occupation, edition: str, work_type: str, but: int | None = None) -> None:
    same = sa.select(Standard.id).where(Standard.occupation_id == occupation.id, Standard.edition == edition,
                                        Standard.work_type == work_type, Standard.id != (but or 0))
    if session.scalar(same):
        which = f"“{work_type}”方向" if work_type else "不分工种"
        raise Refused("standard_twice", f"{occupation.name} {edition} 年版（{which}）的标准已经有了，请直接打开它，或填写另一个工种/方向。")


def correct_occupation(occupation: Occupation, name: str, who: Viewer, *, is_access_type: bool) -> None:
    """Correct the name or the access-type flag. Code and edition are the identity and stay."""
    occupation.name = _line(name, "职业名称")
    occupation.is_access_type = is_access_type


def correct_standard(session: Session, standard: Standard, who: Viewer, *, edition: str, title: str, work_type: str,
                     document_number: str, basis: Basis) -> None:
    """Correct the particulars of a standard."""
    edition, work_type = edition.strip(), _line(work_type, "工种/方向", needed=False)
    _check_year(edition, "标准版本（年）")
    _only_one(session, standard.occupation, edition, work_type, but=standard.id)
    title, number = _line(title, "标准名称"), _line(document_number, "发文号", needed=False)
    standard.edition, standard.work_type, standard.title = edition, work_type, title
    standard.document_number, standard.basis = number, basis


def set_table(session: Session, standard: Standard, level: int, subject: Subject, ranges: Sequence[RangeDraft],
              who: Viewer, *, is_sample: bool, source: str) -> WeightTable:
    """Write the whole table of one level and subject; ranges and points whose segments stay keep their ids.

    Refuses by name a column or parent that does not sum, and the removal of ranges or points that something uses.
    Nothing is changed when it refuses.
    """
    findings = table_findings(level, subject, ranges)
    if findings:
        raise Refused(findings[0].code, findings[0].sentence, [finding.sentence for finding in findings[1:]])
    table = session.scalar(sa.select(WeightTable).where(WeightTable.standard_id == standard.id,
                                                        WeightTable.level == level, WeightTable.subject == subject))
    if table is None:
        table = WeightTable(standard=standard, level=level, subject=subject)
        session.add(table)
    else:
        load_tree(session, table)
        _refuse_removals(session, table, ranges)
    table.is_sample, table.source = is_sample, source.strip()
    _write_ranges(table, ranges)
    attributes.flag_modified(table, "source")  # ranges are part of the table: its version counts their changes too
    session.flush()
    return table


def table_findings(level: int, subject: Subject, ranges: Sequence[RangeDraft]) -> list[Finding]:
    """Everything wrong with a table that somebody wants to write."""
    if level not in LEVEL_NAMES:
        raise Refused("level", f"等级只能是 1 到 5，现在是 {level}。")
    column = f"{LEVEL_NAMES[level]} {subject.chinese}"
    findings = tree_findings(column, [Node(draft.segments, draft.name, draft.weight) for draft in ranges])
    parents = {draft.segments[:-1] for draft in ranges}
    for draft in ranges:
        if draft.points and draft.segments in parents:
            findings.append(Finding("points_on_parent", f"{column}：“{draft.name}”还有下级范围，鉴定点只能放在最末一级范围下。",
                                    draft.segments))
        if subject is Subject.SKILL and (draft.points or len(draft.segments) > 1):
            findings.append(Finding("skill_flat", f"{column}：技能要求权重表只有职业功能一级，不分下级范围，也没有鉴定点。", draft.segments))
        findings += point_findings(shown(draft.segments), draft.points, draft.segments)
    return findings


def point_findings(place: str, points: Sequence[PointDraft], segments: tuple[str, ...] = ()) -> list[Finding]:
    """Everything wrong with the points of one range."""
    findings, seen = [], set()
    for point in points:
        where = f"{place} 的鉴定点 {point.segment}"
        if not SEGMENT.fullmatch(point.segment):
            findings.append(Finding("point_code", f"{place} 的鉴定点代码“{point.segment}”不对，应为 1 到 8 位数字或字母，如 001。", segments))
        if point.segment in seen:
            findings.append(Finding("point_twice", f"{where} 出现了两次，请改其中一个的代码。", segments))
        if not point.name.strip() or len(point.name) > 200:
            findings.append(Finding("point_name", f"{where} 的名称不能空，也不能超过 200 字。", segments))
        if point.importance not in set(Importance):
            findings.append(Finding("importance", f"{where} 的重要程度应为 X、Y 或 Z，现在是“{point.importance}”。", segments))
        seen.add(point.segment)
    return findings


def set_points(session: Session, leaf: Range, points: Sequence[PointDraft], who: Viewer) -> None:
    """Write the points of one leaf range; those whose code stays keep their ids. Refuses to remove points in use."""
    if leaf.children or leaf.table.subject is not Subject.THEORY:
        raise Refused("points_on_parent", f"“{leaf.name}”不是理论知识表的最末一级范围，不能放鉴定点。请打开它的下级范围。")
    findings = point_findings(leaf.path, points)
    if findings:
        raise Refused(findings[0].code, findings[0].sentence, [finding.sentence for finding in findings[1:]])
    kept = {point.segment for point in points}
    _refuse_used(session, Point, [point for point in leaf.points if point.segment not in kept])
    _write_points(leaf, points)
    attributes.flag_modified(leaf.table, "source")
    session.flush()


def remove_table(session: Session, table: WeightTable, who: Viewer) -> None:
    """Remove a table that nothing uses yet."""
    load_tree(session, table)
    _refuse_used(session, WeightTable, [table])
    _refuse_removals(session, table, [])
    session.delete(table)
    session.flush()


def _write_ranges(table: WeightTable, drafts: Sequence[RangeDraft]) -> None:
    held = {segments_of(found): found for found in table.ranges}
    wanted = {draft.segments for draft in drafts}
    for segments, gone in held.items():
        if segments not in wanted:
            table.ranges.remove(gone)
            if gone.parent:
                gone.parent.children.remove(gone)  # this session may go on with the parent as a leaf
    for draft in sorted(drafts, key=lambda draft: len(draft.segments)):
        if draft.segments not in held:
            found = Range(segment=draft.segments[-1], path=shown(draft.segments), parent=held.get(draft.segments[:-1]))
            table.ranges.append(found)
            held[draft.segments] = found
        held[draft.segments].name, held[draft.segments].weight = draft.name.strip(), draft.weight
        _write_points(held[draft.segments], draft.points)


def _write_points(leaf: Range, drafts: Sequence[PointDraft]) -> None:
    held = {point.segment: point for point in leaf.points}
    wanted = {draft.segment for draft in drafts}
    for segment, point in held.items():
        if segment not in wanted:
            leaf.points.remove(point)
    for draft in drafts:
        point = held.get(draft.segment) or Point(segment=draft.segment)
        point.name, point.importance = draft.name.strip(), Importance(draft.importance)
        if draft.segment not in held:
            leaf.points.append(point)


def _refuse_removals(session: Session, table: WeightTable, drafts: Sequence[RangeDraft]) -> None:
    wanted = {draft.segments: {point.segment for point in draft.points} for draft in drafts}
    ranges = [found for found in table.ranges if segments_of(found) not in wanted]
    _refuse_used(session, Range, ranges)
    _refuse_used(session, Point, [point for found in table.ranges for point in found.points
                                  if point.segment not in wanted.get(segments_of(found), ())])


def _refuse_used(session: Session, model: type[Range | Point | WeightTable],
                 doomed: Sequence[Range | Point | WeightTable]) -> None:
    """Refuse when any row of another room refers to one of ``doomed``.

    Upper rooms are not imported: the foreign keys of the common metadata say who refers to us, so that a table added
    later is covered without anybody registering it.
    """
    names = {thing.id: f"“{thing.label}”" if not isinstance(thing, Range) else f"“{thing.path} {thing.name}”" for thing in doomed}
    used: dict[int, set[str]] = {}
    for column in _referring_columns(model):
        for key in session.scalars(sa.select(column).where(column.in_(names)).distinct()):
            used.setdefault(key, set()).add(USERS.get(column.table.name, "其他记录"))
    if used:
        details = [f"{names[key]} 正在被{'、'.join(sorted(users))}使用" for key, users in sorted(used.items())]
        raise Refused("in_use", "下面这些内容已被使用，不能删除。可以改名称、比重和重要程度；确需删除，请先把相关试题改挂到别处。", details)


def _referring_columns(model: type[Range | Point | WeightTable]) -> Iterable[sa.Column[int]]:
    own = {WeightTable.__tablename__, Range.__tablename__, Point.__tablename__}
    target = model.__table__.c.id
    for table in Base.metadata.sorted_tables:
        if table.name not in own:
            yield from (key.parent for key in table.foreign_keys if key.column is target)


def load_tree(session: Session, table: WeightTable) -> list[Range]:
    """All ranges of ``table`` with children and points in three queries, in the order of the printed table."""
    query = sa.select(Range).where(Range.table_id == table.id)
    session.scalars(query.options(selectinload(Range.children), selectinload(Range.points))).all()
    return in_order(table.ranges)


def segments_of(found: Range) -> tuple[str, ...]:
    """The codes from the first level down to ``found``."""
    return (*(segments_of(found.parent) if found.parent else ()), found.segment)


def in_order(ranges: Iterable[Range]) -> list[Range]:
    return sorted(ranges, key=lambda found: order(segments_of(found)))


def points_in_order(leaf: Range) -> list[Point]:
    return sorted(leaf.points, key=lambda point: order((point.segment,)))


def leaves(table: WeightTable) -> list[Range]:
    """The ranges without children, in path order."""
    return [found for found in in_order(table.ranges) if not found.children]


def drafts_of(table: WeightTable) -> list[RangeDraft]:
    """The table as drafts: what :func:`set_table` would write again."""
    return [RangeDraft(segments_of(found), found.name, found.weight,
                       tuple(PointDraft(p.segment, p.name, p.importance.value) for p in points_in_order(found)))
            for found in in_order(table.ranges)]


def _line(text: str, what: str, *, needed: bool = True) -> str:
    cleaned = " ".join(text.split())
    if needed and not cleaned:
        raise Refused("blank", f"请填写{what}。")
    if len(cleaned) > 200:
        raise Refused("too_long", f"{what}不能超过 200 字，现在有 {len(cleaned)} 字。")
    return cleaned


def _check_year(text: str, what: str) -> None:
    if not YEAR.fullmatch(text):
        raise Refused("year", f"{what}应填四位年份，例如 2018，现在是“{text}”。")
