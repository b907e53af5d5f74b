"""What waits: final lists without certificates, copies and written-off blanks for a second officer, reports and receipts."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.institutions import centre_above
from qbank.kernel.todo import Todo
from scoring.certificates.models import Certificate, Replacement, ReplacementState
from scoring.certificates.report_models import LineState, ReportBatch, ReportLine
from scoring.certificates.stock_models import MoveState, StockMove
from scoring.results.models import Result, ResultList, ResultState

CLAUSE = "四（四）"
LINES = 5  # of a kind on the work list
RECENT = timedelta(days=365)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    return [*_second_persons(session, viewer), *_to_make(session, viewer), *_reports(session, viewer, now)]


def _second_persons(session: Session, viewer: Viewer) -> list[Todo]:
    """What one officer asked for and another one decides; who asked waits."""
    found = []
    for one in session.scalars(visible(Replacement, viewer).where(Replacement.state == ReplacementState.ASKED)):
        if on_duty(session, viewer, one.certificate.result.list.plan.institution_id, Role.EXAM_OFFICER):
            found.append(_decided_by_another(one.asked_by, viewer, f"核准{one.cause.chinese}：{one.certificate.number}",
                                             "certificates.show", {"certificate_id": one.certificate_id}))
    for move in session.scalars(visible(StockMove, viewer).where(StockMove.state == MoveState.ASKED)):
        if on_duty(session, viewer, move.institution_id, Role.EXAM_OFFICER):
            found.append(_decided_by_another(move.asked_by, viewer, f"核准作废空白证书 {move.pieces} 份：{move.first}",
                                             "certificates.stock_book", {"institution_id": move.institution_id}))
    return found


def _decided_by_another(asked_by: int, viewer: Viewer, title: str, endpoint: str, values: dict[str, int]) -> Todo:
    if asked_by == viewer.account_id:
        return Todo(title, endpoint, values, "您提交的申请，须由另一名考务人员核准。", clause=CLAUSE, waits_for="另一名考务员")
    return Todo(title, endpoint, values, "另一名考务人员提交的申请，须由您核准或退回。", clause=CLAUSE)


def _to_make(session: Session, viewer: Viewer) -> list[Todo]:
    has_one = sa.exists().where(Certificate.result_id == Result.id)
    waiting = session.scalars(visible(ResultList, viewer).where(
        ResultList.state == ResultState.FINAL, ResultList.results.any(sa.and_(Result.passed, sa.not_(has_one))))).all()
    return [Todo(f"制作证书：{one.plan.title}", "certificates.batch", {"list_id": one.id}, "省已审核，还有合格人员没有证书。", clause=CLAUSE)
            for one in waiting if on_duty(session, viewer, one.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.plan_id)]


def _reports(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Lists whose certificates were not sent up yet, rows that came back, receipts that are awaited."""
    sent = sa.exists().where(ReportLine.certificate_id == Certificate.id)
    waiting = sa.exists().where(Certificate.result_id == Result.id, Certificate.revoked_at.is_(None), sa.not_(sent))
    unsent = session.scalars(visible(ResultList, viewer).where(
        ResultList.state == ResultState.FINAL, ResultList.merged_at > now - RECENT, ResultList.results.any(waiting)).limit(LINES)).all()
    found = [Todo(f"上报证书数据：{one.plan.title}", "certificates.reports", {"list_id": one.id}, "有证书还没有上报。", clause=CLAUSE) for one in unsent
             if on_duty(session, viewer, one.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.plan_id)]
    for state in (LineState.REJECTED, LineState.SENT):
        later = aliased(ReportLine)
        again = sa.exists().where(later.certificate_id == ReportLine.certificate_id, later.id > ReportLine.id)
        batches = session.scalars(visible(ReportBatch, viewer).where(
            ReportBatch.at > now - RECENT, ReportBatch.lines.any(sa.and_(ReportLine.state == state, sa.not_(again))))
            .order_by(ReportBatch.id.desc()).limit(LINES))
        found += [_answer(session, one, state) for one in batches
                  if on_duty(session, viewer, one.results.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.results.plan_id)]
    return found


def _answer(session: Session, batch: ReportBatch, state: LineState) -> Todo:
    values = {"report_id": batch.id}
    if state is LineState.REJECTED:
        return Todo(f"更正并重报退回的证书数据：{batch.results.plan.title}", "certificates.report_batch", values, "回执中有被退回的人员。", clause=CLAUSE)
    office = centre_above(session, batch.results.plan.institution, InstitutionKind.PROVINCE_CENTRE)
    return Todo(f"证书数据上报待回执：{batch.results.plan.title}", "certificates.report_batch", values, f"第 {batch.number} 次上报，收到回执后读入。",
                clause=CLAUSE, waits_for=office)
