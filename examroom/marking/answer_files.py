"""答案文件 of a room without its server: brought in by an invigilator, compared with what is held, taken in by a second person."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets, shuffle
from examroom.delivery.models import AnswerEvent, ExamPage, HandIn, Sheet, SheetState
from examroom.delivery.sheets import Event
from examroom.filing.duties import on_duty
from examroom.marking import answer_file, desk, released
from examroom.marking.case_models import AnswerFile, FileState
from examroom.plans.models import RoomInvigilator
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused

SAME, NEW, OLDER, TAKEN, UNKNOWN, SHOWN = "same", "new", "older", "taken", "unknown", "shown"
EFFECTS = {SAME: "相同，不变", NEW: "将写入", OLDER: "服务器已有更新的作答，不写入", TAKEN: "服务器同一序号另有作答，不写入",
           UNKNOWN: "题号或选项不在本卷上，不写入", SHOWN: "文件里没有这道题，不变"}


@dataclass(frozen=True)
class Difference:
    """One question as the candidate saw it: what the server holds, what the file has, what comes of it."""

    number: int
    kind: str
    held: str
    brought: str
    effect: str

    @property
    def chinese(self) -> str:
        return EFFECTS[self.effect]


def upload(session: Session, sheet: Sheet, file_name: str, content: bytes, who: Viewer, *, now: datetime) -> AnswerFile:
    """Check a file and keep it for a second person; nothing is written to the sheet. The same file twice is one file."""
    _require_duty(session, sheet, who)
    found = answer_file.read(content)
    if found.sheet != sheet.id:
        raise Refused("other_sheet", f"这个文件属于另一份答卷（编号 {found.sheet}），不是{sheet.enrolment.candidate.name}的（编号 {sheet.id}）。请核对考生。")
    if sheet.started_at is None:
        raise Refused("not_started", "这份答卷没有开始作答，不会有答案文件。请核对考生。")
    held = session.scalar(sa.select(AnswerFile).where(AnswerFile.sheet_id == sheet.id, AnswerFile.digest == found.digest))
    if held is not None:
        return held
    if not found.events:
        raise Refused("nothing_new", "这个文件里没有作答记录：考生的作答都已在服务器上，不需要计入。")
    kept = AnswerFile(sheet=sheet, file_name=file_name[:200], digest=found.digest, page_generation=found.page_generation,
                      events=[[one.sequence, one.number, one.answer, one.flagged] for one in found.events],
                      proven=_proven(session, sheet, found), made_at=found.made_at, uploaded_by=who.account_id, uploaded_at=now)
    session.add(kept)
    session.flush()
    return kept


def differences(session: Session, kept: AnswerFile) -> list[Difference]:
    """Question by question, for the person who decides."""
    sheet, held = kept.sheet, sheets.answers(session, kept.sheet)
    newest = {number: (sequence, answer) for sequence, number, answer, _ in kept.events}
    stored = _stored(session, kept)
    rows = []
    for place, entry in enumerate(sheet.layout, 1):
        own = held.get(entry["number"])
        shown = shuffle.to_shown(entry, own.answer) if own is not None else ""
        if place not in newest:
            rows.append(Difference(place, entry["kind"], shown, "", SHOWN))
            continue
        sequence, brought = newest[place]
        rows.append(Difference(place, entry["kind"], shown, brought, _effect(sheet, place, sequence, brought, own, stored)))
    rows += [Difference(number, "", "", newest[number][1], UNKNOWN) for number in sorted(newest) if not 1 <= number <= len(sheet.layout)]
    return rows


def decide(session: Session, kept: AnswerFile, takes: bool, reason: str, who: Viewer, *, now: datetime) -> None:
    """A second person takes the answers in, also after the sheet was handed in, or refuses the file; marked again afterwards."""
    sheet = kept.sheet
    _require_duty(session, sheet, who)
    session.refresh(kept, with_for_update=True)
    if kept.state is not FileState.UPLOADED:
        raise Refused("decided", f"这个文件{kept.state.chinese}，不能再处理。")
    if kept.uploaded_by == who.account_id:
        raise Refused("same_person", "文件由您上传，须由另一人核准。")
    if len(reason.strip()) < 4:
        raise Refused("no_reason", "请写明核准或不予计入的理由（例如：机房断电，已与考生当面核对）。")
    if takes:
        _require_takable(session, sheet)
    kept.outcome = _take_in(session, kept, now) if takes else []
    kept.state = FileState.TAKEN if takes else FileState.REJECTED
    kept.decided_by, kept.decided_at, kept.reason = who.account_id, now, reason.strip()[:2000]
    session.flush()
    if takes:
        desk.reopen_marking(session, sheet.sitting, now=now)


def _take_in(session: Session, kept: AnswerFile, now: datetime) -> list[str]:
    """Through the same rule as saves: idempotent by sequence, nothing older over something newer, the chain goes on."""
    sheet, events, refused = kept.sheet, [], []
    for sequence, number, answer, flagged in kept.events:
        try:
            paper_number, canonical = shuffle.to_canonical(sheet.layout, number, answer)
        except ValueError:
            refused.append(f"序号 {sequence}：题号或选项不在本卷上。")
            continue
        events.append(Event(sequence, paper_number, canonical, flagged))
    before = _count(session, sheet)
    refused += [f"序号 {one.sequence}：{one.sentence}" for one in sheets.take_in(session, sheet, events, now=now)]
    return [f"写入作答记录 {_count(session, sheet) - before} 条。", *refused]


def _effect(sheet: Sheet, place: int, sequence: int, brought: str, own: Any, stored: dict[int, tuple[int, str]]) -> str:
    try:
        number, canonical = shuffle.to_canonical(sheet.layout, place, brought)
    except ValueError:
        return UNKNOWN
    if own is not None and own.answer == canonical:
        return SAME
    if sequence in stored and stored[sequence] != (number, canonical):
        return TAKEN
    return OLDER if own is not None and own.sequence > sequence else NEW


def _stored(session: Session, kept: AnswerFile) -> dict[int, tuple[int, str]]:
    """Sequences of the file that the server holds already, with what they said."""
    least = min(row[0] for row in kept.events)
    rows = session.execute(sa.select(AnswerEvent.sequence, AnswerEvent.number, AnswerEvent.answer).where(
        AnswerEvent.sheet_id == kept.sheet_id, AnswerEvent.sequence >= least))
    return {sequence: (number, answer) for sequence, number, answer in rows}


def _proven(session: Session, sheet: Sheet, found: answer_file.Found) -> bool:
    """Whether a page of this sheet wrote it. A page that this server knows, and another proof, is a forgery."""
    pages: Sequence[ExamPage] = session.scalars(sa.select(ExamPage).where(ExamPage.sheet_id == sheet.id)).all()
    if any(hmac.compare_digest(answer_file.proof(page.token_hash, found.digest), found.proof) for page in pages):
        return True
    if any(page.generation == found.page_generation for page in pages):
        raise Refused("forged", "这个文件不是考生的考试页面生成的：签名不符。请让考生页面重新生成文件，并在考场记录里写明情况。")
    return False


def _require_duty(session: Session, sheet: Sheet, who: Viewer) -> None:
    """The room's invigilators and the school's exam officers."""
    watches = session.scalar(sa.select(RoomInvigilator.id).where(RoomInvigilator.sitting_room_id == sheet.seat.sitting_room_id,
                                                                 RoomInvigilator.account_id == who.account_id))
    if who.has(Role.INVIGILATOR) and watches is not None:
        return
    plan = sheet.sitting.plan
    if not on_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id):
        raise Refused("not_your_room", "答案文件由本考场的监考员或本校考务员办理。")


def _require_takable(session: Session, sheet: Sheet) -> None:
    sitting = sheet.sitting
    if sheet.state is SheetState.DEALT or sheet.handed_in_how is HandIn.ABSENT:
        raise Refused("not_started", "这份答卷没有开始作答或登记为缺考，不能计入答案文件。")
    if public := [one.sentence for one in released.standings(session, [sitting.plan_id]) if one.public]:
        raise Refused("released", "成绩已经公示，不能再计入答案文件。需要更正的，请先撤回公示。", public)


def _count(session: Session, sheet: Sheet) -> int:
    return session.scalar(sa.select(sa.func.count()).where(AnswerEvent.sheet_id == sheet.id)) or 0
