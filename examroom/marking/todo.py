"""What waits in marking: sittings whose time is over and that are not marked yet, keys to check before results go out."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Sheet
from examroom.marking import written
from examroom.marking.case_models import APPROVERS, AnswerFile, CaseState, FileState, ItemCase, ScoreChange
from examroom.marking.cases import approvals_of, suspects
from examroom.marking.models import SittingReport
from examroom.marking.released import standings
from examroom.marking.written_models import Marker
from examroom.plans.models import ExamPlan, Sitting, SittingState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo

FRESH = timedelta(days=14)  # by then the results are out


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    found = [*_to_mark(session, viewer), *_to_approve(session, viewer), *_files(session, viewer)]
    if not viewer.has(Role.EXAM_OFFICER):
        return found
    late = session.scalars(visible(Sitting, viewer).where(Sitting.state.in_((SittingState.DEALT, SittingState.CLOSED)),
                                                          Sitting.starts_at < now).order_by(Sitting.starts_at))
    return [*(Todo(f"“{sitting.name}”考试时间已过，等待收卷评分", "marking.index", detail=sitting.plan.title, due=sitting.ends_at, clause="五（三）")
              for sitting in late if sitting.ends_at < now and not written.pending(session, sitting)),
            *found, *_written(session, viewer), *_keys(session, viewer, now), *_published(session, viewer, now)]


def _to_mark(session: Session, viewer: Viewer) -> list[Todo]:
    """What a marker and the chief of a sitting have to do."""
    serving = session.scalars(sa.select(Marker).join(Marker.sitting).where(
        Marker.account_id == viewer.account_id, Marker.released_at.is_(None), Sitting.state == SittingState.CLOSED).order_by(Marker.id)).all()
    waiting = written.loads(session, serving)
    found = [Todo(f"评阅书面题：{waiting[marker.id]} 份等您评分", "marking.own_marking", detail=marker.sitting.name, clause="五（三）")
             for marker in serving if waiting[marker.id] and viewer.has(Role.MARKER)]
    return found + [Todo("书面题已评完，请复查并签字", "marking.own_marking", detail=marker.sitting.name, clause="五（三）") for marker in serving
                    if marker.is_chief and any("签字" in line for line in written.pending(session, marker.sitting))]


def _written(session: Session, viewer: Viewer) -> list[Todo]:
    """Closed sittings whose written answers nobody can mark yet, or whose markers are at work."""
    closed = session.scalars(visible(Sitting, viewer).where(Sitting.state == SittingState.CLOSED).order_by(Sitting.starts_at))
    return [_written_of(session, sitting, lines) for sitting in closed if (lines := written.pending(session, sitting))]


def _written_of(session: Session, sitting: Sitting, lines: list[str]) -> Todo:
    markers, chief, here = written.ordinary(session, sitting), written.chief_of(session, sitting), {"sitting_id": sitting.id}
    if len(markers) < 2 or chief is None:
        return Todo(f"“{sitting.name}”有书面题，请指定阅卷员并分发", "marking.markers", here, sitting.plan.title, clause="五（三）")
    names = dict.fromkeys(marker.account.name for marker in (*markers, chief))
    return Todo(f"书面题正在评阅：“{sitting.name}”", "marking.markers", here, f"{sitting.plan.title}：{'；'.join(lines)}", clause="五（三）",
                waits_for=f"阅卷员 {'、'.join(names)}")


def _to_approve(session: Session, viewer: Viewer) -> list[Todo]:
    """Remedies that wait for this person's approval."""
    if not viewer.has(*APPROVERS):
        return []
    waiting = session.scalars(visible(ItemCase, viewer).where(ItemCase.state == CaseState.PREVIEWED))
    return [_approval(case, case.proposed_by == viewer.account_id or viewer.account_id in {one.account_id for one in approvals_of(case)})
            for case in waiting]


def _approval(case: ItemCase, given: bool) -> Todo:
    title = f"{'等待批准' if given else '批准'}问题试题 {case.id} 号的处理办法"
    return Todo(title, "marking.item_case", {"case_id": case.id}, f"{len(case.preview)} 个成绩会改变", clause="五（六）",
                waits_for="其他批准人" if given else "")


def _files(session: Session, viewer: Viewer) -> list[Todo]:
    waiting = session.scalars(visible(AnswerFile, viewer).where(AnswerFile.state == FileState.UPLOADED, AnswerFile.uploaded_by != viewer.account_id))
    return [Todo("核准答案文件", "marking.answer_file", {"file_id": kept.id}, kept.sheet.enrolment.candidate.name, clause="五（三）")
            for kept in waiting]


def _published(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Scores that changed after their results went out: nobody changes those but a person."""
    rows = session.execute(sa.select(Sitting.plan_id, ScoreChange.case_id).distinct().join(Sheet, Sheet.sitting_id == Sitting.id)
                           .join(ScoreChange, ScoreChange.sheet_id == Sheet.id).where(ScoreChange.at > now - FRESH, ScoreChange.case_id.is_not(None),
                                                                                      Sitting.plan.has(ExamPlan.visible_to(viewer)))).all()
    public = {one.plan_id: one.sentence for one in standings(session, {plan_id for plan_id, _ in rows}) if one.public}
    return [Todo("成绩公示后又有改变，请按规定更正", "marking.item_case", {"case_id": case_id}, public[plan_id], clause="五（六）")
            for plan_id, case_id in rows if plan_id in public]


def _keys(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Only what chance does not explain."""
    fresh = session.scalars(visible(SittingReport, viewer).join(SittingReport.sitting).where(Sitting.starts_at > now - FRESH)
                            .order_by(Sitting.starts_at))
    found = [(report, len(suspects(session, report.sitting))) for report in fresh]
    return [Todo(f"“{report.sitting.name}”有 {count} 道题疑似错误答案，公布成绩前请核对", "marking.report",
                 {"sitting_id": report.sitting_id}, report.sitting.plan.title, clause="五（六）")
            for report, count in found if count]
