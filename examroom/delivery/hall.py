"""The waiting hall: which exam a candidate is about to sit, and what to tell them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery import phase, sheets
from examroom.delivery.models import HandIn, Sheet
from examroom.delivery.phase import Phase
from examroom.plans.models import Enrolment, ExamPlan, Seat, Sitting, SittingRoom
from qbank.kernel.access import Viewer

DONE = {Phase.HANDED_IN, Phase.OVER, Phase.LATE}
TOLD = {
    Phase.BEFORE: "请在座位上等候。到开考时间且监考员开启考场后，本页会自动进入答题。",
    Phase.SHUT: "开考时间已到，正在等待监考员开启考场，请保持安静，不要关闭本页。",
    Phase.UNCHECKED: "考场已开启。请准备好准考证和身份证，等监考员核对后自动进入答题；等候较久请举手。",
    Phase.READY: "考场已开启，正在进入答题……",
    Phase.PAUSED: "考试已暂停，时间停止计算，请听从监考员安排。",
    Phase.ANSWERING: "您的考试正在进行，正在返回答题页……",
    Phase.GRACE: "考试时间到，正在收卷……",
    Phase.LATE: "已超过允许入场的时间，不能再开始答题。如有特殊情况，请联系监考员。",
    Phase.OVER: "本场考试已经结束。",
    Phase.HANDED_IN: "您已交卷，可以离开考场。",
}
TOLD_HOW: dict[HandIn | None, str] = {
    HandIn.ABSENT: "您没有开始本场考试，按缺考处理。如有疑问，请联系考务员。",
    HandIn.FORCED: "监考员已收取您的答卷，已保存的答案都已收到。如有疑问，请联系监考员。",
}


@dataclass(frozen=True)
class Place:
    """One exam of a candidate: the seat, and the sheet once it is dealt (None before)."""

    seat: Seat
    sheet: Sheet | None
    phase: Phase
    seconds_until_start: float

    @property
    def done(self) -> bool:
        """Nothing is left to wait for."""
        return self.phase in DONE

    @property
    def told(self) -> str:
        if self.sheet is not None and self.sheet.handed_in_how in TOLD_HOW:
            return TOLD_HOW[self.sheet.handed_in_how]
        return TOLD[self.phase] if self.sheet or self.done else "试卷还在准备，请在座位上等候。"


def places(session: Session, viewer: Viewer, *, now: datetime) -> list[Place]:
    """The candidate's own exams in the order of their start."""
    rows = session.execute(
        sa.select(Seat, Sheet).join(Seat.enrolment).join(Sitting, Sitting.id == Seat.sitting_id)
        .outerjoin(Sheet, sa.and_(Sheet.sitting_id == Seat.sitting_id, Sheet.enrolment_id == Seat.enrolment_id))
        .where(Enrolment.account_id == viewer.account_id).order_by(Sitting.starts_at, Sitting.id)
        .options(joinedload(Seat.sitting_room).options(joinedload(SittingRoom.room), joinedload(SittingRoom.sitting)
                 .joinedload(Sitting.plan).joinedload(ExamPlan.institution)))).all()
    return [_place(session, seat, sheet, now) for seat, sheet in rows]


def current(found: list[Place]) -> Place | None:
    """The exam to show: the first that is not over, else the last one; None without any."""
    return next((place for place in found if place.phase not in DONE), found[-1] if found else None)


def _place(session: Session, seat: Seat, sheet: Sheet | None, now: datetime) -> Place:
    sitting = seat.sitting_room.sitting
    if sheet is None:
        found = Phase.BEFORE if now < sitting.starts_at else Phase.SHUT if now < sitting.ends_at else Phase.OVER
    else:
        found = sheets.phase_of(session, sheet, now=now)
    return Place(seat, sheet, found, phase.seconds_until(sitting.starts_at, now))
