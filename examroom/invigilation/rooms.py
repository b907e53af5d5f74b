"""A room from its opening to its closing, and who may act in it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.delivery.phase import Phase
from examroom.invigilation.acts import force_hand_in, grant_time
from examroom.invigilation.duty import closing_of, require_invigilator, require_running, sheets_of
from examroom.invigilation.incidents import record_incident
from examroom.invigilation.models import RoomClosing
from examroom.invigilation.seats import take_over as admit
from examroom.plans.models import SittingRoom, SittingState
from qbank.kernel import audit, durability
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken

__all__ = ["admit", "close_room", "closing_of", "force_hand_in", "grant_time", "open_room", "record_incident", "sheets_of",
           "shut_room"]
OPENS_BEFORE = timedelta(minutes=30)


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
    durability.require(session)
    sitting_room.opened_at, sitting_room.opened_by = now, who.account_id
    session.flush()


def shut_room(session: Session, sitting_room: SittingRoom, who: Viewer, *, now: datetime) -> None:
    """Take the opening back while nobody has begun."""
    require_running(session, sitting_room, who)
    begun = sum(sheet.started_at is not None for sheet in sheets_of(session, sitting_room))
    if begun:
        raise Refused("already_begun", f"已有 {begun} 名考生开始答题，不能撤回开启。需要停下时请用“暂停全考场”。")
    sitting_room.opened_at = sitting_room.opened_by = None
    session.flush()


def close_room(session: Session, sitting_room: SittingRoom, remark: str, who: Viewer, *, now: datetime) -> RoomClosing:
    """End the room when nobody answers any more. Sheets that are due are handed in first."""
    require_running(session, sitting_room, who)
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


def _cannot_start(session: Session, sheet: Sheet, now: datetime) -> bool:
    return sheets.phase_of(session, sheet, now=now) in {Phase.LATE, Phase.OVER}
