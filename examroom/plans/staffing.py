"""Who watches a room: how many invigilators, who may be one, and who is already somewhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.filing.duties import require_duty
from examroom.plans import barred, guard
from examroom.plans.models import ExamPlan, Seat, Sitting, SittingRoom
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Grant
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.packs import pack_for
from qbank.standards.ratios import PRACTICAL, REVIEW, THEORY, Demand, demand

ROLES = {THEORY: Role.INVIGILATOR, PRACTICAL: Role.PRACTICAL_ASSESSOR, REVIEW: Role.REVIEW_EXAMINER}


def demand_of(session: Session, plan: ExamPlan, part: str) -> Demand:
    """How many people one part of this plan asks for: the rule pack's numbers, unless its standard says otherwise."""
    return demand(pack_for(session, plan.institution), part, plan.standard.occupation.code, plan.standard.edition)


def require_officer(session: Session, plan: ExamPlan, who: Viewer) -> None:
    """Refuse unless ``who`` is the school's exam officer for this plan."""
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)


def holders(plan: ExamPlan, role: Role) -> sa.Select[Account]:
    """Active accounts with a grant of ``role`` that reaches the plan."""
    school = plan.institution
    reaches = sa.and_(
        Grant.role == role,
        sa.or_(Grant.institution_id.is_(None), Grant.institution_id == school.id),
        sa.or_(Grant.region.is_(None), sa.literal(school.region).like(Grant.region + "%")),
        sa.or_(Grant.occupation_code.is_(None), Grant.occupation_code == plan.standard.occupation.code),
        sa.or_(Grant.plan_id.is_(None), Grant.plan_id == plan.id),
    )
    return sa.select(Account).where(Account.active, Account.grants.any(reaches)).order_by(Account.name, Account.id)


def invigilators_for(session: Session, plan: ExamPlan) -> list[Account]:
    """Who may invigilate: holds the role for the school, and neither sits in the plan nor is kin of who does."""
    return staff_for(session, plan, THEORY)


def staff_for(session: Session, plan: ExamPlan, part: str) -> list[Account]:
    """Who may serve in one part of the plan, by name."""
    held = list(session.scalars(holders(plan, ROLES[part])))
    unfit = guard.conflicts(session, plan, [one.id for one in held])
    return [one for one in held if one.id not in unfit]


def chosen_invigilators(session: Session, sitting: Sitting, room_id: int, account_ids: Sequence[int],
                        candidates: int) -> list[Account]:
    """The accounts behind ``account_ids``, checked: enough of them, entitled, no candidates, nowhere else at the time."""
    wanted = list(dict.fromkeys(account_ids))
    guard.require_apart(session, sitting.plan, wanted)
    by_id = {account.id: account for account in invigilators_for(session, sitting.plan)}
    if any(account_id not in by_id for account_id in wanted):
        raise Refused("not_an_invigilator", "所选人员中有人没有本校监考员权限。请从名单中选择，或请系统管理员授予监考员角色。")
    if gone := barred.staff(session, wanted, local_date(sitting.starts_at)):
        raise Refused("barred_staff", "所选人员中有人在停止参与认定的期限内，请换人。", [f"{by_id[key].name}{why}" for key, why in gone.items()])
    _check_number(session, sitting, len(wanted), candidates)
    elsewhere = posts(session, sitting, but_room=room_id)
    for account_id in wanted:
        if account_id in elsewhere:
            raise Refused("invigilator_busy", f"{by_id[account_id].name}同一时间已在{elsewhere[account_id]}监考。请换人或调整时间。")
    return [by_id[account_id] for account_id in wanted]


def _check_number(session: Session, sitting: Sitting, given: int, candidates: int) -> None:
    if problem := demand_of(session, sitting.plan, THEORY).problem(given, candidates):
        raise Refused("too_few_invigilators", f"该考场{problem}")


def overlapping(session: Session, sitting: Sitting) -> list[Sitting]:
    """Sittings of any plan that share a moment with ``sitting``."""
    earliest = sitting.starts_at - timedelta(hours=6)  # no sitting lasts longer (sittings.LONGEST_MINUTES)
    near = session.scalars(sa.select(Sitting).where(
        Sitting.id != sitting.id, Sitting.starts_at > earliest, Sitting.starts_at < sitting.ends_at)
        .options(selectinload(Sitting.rooms).selectinload(SittingRoom.invigilators)))
    return [other for other in near if other.ends_at > sitting.starts_at]


def posts(session: Session, sitting: Sitting, but_room: int = 0) -> dict[int, str]:
    """Account -> where it invigilates at the same time, leaving out one room of this sitting."""
    rooms = [used for other in [sitting, *overlapping(session, sitting)] for used in other.rooms
             if not (other.id == sitting.id and used.room_id == but_room)]
    return {watcher.account_id: f"“{used.sitting.name}”{used.room.name}" for used in rooms for watcher in used.invigilators}


def check_room_free(session: Session, sitting: Sitting, room_id: int) -> None:
    """Refuse a room that another sitting uses at the same time."""
    for other in overlapping(session, sitting):
        for used in other.rooms:
            if used.room_id == room_id:
                raise Refused("room_busy", f"{used.room.name}同一时间已用于“{other.name}”。请换考场或调整时间。")


def check_clashes(session: Session, sitting: Sitting) -> None:
    """Refuse when, after a change of time, a room or an invigilator of ``sitting`` is needed twice."""
    for used in sitting.rooms:
        check_room_free(session, sitting, used.room_id)
    elsewhere = {watcher.account_id: f"“{other.name}”{used.room.name}" for other in overlapping(session, sitting)
                 for used in other.rooms for watcher in used.invigilators}
    for used in sitting.rooms:
        for watcher in used.invigilators:
            if watcher.account_id in elsewhere:
                raise Refused("invigilator_busy", f"{watcher.account.name}同一时间已在{elsewhere[watcher.account_id]}监考。"
                                                  "请换人或调整时间。")


def shortages(session: Session, sitting: Sitting) -> list[str]:
    """Rooms whose invigilators are too few for those who sit there, and invigilators who must not meet a candidate."""
    demand = demand_of(session, sitting.plan, THEORY)
    counts = session.execute(sa.select(Seat.sitting_room_id, sa.func.count()).where(Seat.sitting_id == sitting.id)
                             .group_by(Seat.sitting_room_id))
    seated = {room_id: count for room_id, count in counts}  # noqa: C416  # a Row is no pair to the type checker
    found = []
    for used in sitting.rooms:
        candidates = seated.get(used.id, 0)
        if candidates and (problem := demand.problem(len(used.invigilators), candidates)):
            found.append(f"{used.room.name}：{problem}")
    watching = {watcher.account_id for used in sitting.rooms for watcher in used.invigilators}
    return found + list(guard.conflicts(session, sitting.plan, watching).values())
