"""Holding a double random draw (双随机): the pool is shown, frozen and hashed first, then the seed falls; anybody can draw again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.oversight import drawing, inspections, lists, pools
from examroom.oversight.draw_models import InspectionDraw
from examroom.oversight.drawing import Pool, TooFew
from examroom.oversight.inspection_models import CheckTemplate, Inspection
from examroom.oversight.kinds import InspectionKind, InspectionState, TargetKind
from examroom.oversight.pools import Place
from examroom.oversight.regions import require_region
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for

LONGEST_SPAN = timedelta(days=400)
MOST_TARGETS, MOST_INSPECTORS = 200, 9


@dataclass(frozen=True)
class Wish:
    """What the office wants drawn."""

    region: str
    title: str
    kind: InspectionKind
    target_kind: TargetKind
    first_day: date
    last_day: date
    targets: int
    inspectors: int


def prepare(session: Session, wish: Wish, who: Viewer, *, now: datetime) -> tuple[Pool, list[Place], CheckTemplate]:
    """The pools as they are now. Refuses what could never be drawn."""
    require_region(who, wish.region)
    today = local_date(now)
    if not wish.title.strip():
        raise Refused("no_title", "请填写本次抽查的名称，例如“2026 年第二季度双随机抽查”。")
    if not today <= wish.last_day or not wish.first_day <= wish.last_day or wish.last_day - wish.first_day > LONGEST_SPAN:
        raise Refused("days", "请填写检查的起止日期：止日不早于今天和起日，跨度不超过 400 天。")
    if not 1 <= wish.targets <= MOST_TARGETS or not 1 <= wish.inspectors <= MOST_INSPECTORS:
        raise Refused("numbers", f"抽取对象 1 到 {MOST_TARGETS} 个，每个对象的督导员 1 到 {MOST_INSPECTORS} 人。")
    template = lists.in_force(session, wish.region, wish.kind)
    if template is None:
        raise Refused("no_list", f"还没有“{wish.kind.chinese}”的检查表。请先在“检查表”页采用标准检查表或自行编制。")
    found = pools.places(session, wish.target_kind, wish.region, wish.first_day, wish.last_day)
    if len(found) < wish.targets:
        raise Refused("too_few_targets", f"检查对象名录中只有 {len(found)} 个{wish.target_kind.chinese}，不够抽取 {wish.targets} 个。请减少数量或放宽日期。")
    least = max(pack_for(session, one.institution).inspection_persons for one in found)
    if wish.inspectors < least:
        raise Refused("too_few_persons", f"规则包规定每项检查的督导员不少于 {least} 人。")
    return pools.pool(session, found, wanted=wish.targets, each=wish.inspectors, on=max(today, wish.first_day)), found, template


def hold(session: Session, wish: Wish, expected: str, who: Viewer, *, witness: str, words: str = "", seed: str | None = None,
         now: datetime) -> InspectionDraw:
    """Draw from the pool whose SHA-256 was shown (``expected``). ``words``: what the witness adds to the seed."""
    pool, found, template = prepare(session, wish, who, now=now)
    if pool.fingerprint != expected:
        raise Refused("pool_changed", "名录在您查看之后有变化。请重新查看名录，再抽取。")
    if not witness.strip() or witness.strip() == who.name:
        raise Refused("no_witness", "请填写在场监督抽取的人，不能是抽取人自己。")
    fallen = seed or "-".join(part for part in (secrets.token_hex(16), "".join(words.split())[:60]) if part)
    try:
        outcome = drawing.deal(fallen, pool)
    except TooFew as few:
        raise Refused("too_few_inspectors", f"“{few.target.institution} {few.target.name}”只有 {few.found} 名督导员可以派出，不够 {wish.inspectors} 人"
                                            "（其他人应回避或同日已抽到别处）。请减少每项人数、对象数量，或增加督导员后再抽。") from few
    draw = InspectionDraw(
        number=_number(session, wish.region, now), region=wish.region, title=wish.title.strip(), kind=wish.kind, target_kind=wish.target_kind,
        first_day=wish.first_day, last_day=wish.last_day, template=template, pool=pool.to_json(), pool_sha256=pool.fingerprint, seed=fallen,
        outcome_sha256=drawing.fingerprint(outcome), witness=witness.strip(), drawn_by=who.account_id, drawn_at=now)
    session.add(draw)
    session.flush()
    by_key = {place.key: place for place in found}
    for one in outcome:
        inspections.create(session, by_key[one.target], wish.kind, template, [int(key) for key in one.inspectors], who, due_on=wish.last_day,
                           draw=draw, place=one.place, now=now)
    return draw


def earlier(session: Session, draw: InspectionDraw) -> int:
    """How many draws of the same kinds for overlapping days were held before: drawing until it pleases shows."""
    return session.scalar(sa.select(sa.func.count(InspectionDraw.id)).where(
        InspectionDraw.region == draw.region, InspectionDraw.kind == draw.kind, InspectionDraw.target_kind == draw.target_kind,
        InspectionDraw.id < draw.id, InspectionDraw.first_day <= draw.last_day, InspectionDraw.last_day >= draw.first_day)) or 0


def sent(session: Session, draw: InspectionDraw) -> Sequence[Inspection]:
    return session.scalars(sa.select(Inspection).where(Inspection.draw_id == draw.id).order_by(Inspection.place)).all()


def check(session: Session, draw: InspectionDraw) -> list[str]:
    """Draw again from what is stored: what is wrong, a line each; empty: everything is as it fell."""
    pool = Pool.from_json(draw.pool)
    again = drawing.deal(draw.seed, pool)
    wrong = [] if pool.fingerprint == draw.pool_sha256 else ["名录与抽取时的指纹不一致"]
    if drawing.fingerprint(again) != draw.outcome_sha256:
        wrong.append("按种子和名录重新抽取，与抽取时的结果指纹不一致")
    drawn = {one.place: one for one in again}
    for one in sent(session, draw):
        place, members = drawn.pop(one.place or 0, None), tuple(str(member.account_id) for member in one.members)
        if place is None or place.target != pools.Place(one.institution, one.plan, one.sitting).key or set(place.inspectors) != set(members):
            wrong.append(f"检查 {one.number} 的对象或督导员与抽取结果不一致")
    return wrong + [f"抽取结果第 {place} 项没有派出" for place in sorted(drawn)]


def cancel(session: Session, draw: InspectionDraw, reason: str, who: Viewer, *, now: datetime) -> None:
    """Void a draw of which nothing has begun. It stays on record with the reason."""
    require_region(who, draw.region)
    if draw.cancelled_at is not None:
        raise Refused("cancelled", "本次抽取已经作废。")
    if not reason.strip():
        raise Refused("no_reason", "请写明作废的原因，原因将随抽取记录公开。")
    found = sent(session, draw)
    if any(one.state in {InspectionState.RUNNING, InspectionState.SUBMITTED} for one in found):
        raise Refused("begun", "已有检查开始，不能作废整次抽取。个别检查不能进行的，请单独撤销并写明原因。")
    for one in found:
        if one.state is InspectionState.ASSIGNED:
            inspections.cancel(session, one, f"抽取作废：{reason.strip()}", who)
    draw.cancelled_by, draw.cancelled_at, draw.cancel_reason = who.account_id, now, reason.strip()
    session.flush()


def publish(session: Session, draw: InspectionDraw, who: Viewer, *, now: datetime) -> int:
    """一公开: the draw and the results handed over so far become public; again for those handed over later. How many."""
    require_region(who, draw.region)
    found = sent(session, draw)
    if draw.kind.unannounced and any(one.state is InspectionState.ASSIGNED for one in found):
        raise Refused("unannounced", f"随机抽查事先不通知：还有检查没有开始（最迟 {spoken(draw.last_day)}），开始后才能公开抽取结果。")
    fresh = [one for one in found if one.state is InspectionState.SUBMITTED and one.published_at is None]
    if draw.published_at is not None and not fresh:
        raise Refused("published", "已经公开，没有新的检查结果。")
    if draw.published_at is None:
        draw.published_by, draw.published_at = who.account_id, now
    for one in fresh:
        one.published_at = now
    session.flush()
    return len(fresh)


def wish_of(draw: InspectionDraw) -> Wish:
    """What was asked for: to draw once more after a cancelled one."""
    pool = Pool.from_json(draw.pool)
    return Wish(draw.region, draw.title, draw.kind, draw.target_kind, draw.first_day, draw.last_day, pool.targets_wanted, pool.inspectors_each)


def again(draw: InspectionDraw, today: date) -> Wish:
    wish = wish_of(draw)
    return replace(wish, first_day=max(wish.first_day, today), last_day=max(wish.last_day, today))


def _number(session: Session, region: str, now: datetime) -> str:
    head = f"SJ{region or '0'}-{local_date(now).year}-"
    held = session.scalar(sa.select(sa.func.count(InspectionDraw.id)).where(InspectionDraw.number.startswith(head))) or 0
    return f"{head}{held + 1:03d}"
