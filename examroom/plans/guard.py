"""The scope guard (notice 五(六)): nothing outside what is filed, nothing by another body, and nobody before his own people.

One place for the rules that every room stands behind; each refusal names its clause. Rooms above register whom they call
on: imports go down only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.scopes import NOTICE, require_scope
from examroom.plans import arrangement
from examroom.plans.models import Enrolment, ExamPlan, RoomInvigilator, Sitting, SittingRoom
from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import LEVEL_NAMES, Standard
from qbank.standards.ratios import PEOPLE

SCOPE = f"{NOTICE} 五(六)"
STUDENTS = f"{NOTICE} 一(一)"
AT_ONCE = 500  # keys in one IN (...)
OwnStaff = Callable[[Session, int], Mapping[int, str]]
STAFF: list[OwnStaff] = []


def register_staff(found: OwnStaff) -> OwnStaff:
    """``found(session, plan_id)``: account → what he does in the plan ("考评员"), of a room above."""
    STAFF.append(found)
    return found


# What is filed

def exam_days(plan: ExamPlan) -> list[date]:
    """Every day on which the plan examines: its first day, the planned ones, those of its sittings."""
    return sorted({plan.starts_on, *arrangement.of(plan).days, *(local_date(one.starts_at) for one in plan.sittings)})


def require_plan_in_scope(session: Session, plan: ExamPlan, *, days: Collection[date] = ()) -> None:
    """Refuse unless the filed occupation, work type and level hold on every day of the plan, or on ``days``."""
    for day in sorted(days) or exam_days(plan):
        require_scope(session, plan.institution, plan.standard, plan.level, day)


def require_same(plan: ExamPlan, standard: Standard, level: int, what: str) -> None:
    """Refuse ``what`` (a paper, a rubric, a result) made for another standard, work type or level than the plan's."""
    if (standard.id, level) != (plan.standard_id, plan.level):
        raise Refused("other_standard", f"{what}是{standard.label} {LEVEL_NAMES.get(level, level)}的，本方案是{plan.standard.label} "
                                        f"{LEVEL_NAMES[plan.level]}。不得超备案的职业（工种）和等级开展认定（{SCOPE}）。")


# By nobody else

def require_own(plan: ExamPlan, institution_id: int | None, what: str) -> None:
    """Refuse a thing or a person of another institution: the school examines itself, it commissions nobody."""
    if institution_id != plan.institution_id:
        raise Refused("delegated", f"{what}不属于{plan.institution.name}。认定由本校组织，不得授权或委托其他机构开展（{SCOPE}）。")


def require_own_student(plan: ExamPlan, account: Account) -> None:
    """Refuse a candidate who is not of this school."""
    if account.institution_id != plan.institution_id:
        raise Refused("other_student", f"{account.name}不是{plan.institution.name}的学生。认定面向本院校学生开展（{STUDENTS}），不能编入本方案。")


# Nobody before his own people

def staff_of(session: Session, plan: ExamPlan) -> dict[int, str]:
    """Everybody who invigilates, assesses or reviews in the plan, as planned and as called: account → as what."""
    found = {key: PEOPLE[site.part] for site in arrangement.of(plan).sites for key in site.staff_ids}
    found |= dict.fromkeys(session.scalars(sa.select(RoomInvigilator.account_id).join(SittingRoom).join(Sitting)
                                           .where(Sitting.plan_id == plan.id)), "监考员")
    for room in STAFF:
        found |= room(session, plan.id)
    return found


def examined_among(session: Session, plan: ExamPlan, account_ids: Iterable[int]) -> list[Account]:
    """Those who are candidates of the plan themselves, by this account or another one with the same identity number."""
    return _same(_people(session, account_ids), _people(session, _candidates(session, plan)))


def conflicts(session: Session, plan: ExamPlan, staff_ids: Iterable[int], candidate_ids: Collection[int] | None = None) -> dict[int, str]:
    """Of ``staff_ids`` those who are candidates, or declared kin of one, of ``candidate_ids`` (None: of the plan): account → sentence."""
    if candidate_ids is None:
        candidate_ids = _candidates(session, plan)
    staff = _people(session, staff_ids)
    candidates = _people(session, candidate_ids)
    found = {one.id: f"{one.name}是本方案的考生，不能同时监考、考评或评审，应当回避（{SCOPE}）。" for one in _same(staff, candidates)}
    named = {one.id: one.name for one in (*staff, *candidates)}
    for tie, other in _kin(session, plan, {one.id for one in staff}, candidates):
        found.setdefault(tie.account_id, f"{named[tie.account_id]}与考生{named[other.id]}有亲属或其他利害关系，应当回避（{SCOPE}）。")
    return found


def require_apart(session: Session, plan: ExamPlan, staff_ids: Iterable[int], candidate_ids: Collection[int] | None = None) -> None:
    """Refuse when one of them must not meet one of the candidates."""
    if found := list(conflicts(session, plan, staff_ids, candidate_ids).values()):
        raise Refused("conflict_of_interest", found[0] if len(found) == 1 else f"有 {len(found)} 人须回避（{SCOPE}），请换人。", found[1:] and found)


def barred_candidates(session: Session, plan: ExamPlan, account_ids: Collection[int]) -> dict[int, str]:
    """Those of ``account_ids`` who cannot be examined in the plan, because they or their kin examine in it."""
    roles = staff_of(session, plan)
    staff = _people(session, roles)
    candidates = _people(session, account_ids)
    found = {one.id: f"该人员是本方案的{next(roles[other.id] for other in staff if _same([one], [other]))}，不能同时是考生（{SCOPE}）。"
             for one in _same(candidates, staff)}
    names = {one.id: one.name for one in staff}
    for tie, other in _kin(session, plan, set(names), candidates):
        found.setdefault(other.id, f"该考生与本方案的{roles[tie.account_id]}{names[tie.account_id]}有亲属或其他利害关系，"
                                   f"须先更换{names[tie.account_id]}（{SCOPE}）。")
    return found


def _candidates(session: Session, plan: ExamPlan) -> set[int]:
    return set(session.scalars(sa.select(Enrolment.account_id).where(Enrolment.plan_id == plan.id)))


def _people(session: Session, account_ids: Iterable[int]) -> list[Account]:
    keys = sorted(set(account_ids))
    return [one for start in range(0, len(keys), AT_ONCE)
            for one in session.scalars(sa.select(Account).where(Account.id.in_(keys[start:start + AT_ONCE])).order_by(Account.name))]


def _same(some: Collection[Account], others: Collection[Account]) -> list[Account]:
    """Who of ``some`` is among ``others``, by the account or another one with the same identity number."""
    keys, hashes = {one.id for one in others}, {one.identity_hash for one in others if one.identity_hash}
    return [one for one in some if one.id in keys or one.identity_hash in hashes]


def _kin(session: Session, plan: ExamPlan, staff_ids: Collection[int], candidates: Collection[Account]) -> list[tuple[Tie, Account]]:
    """Declared relations between the two, also through another account of the same candidate."""
    ties = session.scalars(sa.select(Tie).where(Tie.institution_id == plan.institution_id, Tie.kind == TieKind.RELATIVE)
                           .order_by(Tie.id)).all()
    return [(tie, one) for tie in ties if tie.account_id in staff_ids and tie.candidate is not None
            for one in candidates if one.id == tie.candidate_id or (one.identity_hash and one.identity_hash == tie.candidate.identity_hash)]
