"""Planning the sites of a plan, or of its amendment: what each line must hold to, and what still lacks before it is sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import arrangement, barred, guard, route, staffing
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.arrangement import PART_NAMES, Arrangement, Site
from examroom.plans.models import Enrolment, ExamPlan, Room
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from qbank.standards.ratios import PARTS, PEOPLE, PRACTICAL, REVIEW, THEORY, Demand

LONGEST_MINUTES = 720
MOST_CANDIDATES = 1000
Target = ExamPlan | PlanAmendment


@dataclass(frozen=True)
class Line:
    """A site with the people it needs and has."""

    site: Site
    demand: Demand
    needed: int
    problem: str  # empty: enough


def plan_of(target: Target) -> ExamPlan:
    return target.plan if isinstance(target, PlanAmendment) else target


def parts_of(session: Session, plan: ExamPlan) -> tuple[str, ...]:
    """What the plan's level consists of."""
    return PARTS if pack_for(session, plan.institution).reviews(plan.level) else (THEORY, PRACTICAL)


def keep_site(session: Session, target: Target, site: Site, staff_ids: Sequence[int], who: Viewer, *, room: Room | None = None,
              now: datetime) -> Site:
    """Add ``site`` (empty key) or change the one with its key. Too few people are allowed until it is sent."""
    plan = _changeable(session, target, who)
    held = arrangement.of(target)
    if site.key and held.site(site.key) is None:
        raise Refused("no_site", "这项安排已被删除，请刷新页面。")
    if room is not None:
        guard.require_own(plan, room.institution_id, room.name)
        site = dataclasses.replace(site, room_id=room.id, place=room.name)
    _check_place(session, plan, site, room)
    _check_time(session, target, site, now)
    people = _people(session, plan, site, staff_ids)
    made = dataclasses.replace(site, place=site.place.strip()[:100], staff=tuple((one.id, one.name) for one in people))
    after = held.with_site(made)
    if double := arrangement.double_bookings(after) + _elsewhere(session, plan, made):
        raise Refused("double_booked", double[0], double[1:] and double)
    _write(session, target, after)
    return made if made.key else next(one for one in after.sites if held.site(one.key) is None)


def drop_site(session: Session, target: Target, key: str, who: Viewer) -> None:
    """Take a site out."""
    _changeable(session, target, who)
    held = arrangement.of(target)
    if held.site(key) is None:
        raise Refused("no_site", "这项安排已被删除，请刷新页面。")
    _write(session, target, held.without(key))


def lines(session: Session, plan: ExamPlan, held: Arrangement) -> list[Line]:
    """Every site with what the standard asks for."""
    demands = {part: staffing.demand_of(session, plan, part) for part in held.parts}
    return [Line(site, demands[site.part], demands[site.part].needed(site.candidates),
                 demands[site.part].problem(len(site.staff), site.candidates)) for site in held.sites]


def shortages(session: Session, plan: ExamPlan, held: Arrangement) -> list[str]:
    """What forbids to send the plan, one sentence each; empty: nothing."""
    found = [f"没有安排{PART_NAMES[part]}的时间和地点。" for part in parts_of(session, plan) if not held.of_part(part)]
    enrolled = session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == plan.id)) or 0
    found += [f"{PART_NAMES[part]}共安排 {held.places_for(part)} 名考生，名单上有 {enrolled} 名，还差 {enrolled - held.places_for(part)} 名。"
              for part in held.parts if held.places_for(part) < enrolled]
    found += [f"{line.site.title}：{line.problem}" for line in lines(session, plan, held) if line.problem]
    found += [problem for site in held.sites for problem in (*_elsewhere(session, plan, site), *_unfit(session, plan, site))]
    found += arrangement.double_bookings(held) + list(guard.conflicts(session, plan, held.staff_ids).values())
    return found + ([] if plan.contact.strip() else ["没有填写联系人和电话。"])


def require_complete(session: Session, plan: ExamPlan, held: Arrangement) -> None:
    """Refuse an arrangement that lacks something, with every finding."""
    if found := shortages(session, plan, held):
        raise Refused("plan_incomplete", f"方案还有 {len(found)} 处不符合要求，不能报送。人员配比依据职业标准（{guard.SCOPE}）。", found)


def replace(session: Session, plan: ExamPlan, after: Arrangement) -> None:
    """What was decided on becomes the plan's."""
    _write(session, plan, after)
    plan.starts_on = after.days[0]


def _changeable(session: Session, target: Target, who: Viewer) -> ExamPlan:
    plan = plan_of(target)
    staffing.require_officer(session, plan, who)
    route.submitted(target.state)
    return plan


def _write(session: Session, target: Target, after: Arrangement) -> None:
    target.arrangement = after.to_json()
    if isinstance(target, ExamPlan):
        target.ends_on = after.days[-1] if after else None
    session.flush()


def _check_place(session: Session, plan: ExamPlan, site: Site, room: Room | None) -> None:
    if site.part not in parts_of(session, plan):
        if site.part == REVIEW:
            raise Refused("no_review", "本方案的等级不需要综合评审（技师、高级技师才需要），不用安排评审地点。")
        raise Refused("no_part", "请选择这处地点用于哪项考核。")
    if site.part == THEORY and room is None:
        raise Refused("no_room", "请为理论知识考试选择一个已登记的考场。")
    if not site.place.strip():
        raise Refused("no_place", "请填写地点，例如“电工实训室 201”。")
    if not 1 <= site.candidates <= MOST_CANDIDATES:
        raise Refused("candidates", f"考生人数应在 1 到 {MOST_CANDIDATES} 之间。")
    if room is not None and site.part == THEORY and site.candidates > room.seats:
        raise Refused("too_few_seats", f"{room.name}有 {room.seats} 座，不能安排 {site.candidates} 名考生。请减少人数，或增加考场、场次。")


def _check_time(session: Session, target: Target, site: Site, now: datetime) -> None:
    plan = plan_of(target)
    if not 1 <= site.minutes <= LONGEST_MINUTES:
        raise Refused("minutes", f"时长应在 1 到 {LONGEST_MINUTES} 分钟之间。")
    old = arrangement.of(target).site(site.key)
    if site.starts_at <= now and (old is None or old.starts_at != site.starts_at):
        raise Refused("in_the_past", f"开始时间应晚于现在（{spoken(now)}）。")
    if isinstance(target, ExamPlan) and local_date(site.starts_at) < plan.starts_on:
        raise Refused("before_first_day", f"不能早于方案的首考日（{spoken(plan.starts_on)}）：工作日是从首考日倒算的。")
    guard.require_plan_in_scope(session, plan, days=[site.day])


def _people(session: Session, plan: ExamPlan, site: Site, staff_ids: Sequence[int]) -> list[Account]:
    """The accounts behind ``staff_ids``: they hold the role for this plan, may serve, and meet nobody they must not."""
    wanted = list(dict.fromkeys(staff_ids))
    held = {one.id: one for one in session.scalars(staffing.holders(plan, staffing.ROLES[site.part]))}
    if any(key not in held for key in wanted):
        raise Refused("not_qualified", f"所选人员中有人没有本校的{PEOPLE[site.part]}权限，或账号已停用。请从名单中选择，或请系统管理员授予角色。")
    if gone := barred.staff(session, wanted, site.day):
        raise Refused("barred_staff", "所选人员中有人在停止参与认定的期限内，请换人。", [f"{held[key].name}{why}" for key, why in gone.items()])
    guard.require_apart(session, plan, wanted)
    return [held[key] for key in wanted]


def _unfit(session: Session, plan: ExamPlan, site: Site) -> list[str]:
    """Who was chosen and since lost the role, or may not serve."""
    held = {one.id for one in session.scalars(staffing.holders(plan, staffing.ROLES[site.part]))}
    found = [f"{site.title}：{name}现在没有本校的{PEOPLE[site.part]}权限，请换人。" for key, name in site.staff if key not in held]
    names = dict(site.staff)
    return found + [f"{names[key]}{why}" for key, why in barred.staff(session, list(site.staff_ids), site.day).items()]


def _elsewhere(session: Session, plan: ExamPlan, site: Site) -> list[str]:
    """Places and people of ``site`` that another plan needs at the same time."""
    near = session.scalars(sa.select(ExamPlan).where(ExamPlan.id != plan.id, ExamPlan.starts_on <= site.day, ExamPlan.ends_on >= site.day))
    found = []
    for other in near:
        for one in arrangement.of(other).sites:
            if not one.meets(site):
                continue
            if other.institution_id == plan.institution_id and one.place == site.place:
                found.append(f"{site.place}同一时间已用于“{other.title}”。请换地点或调整时间。")
            both = set(one.staff_ids)
            found += [f"{name}同一时间在“{other.title}”的{one.place}。请换人或调整时间。" for key, name in site.staff if key in both]
    return found
