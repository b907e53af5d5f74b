"""Who may sit down and where: the check at the door, another computer, another seat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import pages
from examroom.delivery.models import Admission, ExamPage, Sheet, SheetState
from examroom.delivery.spread import ALL_ROUND, Place, clashes, neighbours
from examroom.invigilation.duty import ORDINARY, note, require_running
from examroom.invigilation.incidents import FAULT, IDENTITY
from examroom.invigilation.models import AdmissionCheck
from examroom.plans.models import CandidatePhoto, Seat, Sitting, SittingRoom
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused


def check(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], passed: bool, reason: str, who: Viewer, *,
          now: datetime) -> int:
    """Record that these candidates were compared with photo and papers, and let them in or not. The newest check holds."""
    require_running(session, sitting_room, who)
    if not chosen:
        raise Refused("nobody_chosen", "请先在座位图上选定考生，再核验。")
    if not passed and not reason.strip():
        raise Refused("reason_missing", "请填写不准入场的原因，例如“本人与照片不符”。")
    for sheet in chosen:
        if not passed and sheet.state is not SheetState.DEALT:
            raise Refused("already_begun", f"{sheet.enrolment.candidate.name}已经开始答题。身份存疑请记入考场情况，需要时暂停或收卷。")
        photo = session.get(CandidatePhoto, sheet.enrolment.photo_id) if sheet.enrolment.photo_id else None
        session.add(AdmissionCheck(sitting_room_id=sitting_room.id, enrolment_id=sheet.enrolment_id, passed=passed,
                                   reason=reason.strip(), photo=photo.sha256 if photo else "", checked_by=who.account_id, at=now))
        sheet.admission = Admission.ADMITTED if passed else Admission.REFUSED
        if not passed:
            note(session, sitting_room, sheet, IDENTITY, f"不准入场：{reason.strip()}", who, now=now)
    session.flush()
    return len(chosen)


def undo_check(session: Session, sitting_room: SittingRoom, chosen: Sequence[Sheet], who: Viewer, *, now: datetime) -> int:
    """As if nobody had checked these candidates; the checks themselves stay on record."""
    require_running(session, sitting_room, who)
    for sheet in chosen:
        sheet.admission = None
    session.flush()
    return len(chosen)


def take_over(session: Session, page: ExamPage, who: Viewer, *, now: datetime) -> None:
    """Let a candidate go on at another computer (换机); the computer before becomes read-only at once."""
    sitting_room = page.sheet.seat.sitting_room
    require_running(session, sitting_room, who)
    pages.admit(session, page, who)
    note(session, sitting_room, page.sheet, FAULT, f"同意换机，新电脑地址 {page.address}。", who, now=now)


def free_seats(session: Session, sitting_room: SittingRoom) -> list[int]:
    """Numbers of the room at which nobody sits."""
    taken = set(session.scalars(sa.select(Seat.number).where(Seat.sitting_room_id == sitting_room.id)))
    return [number for number in range(1, sitting_room.room.seats + 1) if number not in taken]


def move(session: Session, sheet: Sheet, number: int, reason: str, who: Viewer, *, anyway: bool = False, now: datetime) -> int:
    """Seat a candidate at a free number of the same room; the number before. ``anyway``: beside the same form too."""
    sitting_room = sheet.seat.sitting_room
    require_running(session, sitting_room, who)
    if not reason.strip():
        raise Refused("reason_missing", "请填写换座的原因，例如“桌椅损坏”。")
    if number not in free_seats(session, sitting_room):
        raise Refused("seat_taken", f"{number} 号座不是本考场的空座，请在座位图上另选。")
    if sheet.state is SheetState.HANDED_IN:
        raise Refused("handed_in", f"{sheet.enrolment.candidate.name}已交卷，不需要换座。")
    if not anyway and len(sheet.sitting.papers) > 1 and (
            neighbours_on_one_form(session, sheet.sitting, sheet, number) > neighbours_on_one_form(session, sheet.sitting)):
        raise Refused("same_form", f"{number} 号座的邻座用的是同一套试卷，建议另选一个空座；确实没有时勾选“仍然换到这里”。")
    former, sheet.seat.number = sheet.seat.number, number
    note(session, sitting_room, sheet, ORDINARY, f"换座：{former} 号换到 {number} 号，{reason.strip()}", who, now=now)
    return former


def neighbours_on_one_form(session: Session, sitting: Sitting, moved: Sheet | None = None, number: int = 0) -> int:
    """How many pairs of neighbours have the same form of the paper; ``moved`` thought of as sitting at ``number``."""
    columns = {used.id: used.room.columns for used in sitting.rooms}
    dealt = {}
    for sheet_id, paper_id, room_id, held in session.execute(
            sa.select(Sheet.id, Sheet.paper_id, Seat.sitting_room_id, Seat.number).join(Sheet.seat).where(Sheet.sitting_id == sitting.id)):
        dealt[Place(room_id, number if moved is not None and sheet_id == moved.id else held)] = paper_id
    near = neighbours(dealt, columns, diagonal=len(sitting.papers) >= ALL_ROUND)
    return len(clashes(dealt, near))
