"""Dealing: one checked sheet per seated candidate from the sealed paper, before the start."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.delivery import shuffle
from examroom.delivery.models import Dealing, Sheet, SheetState
from examroom.plans.desk import require_officer
from examroom.plans.models import Enrolment, PlanState, Seat, Sitting, SittingState
from examroom.plans.sittings import obstacles
from examroom.plans.staffing import check_clashes
from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.papers.desk import verify
from qbank.papers.models import Paper, PaperItem, PaperState


def deal(session: Session, sitting: Sitting, who: Viewer, *, now: datetime, seed: str | int | None = None) -> int:
    """Deal every seated candidate's sheet; the number dealt. May be repeated until the start, then never again.

    The same seed on the same seats and paper deals the same sheets again.
    """
    require_officer(session, sitting.plan, who)
    session.refresh(sitting, with_for_update=True)
    paper = _dealable(session, sitting, now)
    shapes = shapes_of(session, paper)
    _check_count(paper, shapes)
    seats = session.scalars(sa.select(Seat).where(Seat.sitting_id == sitting.id).order_by(Seat.id)
                            .options(selectinload(Seat.enrolment))).all()
    _check_seated(session, sitting, seats)
    if found := obstacles(session, sitting):
        raise Refused("sitting_not_ready", "本场次还不能发卷，请先处理下面的问题。", found)
    sitting.seed = str(seed) if seed is not None else secrets.token_hex(16)
    if len(sitting.seed) > 32:
        raise Refused("seed_too_long", "随机种子最长 32 个字符，请缩短。")
    old = {sheet.enrolment_id: sheet for sheet in session.scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id))}
    for seat in seats:
        _deal_one(session, sitting, seat, shapes, old.pop(seat.enrolment_id, None))
    for sheet in old.values():  # no longer seated here
        session.delete(sheet)
    sitting.state = SittingState.DEALT
    session.add(Dealing(sitting_id=sitting.id, seed=sitting.seed, sheets=len(seats), fingerprint=paper.fingerprint or "",
                        dealt_by=who.account_id, at=now))
    session.flush()
    return len(seats)


def postpone(session: Session, sitting: Sitting, starts_at: datetime, who: Viewer, *, now: datetime) -> None:
    """Move the start of a dealt sitting that has not begun; candidates in the waiting hall see it within seconds."""
    require_officer(session, sitting.plan, who)
    session.refresh(sitting, with_for_update=True)
    _dealable(session, sitting, now)
    if starts_at <= now:
        raise Refused("in_the_past", f"开考时间应晚于现在（{spoken(now)}）。")
    if local_date(starts_at) != local_date(sitting.starts_at):
        raise Refused("other_day", "发卷后只能在当天内调整开考时间。改期请重新编排场次。")
    sitting.starts_at = starts_at
    session.flush()
    check_clashes(session, sitting)


def shapes_of(session: Session, paper: Paper) -> list[shuffle.Shape]:
    """What the shuffle must know of the paper's items."""
    items = session.scalars(sa.select(PaperItem).where(PaperItem.paper_id == paper.id).order_by(PaperItem.number)
                            .options(selectinload(PaperItem.version).selectinload(ItemVersion.options))).all()
    return [_shape(item) for item in items]


def unseated(session: Session, sitting: Sitting) -> list[Enrolment]:
    """Candidates of the plan who sit in none of its sittings."""
    return list(session.scalars(sa.select(Enrolment).where(
        Enrolment.plan_id == sitting.plan_id,
        ~Enrolment.seats.any(Seat.sitting_id.in_(sa.select(Sitting.id).where(Sitting.plan_id == sitting.plan_id))))
        .order_by(Enrolment.ticket_number)))


def _deal_one(session: Session, sitting: Sitting, seat: Seat, shapes: list[shuffle.Shape], sheet: Sheet | None) -> None:
    seed = shuffle.sheet_seed(sitting.seed or "", seat.enrolment.ticket_number)
    layout = shuffle.deal(shapes, seed)
    shuffle.check(layout, shapes)
    if sheet is None:
        sheet = Sheet(sitting_id=sitting.id, enrolment_id=seat.enrolment_id)
        session.add(sheet)
    sheet.seat_id, sheet.seed, sheet.layout = seat.id, seed, layout
    sheet.paper_id, sheet.ends_at = sitting.forms[0].paper_id, sitting.ends_at


def _dealable(session: Session, sitting: Sitting, now: datetime) -> Paper:
    if sitting.plan.state is not PlanState.APPROVED:
        raise Refused("plan_not_approved", f"考务方案现在是“{sitting.plan.state.chinese}”，批准后才能发卷。")
    if sitting.state not in {SittingState.PLANNED, SittingState.DEALT}:
        raise Refused("sitting_over", f"本场次{sitting.state.chinese}，不能再发卷。")
    if now >= sitting.starts_at:
        raise Refused("already_begun", f"本场次已于 {spoken(sitting.starts_at)} 开始，不能再发卷。")
    begun = session.scalar(sa.select(sa.func.count()).where(Sheet.sitting_id == sitting.id,
                                                            Sheet.state != SheetState.DEALT))
    if begun:
        raise Refused("already_begun", f"已有 {begun} 名考生开始答题，不能重新发卷。")
    if sitting.paper is None:
        raise Refused("no_paper", "本场次还没有选定试卷，请先在考务方案里选择一份已封存的试卷。")
    if sitting.paper.state is not PaperState.SEALED:
        raise Refused("paper_not_sealed", f"试卷“{sitting.paper.name}”是“{sitting.paper.state.chinese}”状态，封存后才能发卷。")
    if not verify(sitting.paper):
        raise Refused("paper_changed", f"试卷“{sitting.paper.name}”的内容与封存时的指纹不符，不能使用。请立即报告考务负责人，改用备用卷。")
    return sitting.paper


def _check_count(paper: Paper, shapes: list[shuffle.Shape]) -> None:
    wanted = sum(part.count for part in paper.specification.parts)
    if len(shapes) != wanted:
        raise Refused("item_count", f"试卷应有 {wanted} 题，实际 {len(shapes)} 题，不能发卷。请联系组卷员。")


def _check_seated(session: Session, sitting: Sitting, seats: object) -> None:
    if not seats:
        raise Refused("nobody_seated", "本场次还没有编排座位，请先完成座位编排。")
    missing = unseated(session, sitting)
    if missing:
        raise Refused("not_all_seated", f"还有 {len(missing)} 名考生没有座位，请先完成座位编排，再发卷。",
                      [f"{enrolment.ticket_number} {enrolment.candidate.name}" for enrolment in missing[:20]])


def _shape(item: PaperItem) -> shuffle.Shape:
    version = item.version
    if version.kind is ItemKind.JUDGE:
        return shuffle.Shape(item.number, item.position, version.kind, shuffle.JUDGE_OPTIONS, material=version.stimulus_id or 0)
    return shuffle.Shape(item.number, item.position, version.kind, "".join(o.letter for o in version.options),
                         "".join(o.letter for o in version.options if o.stays_last), version.stimulus_id or 0)
