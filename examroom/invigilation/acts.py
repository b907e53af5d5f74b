"""What an invigilator does for candidates during the exam: time, pause, messages, interruptions, forced hand-in, evacuation.

Every act is for one, some or all candidates of a room, has a reason, and is undone where that is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import ledger, notices, sheets
from examroom.delivery.models import HandIn, Interruption, Notice, Sheet, SheetState, TimeEntry, TimeKind
from examroom.invigilation.duty import ORDINARY, note, require_running, sheets_of
from examroom.invigilation.incidents import EVACUATION
from examroom.plans.models import SittingRoom, SittingState
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local, spoken

REOPENS_WITHIN = timedelta(minutes=10)


def grant_time(session: Session, sheet: Sheet, seconds: int, reason: str, who: Viewer, *, now: datetime) -> TimeEntry:
    """Add an entry to the candidate's time ledger. Entries add up; a wrong one is corrected by a negative one."""
    require_running(session, sheet.seat.sitting_room, who)
    return ledger.grant(session, sheet, seconds, TimeKind.ROOM, reason, who, now=now)


def grant_many(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], seconds: int, reason: str, who: Viewer,
               *, now: datetime) -> list[TimeEntry]:
    """The same time for these candidates, or for everybody (none named) who has not handed in."""
    require_running(session, sitting_room, who)
    waiting = _unfinished(session, sitting_room, chosen)
    return [ledger.grant(session, sheet, seconds, TimeKind.ROOM, reason, who, now=now) for sheet in waiting]


def undo_time(session: Session, sitting_room: SittingRoom, entry_ids: Sequence[int], who: Viewer, *, now: datetime) -> int:
    """Take entries of the room back by opposite ones. An entry is taken back once."""
    require_running(session, sitting_room, who)
    done = 0
    for sheet in sheets_of(session, sitting_room):
        for entry in list(sheet.time_entries):
            mark = f"撤销第 {entry.id} 条"
            if entry.id not in entry_ids or any(other.reason.startswith(mark) for other in sheet.time_entries):
                continue
            ledger.grant(session, sheet, -entry.seconds, entry.kind, f"{mark}：{entry.reason}", who, now=now)
            done += 1
    if not done:
        raise Refused("nothing_to_undo", "这次加时已经撤销，或考生已经交卷。")
    return done


def pause(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], reason: str, who: Viewer, *, now: datetime) -> int:
    """Stop the clock of these candidates (none named: of all) and cover their pages; how many ran."""
    require_running(session, sitting_room, who)
    reason = _reason(reason, "请填写暂停的原因，例如“停电”。")
    stopped = [sheet for sheet in _unfinished(session, sitting_room, chosen) if ledger.pause(session, sheet, now=now)]
    if not stopped:
        raise Refused("paused_already", "所选考生都已经暂停。")
    _tell(session, sitting_room, stopped, chosen, f"暂停考试：{reason}", who, now)
    return len(stopped)


def resume(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], reason: str, who: Viewer, *, now: datetime) -> int:
    """Let the clock of these candidates run again; the pause goes into each ledger. How many stood still."""
    require_running(session, sitting_room, who)
    reason = reason.strip() or "暂停结束"
    still = [sheet for sheet in _unfinished(session, sitting_room, chosen) if sheet.paused_at is not None]
    if not still:
        raise Refused("not_paused", "所选考生没有处于暂停状态的。")
    for sheet in still:
        ledger.resume(session, sheet, reason, who, now=now)
    _tell(session, sitting_room, still, chosen, f"恢复考试：{reason}", who, now)
    return len(still)


def evacuate(session: Session, sitting_room: SittingRoom, reason: str, who: Viewer, *, now: datetime) -> int:
    """Everybody out: every clock stops, every page is covered, and the record says when and why. How many were stopped."""
    require_running(session, sitting_room, who)
    reason = _reason(reason, "请填写疏散的原因，例如“火警”。")
    stopped = sum(ledger.pause(session, sheet, now=now) for sheet in _unfinished(session, sitting_room, ()))
    note(session, sitting_room, None, EVACUATION, f"{local(now):%H:%M:%S} 疏散，暂停 {stopped} 人，屏幕已遮盖：{reason}", who, now=now)
    notices.post(session, sitting_room, "请停止答题，听从监考员指挥，有序离开考场。已作答内容已保存，考试时间已停止计算。", who, now=now)
    return stopped


def message(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], text: str, who: Viewer, *, now: datetime) -> list[Notice]:
    """A notice to these candidates, or one to the whole room."""
    require_running(session, sitting_room, who)
    if not chosen:
        return [notices.post(session, sitting_room, text, who, now=now)]
    return [notices.post(session, sitting_room, text, who, sheet=sheet, now=now) for sheet in chosen]


def withdraw_notices(session: Session, sitting_room: SittingRoom, notice_ids: Sequence[int], who: Viewer, *, now: datetime) -> int:
    """Take notices off the candidates' pages; that they were sent stays on record."""
    require_running(session, sitting_room, who)
    found = session.scalars(sa.select(Notice).where(
        Notice.sitting_room_id == sitting_room.id, Notice.id.in_(notice_ids), Notice.withdrawn_at.is_(None))).all()
    for notice in found:
        notice.withdrawn_at = now
    session.flush()
    return len(found)


def settle_interruption(session: Session, interruption: Interruption, seconds: int, who: Viewer, *, now: datetime) -> int:
    """Decide on a measured gap: so many seconds for it (at most the gap and one minute), or none."""
    sheet = interruption.sheet
    require_running(session, sheet.seat.sitting_room, who)
    session.refresh(interruption, with_for_update=True)
    if interruption.settled_at is not None:
        raise Refused("settled", "这次中断已经处理。")
    lost = measured(session, interruption)
    if not 0 <= seconds <= lost + 60:
        raise Refused("seconds", f"这次中断测得 {lost} 秒，补时应在 0 到 {lost + 60} 秒之间。")
    told = f"{local(interruption.lost_at):%H:%M:%S} 至 {local(interruption.back_at):%H:%M:%S} 与服务器失去联系，计 {lost} 秒"
    if seconds:
        ledger.grant(session, sheet, seconds, TimeKind.INTERRUPTION, told, who, now=now)
    else:
        note(session, sheet.seat.sitting_room, sheet, ORDINARY, f"{told}，监考员核实后不补时。", who, now=now)
    interruption.settled_at = now
    session.flush()
    return seconds


def measured(session: Session, interruption: Interruption) -> int:
    """The seconds between the two signs of life that no pause has given back."""
    pauses = ledger.pauses_of(session, [interruption.sheet_id]).get(interruption.sheet_id, [])
    return ledger.net_seconds(interruption.lost_at, interruption.back_at, pauses)


def proposals(session: Session, sitting_room: SittingRoom) -> list[Interruption]:
    """Gaps of candidates who still answer that nobody has decided on."""
    rows = session.scalars(sa.select(Interruption).join(Interruption.sheet).join(Sheet.seat).where(
        Interruption.settled_at.is_(None), Sheet.state == SheetState.STARTED,
        Sheet.seat.has(sitting_room_id=sitting_room.id)).order_by(Interruption.id))
    return list(rows)


def let_in_late(session: Session, sheet: Sheet, minutes: int, reason: str, who: Viewer, *, now: datetime) -> None:
    """Let one candidate begin although the door is shut, within the next minutes. The end stays where it is."""
    require_running(session, sheet.seat.sitting_room, who)
    reason = _reason(reason, "请填写准许迟到入场的原因。")
    if sheet.state is not SheetState.DEALT:
        raise Refused("already_begun", f"{sheet.enrolment.candidate.name}现在是“{sheet.state.chinese}”，不需要准许入场。")
    if now >= sheet.ends_at:
        raise Refused("already_over", "本场考试已经结束，不能再入场。")
    sheet.late_until = now + timedelta(minutes=minutes)
    note(session, sheet.seat.sitting_room, sheet, ORDINARY, f"准许迟到入场（{spoken(sheet.late_until)} 前）：{reason}", who, now=now)


def force_hand_in(session: Session, sheet: Sheet, who: Viewer, reason: str, *, now: datetime) -> None:
    """Hand a sheet in for the candidate, with the answers that are stored, and put the reason on record."""
    require_running(session, sheet.seat.sitting_room, who)
    reason = _reason(reason, "请填写强制收卷的原因。")
    sheets.lock(session, sheet)
    if sheet.state is not SheetState.STARTED:
        raise Refused("not_answering", f"{sheet.enrolment.candidate.name}现在是“{sheet.state.chinese}”，不需要强制收卷。")
    sheets.hand_in(session, sheet, HandIn.FORCED, now=now)
    note(session, sheet.seat.sitting_room, sheet, ORDINARY, f"强制收卷：{reason}", who, now=now)


def undo_force(session: Session, sheet: Sheet, reason: str, who: Viewer, *, now: datetime) -> None:
    """Give a sheet back that was taken by mistake, within ten minutes; the time since counts as a pause."""
    require_running(session, sheet.seat.sitting_room, who)
    sheets.lock(session, sheet)
    taken = sheet.handed_in_at
    if sheet.handed_in_how is not HandIn.FORCED or taken is None:
        raise Refused("not_forced", "这份答卷不是由监考员收取的，不能退回。")
    if now > taken + REOPENS_WITHIN or sheet.sitting.state is not SittingState.DEALT:
        raise Refused("too_late", "强制收卷超过 10 分钟，或本场次已经收卷，不能再退回。请报考务员处理。")
    sheet.state, sheet.handed_in_at, sheet.handed_in_how = SheetState.STARTED, None, None
    sheet.paused_at = sheet.paused_at or min(taken, sheet.ends_at)
    session.flush()
    ledger.resume(session, sheet, "误收答卷后退回", who, now=now)
    note(session, sheet.seat.sitting_room, sheet, ORDINARY, f"退回误收的答卷：{reason.strip() or '误操作'}", who, now=now)


def _unfinished(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet]) -> list[Sheet]:
    found = [sheet for sheet in (chosen or sheets_of(session, sitting_room)) if sheet.state is not SheetState.HANDED_IN]
    if not found:
        raise Refused("nobody_answers", "没有还在考试的考生，不需要办理。")
    return found


def _reason(text: str, sentence: str) -> str:
    if not text.strip():
        raise Refused("reason_missing", sentence)
    return text.strip()


def _tell(session: Session, sitting_room: SittingRoom, touched: Sequence[Sheet], chosen: Sequence[Sheet], text: str,
          who: Viewer, now: datetime) -> None:
    """On record: one line for the room, or one for each candidate who was named."""
    for sheet in touched if chosen else (None,):
        note(session, sitting_room, sheet, ORDINARY, text, who, now=now)
