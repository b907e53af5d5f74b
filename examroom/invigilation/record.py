"""考场情况记录单: what a room's record says, as values for the page and for the printed form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.delivery import notices
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.invigilation import duty
from examroom.invigilation.models import AdmissionCheck, Incident
from examroom.plans.models import SittingRoom
from qbank.kernel import audit
from qbank.kernel.accounts import Account
from qbank.kernel.printing import typeset
from qbank.kernel.times import local, spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("record.typ")


def of_room(session: Session, sitting_room: SittingRoom, *, now: datetime) -> dict[str, Any]:
    """All of the record as plain values. Before the closing the counts are those of this moment."""
    sitting, plan = sitting_room.sitting, sitting_room.sitting.plan
    found, closing = duty.sheets_of(session, sitting_room), duty.closing_of(session, sitting_room)
    incidents = session.scalars(sa.select(Incident).where(Incident.sitting_room_id == sitting_room.id)
                                .options(selectinload(Incident.files)).order_by(Incident.id)).all()
    return {
        "facts": [
            ["机构", plan.institution.name], ["考务方案", f"{plan.title}（{plan.number}）"],
            ["职业等级", f"{plan.standard.occupation.name} {LEVEL_NAMES[plan.level]}　理论知识考试"],
            ["场次考场", f"{sitting.name}　{sitting_room.room.name}"],
            ["考试时间", f"{spoken(sitting.starts_at)} 至 {spoken(sitting.ends_at)}（{sitting.minutes} 分钟）"],
            ["监考员", "、".join(watcher.account.name for watcher in sitting_room.invigilators)],
            ["开启考场", spoken(sitting_room.opened_at, seconds=True) or "未开启"],
            ["关闭考场", f"{spoken(closing.at, seconds=True)}　{closing.author.name}" if closing else "未关闭"],
            *([["备注", closing.remark]] if closing and closing.remark else [])],
        "counts": _counts(found), "candidates": _candidates(session, sitting_room, found),
        "incidents": [_incident(one) for one in incidents],
        "notices": [[f"{local(row['notice'].at):%H:%M:%S}", row["notice"].author.name, _to(row), row["notice"].text]
                    for row in reversed(notices.of_room(session, sitting_room, found))],
        "ledger": _ledger(found, authors(session, found)),
        "invigilators": [watcher.account.name for watcher in sitting_room.invigilators],
        "printed": spoken(now, seconds=True), "closed": closing is not None,
        "head": closing.audit_head if closing else audit.head(session)}


def pdf(values: Mapping[str, Any], *, made_at: datetime) -> bytes:
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"record": json.dumps(values, ensure_ascii=False)}, made_at=made_at)


def authors(session: Session, found: Sequence[Sheet]) -> dict[int, str]:
    """Names of those who granted time."""
    ids = {entry.granted_by for sheet in found for entry in sheet.time_entries}
    return dict(session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(ids))).all())


def _counts(found: Sequence[Sheet]) -> list[list[Any]]:
    absent = sum(sheet.handed_in_how is HandIn.ABSENT for sheet in found)
    ways = [[how.chinese, sum(sheet.handed_in_how is how for sheet in found)] for how in HandIn if how is not HandIn.ABSENT]
    waiting = sum(sheet.state is SheetState.DEALT for sheet in found)
    return [["应到", len(found)], ["实到", len(found) - absent - waiting], ["缺考", absent], ["未开始", waiting], *ways]


def _candidates(session: Session, sitting_room: SittingRoom, found: Sequence[Sheet]) -> list[list[str]]:
    checks = {check.enrolment_id: check for check in session.scalars(
        sa.select(AdmissionCheck).where(AdmissionCheck.sitting_room_id == sitting_room.id)
        .options(selectinload(AdmissionCheck.author)).order_by(AdmissionCheck.id))}
    return [[str(sheet.seat.number), sheet.enrolment.ticket_number, sheet.enrolment.candidate.name,
             _checked(checks.get(sheet.enrolment_id)) if sheet.admission else "",
             f"{local(sheet.started_at):%H:%M:%S}" if sheet.started_at else "",
             f"{local(sheet.handed_in_at):%H:%M:%S}" if sheet.started_at and sheet.handed_in_at else "",
             sheet.handed_in_how.chinese if sheet.handed_in_how else sheet.state.chinese,
             f"{sum(entry.seconds for entry in sheet.time_entries) / 60:+.3g}" if sheet.time_entries else ""] for sheet in found]


def _checked(check: AdmissionCheck | None) -> str:
    if check is None:
        return ""
    return f"{'通过' if check.passed else '不准入场'} {check.author.name} {local(check.at):%H:%M}"


def _incident(one: Incident) -> dict[str, Any]:
    text = one.text + ("（取消理论成绩）" if one.voids_theory else "")
    text += "".join(f"（附件 {file.name}，SHA-256 {file.sha256[:16]}…）" for file in one.files)
    return {"at": f"{local(one.at):%H:%M:%S}", "kind": one.kind, "by": one.author.name, "text": text,
            "who": f"{one.sheet.seat.number} 号 {one.sheet.enrolment.candidate.name}" if one.sheet else "全考场",
            "withdrawn": f"{local(one.withdrawn_at):%H:%M:%S} 撤销：{one.withdrawn_why}" if one.withdrawn_at else ""}


def _ledger(found: Sequence[Sheet], names: Mapping[int, str]) -> list[list[str]]:
    return [[str(sheet.seat.number), sheet.enrolment.candidate.name, f"{local(entry.at):%H:%M:%S}", entry.kind.chinese,
             f"{entry.seconds / 60:+.4g}", entry.reason, names.get(entry.granted_by, "")]
            for sheet in found for entry in sheet.time_entries]


def _to(row: Mapping[str, Any]) -> str:
    to = row["notice"].sheet.enrolment.candidate.name if row["notice"].sheet else "全考场"
    read = len(row["to"]) - len(row["unread"])
    return f"{to}（{read}/{len(row['to'])} 已读）" + ("，已撤回" if row["notice"].withdrawn_at else "")
