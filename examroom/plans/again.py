"""Who resits (补考): enrolled in a later plan with what an earlier one of the school has recorded and accepted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import candidates, checking, guard
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from examroom.plans.roster import RosterRow
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused


def enrol_again(session: Session, plan: ExamPlan, earlier: Enrolment, who: Viewer, *, now: datetime) -> Enrolment:
    """Facts, condition, proofs and their acceptance go along within one standard and level; otherwise he is checked anew."""
    candidate = earlier.candidate
    candidates.require_open(session, plan, who, True)
    guard.require_own_student(plan, candidate)
    row = RosterRow(0, candidate.name, "", earlier.student_number, earlier.class_name)
    if candidate.identity_hash is None:
        raise Refused("no_identity", f"考生{candidate.name}没有登记证件号码，请在方案中手工报名后再提出保留成绩。")
    if problems := checking.known_problems(session, plan, row, candidate.identity_hash, earlier.plan_id, now):
        raise Refused("candidate", f"{candidate.name}：{problems[0]}")
    same = (earlier.plan.standard_id, earlier.plan.level) == (plan.standard_id, plan.level)
    made = candidates.new_enrolment(plan, candidate, who, now, student_number=earlier.student_number, class_name=earlier.class_name,
                                    entry_condition=earlier.entry_condition, condition=earlier.condition if same else None,
                                    facts=dict(earlier.facts), born=earlier.born, photo_id=earlier.photo_id)
    session.add(made)
    session.flush()
    if same and earlier.qualification is Qualification.ACCEPTED:
        _take_along(session, earlier, made, who, now)
    return made


def _take_along(session: Session, earlier: Enrolment, made: Enrolment, who: Viewer, now: datetime) -> None:
    made.qualification = Qualification.ACCEPTED
    for proof in session.scalars(sa.select(EntryProof).where(EntryProof.enrolment_id == earlier.id, EntryProof.withdrawn_at.is_(None))):
        session.add(EntryProof(enrolment=made, attachment_id=proof.attachment_id, title=proof.title, at=now))
    session.add(QualificationCheck(enrolment=made, verdict=Qualification.ACCEPTED, condition=earlier.entry_condition, findings=[],
                                   reason=f"补考，沿用计划 {earlier.plan.number} 的资格审核结论", checked_by=who.account_id, at=now))
    session.flush()
