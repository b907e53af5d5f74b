"""The record of an inspection and a supervisor's report (质量督导报告), printed: the list, findings with their pictures and hashes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy.orm import Session

from examroom.oversight.inspection_models import Finding, Inspection, InspectionMember, OversightFile
from examroom.oversight.kinds import FindingState, InspectionState
from examroom.oversight.models import Supervision
from qbank.kernel import attachments, audit
from qbank.kernel.attachments import JPEG, PNG
from qbank.kernel.printing import drawing, typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("report.typ")
LARGEST = 900  # pixels of a printed picture's longer side


def inspection_pdf(session: Session, inspection: Inspection, *, made_at: datetime) -> bytes:
    """检查记录: one inspection as it stands."""
    return _pdf(session, f"{inspection.kind.chinese}记录", _facts(inspection), "", [inspection],
                [one.account.name for one in inspection.members], inspection.state is InspectionState.SUBMITTED, made_at)


def report_pdf(session: Session, supervision: Supervision, *, made_at: datetime) -> bytes:
    """质量督导报告 of one supervisor of a plan: his words, and the inspections of the plan in which he took part."""
    if not supervision.is_reported:
        raise Refused("not_reported", "督导报告还没有提交，提交后才能打印。")
    mine = Inspection.members.any(InspectionMember.account_id == supervision.supervisor_id)
    found = session.scalars(sa.select(Inspection).where(Inspection.plan_id == supervision.plan_id, Inspection.state == InspectionState.SUBMITTED, mine)
                            .order_by(Inspection.id)).all()
    plan = supervision.plan
    facts = [["评价机构", plan.institution.name], ["考务方案", f"{plan.title}（{plan.number}）"],
             ["职业等级", f"{plan.standard.label} {LEVEL_NAMES[plan.level]}"], ["督导员", supervision.supervisor.name],
             ["派遣时间", spoken(supervision.assigned_at)], ["报告时间", spoken(supervision.reported_at)]]
    return _pdf(session, "质量督导报告", facts, supervision.report, found, [supervision.supervisor.name], True, made_at)


def _pdf(session: Session, title: str, facts: list[list[str]], report: str, found: Sequence[Inspection], signers: list[str], final: bool,
         made_at: datetime) -> bytes:
    values = {"title": title, "facts": facts, "report": report, "inspections": [_inspection(session, one, bare=bool(report)) for one in found],
              "signers": signers, "final": final, "printed": spoken(made_at, seconds=True), "head": audit.head(session)}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"report": json.dumps(values, ensure_ascii=False)}, made_at=made_at)


def _facts(one: Inspection) -> list[list[str]]:
    facts = [["编号", one.number], ["评价机构", one.institution.name], ["检查方式", f"{one.kind.chinese}　{'双随机抽取' if one.draw_id else '鉴定中心派遣'}"],
             ["检查对象", one.target_name], ["检查表", f"{one.template.title}　第 {one.template.number} 版"],
             ["督导员", "、".join(f"{member.account.name}{'（组长）' if member.leads else ''}" for member in one.members)],
             ["检查开始", spoken(one.started_at) or "未开始"], ["提交记录", spoken(one.submitted_at) or "未提交"]]
    return facts if one.plan is None else [*facts[:3], ["考务方案", f"{one.plan.title}（{one.plan.number}）"], *facts[3:]]


def _inspection(session: Session, one: Inspection, *, bare: bool) -> dict[str, Any]:
    answers = {held.point_id: held for held in one.answers}
    rows = [[str(point.place), point.section, point.text + (f"（{point.basis}）" if point.basis else ""),
             answers[point.id].verdict.chinese if point.id in answers else "未填", answers[point.id].note if point.id in answers else ""]
            for point in one.template.points]
    counts = {word: sum(row[3] == word for row in rows) for word in ("符合", "不符合", "不涉及", "未填")}
    return {"title": f"{one.kind.chinese} {one.number}" if bare else "", "facts": _facts(one) if bare else [], "rows": rows,
            "counts": "，".join(f"{word} {count} 项" for word, count in counts.items() if count), "conclusion": one.conclusion,
            "findings": [_finding(session, held) for held in one.findings if held.state is not FindingState.WITHDRAWN],
            "pictures": _pictures(session, one.files), "files": _names(one.files)}


def _finding(session: Session, one: Finding) -> dict[str, Any]:
    replies = [{"text": f"{spoken(held.at)} {held.author.name}：{held.text}", "files": _names(held.files),
                "judged": "" if held.judge is None else f"{spoken(held.judged_at)} {held.judge.name}：{'核实，同意销号' if held.accepted else '退回整改'}"
                                                        f"{'。' + held.comment if held.comment else ''}"} for held in one.replies]
    return {"severity": one.severity.chinese, "text": one.text, "demand": one.demand, "by": f"{one.author.name} {spoken(one.at)}",
            "point": f"检查要点 {one.point.place}" if one.point else "检查表以外", "due": spoken(one.due_on), "state": one.state.chinese,
            "files": _names(one.files), "pictures": _pictures(session, one.files), "replies": replies}


def _names(files: Sequence[OversightFile]) -> list[list[str]]:
    return [[one.attachment.name, one.attachment.sha256] for one in files]


def _pictures(session: Session, files: Sequence[OversightFile]) -> list[str]:
    return [_drawn(session, one) for one in files if one.attachment.media_type in {PNG, JPEG}]


def _drawn(session: Session, one: OversightFile) -> str:
    """The picture upright and small enough to print; the file itself stays as it was handed in."""
    with Image.open(attachments.path_of(session, one.attachment)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((LARGEST, LARGEST))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return drawing(stream.getvalue(), JPEG).svg
