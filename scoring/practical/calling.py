"""Whom a plan may call on as assessor: the register, ties and past duties as :mod:`.assigning` wants them; the draw."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import guard
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import Standard
from qbank.standards.packs import pack_for
from scoring.practical.assigning import (
    LEVELS,
    Candidate,
    Certificate,
    Demands,
    Duty,
    Finding,
    Person,
    Proposal,
    in_row,
    number_problems,
    problems,
    propose,
)
from scoring.practical.duties import call_on, qualified, require
from scoring.practical.models import GroupAssessor, PracticalGroup
from scoring.practical.register_models import Assessor, AssessorDraw


def demands(session: Session, plan: ExamPlan) -> Demands:
    """The numbers that hold for the occupation of ``plan``."""
    return Demands.of(pack_for(session, plan.institution), plan.standard.occupation.code, plan.standard.edition)


def duty_of(plan: ExamPlan, enrolments: Sequence[Enrolment], at: datetime) -> Duty:
    """What is to be assessed at ``at``."""
    occupation = plan.standard.occupation
    before, others = (tuple(Candidate(one.account_id, one.candidate.name, one.class_name) for one in some)
                      for some in (enrolments, [one for one in plan.enrolments if one not in enrolments]))
    return Duty(occupation.code, occupation.name, plan.level, local_date(at), before, others)


@guard.register_staff
def assessing(session: Session, plan_id: int) -> dict[int, str]:
    """Who assesses in a plan: nobody of them is examined in it."""
    return dict.fromkeys(session.scalars(sa.select(GroupAssessor.account_id).join(GroupAssessor.group)
                                         .where(PracticalGroup.plan_id == plan_id)), "考评员")


def people(session: Session, plan: ExamPlan, accounts: Sequence[Account]) -> list[Person]:
    """These accounts with what the register of the school, their declarations and their past duties say of them."""
    keys = [one.id for one in accounts]
    certificates: dict[int, list[Certificate]] = {}
    for one in session.scalars(sa.select(Assessor).where(Assessor.institution_id == plan.institution_id, Assessor.account_id.in_(keys))
                               .order_by(Assessor.id)):
        certificates.setdefault(one.account_id, []).append(
            Certificate(one.certificate_number, one.occupation.code, frozenset(one.levels), one.senior, one.expires_on))
    teaches, kin = _ties(session, plan, keys)
    runs = in_row(_occasions(session, plan))
    return [Person(one.id, one.name, tuple(certificates.get(one.id, ())), frozenset(teaches.get(one.id, ())),
                   frozenset(kin.get(one.id, ())), runs.get(one.id, 0)) for one in accounts]


def _ties(session: Session, plan: ExamPlan, keys: Sequence[int]) -> tuple[dict[int, set[str]], dict[int, set[int]]]:
    """Classes taught, and candidates who are kin: by this account or by another one with the same identity number."""
    teaches: dict[int, set[str]] = {}
    kin: dict[int, set[int]] = {}
    for tie in session.scalars(sa.select(Tie).where(Tie.institution_id == plan.institution_id, Tie.account_id.in_(keys))):
        if tie.kind is TieKind.TEACHER:
            teaches.setdefault(tie.account_id, set()).add(tie.class_name)
        elif tie.candidate is not None:
            same = [tie.candidate.id]
            if tie.candidate.identity_hash:
                same += session.scalars(sa.select(Account.id).where(Account.identity_hash == tie.candidate.identity_hash))
            kin.setdefault(tie.account_id, set()).update(same)
    return teaches, kin


def _occasions(session: Session, plan: ExamPlan) -> list[set[int]]:
    """The assessors of the earlier plans of this occupation at this school, the latest plan first: one plan, one time."""
    here = sa.select(PracticalGroup.plan_id, sa.func.min(PracticalGroup.starts_at).label("at")).join(PracticalGroup.plan).join(
        ExamPlan.standard).where(ExamPlan.institution_id == plan.institution_id, ExamPlan.id != plan.id, ExamPlan.starts_on <= plan.starts_on,
                                 Standard.occupation_id == plan.standard.occupation_id).group_by(PracticalGroup.plan_id).subquery()
    latest = list(session.scalars(sa.select(here.c.plan_id).order_by(here.c.at.desc(), here.c.plan_id.desc())
                                  .limit(pack_for(session, plan.institution).assessor_times_in_row + 1)))
    found: dict[int, set[int]] = {plan_id: set() for plan_id in latest}
    for plan_id, account_id in session.execute(sa.select(PracticalGroup.plan_id, GroupAssessor.account_id).join(GroupAssessor.group)
                                               .where(PracticalGroup.plan_id.in_(latest))):
        found[plan_id].add(account_id)
    return list(found.values())


def call_assessors(session: Session, plan: ExamPlan, account_ids: Sequence[int], enrolments: Sequence[Enrolment],
                   at: datetime) -> list[Account]:
    """These accounts as assessors of these candidates. Refuses by name, with a sentence for every broken rule."""
    needs = demands(session, plan)
    _refuse(number_problems(len(account_ids), len(enrolments), needs))
    return call_some(session, plan, account_ids, enrolments, at)


def call_some(session: Session, plan: ExamPlan, account_ids: Sequence[int], enrolments: Sequence[Enrolment],
              at: datetime, *, senior: bool = False) -> list[Account]:
    """The same without regard to their number: for a substitute, or for a chief, who is ``senior`` at any level."""
    called = call_on(session, plan, Role.PRACTICAL_ASSESSOR, account_ids)
    duty, needs = duty_of(plan, enrolments, at), demands(session, plan)
    needs = dataclasses.replace(needs, senior_from=max(LEVELS)) if senior else needs
    _refuse([finding for person in people(session, plan, called) for finding in problems(person, duty, needs)])
    return called


def _refuse(findings: Sequence[Finding]) -> None:
    if len(findings) == 1:
        raise Refused(findings[0].code, findings[0].sentence)
    if findings:
        raise Refused(findings[0].code, f"有 {len(findings)} 处不符合考评员选派规定，请按下面逐条调整。", [one.sentence for one in findings])


def proposal(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], at: datetime, seed: str) -> Proposal:
    """What the lot would say: everybody with the role is looked at, whoever a rule forbids is named with the reason."""
    accounts = qualified(session, plan, Role.PRACTICAL_ASSESSOR)
    examined = guard.examined_among(session, plan, [one.id for one in accounts])
    asked = people(session, plan, [one for one in accounts if one not in examined])
    return propose(asked, duty_of(plan, enrolments, at), demands(session, plan), seed)


def draw_assessors(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], who: Viewer, *, at: datetime, now: datetime,
                   seed: str | None = None) -> AssessorDraw:
    """Draw assessors for these candidates by lot among the eligible; the drawing is kept whatever becomes of it."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if not enrolments:
        raise Refused("no_candidates", "请先勾选考生，再抽取考评员：回避要看考生是谁。")
    chosen = seed or secrets.token_hex(8)
    found = proposal(session, plan, enrolments, at, chosen)
    wanted = demands(session, plan).needed(len(enrolments))
    if len(found.drawn) < wanted:
        raise Refused("too_few_eligible", f"{len(enrolments)} 名考生需要 {wanted} 名考评员，符合条件的只有 {len(found.drawn)} 名，不能抽取。"
                                          "请登记更多考评员，或减少本组考生。", [one.sentence for out in found.out.values() for one in out])
    made = AssessorDraw(plan_id=plan.id, seed=chosen, eligible=list(found.eligible), drawn=list(found.drawn),
                        candidates=[one.id for one in enrolments], drawn_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def draws_of(session: Session, plan: ExamPlan) -> list[AssessorDraw]:
    """Every drawing for this plan, the latest first."""
    return list(session.scalars(sa.select(AssessorDraw).where(AssessorDraw.plan_id == plan.id).order_by(AssessorDraw.id.desc())))
