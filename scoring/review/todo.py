"""What waits for a panel member, and for a candidate who must hand in."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import end_of_day, local_date, spoken
from qbank.kernel.todo import Todo
from scoring.review.handin_models import ReviewCall, Submission, SubmissionKind
from scoring.review.models import ReviewPanel
from scoring.review.overview import own_panels

CLAUSE = "五（三）"


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Declarations, marks and minutes that wait for this member; a paper that this candidate has not handed in."""
    return [*_of_member(session, viewer), *_of_candidate(session, viewer, now), *_of_officer(session, viewer, now)]


def _of_member(session: Session, viewer: Viewer) -> list[Todo]:
    found = []
    for own in own_panels(session, viewer):
        panel, member = own.member.panel, own.member
        here = {"panel_id": panel.id}
        if panel.closed_at is not None:
            if member.minutes_signed_at is None and (member.marks or not member.is_substitute):
                found.append(Todo("签字：综合评审会议记录", "review.panel", here, panel.plan.title, end_of_day(local_date(panel.closed_at)),
                                  CLAUSE))
        elif member.declared_at is None:
            found.append(Todo("申报利害关系：综合评审", "review.declare", here, f"{panel.plan.title}：申报后才能查看材料", panel.starts_at, CLAUSE))
        elif own.left:
            found.append(Todo("评审并签字：综合评审", "review.room", here, f"{panel.plan.title}：还有 {own.left} 名考生没有签字",
                              end_of_day(local_date(panel.starts_at)), CLAUSE))
    return found


def _of_candidate(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    if not viewer.has(Role.CANDIDATE):
        return []
    calls = session.scalars(sa.select(ReviewCall).join(Enrolment, Enrolment.plan_id == ReviewCall.plan_id).where(
        Enrolment.account_id == viewer.account_id, ReviewCall.until > now, ~_handed()))
    return [Todo("提交技术总结或论文", "review.mine", {}, f"{call.plan.title}：{spoken(call.until)} 截止", call.until) for call in calls]


def _of_officer(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """What the school waits for: members who have not declared or signed, candidates who have not handed in."""
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    duty = viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)
    panels = session.scalars(sa.select(ReviewPanel).join(ReviewPanel.plan).where(duty).order_by(ReviewPanel.starts_at))
    found = [line for panel in panels if (line := _of_panel(panel, now)) is not None]
    missing = (sa.select(ReviewCall, sa.func.count(Enrolment.id)).join(Enrolment, Enrolment.plan_id == ReviewCall.plan_id)
               .join(ReviewCall.plan).where(duty, ReviewCall.until > now, ~_handed()).group_by(ReviewCall.id).order_by(ReviewCall.until))
    return found + [Todo("考生提交技术总结或论文", "review.hand_ins", {"plan_id": call.plan_id}, call.plan.title, call.until, CLAUSE,
                         f"{count} 名考生") for call, count in session.execute(missing)]


def _of_panel(panel: ReviewPanel, now: datetime) -> Todo | None:
    title, here, plan = "综合评审：", {"panel_id": panel.id}, panel.plan.title
    if panel.closed_at is not None:
        names = [one.account.name for one in panel.members if one.minutes_signed_at is None and (one.marks or not one.is_substitute)]
        return Todo(f"{title}会议记录签字", "review.panel", here, plan, end_of_day(local_date(panel.closed_at)), CLAUSE,
                    f"评审专家 {'、'.join(names)}") if names else None
    names = [one.account.name for one in panel.members if one.declared_at is None]
    if names and now < panel.starts_at:
        return Todo(f"{title}申报利害关系", "review.panel", here, plan, panel.starts_at, CLAUSE, f"评审专家 {'、'.join(names)}")
    if now >= panel.starts_at:
        return Todo(f"{title}评审并签字", "review.panel", here, plan, end_of_day(local_date(panel.starts_at)), CLAUSE, "评审委员会")
    return None


def _handed() -> sa.ColumnElement[bool]:
    return sa.exists().where(Submission.enrolment_id == Enrolment.id, Submission.kind == SubmissionKind.PAPER)
