"""The three papers of a task as the trade prints them, and the draw sheet, as PDFs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

import qbank.papers
from qbank.kernel import attachments
from qbank.kernel.accounts import Institution
from qbank.kernel.attachments import JPEG, PNG, Attachment
from qbank.kernel.printing import drawing, typeset
from qbank.kernel.times import spoken
from qbank.papers.typesetting import typeset as blocks
from qbank.standards.models import LEVEL_NAMES, WeightTable
from scoring.practical.bank_models import PracticalDraw, TaskState, TaskVersion
from scoring.practical.rows import RowKind, told
from scoring.practical.rows import spoken as spoken_points

TEMPLATES = (Path(qbank.papers.__file__).with_name("common.typ"), Path(__file__).with_name("task.typ"))
KINDS = {"preparation": "考核准备通知单", "paper": "考核试卷", "record": "考核评分记录表"}


def print_task(session: Session, version: TaskVersion, kind: str, *, made_at: datetime) -> bytes:
    """One of ``KINDS``. A version that is not approved says so at its head."""
    task, module = version.task, version.task.module
    data: dict[str, Any] = _head(session, task.table, task.institution_id, f"{task.code} {version.title}") | {
        "kind": kind, "code": task.code, "name": version.title, "minutes": version.minutes,
        "module": module.name + (f"／{task.option}" if task.option else ""), "form": module.form.chinese,
        "choice": module.choice, "points": spoken_points(version.rubric.full),
        "note": "" if version.state in {TaskState.APPROVED, TaskState.RETIRED} else "未审定，不得用于考核",
        "foot": f"{task.code}　{KINDS[kind]}　第 {version.number} 版",
        "vetoes": [row.text for row in version.rubric.rows if row.kind is RowKind.VETO]}
    return _print(data | _PARTS[kind](session, version), made_at)


def print_draw(session: Session, draw: PracticalDraw, *, made_at: datetime) -> bytes:
    """The draw sheet: everybody's task, turn and station in each module."""
    plan = draw.plan
    modules = [{"title": f"模块 {module.position}　{module.name}（{module.choice}，{module.minutes} 分钟）",
                "rows": [[str(lot.turn), str(lot.station), lot.enrolment.ticket_number, lot.enrolment.candidate.name,
                          lot.enrolment.class_name, f"{lot.version.task.code} {lot.version.title}", ""]
                         for lot in draw.lots if lot.module_id == module.id]} for module in draw.structure.modules]
    facts = [["考务计划：", f"{plan.title}（{plan.number}）"], ["考核开始：", spoken(draw.starts_at)],
             ["抽签人：", draw.drawer.name], ["抽签时间：", spoken(draw.drawn_at)],
             ["抽签次数：", f"第 {draw.number} 次"], ["状态：", draw.state.chinese]]
    data = _head(session, draw.structure.table, plan.institution_id, f"{plan.title} 抽签结果")
    return _print(data | {"kind": "draw", "facts": facts, "modules": modules, "seed": draw.seed, "note": "",
                          "fingerprint": draw.fingerprint, "foot": f"{plan.number}　抽签结果"}, made_at)


def _head(session: Session, table: WeightTable, institution_id: int, title: str) -> dict[str, Any]:
    work_type = f"（{table.standard.work_type}）" if table.standard.work_type else ""
    return {"title": title, "authority": session.get_one(Institution, institution_id).name, "watermark": "", "pictures": {},
            "occupation": f"{table.standard.occupation.name}{work_type} {LEVEL_NAMES[table.level]}"}


def _preparation(session: Session, version: TaskVersion) -> dict[str, Any]:
    return {"school": {"school": True, "lines": version.school_list, "note": _blocks(version.school_note)},
            "candidate": {"school": False, "lines": version.candidate_list, "note": _blocks(version.candidate_note)}}


def _paper(session: Session, version: TaskVersion) -> dict[str, Any]:
    held = version.attachments
    return {"body": _blocks(version.body), "demands": _blocks(version.demands),
            "drawings": [_drawn(session, one.attachment) | {"caption": one.caption} for one in held
                         if one.attachment.media_type in (PNG, JPEG)],
            "files": [one.caption or one.attachment.name for one in held if one.attachment.media_type not in (PNG, JPEG)]}


def _record(session: Session, version: TaskVersion) -> dict[str, Any]:
    names = {one.id: one.name for one in version.rubric.table.ranges}
    rows = [row for row in version.rubric.rows if row.kind is not RowKind.VETO]
    return {"rows": [[str(place), names[row.range_id] if row.range_id else "", row.text, spoken_points(row.most),
                      told(row.rule), "", ""] for place, row in enumerate(rows, 1)]}


_PARTS = {"preparation": _preparation, "paper": _paper, "record": _record}


def _blocks(text: str) -> list[Any]:
    return blocks(text) if text.strip() else []


def _drawn(session: Session, attachment: Attachment) -> dict[str, Any]:
    """A picture as an SVG drawing, which typst takes as text; width in pixels."""
    made = drawing(attachments.path_of(session, attachment).read_bytes(), attachment.media_type)
    return {"svg": made.svg, "width": made.width}


def _print(data: dict[str, Any], made_at: datetime) -> bytes:
    source = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    return typeset(source, {"data": json.dumps(data, ensure_ascii=False)}, made_at=made_at)
