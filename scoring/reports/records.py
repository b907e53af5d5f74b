"""考核评分记录表: the form of each rubric, empty for the workshop or as each assessor filled it in."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.attachments import PNG
from qbank.kernel.export import SCORE, Table, workbook
from qbank.kernel.printing import drawing, typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES
from scoring.practical.models import GroupMember, MarkSheet, PracticalGroup, Rubric
from scoring.practical.rows import RowKind, entry_text, told
from scoring.practical.signing import signature_png
from scoring.practical.values import Value, effective_of

TEMPLATE = Path(__file__).with_name("record.typ")
Progress = Callable[[int, int, str], None]


def groups_of(session: Session, plan: ExamPlan) -> list[PracticalGroup]:
    found = list(session.scalars(sa.select(PracticalGroup).where(PracticalGroup.plan_id == plan.id).order_by(PracticalGroup.id)
                                 .options(joinedload(PracticalGroup.rubric).selectinload(Rubric.rows))))
    if not found:
        raise Refused("no_groups", "本计划还没有操作技能考核组，没有评分记录表。请先编组。")
    return found


def blank_pdf(session: Session, plan: ExamPlan, *, now: datetime) -> bytes:
    """One empty form for each rubric of the plan."""
    rubrics = {group.rubric_id: group.rubric for group in groups_of(session, plan)}
    return _typeset([_form(plan, rubric, [("考核组", ""), ("考生姓名", ""), ("准考证号", ""), ("工位", "")], {}) for rubric in rubrics.values()], now)


def blank_xlsx(session: Session, plan: ExamPlan, *, now: datetime) -> bytes:
    """The same as worksheets to type into."""
    rubrics = {group.rubric_id: group.rubric for group in groups_of(session, plan)}
    columns = (("序号", 6), ("职业功能", 26), ("评分内容", 50), ("评分办法", 34), ("配分", 8), ("得分", 9), ("备注", 16))
    notes = ["考生姓名：　　　　　　　　准考证号：　　　　　　　　考核组：　　　　　　工位：　　　　", "没有得分的项目填 0，不留空白；★ 项填“违反”或“未违反”。"]
    return workbook([Table(f"评分表 {place}", columns, [*([*row[:5], None, None] for row in _rows(rubric, {})),
                                                    ["", "合计", "", "", rubric.full / 2, None, None]],
                           f"操作技能考核评分记录表 {rubric.name}", notes, formats={"配分": SCORE, "得分": SCORE}, portrait=True,
                           signatures="考评员（签字）：　　　　　　日期：")
                     for place, rubric in enumerate(rubrics.values(), 1)], made_at=now)


def filled_pdfs(session: Session, plan: ExamPlan, viewer: Viewer, progress: Progress, *, now: datetime) -> list[tuple[str, bytes]]:
    """(file name, PDF) of each group: a page for each candidate and assessor, signed sheets that ``viewer`` may see."""
    found, groups = [], groups_of(session, plan)
    for place, group in enumerate(groups):
        progress(place, len(groups), f"正在排版 {group.name}（第 {place + 1} 组，共 {len(groups)} 组）…")
        sheets = _signed(session, group, viewer)
        values = effective_of(session, sheets)
        if forms := [_filled(session, plan, sheet, values[sheet.id]) for sheet in sheets]:
            found.append((f"评分记录表_{place + 1:03d}_{group.name}.pdf".replace("/", "／"), _typeset(forms, now)))
    if not found:
        raise Refused("nothing_signed", "还没有全部签字的评分，不能打印已评的评分记录表。每名考生的考评员全部签字后才能查看。")
    return found


def filled_xlsx(session: Session, plan: ExamPlan, viewer: Viewer, progress: Progress, *, now: datetime) -> bytes:
    """A worksheet for each group: a line for each candidate and assessor, a column for each row of the rubric."""
    tables, groups = [], groups_of(session, plan)
    for place, group in enumerate(groups):
        progress(place, len(groups), f"正在写 {group.name}…")
        sheets = _signed(session, group, viewer)
        heads = [f"{at}. {row.text}{f'（{row.most / 2:g}）' if row.most else ' ★'}" for at, row in enumerate(group.rubric.rows, 1)]
        values = effective_of(session, sheets)
        rows = [[sheet.member.enrolment.ticket_number, sheet.member.enrolment.candidate.name, sheet.assessor.name,
                 *(_mark(values[sheet.id].get(row.id)) for row in group.rubric.rows),
                 _total(values[sheet.id]) / 2, sheet.signed_at] for sheet in sheets]
        if rows:
            columns = (("准考证号", 18), ("姓名", 11), ("考评员", 11), *((head, 14) for head in heads), ("合计", 9), ("签字时间", 17))
            tables.append(Table(f"{place + 1} {group.name}"[:31].translate(SIGNS), columns, rows, f"操作技能考核评分记录 {group.name}",
                                [f"{plan.title}（{plan.number}）　{group.rubric.name}"], formats=dict.fromkeys([*heads, "合计"], SCORE), frozen=3))
    if not tables:
        raise Refused("nothing_signed", "还没有全部签字的评分，没有可以导出的评分记录。")
    return workbook(tables, made_at=now)


SIGNS = str.maketrans("[]:*?/\\", "（）：＊？／＼")


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as box:  # PDFs are compressed already
        for name, content in files:
            box.writestr(name, content)
    return stream.getvalue()


def _signed(session: Session, group: PracticalGroup, viewer: Viewer) -> Sequence[MarkSheet]:
    return session.scalars(
        visible(MarkSheet, viewer).join(MarkSheet.member).join(GroupMember.enrolment)
        .where(GroupMember.group_id == group.id, MarkSheet.signed_at.is_not(None)).order_by(Enrolment.ticket_number, MarkSheet.id)
        .options(joinedload(MarkSheet.assessor), joinedload(MarkSheet.signature),
                 joinedload(MarkSheet.member).joinedload(GroupMember.enrolment).joinedload(Enrolment.candidate),
                 selectinload(MarkSheet.marks))).unique().all()


def _filled(session: Session, plan: ExamPlan, sheet: MarkSheet, values: dict[int, Value]) -> dict[str, Any]:
    member = sheet.member
    facts = [("考核组", member.group.name), ("考生姓名", member.enrolment.candidate.name), ("准考证号", member.enrolment.ticket_number),
             ("地点", member.group.place)]
    signature = signature_png(session, sheet)
    return _form(plan, member.group.rubric, facts, values) | {
        "total": f"{_total(values) / 2:.1f}", "assessor": f"{sheet.assessor.name}{'（考评组长）' if sheet.is_chief else ''}",
        "signed": spoken(sheet.signed_at), "head": sheet.audit_head, "picture": drawing(signature, PNG).svg if signature else ""}


def _total(values: dict[int, Value]) -> int:
    return sum(value.half_points or 0 for value in values.values())


def _form(plan: ExamPlan, rubric: Rubric, facts: list[tuple[str, str]], marks: dict[int, Value]) -> dict[str, Any]:
    about = [("职业（工种）", plan.standard.label), ("等级", LEVEL_NAMES[plan.level]), ("计划编号", plan.number), ("评分表", rubric.name)]
    return {"facts": [list(pair) for pair in (*about, *facts)], "rows": [[str(value) for value in row] for row in _rows(rubric, marks)],
            "full": f"{rubric.full / 2:g}", "total": "", "assessor": "", "signed": "", "picture": "", "head": ""}


def _rows(rubric: Rubric, marks: dict[int, Value]) -> Iterator[list[Any]]:
    """Number, 职业功能, what is judged, how, most points, what the assessor saw, the mark."""
    ranges = {one.id: one.name for one in rubric.table.ranges}
    for place, row in enumerate(rubric.rows, 1):
        mark = marks.get(row.id)
        veto = row.kind is RowKind.VETO
        seen = entry_text(row.rule, mark.entry) if mark is not None and row.kind not in (RowKind.POINTS, RowKind.VETO) else ""
        yield [place, ranges.get(row.range_id or 0, ""), f"★ {row.text}" if veto else row.text, "违反即判为不合格" if veto else told(row.rule),
               "★" if veto else row.most / 2, seen, _told(mark)]


def _told(mark: Value | None) -> str:
    value = _mark(mark)
    return "" if value is None else value if isinstance(value, str) else f"{value:.1f}"


def _mark(mark: Value | None) -> float | str | None:
    if mark is None or (mark.half_points is None and mark.violated is None):
        return None
    return ("违反" if mark.violated else "未违反") if mark.half_points is None else mark.half_points / 2


def _typeset(forms: list[dict[str, Any]], now: datetime) -> bytes:
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"forms": json.dumps(forms, ensure_ascii=False)}, made_at=now, tagged=False)
