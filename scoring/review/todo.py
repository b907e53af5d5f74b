"""What waits for a panel member, and for a candidate who must hand in."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import spoken
from qbank.kernel.todo import Todo
from scoring.review.handin_models import ReviewCall, Submission, SubmissionKind
from scoring.review.overview import own_panels


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Declarations, marks and minutes that wait for this member; a paper that this candidate has not handed in."""
    return [*_of_member(session, viewer), *_of_candidate(session, viewer, now)]


def _of_member(session: Session, viewer: Viewer) -> list[Todo]:
    found = []
    for own in own_panels(session, viewer):
        panel, member = own.member.panel, own.member
        here = {"panel_id": panel.id}
        if panel.closed_at is not None:
            if member.minutes_signed_at is None and (member.marks or not member.is_substitute):
                found.append(Todo("签字：综合评审会议记录", "review.panel", here, panel.plan.title, panel.closed_at))
        elif member.declared_at is None:
            found.append(Todo("申报利害关系：综合评审", "review.declare", here, f"{panel.plan.title}：申报后才能查看材料", panel.starts_at))
        elif own.left:
            found.append(Todo("评审并签字：综合评审", "review.room", here, f"{panel.plan.title}：还有 {own.left} 名考生没有签字",
                              panel.starts_at))
    return found


def _of_candidate(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    if not viewer.has(Role.CANDIDATE):
        return []
    handed = sa.exists().where(Submission.enrolment_id == Enrolment.id, Submission.kind == SubmissionKind.PAPER)
    calls = session.scalars(sa.select(ReviewCall).join(Enrolment, Enrolment.plan_id == ReviewCall.plan_id).where(
        Enrolment.account_id == viewer.account_id, ReviewCall.until > now, ~handed))
    return [Todo("提交技术总结或论文", "review.mine", {}, f"{call.plan.title}：{spoken(call.until)} 截止", call.until) for call in calls]
