"""Packing the evidence of a plan (notice 五(二)), taking it out, verifying it.

There is no way to destroy a pack: before its time is over that is refused, afterwards it needs an approval that the
product does not have yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import ExamPlan, Sitting, SittingPaper, SittingState
from qbank.kernel import audit, jobs
from qbank.kernel.access import Role, Viewer, fetch
from qbank.kernel.audit import AuditEntry
from qbank.kernel.jobs import Job, Work
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from scoring.archive.checklist import documents, missing
from scoring.archive.container import bundle, differences
from scoring.archive.evidence import files_of, rows_of
from scoring.archive.models import ArchiveAccess, ArchivePack
from scoring.archive.retention import keep_until
from scoring.archive.tables import tables
from scoring.results.models import ResultList, ResultState

OPEN_SITTINGS = (SittingState.PLANNED, SittingState.DEALT)


@dataclass(frozen=True)
class Built:
    """A pack that is built, not yet stored."""

    content: bytes
    audit_head: str
    keep_until: date
    packed_at: datetime


def pack(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> ArchivePack:
    """Pack the evidence of a finished plan. Refuses while a mandatory document is lacking, naming it."""
    require_packable(session, plan, who)
    return store(session, plan, build(session, plan, who, now=now), who)


def ask_for(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> Job:
    """Have a plan packed off the request."""
    require_packable(session, plan, who)
    return jobs.enqueue(session, "archive.pack", {"plan_id": plan.id}, who, now=now)


@jobs.kind("archive.pack", "归档")
def pack_job(work: Work) -> str:
    plan_id = work.arguments["plan_id"]
    work.progress(0, 2, "正在收集档案…")
    with work.reading() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        require_packable(session, plan, work.who)
        built = build(session, plan, work.who, now=work.now())
    work.progress(1, 2, "正在写入归档卷…")
    with work.transaction() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        require_packable(session, plan, work.who)
        return f"/archive/{store(session, plan, built, work.who).id}"


def require_packable(session: Session, plan: ExamPlan, who: Viewer) -> None:
    """Refuse unless the plan is finished, complete and not packed, and its papers are no longer in use."""
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    if packed := pack_of(session, plan):
        raise Refused("already_packed", f"本计划已于 {spoken(packed.packed_at)} 归档。归档卷不能修改或重做。")
    state = session.scalar(sa.select(ResultList.state).where(ResultList.plan_id == plan.id))
    if state is not ResultState.FINAL:
        raise Refused("not_final", "认定结果经省鉴定中心审核通过后才能归档。"
                                   + (f"现在是“{state.chinese}”。" if state else "现在还没有认定结果。"))
    if lacking := missing(documents(session, plan)):
        raise Refused("incomplete", f"档案还缺 {len(lacking)} 项，补齐后才能归档。",
                      [f"{one.volume}：{one.name}" + (f"（{one.detail}）" if one.detail else "") for one in lacking])
    if waiting := papers_in_use(session, plan):
        raise Refused("paper_in_use", "归档卷含试卷和答案，而下列场次还要使用同一份试卷。请待这些场次收卷后再归档。", waiting)


def papers_in_use(session: Session, plan: ExamPlan) -> list[str]:
    """Sittings, of whatever plan, that still wait for a paper of this plan: until they end it stays shut."""
    papers = sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == plan.id)
    found = session.scalars(sa.select(Sitting).where(Sitting.forms.any(SittingPaper.paper_id.in_(papers)),
                                                     Sitting.state.in_(OPEN_SITTINGS))
                            .order_by(Sitting.starts_at))
    return [f"{sitting.name}（{spoken(sitting.starts_at)}）" for sitting in found]


def build(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> Built:
    """The file of a pack; reads only. The same rows at the same ``now`` give the same bytes."""
    rows = rows_of(session, plan)
    until = keep_until(local_date(now), pack_for(session, plan.institution).archive_years)
    listed = documents(session, plan)
    files = files_of(session, plan, rows) | {"summary.xlsx": tables(session, plan, listed, now=now)}
    head = audit.head(session)
    about = {
        "title": f"归档卷：{plan.title}", "plan": plan.number, "institution": plan.institution.name,
        "packed_at": now.isoformat(), "packed_by": who.name, "keep_until": until.isoformat(), "audit_head": head,
        "audit_breaks": [found.sentence for found in audit.verify(session)],
        "documents": [{"volume": one.volume, "name": one.name, "present": one.present, "detail": one.detail}
                      for one in listed],
    }
    return Built(bundle(files, about), head, until, now)


def store(session: Session, plan: ExamPlan, built: Built, who: Viewer) -> ArchivePack:
    """Write a built pack."""
    made = ArchivePack(plan=plan, file=built.content, size=len(built.content), audit_head=built.audit_head,
                       sha256=hashlib.sha256(built.content).hexdigest(), packed_by=who.account_id,
                       packed_at=built.packed_at, keep_until=built.keep_until)
    session.add(made)
    session.flush()
    return made


def pack_of(session: Session, plan: ExamPlan) -> ArchivePack | None:
    return session.scalar(sa.select(ArchivePack).where(ArchivePack.plan_id == plan.id))


def take_out(session: Session, archived: ArchivePack, who: Viewer, reason: str, *, now: datetime) -> bytes:
    """The file, for somebody who says why; that they took it is put on record."""
    require_duty(session, who, archived.plan.institution_id, Role.EXAM_OFFICER, plan_id=archived.plan_id)
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写查阅事由，例如“省鉴定中心年度检查”。归档卷含试卷和成绩，每次下载都会登记。")
    session.add(ArchiveAccess(pack=archived, account_id=who.account_id, at=now, reason=reason.strip()[:2000]))
    session.flush()
    return archived.file


def verify(session: Session, archived: ArchivePack) -> Sequence[str]:
    """What is wrong with a stored pack, a sentence each: against its own hash, its manifest and the audit trail."""
    found = differences(archived.file, archived.sha256)
    entry = session.scalar(sa.select(AuditEntry).where(AuditEntry.table_name == ArchivePack.__tablename__,
                                                       AuditEntry.row_key == str(archived.id),
                                                       AuditEntry.action == "insert"))
    if entry is None:
        found.append("审计留痕中没有这卷档案的归档记录。")
    elif entry.values["sha256"][1] != archived.sha256:
        found.append("登记的 SHA-256 与归档时审计留痕记下的不一致：登记被改动过。")
    if session.scalar(sa.select(AuditEntry.id).where(AuditEntry.digest == archived.audit_head)) is None:
        found.append("审计留痕中找不到归档时的最新一条记录：留痕被截断或改动过。")
    return found
