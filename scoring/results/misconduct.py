"""Misconduct (违纪处理): makes one part of a candidate void, or all, by the tiers of the rule pack; evidence, two officers, and
a hearing of the candidate (陈述申辩) before the second one decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload
from werkzeug.datastructures import FileStorage

from examroom.delivery.models import Sheet
from examroom.invigilation.incidents import VIOLATION
from examroom.invigilation.models import Incident
from examroom.oversight import hearing
from examroom.oversight.staff_cases import months_later
from examroom.plans import barred
from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from scoring.practical.duties import require
from scoring.results.case_models import Misconduct
from scoring.results.credits import LIVE, MOVES, check_open
from scoring.results.merge import required_parts
from scoring.results.models import CreditState

LONGEST = 2000


def propose(session: Session, enrolment: Enrolment, tier_name: str, part: str | None, who: Viewer, *, happened_on: date,
            evidence: str, file: FileStorage | None = None, incident: Incident | None = None, now: datetime) -> Misconduct:
    """Put a case of misconduct forward, perhaps from a line of a room's record. It makes scores void once the candidate was
    heard and somebody else approves."""
    plan = enrolment.plan
    require(session, plan, who, Role.EXAM_OFFICER)
    check_open(session, plan)
    pack = pack_for(session, plan.institution)
    tier = next((one for one in pack.tiers if one.name == tier_name), None)
    if tier is None:
        raise Refused("no_tier", "请选择规则包中的违纪等次。")
    if not tier.voids_all and part not in required_parts(plan.level, pack):
        raise Refused("no_such_part", f"“{tier.name}”只使一个部分的成绩无效，请选择是哪一部分。")
    if not 10 <= len(evidence.strip()) <= LONGEST:
        raise Refused("no_evidence", f"请写明违纪经过和证据（10 至 {LONGEST} 字）：何时、何地、何人发现、有何材料。")
    if happened_on > local_date(now):
        raise Refused("future", "发生日期不能晚于今天，请核对。")
    if incident is not None and (incident.sheet is None or incident.sheet.enrolment_id != enrolment.id):
        raise Refused("other_candidate", "所选的考场情况记录不是这名考生的，请核对。")
    kept = attachments.keep(session, file, who, now=now) if file is not None and file.filename else None
    made = Misconduct(enrolment=enrolment, part=None if tier.voids_all else part, tier=tier.name, happened_on=happened_on,
                      banned_until=months_later(happened_on, tier.ban_months), evidence=evidence.strip(), file=kept, incident=incident,
                      state=CreditState.PROPOSED, proposed_by=who.account_id, proposed_at=now)
    session.add(made)
    session.flush()
    return made


def tell(session: Session, case: Misconduct, who: Viewer, *, now: datetime) -> None:
    """Tell the candidate what is held against him; he reads and answers it on his page of results."""
    require(session, case.enrolment.plan, who, Role.EXAM_OFFICER)
    _require_open(case)
    hearing.tell(session, case, pack_for(session, case.enrolment.plan.institution).statement_working_days, who, now=now)


def state(session: Session, case: Misconduct, text: str, who: Viewer, *, file: FileStorage | None = None, now: datetime) -> None:
    """The candidate's statement: his own, or taken down by an officer from paper."""
    _require_open(case)
    if not (who.account_id == case.enrolment.account_id and who.has(Role.CANDIDATE)):
        require(session, case.enrolment.plan, who, Role.EXAM_OFFICER)
    hearing.hear(session, case, text, who, file=file, now=now)


def decide(session: Session, case: Misconduct, approves: bool, comment: str, who: Viewer, *, now: datetime) -> None:
    """Approve or reject what somebody else put forward; approve only after the candidate was heard."""
    require(session, case.enrolment.plan, who, Role.EXAM_OFFICER)
    check_open(session, case.enrolment.plan)
    if case.proposed_by == who.account_id:
        raise Refused("same_person", "违纪处理须由另一名考务员决定，不能决定自己提出的。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "不予认定时请写明原因。")
    if approves and case.state is CreditState.PROPOSED:
        hearing.require_heard(case, now=now)
    _move(session, case, CreditState.APPROVED if approves else CreditState.REJECTED, comment, who, now)


def withdraw(session: Session, case: Misconduct, reason: str, who: Viewer, *, now: datetime) -> None:
    """Take a case back as long as the list is not posted. The reason stays on record."""
    require(session, case.enrolment.plan, who, Role.EXAM_OFFICER)
    check_open(session, case.enrolment.plan)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤回的原因。")
    _move(session, case, CreditState.WITHDRAWN, reason, who, now)


def of_plan(session: Session, plan: ExamPlan) -> Sequence[Misconduct]:
    """Every case of a plan, newest first."""
    return session.scalars(sa.select(Misconduct).join(Misconduct.enrolment).where(Enrolment.plan_id == plan.id).options(
        joinedload(Misconduct.enrolment).joinedload(Enrolment.candidate), joinedload(Misconduct.file),
        joinedload(Misconduct.proposer), joinedload(Misconduct.decider)).order_by(Misconduct.id.desc())).all()


def unproposed(session: Session, plan: ExamPlan) -> Sequence[Incident]:
    """Violations on record in the plan's rooms, of a named candidate, from which no case was made yet."""
    from_incident = sa.select(Misconduct.incident_id).where(Misconduct.incident_id.is_not(None), Misconduct.state.in_(LIVE))
    return session.scalars(sa.select(Incident).join(Incident.sheet).join(Sheet.enrolment).where(
        Enrolment.plan_id == plan.id, Incident.kind == VIOLATION, Incident.withdrawn_at.is_(None), Incident.id.not_in(from_incident))
        .order_by(Incident.id)).all()


@barred.candidates.register
def bans(session: Session, identity_hashes: Sequence[str], on: date) -> dict[str, str]:
    """Identity hash → why this person may not be enrolled for a plan that begins ``on``; at whatever school."""
    rows = session.execute(sa.select(Account.identity_hash, Misconduct.tier, Misconduct.banned_until).select_from(Misconduct)
                           .join(Misconduct.enrolment).join(Enrolment.candidate)
                           .where(Misconduct.state == CreditState.APPROVED, Misconduct.banned_until >= on,
                                  Account.identity_hash.in_(identity_hashes)).order_by(Misconduct.banned_until))
    return {key: f"因{tier}被禁考至 {spoken(until)}（含当日），本次考试在禁考期内。" for key, tier, until in rows if key}


def _move(session: Session, case: Misconduct, to: CreditState, comment: str, who: Viewer, now: datetime) -> None:
    if to not in MOVES[case.state]:
        raise Refused("wrong_state", f"这条违纪处理现在是“{case.state.chinese}”，不能再改。请刷新页面。")
    case.state, case.comment, case.decided_by, case.decided_at = to, comment.strip(), who.account_id, now
    session.flush()


def _require_open(case: Misconduct) -> None:
    if case.state is not CreditState.PROPOSED:
        raise Refused("wrong_state", f"这条违纪处理现在是“{case.state.chinese}”，不能再办理。")
