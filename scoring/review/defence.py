"""The defence of one candidate and its clock, led by the chair."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import PlanState
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from scoring.practical import desk as practical
from scoring.practical.models import Part
from scoring.review.handin_models import Submission, SubmissionKind
from scoring.review.models import ReviewCase
from scoring.review.panels import check_going, check_leader, check_not_closed
from scoring.review.states import MOVES, CaseState


def start(session: Session, case: ReviewCase, who: Viewer, *, now: datetime) -> None:
    """Start the clock, or let it go on after a pause. One candidate at a time."""
    check_leader(case, who)
    check_open(session, case, now)
    check_going(case)
    if case.state is CaseState.WAITING and pack_for(session, case.panel.plan.institution).review_paper_required:
        _check_paper(session, case)
    other = next((one for one in case.panel.cases if one.state in (CaseState.DEFENDING, CaseState.PAUSED) and one is not case), None)
    if other is not None:
        raise Refused("another_defends", f"{other.number} 号考生的答辩还没有结束，请先结束后再开始 {case.number} 号。")
    move(case, CaseState.DEFENDING)
    case.running_since, case.began_at = now, case.began_at or now
    session.flush()


def pause(session: Session, case: ReviewCase, who: Viewer, *, now: datetime) -> None:
    check_leader(case, who)
    move(case, CaseState.PAUSED)
    case.spent_seconds, case.running_since = case.timer.used(now), None
    session.flush()


def end(session: Session, case: ReviewCase, who: Viewer, *, reason: str = "", now: datetime) -> None:
    """End the defence: scoring is open. Before its time only with a reason, which the minutes carry."""
    check_leader(case, who)
    if case.state is CaseState.WAITING:
        raise Refused("not_begun", f"{case.number} 号考生还没有开始答辩。")
    if case.timer.left(now) > 0 and not reason.strip():
        raise Refused("too_short", f"答辩时间应为 {case.panel.minutes} 分钟，还没有到时。提前结束请写明原因，原因记入会议记录。")
    spent = case.timer.used(now)
    move(case, CaseState.SCORING)
    case.early_reason = reason.strip()[:500] if spent < case.panel.minutes * 60 else ""
    case.spent_seconds, case.running_since, case.ended_at = spent, None, now
    session.flush()


def move(case: ReviewCase, to: CaseState) -> None:
    """Refuse what the table of moves does not know."""
    if to not in MOVES[case.state]:
        raise Refused("wrong_state", f"{case.number} 号考生现在是“{case.state.chinese}”，不能改为“{to.chinese}”。请刷新页面查看最新状态。")
    case.state = to


def check_open(session: Session, case: ReviewCase, now: datetime) -> None:
    """Only from the day of the review on, in an approved plan, for a candidate who is there, until the review is closed."""
    panel = case.panel
    check_not_closed(panel)
    if panel.plan.state is not PlanState.APPROVED:
        raise Refused("plan_not_approved", "考务方案还没有批准，不能评审。")
    if local_date(now) < local_date(panel.starts_at):
        raise Refused("too_early", f"综合评审在 {spoken(panel.starts_at)} 开始，当天起才能进行。")
    if case.enrolment_id in practical.absent_from(session, panel.plan, Part.REVIEW):
        raise Refused("is_absent", "这名考生已登记缺考。如登记有误，请考务员先撤销缺考登记。")


def _check_paper(session: Session, case: ReviewCase) -> None:
    handed = session.scalar(sa.select(Submission.id).where(Submission.enrolment_id == case.enrolment_id,
                                                           Submission.kind == SubmissionKind.PAPER).limit(1))
    if handed is None:
        raise Refused("no_paper", f"{case.number} 号考生没有提交技术总结或论文，不能开始答辩。请考务员延长提交期限让考生补交，或登记缺考。")
