"""Rooms of the school, rooms of a sitting, and the seats drawn in them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans import drift, guard, staffing
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, Room, RoomInvigilator, Seat, Sitting, SittingRoom, SittingState
from examroom.plans.sittings import add_sitting, choose_paper, require_planned
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.standards.ratios import THEORY

__all__ = ["add_room", "add_sitting", "change_room", "choose_paper", "drop_room", "seat_all", "use_room"]

MOST_SEATS = 500
MOST_COLUMNS = 12  # the seat map of the invigilator shows them side by side


def add_room(session: Session, institution: Institution, name: str, seats: int, who: Viewer, *, columns: int | None = None) -> Room:
    """A room of the school. ``columns``: seats in one row, as the room stands."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    room = Room(institution_id=institution.id)
    _describe(session, room, name, seats, columns)
    session.add(room)
    session.flush()
    return room


def change_room(session: Session, room: Room, name: str, seats: int, who: Viewer, *, columns: int | None = None) -> None:
    """Rename a room or correct its seats; seats that are drawn already stay valid."""
    require_duty(session, who, room.institution_id, Role.EXAM_OFFICER)
    highest = session.scalar(sa.select(sa.func.max(Seat.number)).join(SittingRoom).join(Sitting).where(
        SittingRoom.room_id == room.id, Sitting.state.in_((SittingState.PLANNED, SittingState.DEALT)))) or 0
    if seats < highest:
        raise Refused("seats_in_use", f"{room.name}已编排到 {highest} 号座，座位数不能改为 {seats}。请先重新编排座位。")
    _describe(session, room, name, seats, columns)
    session.flush()


def _describe(session: Session, room: Room, name: str, seats: int, columns: int | None) -> None:
    if not name.strip():
        raise Refused("name_missing", "请填写考场名称，例如“机房一”。")
    if not 1 <= seats <= MOST_SEATS:
        raise Refused("seats", f"座位数应在 1 到 {MOST_SEATS} 之间。")
    if columns is not None and not 1 <= columns <= MOST_COLUMNS:
        raise Refused("columns", f"每排座位数应在 1 到 {MOST_COLUMNS} 之间。")
    double = sa.select(Room.id).where(Room.institution_id == room.institution_id, Room.name == name.strip(),
                                      Room.id != (room.id or 0))
    if session.scalar(double):
        raise Refused("name_taken", f"本校已有名为“{name.strip()}”的考场，请换一个名称。")
    room.name, room.seats, room.columns = name.strip()[:200], seats, columns


def use_room(session: Session, sitting: Sitting, room: Room, invigilator_ids: Sequence[int], who: Viewer) -> SittingRoom:
    """Use ``room`` in ``sitting`` with these invigilators; a room already in use gets them instead of its former ones.

    Invigilators may still be replaced after dealing (somebody falls ill); rooms may not.
    """
    require_officer(session, sitting.plan, who)
    guard.require_own(sitting.plan, room.institution_id, room.name)
    drift.require_planned(sitting.plan, THEORY, sitting.starts_at, room_id=room.id)
    used = next((used for used in sitting.rooms if used.room_id == room.id), None)
    if used is None or sitting.state not in (SittingState.PLANNED, SittingState.DEALT):
        require_planned(sitting)
        staffing.check_room_free(session, sitting, room.id)
    chosen = staffing.chosen_invigilators(session, sitting, room.id, invigilator_ids, _expected(session, sitting, room, used))
    if used is None:
        used = SittingRoom(sitting=sitting, room=room)
        session.add(used)
    kept = {watcher.account_id: watcher for watcher in used.invigilators}
    used.invigilators = [kept.get(account.id) or RoomInvigilator(account=account) for account in chosen]
    session.flush()
    return used


def _expected(session: Session, sitting: Sitting, room: Room, used: SittingRoom | None) -> int:
    """Who sits there once seats are drawn; before that, as many of the plan's candidates as the room holds."""
    if used is not None and used.seats:
        return len(used.seats)
    enrolled = session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == sitting.plan_id)) or 0
    return min(room.seats, enrolled)


def drop_room(session: Session, used: SittingRoom, who: Viewer) -> None:
    """Take a room, with the seats drawn in it, out of its sitting."""
    sitting = used.sitting
    require_officer(session, sitting.plan, who)
    require_planned(sitting)
    sitting.rooms.remove(used)
    session.flush()


def seat_all(session: Session, sitting: Sitting, who: Viewer, *, seed: str | int,
             classes: Collection[str] | None = None) -> int:
    """Draw seats for every accepted candidate who sits in no other sitting of the plan; ``classes`` limits it to these class names.

    The order is that of SHA-256(seed|ticket number), so that anybody can repeat the draw; rooms fill in the order in
    which they were added. Former seats of this sitting go. Returns the number of seats.
    """
    require_officer(session, sitting.plan, who)
    require_planned(sitting)
    waiting = _waiting(session, sitting, classes)
    _check_capacity(sitting, len(waiting))
    for used in sitting.rooms:
        used.seats = []
    session.flush()  # before the new seats: a number is unique in its room
    drawn = str(seed)[:40]
    order = iter(sorted(waiting, key=lambda enrolment: draw(drawn, enrolment.ticket_number)))
    for used in sitting.rooms:
        for number, enrolment in zip(range(1, used.room.seats + 1), order, strict=False):
            used.seats.append(Seat(sitting_id=sitting.id, enrolment=enrolment, number=number))
    sitting.seating_seed = drawn
    session.flush()
    if short := staffing.shortages(session, sitting):
        raise Refused("too_few_invigilators", "按这次编排，监考员人数不符合要求。请先补足监考员，再编排座位。", short)
    return len(waiting)


def draw(seed: str, ticket_number: str) -> str:
    """What the candidates of a sitting are ordered by."""
    return hashlib.sha256(f"{seed}|{ticket_number}".encode()).hexdigest()


def _waiting(session: Session, sitting: Sitting, classes: Collection[str] | None) -> list[Enrolment]:
    elsewhere = Enrolment.seats.any(Seat.sitting_id != sitting.id)
    query = sa.select(Enrolment).where(Enrolment.plan_id == sitting.plan_id, ~elsewhere,
                                       Enrolment.qualification == Qualification.ACCEPTED).order_by(Enrolment.ticket_number)
    if classes is not None:
        query = query.where(Enrolment.class_name.in_(list(classes)))
    return list(session.scalars(query))


def _check_capacity(sitting: Sitting, candidates: int) -> None:
    if not sitting.rooms:
        raise Refused("no_rooms", "本场还没有安排考场，请先安排考场和监考员。")
    if not candidates:
        raise Refused("nobody_waits", "没有需要编排座位的考生：名单为空，资格审核还没有通过，或所选班级的考生都已编入其他场次。")
    capacity = sum(used.room.seats for used in sitting.rooms)
    if capacity < candidates:
        detail = [f"{used.room.name}：{used.room.seats} 座" for used in sitting.rooms]
        raise Refused("too_few_seats", f"本场有 {candidates} 名考生，考场共 {capacity} 座，还差 {candidates - capacity} 座。"
                                       "请增加考场，或分班级编入不同场次。", detail)
