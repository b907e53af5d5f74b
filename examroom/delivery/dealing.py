"""Dealing: one checked sheet per seated candidate from the opened papers, rendered and compressed before the start."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.delivery import bodies, ledger, shuffle, spread
from examroom.delivery.bodies import Body
from examroom.delivery.models import Dealing, Sheet, SheetState
from examroom.plans import drift, guard
from examroom.plans.models import Enrolment, PlanState, Seat, Sitting, SittingState
from examroom.plans.sittings import obstacles
from examroom.plans.staffing import check_clashes, require_officer
from qbank.items.models import ItemVersion, Picture
from qbank.items.states import ItemKind
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.papers import opening, uses
from qbank.papers.compiling import MOST_LETTERED
from qbank.papers.models import Paper, PaperItem


@dataclass(frozen=True)
class Dealt:
    """One sheet as it will be dealt."""

    seat_id: int
    enrolment_id: int
    paper_id: int
    seed: str
    layout: list[dict[str, Any]]
    body: Body


@dataclass(frozen=True)
class Prepared:
    """A whole dealing, computed and checked, not written. ``basis``: what it was made from."""

    seed: str
    sheets: tuple[Dealt, ...]
    pictures: frozenset[str]
    fingerprint: str
    basis: tuple[Any, ...]


def deal(session: Session, sitting: Sitting, who: Viewer, *, now: datetime, seed: str | int | None = None) -> int:
    """Deal every seated candidate's sheet; the number dealt. May be repeated until the start, then never again.

    The same seed on the same seats and papers deals the same sheets again.
    """
    return write(session, sitting, prepare(session, sitting, who, now=now, seed=seed), who, now=now)


def check_ready(session: Session, sitting: Sitting, who: Viewer, *, now: datetime) -> None:
    """Refuse now what the dealing would refuse later; of a pool the first forms are looked at, those dealt when they are dealt."""
    papers, _ = _checked(session, sitting, who, now)
    _require_open(session, papers[:MOST_LETTERED], now)


def prepare(session: Session, sitting: Sitting, who: Viewer, *, now: datetime, seed: str | int | None = None,
            progress: Callable[[int, int], None] = lambda done, total: None) -> Prepared:
    """Choose forms, shuffle, render, compress and check every sheet. It only reads, so it may take its time."""
    papers, seats = _checked(session, sitting, who, now)
    drawn = str(seed) if seed is not None else secrets.token_hex(16)
    if len(drawn) > 32:
        raise Refused("seed_too_long", "随机种子最长 32 个字符，请缩短。")
    chosen = forms_of(sitting, papers, seats, drawn)
    dealt = [paper for paper in papers if paper.id in set(chosen.values())]  # a pool has more forms than seats
    _require_open(session, dealt, now)
    shapes = {paper.id: shapes_of(session, paper) for paper in dealt}
    for paper in dealt:
        _check_count(paper, shapes[paper.id])
    rendered = {paper.id: bodies.render(session, paper) for paper in dealt}
    made = []
    for done, seat in enumerate(seats):
        paper_id = chosen[seat.id]
        made.append(_deal_one(seat, paper_id, drawn, shapes[paper_id], rendered[paper_id]))
        progress(done + 1, len(seats))
    pictures = frozenset[str]().union(*(one.pictures for one in rendered.values()))
    if absent := pictures - set(session.scalars(sa.select(Picture.sha256).where(
            Picture.institution_id == papers[0].institution_id, Picture.sha256.in_(pictures)))):
        raise Refused("picture_missing", f"试卷里有 {len(absent)} 张图片不在本校题库里，不能发卷。请联系组卷员。", sorted(absent))
    return Prepared(drawn, tuple(made), pictures, _fingerprint(papers), _basis(sitting, papers, seats))


def write(session: Session, sitting: Sitting, prepared: Prepared, who: Viewer, *, now: datetime) -> int:
    """Write a prepared dealing, in one piece. Refuses when seats or papers are not what it was made from any more."""
    session.refresh(sitting, with_for_update=True)
    papers, seats = _checked(session, sitting, who, now)
    given = {one.paper_id for one in prepared.sheets}
    _require_open(session, [paper for paper in papers if paper.id in given], now)
    if _basis(sitting, papers, seats) != prepared.basis:
        raise Refused("changed_meanwhile", "发卷期间座位或试卷有改动，没有写入。请再发一次卷。")
    sitting.seed = prepared.seed
    old = {sheet.enrolment_id: sheet for sheet in session.scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id))}
    found = [_write_one(session, sitting, one, old.pop(one.enrolment_id, None)) for one in prepared.sheets]
    for sheet in old.values():  # no longer seated here
        session.delete(sheet)
    session.flush()
    ledger.begin(session, found, who, now=now)
    bodies.keep(session, {sheet.id: one.body for sheet, one in zip(found, prepared.sheets, strict=True)})
    bodies.keep_pictures(session, sitting.id, papers[0].institution_id, prepared.pictures)
    uses.note_sitting(session, sitting.id, given, now=now)
    sitting.state = SittingState.DEALT
    session.add(Dealing(sitting_id=sitting.id, seed=prepared.seed, sheets=len(found), fingerprint=prepared.fingerprint,
                        dealt_by=who.account_id, at=now))
    session.flush()
    return len(found)


def forms_of(sitting: Sitting, papers: Sequence[Paper], seats: Sequence[Seat], seed: str) -> dict[int, int]:
    """Seat → the paper of its sheet: neighbours get different forms where there are several."""
    columns = {used.id: used.room.columns for used in sitting.rooms}
    places = {seat.id: spread.Place(seat.sitting_room_id, seat.number) for seat in seats}
    dealt = spread.spread(list(places.values()), columns, len(papers), seed)
    return {seat_id: papers[dealt[place]].id for seat_id, place in places.items()}


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
    ledger.settle(session, session.scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id)).all())


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


def _deal_one(seat: Seat, paper_id: int, drawn: str, shapes: list[shuffle.Shape], rendering: bodies.Rendering) -> Dealt:
    seed = shuffle.sheet_seed(drawn, seat.enrolment.ticket_number)
    layout = shuffle.deal(shapes, seed)
    shuffle.check(layout, shapes)
    text = rendering.text(layout)
    bodies.check(text, layout)
    return Dealt(seat.id, seat.enrolment_id, paper_id, seed, layout, bodies.compress(text))


def _write_one(session: Session, sitting: Sitting, one: Dealt, sheet: Sheet | None) -> Sheet:
    if sheet is None:
        sheet = Sheet(sitting=sitting, enrolment_id=one.enrolment_id, ends_at=sitting.ends_at)
        session.add(sheet)
    sheet.seat_id, sheet.paper_id, sheet.seed, sheet.layout = one.seat_id, one.paper_id, one.seed, one.layout
    return sheet


def _checked(session: Session, sitting: Sitting, who: Viewer, now: datetime) -> tuple[list[Paper], Sequence[Seat]]:
    """The papers and seats of a sitting that may be dealt now."""
    require_officer(session, sitting.plan, who)
    papers = _dealable(session, sitting, now)
    seats = session.scalars(sa.select(Seat).where(Seat.sitting_id == sitting.id).order_by(Seat.id)
                            .options(selectinload(Seat.enrolment))).all()
    _check_seated(session, sitting, seats)
    if found := obstacles(session, sitting):
        raise Refused("sitting_not_ready", "本场次还不能发卷，请先处理下面的问题。", found)
    return papers, seats


def _basis(sitting: Sitting, papers: Sequence[Paper], seats: Sequence[Seat]) -> tuple[Any, ...]:
    return (tuple((paper.id, paper.fingerprint) for paper in papers),
            tuple((seat.id, seat.enrolment_id, seat.sitting_room_id, seat.number) for seat in seats),
            tuple(sorted((used.id, used.room.columns or 0) for used in sitting.rooms)))


def _fingerprint(papers: Sequence[Paper]) -> str:
    """Of the paper; of several forms over theirs, in their order."""
    prints = [paper.fingerprint or "" for paper in papers]
    return prints[0] if len(prints) == 1 else hashlib.sha256("".join(prints).encode()).hexdigest()


def _dealable(session: Session, sitting: Sitting, now: datetime) -> list[Paper]:
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
    guard.require_plan_in_scope(session, sitting.plan, days=[local_date(sitting.starts_at)])
    if found := drift.drifts(sitting):
        raise Refused("not_planned", found[0], found[1:])
    if not sitting.papers:
        raise Refused("no_paper", "本场次还没有选定试卷，请先在考务方案里选择一份已封存的试卷。")
    return sitting.papers


def _require_open(session: Session, papers: Sequence[Paper], now: datetime) -> None:
    for paper in papers:
        opening.require_open(session, paper, now=now)


def _check_count(paper: Paper, shapes: list[shuffle.Shape]) -> None:
    wanted = sum(part.count for part in paper.specification.parts) + sum(not item.half_points for item in paper.items)  # tried out
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
