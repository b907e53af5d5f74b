"""归档材料: documents on paper that belong to a batch, scanned or with the place where they lie, volume by volume.

The lines are those of a college's published archive rule (domain.md 3.6) which this system does not make itself, or of
which the signed copy is kept as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload
from werkzeug.datastructures import FileStorage

from examroom.filing.duties import require_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import keep
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from scoring.archive.models import ArchivePack, FiledDocument

REGISTRATION, FILING, PROCESS, OUTCOME, CERTIFICATES = VOLUMES = ("报名卷", "备案卷", "过程卷", "结果卷", "证书卷")
MOST_MEGABYTES = 50


@dataclass(frozen=True)
class Line:
    """One kind of document of the catalogue."""

    key: str
    volume: str
    name: str


LINES = {one.key: one for one in (
    Line("notice", REGISTRATION, "认定公告"), Line("training", REGISTRATION, "培训方案"),
    Line("qualification", REGISTRATION, "个人、集体申报材料（纸质）"),
    Line("application", FILING, "认定计划申报表（盖章件）"), Line("scheme", FILING, "考务实施方案（盖章件）"),
    Line("invigilators", PROCESS, "监考人员签到表"), Line("candidates", PROCESS, "考生签到表"), Line("assessors", PROCESS, "考评人员签到表"),
    Line("handling", PROCESS, "试卷发放、收取登记表"), Line("rooms", PROCESS, "考场情况记录单（签字件）"),
    Line("internal", PROCESS, "内部督导表"),
    Line("marks", OUTCOME, "操作技能评分记录表（签字件）"), Line("review", OUTCOME, "论文评审表、答辩评分表（签字件）"),
    Line("workpieces", OUTCOME, "工件及照片"),
    Line("confirmation", CERTIFICATES, "证书数据审核确认表"), Line("receipt", CERTIFICATES, "上报数据回执"),
)}


def file_document(session: Session, plan: ExamPlan, line: str, who: Viewer, *, title: str = "", upload: FileStorage | None = None,
                  place: str = "", pages: int | None = None, now: datetime) -> FiledDocument:
    """Put a document to the batch: a scan, where its paper lies, or both. Refused once the batch is packed."""
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    if line not in LINES:
        raise Refused("no_line", "请从清单中选择材料的种类。")
    if session.scalar(sa.select(ArchivePack.id).where(ArchivePack.plan_id == plan.id)):
        raise Refused("already_packed", "本批次已经归档，归档卷不能再增加材料。")
    scan = keep(session, upload, who, most_megabytes=MOST_MEGABYTES, now=now) if upload is not None and upload.filename else None
    if scan is None and not place.strip():
        raise Refused("nothing_filed", "请上传扫描件，或填写纸质材料存放的位置（例如“档案室 3 柜 12 盒”）。")
    if pages is not None and not 1 <= pages <= 10_000:
        raise Refused("bad_pages", "页数应填写 1 到 10000 之间的整数，不清楚可以不填。")
    made = FiledDocument(plan_id=plan.id, line=line, title=title.strip()[:200] or LINES[line].name, attachment_id=scan.id if scan else None,
                         place=place.strip()[:200], pages=pages, filed_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def withdraw(session: Session, document: FiledDocument, who: Viewer, reason: str, *, now: datetime) -> None:
    """Take back what was filed by mistake; it stays on record. Refused once the batch is packed."""
    require_duty(session, who, document.plan.institution_id, Role.EXAM_OFFICER, plan_id=document.plan_id)
    if session.scalar(sa.select(ArchivePack.id).where(ArchivePack.plan_id == document.plan_id)):
        raise Refused("already_packed", "本批次已经归档，材料不能再撤回。")
    if document.withdrawn_at is not None:
        raise Refused("withdrawn", f"这份材料已于 {spoken(document.withdrawn_at)} 撤回。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写撤回原因，例如“扫错了批次”。")
    document.withdrawn_at, document.withdrawn_why = now, reason.strip()[:500]
    session.flush()


def standing(session: Session, plan: ExamPlan) -> Sequence[FiledDocument]:
    """The filed documents of a plan that were not taken back, by the catalogue."""
    found = session.scalars(sa.select(FiledDocument).where(FiledDocument.plan_id == plan.id, FiledDocument.withdrawn_at.is_(None))
                            .options(joinedload(FiledDocument.attachment), joinedload(FiledDocument.filer)).order_by(FiledDocument.id)).all()
    return sorted(found, key=lambda one: list(LINES).index(one.line))
