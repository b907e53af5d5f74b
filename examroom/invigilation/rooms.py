"""What invigilators do in their room: open, grant time, force hand-in, note incidents, admit another computer, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import pages, sheets
from examroom.delivery.models import ExamPage, HandIn, Sheet, SheetState, TimeEntry
from examroom.delivery.phase import Phase
from examroom.invigilation.models import Incident, RoomClosing
from examroom.plans.models import RoomInvigilator, Seat, SittingRoom, SittingState
from qbank.kernel import audit
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken

OPENS_BEFORE = timedelta(minutes=30)
MOST_SECONDS = 4 * 3600
KINDS = ("一般情况", "设备故障", "违纪")
VIOLATION = "违纪"


def require_invigilator(session: Session, sitting_room: SittingRoom, who: Viewer) -> None:
    """Refuse unless ``who`` is one of this room's own invigilators: seeing a room is not invigilating it."""
    mine = session.scalar(sa.select(RoomInvigilator.id).where(
        RoomInvigilator.sitting_room_id == sitting_room.id, RoomInvigilator.account_id == who.account_id))
    if mine is None or not who.has(Role.INVIGILATOR):
        raise Refused("not_your_room", "只有本考场的监考员才能办理。如需更换监考员，请联系考务员。")


def open_room(session: Session, sitting_room: SittingRoom, who: Viewer, *, now: datetime) -> None:
    """Let the room begin when its time comes. Not earlier than half an hour before; opening twice changes nothing."""
    require_invigilator(session, sitting_room, who)
    sitting = sitting_room.sitting
    if sitting_room.opened_at is not None:
        return
    if sitting.state is SittingState.PLANNED:
        raise Refused("not_dealt", "本场次还没有发卷，不能开启考场。请联系考务员先完成发卷。")
    if sitting.state is not SittingState.DEALT or now >= sitting.ends_at:
        raise Refused("sitting_over", "本场考试时间已过，不能再开启考场。")
    if now < sitting.starts_at - OPENS_BEFORE:
        raise Refused("too_soon", f"开考前 30 分钟内才能开启考场，请在 {spoken(sitting.starts_at - OPENS_BEFORE)} 之后再开启。")
    sitting_room.opened_at, sitting_room.opened_by = now, who.account_id
    session.flush()


def grant_time(session: Session, sheet: Sheet, seconds: int, reason: str, who: Viewer, *, now: datetime) -> TimeEntry:
    """Add an entry to the candidate's time ledger. Entries add up; a wrong one is corrected by a negative one."""
    require_invigilator(session, sheet.seat.sitting_room, who)
    if not reason.strip():
        raise Refused("reason_missing", "请填写加时的原因，例如“电脑故障中断 6 分钟”。")
    if seconds == 0 or abs(seconds) > MOST_SECONDS:
        raise Refused("seconds", "加时应在 1 到 240 分钟之间（更正多加的时间填负数）。")
    sheets.lock(session, sheet)
    if sheet.state is SheetState.HANDED_IN:
        raise Refused("handed_in", f"{sheet.enrolment.candidate.name}已交卷，不能再加时。")
    if sheets.granted_seconds(sheet) + seconds < 0:
        raise Refused("below_base", "扣减后会少于规定的考试时间，不能这样更正。")
    if sheets.ends_at(sheet) + timedelta(seconds=seconds) <= now:
        raise Refused("already_over", "这样调整后考试时间已经结束，请核对分钟数。")
    entry = TimeEntry(sheet_id=sheet.id, seconds=seconds, reason=reason.strip(), granted_by=who.account_id, at=now)
    session.add(entry)
    session.flush()
    session.expire(sheet, ["time_entries"])
    return entry


def grant_room(session: Session, sitting_room: SittingRoom, seconds: int, reason: str, who: Viewer, *, now: datetime) -> int:
    """The same time for everybody in the room who has not handed in; how many that were."""
    waiting = [sheet for sheet in sheets_of(session, sitting_room) if sheet.state is not SheetState.HANDED_IN]
    if not waiting:
        raise Refused("nobody_answers", "本考场没有还在考试的考生，不需要加时。")
    for sheet in waiting:
        grant_time(session, sheet, seconds, reason, who, now=now)
    return len(waiting)


def force_hand_in(session: Session, sheet: Sheet, who: Viewer, reason: str, *, now: datetime) -> None:
    """Hand a sheet in for the candidate, with the answers that are stored, and put the reason on record."""
    require_invigilator(session, sheet.seat.sitting_room, who)
    if not reason.strip():
        raise Refused("reason_missing", "请填写强制收卷的原因。")
    sheets.lock(session, sheet)
    if sheet.state is not SheetState.STARTED:
        raise Refused("not_answering", f"{sheet.enrolment.candidate.name}现在是“{sheet.state.chinese}”，不需要强制收卷。")
    sheets.hand_in(session, sheet, HandIn.FORCED, now=now)
    _note(session, sheet.seat.sitting_room, sheet, KINDS[0], f"强制收卷：{reason.strip()}", False, who, now)


def record_incident(session: Session, sitting_room: SittingRoom, who: Viewer, *, kind: str, text: str,
                    sheet: Sheet | None = None, voids_theory: bool = False, now: datetime) -> Incident:
    """A line of 考场情况记录. Only 违纪 of a named candidate may void the theory score."""
    require_invigilator(session, sitting_room, who)
    if kind not in KINDS:
        raise Refused("incident_kind", f"请选择情况类别：{'、'.join(KINDS)}。")
    if not text.strip():
        raise Refused("text_missing", "请写明时间、经过和处理情况。")
    if sheet is not None and sheet.seat.sitting_room_id != sitting_room.id:
        raise Refused("other_room", "这名考生不在本考场，请核对座位。")
    if voids_theory and (kind != VIOLATION or sheet is None):
        raise Refused("void_needs_violation", "只有记为“违纪”并指明考生，才能取消理论成绩。")
    if voids_theory and sitting_room.sitting.state is SittingState.MARKED:
        raise Refused("already_marked", "本场次已经评分，不能再由监考员取消成绩。请报考务员按违纪处理程序办理。")
    return _note(session, sitting_room, sheet, kind, text.strip(), voids_theory, who, now)


def admit(session: Session, page: ExamPage, who: Viewer, *, now: datetime) -> None:
    """Let a candidate go on at another computer (换机); the computer before becomes read-only at once."""
    sitting_room = page.sheet.seat.sitting_room
    require_invigilator(session, sitting_room, who)
    pages.admit(session, page, who)
    _note(session, sitting_room, page.sheet, KINDS[1], f"同意换机，新电脑地址 {page.address}。", False, who, now)


def close_room(session: Session, sitting_room: SittingRoom, remark: str, who: Viewer, *, now: datetime) -> RoomClosing:
    """End the room when nobody answers any more. Sheets that are due are handed in first."""
    require_invigilator(session, sitting_room, who)
    if closing_of(session, sitting_room) is not None:
        raise Refused("closed", "本考场已经关闭。")
    if sitting_room.opened_at is None:
        raise Refused("not_opened", "本考场还没有开启，不需要关闭。")
    found = sheets_of(session, sitting_room)
    for sheet in found:
        sheets.touch(session, sheet, now=now)
    open_ones = [sheet for sheet in found if sheet.state is not SheetState.HANDED_IN and not _cannot_start(session, sheet, now)]
    if open_ones:
        raise Refused("still_answering", f"还有 {len(open_ones)} 名考生没有交卷，不能关闭考场。请等他们交卷，或等到时系统自动收卷后再关闭。",
                      [f"{sheet.seat.number} 座 {sheet.enrolment.candidate.name}：{sheet.state.chinese}" for sheet in open_ones])
    for sheet in found:  # nobody may come in any more
        if sheet.state is SheetState.DEALT:
            sheets.hand_in(session, sheet, HandIn.ABSENT, now=now)
    absent = sum(sheet.handed_in_how is HandIn.ABSENT for sheet in found)
    closing = RoomClosing(sitting_room_id=sitting_room.id, present=len(found) - absent, absent=absent,
                          remark=remark.strip(), closed_by=who.account_id, at=now, audit_head=audit.head(session))
    session.add(closing)
    session.flush()
    return closing


def closing_of(session: Session, sitting_room: SittingRoom) -> RoomClosing | None:
    return session.scalar(sa.select(RoomClosing).where(RoomClosing.sitting_room_id == sitting_room.id))


def sheets_of(session: Session, sitting_room: SittingRoom) -> Sequence[Sheet]:
    """The room's sheets in the order of the seats."""
    return session.scalars(sa.select(Sheet).join(Sheet.seat).where(Seat.sitting_room_id == sitting_room.id)
                           .order_by(Seat.number)).all()


def _cannot_start(session: Session, sheet: Sheet, now: datetime) -> bool:
    return sheets.phase_of(session, sheet, now=now) in {Phase.LATE, Phase.OVER}


def _note(session: Session, sitting_room: SittingRoom, sheet: Sheet | None, kind: str, text: str, voids: bool,
          who: Viewer, now: datetime) -> Incident:
    incident = Incident(sitting_room_id=sitting_room.id, sheet_id=sheet.id if sheet else None, kind=kind, text=text,
                        voids_theory=voids, recorded_by=who.account_id, at=now)
    session.add(incident)
    session.flush()
    return incident
