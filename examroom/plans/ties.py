"""Relations declared, taken back, and looked up: who must not meet whom."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.refused import Refused


def declare(session: Session, institution: Institution, account: Account, kind: TieKind, who: Viewer, *, class_name: str = "",
            candidate: Account | None = None, note: str = "", now: datetime) -> Tie:
    """A class that ``account`` teaches, or a candidate who is kin. The person himself or an exam officer declares it."""
    if who.account_id != account.id:
        require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    if kind is TieKind.TEACHER and not class_name.strip():
        raise Refused("no_class", "请填写任课或担任班主任的班级，与报名表上的班级写法一致。")
    if kind is TieKind.RELATIVE and candidate is None:
        raise Refused("no_candidate", "请填写考生的准考证号或学号，并确认本校有这名考生。")
    made = Tie(institution_id=institution.id, account=account, kind=kind, note=note.strip()[:200], declared_by=who.account_id,
               class_name=class_name.strip()[:200] if kind is TieKind.TEACHER else "",
               candidate=candidate if kind is TieKind.RELATIVE else None, declared_at=now)
    session.add(made)
    session.flush()
    return made


def take_back(session: Session, tie: Tie, who: Viewer) -> None:
    """A relation that was declared by mistake, or that has ended. Only an officer: nobody frees himself."""
    require_duty(session, who, tie.institution_id, Role.EXAM_OFFICER)
    session.delete(tie)
    session.flush()


def candidate_of(session: Session, institution: Institution, number: str) -> Account | None:
    """The candidate with this ticket or student number at the school."""
    typed = number.strip()
    if not typed:
        return None
    return session.scalars(sa.select(Account).join(Enrolment, Enrolment.account_id == Account.id).join(Enrolment.plan).where(
        ExamPlan.institution_id == institution.id,
        sa.or_(Enrolment.ticket_number == typed, Enrolment.student_number == typed)).order_by(Enrolment.id.desc())).first()
