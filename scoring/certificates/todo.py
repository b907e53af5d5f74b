"""What waits: final lists with passed candidates who have no certificate yet, and copies that a second officer decides."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from scoring.certificates.models import Certificate, Replacement, ReplacementState
from scoring.results.models import Result, ResultList, ResultState


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    has_one = sa.exists().where(Certificate.result_id == Result.id)
    waiting = session.scalars(visible(ResultList, viewer).where(
        ResultList.state == ResultState.FINAL, ResultList.results.any(sa.and_(Result.passed, sa.not_(has_one))))).all()
    asked = session.scalars(visible(Replacement, viewer).where(Replacement.state == ReplacementState.ASKED,
                                                               Replacement.asked_by != viewer.account_id)).all()
    copies = [Todo(f"核准{one.cause.chinese}：{one.certificate.number}", "certificates.show", {"certificate_id": one.certificate_id},
                   "另一名考务人员提交的申请，须由您核准或退回。") for one in asked
              if on_duty(session, viewer, one.certificate.result.list.plan.institution_id, Role.EXAM_OFFICER)]
    return copies + [Todo(f"制作证书：{one.plan.title}", "certificates.batch", {"list_id": one.id}, "省已审核，还有合格人员没有证书。")
            for one in waiting
            if on_duty(session, viewer, one.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.plan_id)]
