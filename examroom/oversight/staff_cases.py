"""Misconduct of staff (工作人员违规): proposed with evidence, told, heard, decided by somebody else of a centre; its bar keeps them out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing.duties import require_duty
from examroom.oversight import hearing
from examroom.oversight.inspection_models import Finding
from examroom.oversight.kinds import CASE_MOVES, CaseState
from examroom.oversight.regions import CENTRES
from examroom.oversight.staff_models import StaffCase
from examroom.plans import barred
from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import STAFF, Role, Viewer
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from qbank.standards.tiers import StaffTier, read_staff_tiers

PROPOSERS = (Role.EXAM_OFFICER, *CENTRES)
LONGEST = 2000


def tiers(session: Session, institution: Institution) -> tuple[StaffTier, ...]:
    return read_staff_tiers(pack_for(session, institution).staff_tiers)


def staff_of(session: Session, institution: Institution) -> Sequence[Account]:
    """Whom a case at this school may be about: people of the school, and those with a staff grant there."""
    granted = Account.grants.any(sa.and_(Grant.institution_id == institution.id, Grant.role.in_(STAFF)))
    employed = sa.and_(Account.institution_id == institution.id, Account.grants.any(Grant.role.in_(STAFF)))
    return session.scalars(sa.select(Account).where(sa.or_(granted, employed)).order_by(Account.name, Account.id)).all()


def propose(session: Session, institution: Institution, account_id: int, tier_name: str, who: Viewer, *, duty: str, happened_on: date,
            evidence: str, plan: ExamPlan | None = None, finding: Finding | None = None, file: FileStorage | None = None,
            now: datetime) -> StaffCase:
    """Put a case forward. Nothing follows from it until the person was heard and somebody else decides."""
    require_duty(session, who, institution.id, *PROPOSERS, plan_id=plan.id if plan else None)
    tier = next((one for one in tiers(session, institution) if one.name == tier_name), None)
    if tier is None:
        raise Refused("no_tier", "请选择规则包中的处理等次。")
    if account_id not in {one.id for one in staff_of(session, institution)}:
        raise Refused("no_staff", "请从名单中选择该校的工作人员（监考员、考评员、考务员等）。")
    if (plan and plan.institution_id != institution.id) or (finding and finding.inspection.institution_id != institution.id):
        raise Refused("other_school", "所选方案或检查问题不是该校的，请核对。")
    if not 0 < len(duty.strip()) <= 60:
        raise Refused("no_duty", "请填写当时的职责，例如“监考员”。")
    if not 10 <= len(evidence.strip()) <= LONGEST:
        raise Refused("no_evidence", f"请写明违规经过和证据（10 至 {LONGEST} 字）：何时、何地、何人发现、有何材料。")
    if happened_on > local_date(now):
        raise Refused("future", "发生日期不能晚于今天，请核对。")
    kept = attachments.keep(session, file, who, now=now) if file is not None and file.filename else None
    made = StaffCase(institution=institution, account_id=account_id, plan=plan, finding=finding, duty=duty.strip(), tier=tier.name,
                     happened_on=happened_on, bar_months=tier.bar_months, evidence=evidence.strip(), file=kept, state=CaseState.PROPOSED,
                     proposed_by=who.account_id, proposed_at=now)
    session.add(made)
    session.flush()
    return made


def tell(session: Session, case: StaffCase, who: Viewer, *, now: datetime) -> None:
    """Tell the person what is held against him; he reads it on his page of cases."""
    require_duty(session, who, case.institution_id, *PROPOSERS, plan_id=case.plan_id)
    _require_open(case)
    hearing.tell(session, case, pack_for(session, case.institution).statement_working_days, who, now=now)


def state(session: Session, case: StaffCase, text: str, who: Viewer, *, file: FileStorage | None = None, now: datetime) -> None:
    """The statement: typed by the person, or taken down from paper by who is in charge."""
    _require_open(case)
    if case.account_id != who.account_id:
        require_duty(session, who, case.institution_id, *PROPOSERS, plan_id=case.plan_id)
    hearing.hear(session, case, text, who, file=file, now=now)


def decide(session: Session, case: StaffCase, approves: bool, comment: str, who: Viewer, *, now: datetime) -> None:
    """A centre decides; neither who proposed it nor whom it is about."""
    require_duty(session, who, case.institution_id, *CENTRES, plan_id=case.plan_id)
    if who.account_id in {case.proposed_by, case.account_id}:
        raise Refused("same_person", "处理须由鉴定中心的另一人决定：提出人和当事人不能决定。")
    if not comment.strip():
        raise Refused("no_comment", "请写明决定的理由（包括对陈述申辩是否采纳）。")
    if approves:
        hearing.require_heard(case, now=now)
        case.barred_until = months_later(local_date(now), case.bar_months)
    _move(session, case, CaseState.APPROVED if approves else CaseState.REJECTED, comment, who, now)


def withdraw(session: Session, case: StaffCase, reason: str, who: Viewer, *, now: datetime) -> None:
    """Take a case back: before the decision who proposed it, afterwards only a centre. The reason stays on record."""
    roles = PROPOSERS if case.state is CaseState.PROPOSED else CENTRES
    require_duty(session, who, case.institution_id, *roles, plan_id=case.plan_id)
    if who.account_id == case.account_id:
        raise Refused("same_person", "不能撤回对自己的处理。")
    if not reason.strip():
        raise Refused("no_reason", "请写明撤回的原因。")
    _move(session, case, CaseState.WITHDRAWN, reason, who, now)


@barred.staff.register
def bars(session: Session, account_ids: Sequence[int], on: date) -> dict[int, str]:
    """Who may not serve on that day, at whatever school."""
    rows = session.execute(sa.select(StaffCase.account_id, StaffCase.tier, StaffCase.barred_until).where(
        StaffCase.state == CaseState.APPROVED, StaffCase.barred_until >= on, StaffCase.account_id.in_(account_ids)).order_by(StaffCase.barred_until))
    return {key: f"因违规（{tier}）至 {spoken(until)} 不得参与认定工作" for key, tier, until in rows}


def months_later(day: date, months: int) -> date | None:
    """The last day of a bar: the same day so many months later, or the last of that month; None for no bar."""
    if not months:
        return None
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return None


def _require_open(case: StaffCase) -> None:
    if case.state is not CaseState.PROPOSED:
        raise Refused("wrong_state", f"这件处理现在是“{case.state.chinese}”，不能再办理。")


def _move(session: Session, case: StaffCase, to: CaseState, comment: str, who: Viewer, now: datetime) -> None:
    if to not in CASE_MOVES[case.state]:
        raise Refused("wrong_state", f"这件处理现在是“{case.state.chinese}”，不能再改。请刷新页面。")
    case.state, case.comment, case.decided_by, case.decided_at = to, comment.strip(), who.account_id, now
    session.flush()
