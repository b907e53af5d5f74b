"""The waiting hall: which exam a candidate is about to sit, and what to tell them.

A thousand may be waiting: whose they are, whether they may enter, and all that is shown comes from one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import phase
from examroom.delivery.cards import Terms, terms_of
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.plans.models import Enrolment, ExamPlan, Room, Seat, Sitting, SittingRoom
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account, Grant
from qbank.kernel.db import table_of
from qbank.kernel.times import spoken
from qbank.standards.models import Occupation, Standard

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


_SEATS, _ROOMS, _PLACES, _SITTINGS, _PLANS, _STANDARDS, _OCCUPATIONS, _ENROLMENTS, _ACCOUNTS, _GRANTS, _SHEETS = (
    table_of(model) for model in (Seat, SittingRoom, Room, Sitting, ExamPlan, Standard, Occupation, Enrolment, Account, Grant, Sheet))
_MAY_SIT = sa.and_(_ACCOUNTS.c.active, sa.not_(_ACCOUNTS.c.must_change_password),
                   sa.exists().where(_GRANTS.c.account_id == _ACCOUNTS.c.id, _GRANTS.c.role == Role.CANDIDATE))
_HELD = (sa.select(sa.case((_MAY_SIT, _ACCOUNTS.c.generation), else_=0), _ACCOUNTS.c.name, _ACCOUNTS.c.identity_masked,
                   _ENROLMENTS.c.ticket_number, _SITTINGS.c.name, _SITTINGS.c.starts_at, _SITTINGS.c.minutes, _SITTINGS.c.seb_required,
                   _OCCUPATIONS.c.name, _PLANS.c.level, _PLACES.c.name, _SEATS.c.number, _SHEETS.c.id, _SHEETS.c.handed_in_how,
                   _PLANS.c.institution_id, _ROOMS.c.opened_at, _SHEETS.c.state, _SHEETS.c.started_at, _SHEETS.c.ends_at,
                   _SHEETS.c.paused_at, _SHEETS.c.late_until, _SHEETS.c.admission)
         .select_from(_ENROLMENTS).join(_ACCOUNTS, _ACCOUNTS.c.id == _ENROLMENTS.c.account_id)
         .join(_SEATS, _SEATS.c.enrolment_id == _ENROLMENTS.c.id).join(_ROOMS, _ROOMS.c.id == _SEATS.c.sitting_room_id)
         .join(_PLACES, _PLACES.c.id == _ROOMS.c.room_id).join(_SITTINGS, _SITTINGS.c.id == _SEATS.c.sitting_id)
         .join(_PLANS, _PLANS.c.id == _SITTINGS.c.plan_id).join(_STANDARDS, _STANDARDS.c.id == _PLANS.c.standard_id)
         .join(_OCCUPATIONS, _OCCUPATIONS.c.id == _STANDARDS.c.occupation_id)
         .outerjoin(_SHEETS, sa.and_(_SHEETS.c.sitting_id == _SEATS.c.sitting_id, _SHEETS.c.enrolment_id == _SEATS.c.enrolment_id))
         .where(_ENROLMENTS.c.account_id == sa.bindparam("account")).order_by(_SITTINGS.c.starts_at, _SITTINGS.c.id))


@dataclass(frozen=True, slots=True)
class Place:
    """One exam of a candidate. ``generation``: of the account, 0 when it may not sit; ``sheet_id`` None until it is dealt."""

    generation: int
    person: str
    identity: str | None
    ticket: str
    sitting: str
    starts_at: datetime
    minutes: int
    seb: bool
    occupation: str
    level: int
    room: str
    seat: int
    sheet_id: int | None
    how: HandIn | None
    phase: Phase
    started: bool
    seconds_until_start: float

    @property
    def done(self) -> bool:
        """Nothing is left to wait for."""
        return self.phase in DONE

    @property
    def ends_at(self) -> datetime:
        """The common end."""
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def shows(self) -> bool:
        """Whether there is an exam page to show: one may enter, answers, or has the receipt to see."""
        return self.sheet_id is not None and (self.enter is not None or self.phase is Phase.HANDED_IN
                                              or (self.phase is Phase.OVER and self.started))

    @property
    def told(self) -> str:
        if self.how in TOLD_HOW:
            return TOLD_HOW[self.how]
        return TOLD[self.phase] if self.sheet_id or self.done else "试卷还在准备，请在座位上等候。"

    @property
    def enter(self) -> str | None:
        """The address of the exam page, once it may be entered."""
        return f"/exam/sheets/{self.sheet_id}" if self.sheet_id and self.phase in {Phase.READY, *SAVING} else None


def places(session: Session, account_id: int, *, now: datetime) -> list[Place]:
    """The candidate's own exams in the order of their start."""
    return places_on(session.connection(), account_id, lambda institution_id: terms_of(session, institution_id), now=now)


def places_on(connection: sa.Connection, account_id: int, terms: Callable[[int], Terms], *, now: datetime) -> list[Place]:
    """As :func:`places`; ``terms`` gives the numbers of an institution."""
    return [_place(row, terms(row[14]), now) for row in connection.execute(_HELD, {"account": account_id})]


def current(found: Sequence[Place]) -> Place | None:
    """The exam to show: the first that is not over, else the last one; None without any."""
    return next((place for place in found if place.phase not in DONE), found[-1] if found else None)


def state_of(place: Place | None) -> dict[str, Any]:
    """What the waiting page asks for again and again."""
    if place is None:
        return {"phase": "none"}
    return {"phase": place.phase, "done": place.done, "told": place.told, "seconds_until_start": place.seconds_until_start,
            "starts_at": spoken(place.starts_at), "minutes": place.minutes, "room": place.room, "seat": place.seat, "enter": place.enter}


def _place(row: Any, terms: Terms, now: datetime) -> Place:
    *shown, _, room_opened, state, started_at, ends_at, paused_at, late_until, admission = row
    starts_at, minutes, sheet_id = shown[5], shown[6], shown[12]
    if sheet_id is None:
        found = Phase.BEFORE if now < starts_at else Phase.SHUT if now < starts_at + timedelta(minutes=minutes) else Phase.OVER
    else:
        found = phase.phase(now, starts_at, ends_at, room_opened, started_at is not None, state is SheetState.HANDED_IN,
                            grace=terms.grace, late_entry=terms.late_entry, paused_at=paused_at, late_until=late_until,
                            admitted=phase.may_enter(admission, terms.photo_check))
    return Place(*(*shown, found, started_at is not None, phase.seconds_until(starts_at, now)))
