"""Absences from a part: recorded by an officer, never together with marks."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical.duties import require
from scoring.practical.models import Absence, GroupMember, Mark, MarkSheet, Part


def record_absence(session: Session, enrolment: Enrolment, part: Part, who: Viewer, *, reason: str = "",
                   now: datetime) -> Absence:
    """Record that a candidate did not appear for ``part``. Refused when there are marks of that part."""
    require(session, enrolment.plan, who, Role.EXAM_OFFICER)
    marked = (sa.select(Mark.id).join(MarkSheet).join(GroupMember)
              .where(GroupMember.enrolment_id == enrolment.id,
                     sa.or_(Mark.half_points.is_not(None), Mark.violated.is_not(None))))
    if part is Part.PRACTICAL and session.scalar(marked.limit(1)):
        raise Refused("has_marks", f"{enrolment.candidate.name}的{part.chinese}已有评分，不能登记缺考。")
    found = _absence(session, enrolment, part)
    if found is None:
        found = Absence(enrolment=enrolment, part=part, reason=reason.strip(), recorded_by=who.account_id, at=now)
        session.add(found)
        session.flush()
    return found


def withdraw_absence(session: Session, enrolment: Enrolment, part: Part, who: Viewer) -> None:
    """Take back an absence that was recorded by mistake."""
    require(session, enrolment.plan, who, Role.EXAM_OFFICER)
    if found := _absence(session, enrolment, part):
        session.delete(found)
        session.flush()


def absent_from(session: Session, plan: ExamPlan, part: Part) -> set[int]:
    """The enrolments of ``plan`` recorded as absent from ``part``."""
    return set(session.scalars(sa.select(Absence.enrolment_id).join(Enrolment)
                               .where(Enrolment.plan_id == plan.id, Absence.part == part)))


def _absence(session: Session, enrolment: Enrolment, part: Part) -> Absence | None:
    return session.scalar(sa.select(Absence).where(Absence.enrolment_id == enrolment.id, Absence.part == part))
