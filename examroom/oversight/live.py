"""What a supervisor and the centres see of a running sitting: seats, times, incidents. No question, no answer, no address.

It stands on the invigilators' board, of which only the fields named here get through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.invigilation import board
from examroom.invigilation.models import Incident, RoomClosing
from examroom.oversight.regions import CENTRES
from examroom.plans.models import ExamPlan, PlanState, RoomInvigilator, Sitting, SittingRoom, SittingState
from examroom.plans.supervised import sent_to
from qbank.kernel.access import Viewer, visible
from qbank.kernel.times import local, spoken

SEAT = ("number", "name", "ticket", "state", "told", "answered", "of", "saved", "paused", "extra", "ends", "how", "left", "percent", "admission")


def watched(viewer: Viewer) -> sa.Select[Sitting]:
    """Sittings that ``viewer`` may watch: the centres in their region, a supervisor where he was sent."""
    seen = sa.or_(viewer.reach(ExamPlan.institution_id, *CENTRES, plan=ExamPlan.id), sent_to(ExamPlan.id, viewer))
    return visible(Sitting, viewer).join(Sitting.plan).where(seen, ExamPlan.state == PlanState.APPROVED)


def sittings(session: Session, viewer: Viewer, begin: datetime, end: datetime) -> list[Sitting]:
    """Those that begin within the time, in its order."""
    return list(session.scalars(watched(viewer).where(Sitting.starts_at >= begin, Sitting.starts_at < end).options(
        selectinload(Sitting.rooms).selectinload(SittingRoom.room)).order_by(Sitting.starts_at, Sitting.id)))


def standing(sitting: Sitting, now: datetime) -> tuple[str, str]:
    """How a sitting stands in words, and the tone of it."""
    if sitting.state in {SittingState.CLOSED, SittingState.MARKED}:
        return sitting.state.chinese, "good"
    if any(room.opened_at for room in sitting.rooms) and now >= sitting.starts_at:
        return ("考试中", "busy") if now <= sitting.ends_at else ("已到时，待收卷", "wait")
    if now >= sitting.starts_at:
        return "到时未开考", "bad"
    return sitting.state.chinese, "plain"


def look(session: Session, sitting: Sitting, *, now: datetime) -> dict[str, Any]:
    """The sitting as plain values; nothing in it depends on the moment of asking."""
    return {"sitting": sitting.id, "starts": _ms(sitting.starts_at), "ends": _ms(sitting.ends_at),
            "rooms": [_room(session, one) for one in sitting.rooms]}


def _room(session: Session, room: SittingRoom) -> dict[str, Any]:
    found = board.board(session, room)
    closing = session.scalar(sa.select(RoomClosing.at).where(RoomClosing.sitting_room_id == room.id))
    people = session.scalars(sa.select(RoomInvigilator).where(RoomInvigilator.sitting_room_id == room.id).options(
        selectinload(RoomInvigilator.account)).order_by(RoomInvigilator.id))
    return {"id": room.id, "name": room.room.name, "invigilators": [one.account.name for one in people],
            "opened": f"{local(room.opened_at):%H:%M:%S}" if room.opened_at else "", "closed": spoken(closing) if closing else "",
            "counts": found["counts"], "seats": [{name: seat.get(name) for name in SEAT} for seat in found["seats"]],
            "incidents": _incidents(session, room)}


def _incidents(session: Session, room: SittingRoom) -> list[dict[str, str]]:
    found = session.scalars(sa.select(Incident).where(Incident.sitting_room_id == room.id).options(selectinload(Incident.files)).order_by(Incident.id.desc()))
    return [{"at": f"{local(one.at):%H:%M:%S}", "kind": one.kind, "by": one.author.name, "text": one.text,
             "who": f"{one.sheet.seat.number} 号 {one.sheet.enrolment.candidate.name}" if one.sheet else "全考场",
             "note": "取消理论成绩" if one.voids_theory else f"已撤销：{one.withdrawn_why}" if one.withdrawn_at else "",
             "files": "、".join(f"{file.name}（SHA-256 {file.sha256[:12]}…）" for file in one.files)} for one in found]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
