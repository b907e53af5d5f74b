"""What an assessor's tablet and the server say to each other. The tablet keeps every change until it is acknowledged.

A change is an event ``{sequence, number, answer}``: ``number`` is ``member:row`` with the typed text as its answer, or
``member:sign`` with the signature. One device counts its events from 1; the server takes each once and in order, and names
those that it refuses. The transport is that of the exam page (``examroom/delivery/client/transport.js``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from scoring.practical import rows
from scoring.practical.absences import absent_from
from scoring.practical.mark_models import Discrepancy, MarkStream
from scoring.practical.marks import enter_marks, mark_sheet_for
from scoring.practical.models import GroupMember, MarkSheet, Part, PracticalGroup, RubricRow
from scoring.practical.signing import has_pin, sign_with

NUMBER = re.compile(r"(\d{1,9}):(\d{1,9}|sign)")
DEVICE = re.compile(r"[0-9a-f]{32}")
AT_ONCE = 50
HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class Event:
    """One change as sent."""

    sequence: int
    number: str
    answer: str


@dataclass(frozen=True)
class Refusal:
    """An event that was not taken, and why."""

    sequence: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Taken:
    """How far the stream has come; ``behind``: the device was told more than this server holds."""

    acknowledged: int
    refused: tuple[Refusal, ...] = ()
    behind: bool = False


def read_events(body: object) -> list[Event]:
    """The events of a request. Raises ValueError for what is none."""
    sent = body.get("events") if isinstance(body, dict) else None
    if not isinstance(sent, list) or len(sent) > AT_ONCE:
        raise ValueError("events")
    found = []
    for one in sent:
        fields = one if isinstance(one, dict) else {}
        sequence, number, answer = fields.get("sequence"), fields.get("number"), fields.get("answer")
        if not (type(sequence) is int and 1 <= sequence <= HIGHEST and isinstance(number, str) and isinstance(answer, str)):
            raise ValueError("event")
        found.append(Event(sequence, number, answer))
    return found


def take(session: Session, group: PracticalGroup, who: Viewer, device: str, events: Sequence[Event], after: int, *,
         now: datetime) -> Taken:
    """Take the events that are new, in order. What was taken before is passed over."""
    stream = stream_of(session, group, who, device)
    if after > stream.acknowledged:
        return Taken(stream.acknowledged, behind=True)
    refused = []
    for event in sorted(events, key=lambda one: one.sequence):
        if event.sequence <= stream.acknowledged:
            continue
        try:
            _apply(session, group, who, event, now)
        except Refused as refusal:
            details = "、".join(refusal.details)
            refused.append(Refusal(event.sequence, refusal.code, refusal.sentence + (f"（{details}）" if details else "")))
        stream.acknowledged = event.sequence
    session.flush()
    return Taken(stream.acknowledged, tuple(refused))


def stream_of(session: Session, group: PracticalGroup, who: Viewer, device: str) -> MarkStream:
    """The stream of this device, made at the first event."""
    found = session.scalar(sa.select(MarkStream).where(MarkStream.group_id == group.id, MarkStream.account_id == who.account_id,
                                                       MarkStream.device == device).with_for_update())
    if found is None:
        found = MarkStream(group_id=group.id, account_id=who.account_id, device=device, acknowledged=0)
        session.add(found)
        session.flush()
    return found


def acknowledged(session: Session, group: PracticalGroup, who: Viewer, device: str) -> int:
    """How far this device's stream has come."""
    return session.scalar(sa.select(MarkStream.acknowledged).where(
        MarkStream.group_id == group.id, MarkStream.account_id == who.account_id, MarkStream.device == device)) or 0


def _apply(session: Session, group: PracticalGroup, who: Viewer, event: Event, now: datetime) -> None:
    named = NUMBER.fullmatch(event.number)
    member = next((one for one in group.members if named and one.id == int(named[1])), None)
    if named is None or member is None:
        raise Refused("other_member", "这名考生不在本组，请刷新页面。")
    sheet = mark_sheet_for(session, member, who)
    if named[2] == "sign":
        sign_with(session, sheet, who, event.answer, now=now)
        return
    row = next((one for one in group.rubric.rows if one.id == int(named[2])), None)
    if row is None:
        raise Refused("other_row", "这一项不在评分表上，请刷新页面。")
    enter_marks(session, sheet, {row.id: rows.read(row.rule, event.answer)}, who, now=now)


def state(session: Session, group: PracticalGroup, who: Viewer, device: str) -> dict[str, Any]:
    """Everything the page needs, with nobody's marks but the viewer's own."""
    sheets = _own_sheets(session, group, who)
    chief = group.chief_id == who.account_id
    return standing(session, group, who, device) | {
        "rows": [_row(row) for row in group.rubric.rows], "full": group.rubric.full, "chief": chief, "pin": has_pin(session, who),
        "members": [{"id": member.id, "name": member.enrolment.candidate.name, "ticket": member.enrolment.ticket_number,
                     "class": member.enrolment.class_name, "entries": _entries(sheets.get(member.id))}
                    for member in _members(session, group, chief)]}


def standing(session: Session, group: PracticalGroup, who: Viewer, device: str) -> dict[str, Any]:
    """What changes: how far the stream has come, who is signed for, who is absent."""
    absent = absent_from(session, group.plan, Part.PRACTICAL)
    signed = {str(member): f"{local(sheet.signed_at):%m-%d %H:%M}" for member, sheet in _own_sheets(session, group, who).items() if sheet.signed_at}
    return {"acknowledged": acknowledged(session, group, who, device), "page": "live", "state": "started", "signed": signed,
            "absent": [member.id for member in group.members if member.enrolment_id in absent]}


def _members(session: Session, group: PracticalGroup, chief: bool) -> list[GroupMember]:
    if not chief:
        return list(group.members)
    sent = set(session.scalars(sa.select(Discrepancy.member_id).join(Discrepancy.member).where(GroupMember.group_id == group.id)))
    return [member for member in group.members if member.id in sent]


def _own_sheets(session: Session, group: PracticalGroup, who: Viewer) -> dict[int, MarkSheet]:
    found = session.scalars(sa.select(MarkSheet).join(MarkSheet.member).where(GroupMember.group_id == group.id,
                                                                              MarkSheet.assessor_id == who.account_id))
    return {sheet.member_id: sheet for sheet in found}


def _entries(sheet: MarkSheet | None) -> dict[str, str]:
    if sheet is None:
        return {}
    return {str(mark.row_id): typed_of(mark.row, mark.entry, mark.half_points, mark.violated) for mark in sheet.marks}


def typed_of(row: RubricRow, entry: Any, half_points: int | None, violated: bool | None) -> str:
    """A mark as it would be typed; marks from before there were entries say what they were worth."""
    return rows.entry_text(row.rule, entry if entry is not None else violated if violated is not None else half_points)


def _row(row: RubricRow) -> dict[str, Any]:
    section = next((one.name for one in row.rubric.table.ranges if one.id == row.range_id), "")
    return {"id": row.id, "kind": row.kind.value, "text": row.text, "most": row.most, "detail": row.detail, "told": rows.told(row.rule),
            "section": section}
