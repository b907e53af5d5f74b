"""The two pools of a draw (检查对象名录、检查人员名录), and who is kept from which target, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.filing.models import FiledScope
from examroom.oversight.draw_models import Recusal
from examroom.oversight.drawing import Inspector, Pool, Target
from examroom.oversight.kinds import TargetKind
from examroom.plans import barred
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Sitting
from examroom.plans.tie_models import Tie
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.times import SHANGHAI, local_date


@dataclass(frozen=True)
class Place:
    """What may be inspected: a school, one of its plans, or one sitting of that plan."""

    institution: Institution
    plan: ExamPlan | None = None
    sitting: Sitting | None = None

    @property
    def key(self) -> str:
        if self.sitting:
            return f"{TargetKind.SITTING}:{self.sitting.id}"
        return f"{TargetKind.PLAN}:{self.plan.id}" if self.plan else f"{TargetKind.SCHOOL}:{self.institution.id}"

    @property
    def target(self) -> Target:
        """As the draw knows it. Inspectors are bound on the days of its sittings."""
        sittings = [self.sitting] if self.sitting else self.plan.sittings if self.plan else []
        days = sorted({local_date(one.starts_at).isoformat() for one in sittings})
        if self.plan and not days:
            days = [self.plan.starts_on.isoformat()]
        name = "　".join(part for part in (self.plan.title if self.plan else "", self.sitting.name if self.sitting else "") if part)
        return Target(self.key, name or self.institution.name, self.institution.name, tuple(days))


def places(session: Session, kind: TargetKind, region: str, first_day: date, last_day: date) -> list[Place]:
    """What lies in ``region`` and within the days: schools filed then, plans that begin then, sittings that are held then."""
    within = Institution.region.startswith(region)
    if kind is TargetKind.SCHOOL:
        filed = sa.exists().where(FiledScope.institution_id == Institution.id, FiledScope.valid_from <= last_day, FiledScope.valid_until >= first_day)
        return [Place(one) for one in session.scalars(sa.select(Institution).where(within, filed).order_by(Institution.id))]
    plans = sa.select(ExamPlan).join(ExamPlan.institution).where(within, ExamPlan.state == PlanState.APPROVED).options(selectinload(ExamPlan.sittings))
    if kind is TargetKind.PLAN:
        found = session.scalars(plans.where(ExamPlan.starts_on.between(first_day, last_day)).order_by(ExamPlan.id))
        return [Place(one.institution, one) for one in found]
    begin, end = (datetime.combine(day, at, SHANGHAI) for day, at in ((first_day, time.min), (last_day, time.max)))
    sittings = sa.select(Sitting).join(Sitting.plan).join(ExamPlan.institution).where(
        within, ExamPlan.state == PlanState.APPROVED, Sitting.starts_at.between(begin, end)).order_by(Sitting.id)
    return [Place(one.plan.institution, one.plan, one) for one in session.scalars(sittings)]


def supervisors(session: Session) -> list[Account]:
    """All who hold the role, in the order of their names."""
    held = Account.grants.any(Grant.role == Role.QUALITY_SUPERVISOR)
    return list(session.scalars(sa.select(Account).where(Account.active, held).options(selectinload(Account.grants)).order_by(Account.name, Account.id)))


def pool(session: Session, found: Sequence[Place], *, wanted: int, each: int, on: date) -> Pool:
    """Both pools as the draw takes them; supervisors whom no target is open to are left out."""
    people = supervisors(session)
    excluded = exclusions(session, found, people, on=on)
    usable = [one for one in people if any(str(one.id) not in excluded[place.key] for place in found)]
    known = {str(one.id) for one in usable}
    return Pool([place.target for place in found], [Inspector(str(one.id), one.name, one.institution.name if one.institution else "") for one in usable],
                wanted, each, {key: {who: why for who, why in held.items() if who in known} for key, held in excluded.items()})


def exclusions(session: Session, found: Sequence[Place], people: Sequence[Account], *, on: date) -> dict[str, dict[str, str]]:
    """Target key → account id as text → why this supervisor is not sent there; everybody else may be."""
    known = _Known(session, people, {place.institution.id for place in found}, on)
    made: dict[str, dict[str, str]] = {}
    for place in found:
        reasons = ((str(one.id), known.reason(one, place)) for one in people)
        made[place.key] = {key: why for key, why in reasons if why}
    return made


class _Known:
    """What is known of these people and schools, read once."""

    def __init__(self, session: Session, people: Iterable[Account], schools: set[int], on: date) -> None:
        ids = [one.id for one in people]
        recusals = session.scalars(sa.select(Recusal).where(Recusal.account_id.in_(ids), Recusal.institution_id.in_(schools), Recusal.ended_at.is_(None)))
        self.recused = {(one.account_id, one.institution_id): one.reason for one in recusals}
        studies = sa.select(Enrolment.account_id, ExamPlan.institution_id).join(Enrolment.plan).where(
            Enrolment.account_id.in_(ids), ExamPlan.institution_id.in_(schools))
        self.enrolled = {(account, school) for account, school in session.execute(studies)}
        kin = sa.select(Tie.account_id, Enrolment.plan_id).join(Enrolment, Enrolment.account_id == Tie.candidate_id).where(Tie.account_id.in_(ids))
        self.kin = {(account, plan) for account, plan in session.execute(kin)}
        self.barred = barred.staff(session, ids, on)

    def reason(self, one: Account, place: Place) -> str:
        """Why ``one`` is not sent to ``place``; empty: nothing speaks against it."""
        school = place.institution.id
        if not any(_reaches(grant, place) for grant in one.grants):
            return "督导权限不包括该校"
        if one.institution_id == school or any(grant.institution_id == school and grant.role != Role.QUALITY_SUPERVISOR for grant in one.grants):
            return "本校人员"
        if (one.id, school) in self.enrolled:
            return "该校考生"
        if place.plan and (one.id, place.plan.id) in self.kin:
            return "考生的亲属"
        if (one.id, school) in self.recused:
            return f"回避：{self.recused[one.id, school]}"
        return self.barred.get(one.id, "")


def _reaches(grant: Grant, place: Place) -> bool:
    plan = place.plan
    return (grant.role == Role.QUALITY_SUPERVISOR and grant.institution_id in (None, place.institution.id)
            and place.institution.region.startswith(grant.region or "")
            and (grant.occupation_code is None or (plan is not None and plan.standard.occupation.code == grant.occupation_code))
            and (grant.plan_id is None or (plan is not None and plan.id == grant.plan_id)))
