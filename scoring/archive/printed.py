"""The documents of a pack that people read: each a function that gives (file name, content), made by the room that knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.invigilation import record
from examroom.oversight.inspection_models import Inspection
from examroom.oversight.models import Supervision
from examroom.oversight.printed import inspection_pdf, report_pdf
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.export import workbook
from qbank.statistics.reports_print import pdf, tables_of
from scoring.archive import ledger, volumes
from scoring.archive.checklist import documents
from scoring.archive.tables import tables
from scoring.reports import records
from scoring.reports.catalogue import CATALOGUE, Asking
from scoring.review import minutes
from scoring.review.models import ReviewPanel

Files = Iterable[tuple[str, bytes]]
Make = Callable[[Session, ExamPlan, Viewer, datetime], Files]


def _ledger(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Files:
    document = ledger.document(session, plan)
    return [("工作台账.pdf", pdf(document, made_at=now)), ("工作台账.xlsx", workbook(tables_of(document), made_at=now))]


def _volumes(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Files:
    return [("案卷封面和目录.pdf", volumes.covers(session, plan, now=now))]


def _summary(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Files:
    return [("档案清单与汇总.xlsx", tables(session, plan, documents(session, plan), now=now))]


def _rooms(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Iterator[tuple[str, bytes]]:
    for sitting in plan.sittings:
        for room in sitting.rooms:
            yield (f"考场情况记录单_{sitting.name}_{room.room.name}_{room.id}.pdf",
                   record.pdf(record.of_room(session, room, now=now), made_at=now))


def _marks(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Files:
    return records.filled_pdfs(session, plan, who, lambda *_: None, now=now)


def _minutes(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Iterator[tuple[str, bytes]]:
    for panel in session.scalars(sa.select(ReviewPanel).where(ReviewPanel.plan_id == plan.id).order_by(ReviewPanel.id)):
        yield f"综合评审会议记录_{panel.name}.pdf", minutes.pdf(session, panel, now=now)


def _supervision(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Iterator[tuple[str, bytes]]:
    for one in session.scalars(sa.select(Supervision).where(Supervision.plan_id == plan.id, Supervision.reported_at.is_not(None))):
        yield f"质量督导报告_{one.supervisor.name}_{one.id}.pdf", report_pdf(session, one, made_at=now)
    for each in session.scalars(sa.select(Inspection).where(Inspection.plan_id == plan.id, Inspection.submitted_at.is_not(None))):
        yield f"检查记录_{each.number}.pdf", inspection_pdf(session, each, made_at=now)


def _report(key: str, form: str) -> Make:
    def make(session: Session, plan: ExamPlan, who: Viewer, now: datetime) -> Files:
        kind = CATALOGUE[key]
        ending, content = kind.makers[form](Asking(session, plan, who, now, lambda *_: None))
        return [(f"{kind.title}.{ending}", content)]

    return make


FOR_PEOPLE: Mapping[str, Make] = {
    "工作台账": _ledger, "案卷封面和目录": _volumes, "档案清单与汇总": _summary, "考场情况记录单": _rooms, "评分记录表": _marks,
    "综合评审会议记录": _minutes, "质量督导报告": _supervision, "成绩汇总表": _report("summary", "pdf"), "公示名单": _report("notice", "pdf"),
    "合格率分析": _report("rates", "pdf"), "成绩分布": _report("scores", "pdf"), "试题分析报告": _report("items", "pdf"),
    "考评员评分报告": _report("assessors", "pdf"), "认定情况分析": _report("head", "pdf"),
}
