"""Packing the evidence of a plan (notice 五(二)), taking it out, verifying it.

A pack is written as a stream into the store of uploaded files, under its hash, before the short transaction that puts it on record:
a file without a record is harmless, a record without its file cannot come about.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import IO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import ExamPlan, Sitting, SittingPaper
from qbank.kernel import jobs
from qbank.kernel.access import Role, Viewer, fetch
from qbank.kernel.attachments import NAMED, store_of
from qbank.kernel.audit import AuditEntry
from qbank.kernel.jobs import Job, Work
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import local_date, spoken
from qbank.papers import embargo, looks
from qbank.papers.models import Paper
from qbank.standards.packs import pack_for
from scoring.archive import verifier
from scoring.archive.building import Progress, build_into, silent
from scoring.archive.checklist import documents, missing
from scoring.archive.models import ArchiveAccess, ArchivePack, FiledDocument
from scoring.archive.packing import digest_of
from scoring.archive.retention import keep_until
from scoring.certificates.signing import Seal
from scoring.results.models import ResultList, ResultState


@dataclass(frozen=True)
class Built:
    """A pack that is written, not yet on record."""

    sha256: str
    size: int
    manifest: str
    signed_by: str
    audit_head: str
    keep_until: date
    paper_until: date
    packed_at: datetime
    papers: tuple[int, ...]  # those whose content is in it


def pack(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> ArchivePack:
    """Pack the evidence of a finished plan. Refuses while a mandatory document is lacking, naming it."""
    require_packable(session, plan, who, now=now)
    settings: Settings = session.info["jobs"].settings
    return store(session, plan, build(session, plan, who, Seal.ours(session, settings, now=now), now=now), who)


def ask_for(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> Job:
    """Have a plan packed off the request."""
    require_packable(session, plan, who, now=now)
    return jobs.enqueue(session, "archive.pack", {"plan_id": plan.id}, who, now=now)


@jobs.kind("archive.pack", "归档")
def pack_job(work: Work) -> str:
    plan_id, seal = work.arguments["plan_id"], Seal.for_work(work)
    with work.reading() as session:
        if session.get_bind().dialect.name == "postgresql":  # one moment for all tables; SQLite's readers have it anyway
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        plan = fetch(session, ExamPlan, plan_id, work.who)
        require_packable(session, plan, work.who, now=work.now())
        built = build(session, plan, work.who, seal, now=work.now(), progress=work.progress)
    with work.transaction() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        require_packable(session, plan, work.who, now=work.now())
        return f"/archive/{store(session, plan, built, work.who).id}"


def require_packable(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> None:
    """Refuse unless the plan is finished, complete and not packed, and its papers are no longer under embargo."""
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
    if waiting := papers_in_use(session, plan, now=now):
        raise Refused("paper_in_use", "归档卷含试卷和答案，而下列场次还要使用同一份或同一次组出的试卷。请待这些场次收卷后再归档。", waiting)


def papers_in_use(session: Session, plan: ExamPlan, *, now: datetime) -> list[str]:
    """Sittings, of whatever plan, that still wait for a paper of the same families: until they end all of it stays shut."""
    papers = session.scalars(sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == plan.id))
    return embargo.sentences(session, papers, now=now)


def build(session: Session, plan: ExamPlan, who: Viewer, seal: Seal, *, now: datetime, progress: Progress = silent) -> Built:
    """Write the file; reads only. The same rows at the same ``now`` give the same bytes."""
    rules, today = pack_for(session, plan.institution), local_date(now)
    until, paper = keep_until(today, rules.archive_years), keep_until(today, rules.archive_paper_years)
    store = store_of(session)
    with store.coming() as (target, beside):
        content = build_into(session, plan, who, target, seal, keep_until=until, now=now, progress=progress)
        size = target.seek(0, os.SEEK_END)
        target.seek(0)
        sha256 = digest_of(target)
        store.keep(target, beside, sha256)
    return Built(sha256, size, content.manifest, content.signed_by, content.audit_head, until, paper, now, content.papers)


def store(session: Session, plan: ExamPlan, built: Built, who: Viewer) -> ArchivePack:
    """Put a built pack on record; that its papers are in it is a look at each of them."""
    made = ArchivePack(plan=plan, size=built.size, audit_head=built.audit_head, sha256=built.sha256, manifest=built.manifest,
                       signed_by=built.signed_by, packed_by=who.account_id, packed_at=built.packed_at, keep_until=built.keep_until,
                       paper_until=built.paper_until)
    session.add(made)
    for paper_id in built.papers:
        looks.record(session, session.get_one(Paper, paper_id), who, "archived", now=built.packed_at, detail=plan.number)
    session.flush()
    return made


def pack_of(session: Session, plan: ExamPlan) -> ArchivePack | None:
    return session.scalar(sa.select(ArchivePack).where(ArchivePack.plan_id == plan.id))


@contextmanager
def opened(session: Session, archived: ArchivePack) -> Iterator[IO[bytes]]:
    """The file of a pack. Refuses one that was destroyed, and one whose file is gone."""
    if archived.destroyed_at is not None:
        raise Refused("destroyed", f"这卷档案已于 {spoken(archived.destroyed_at)} 按规定销毁，只保留销毁记录。")
    if archived.file:
        with BytesIO(archived.file) as stream:
            yield stream
        return
    place = store_of(session).find(archived.sha256)
    if place is None:
        raise Refused("file_missing", "归档卷的文件不在媒体文件夹中，请从备份恢复 media 文件夹。")
    with place.open("rb") as stream:
        yield stream


def take_out(session: Session, archived: ArchivePack, who: Viewer, reason: str, *, document: FiledDocument | None = None,
             now: datetime) -> None:
    """Put on record that somebody, who says why, gets the pack or one of its scans; the door hands it over then."""
    require_duty(session, who, archived.plan.institution_id, Role.EXAM_OFFICER, plan_id=archived.plan_id)
    if archived.destroyed_at is not None:
        raise Refused("destroyed", f"这卷档案已于 {spoken(archived.destroyed_at)} 按规定销毁，只保留销毁记录。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写查阅事由，例如“省鉴定中心年度检查”。归档卷含试卷和成绩，每次下载都会登记。")
    session.add(ArchiveAccess(pack=archived, document=document, account_id=who.account_id, at=now, reason=reason.strip()[:2000]))
    if document is None:
        held = sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == archived.plan_id)
        for paper in session.scalars(sa.select(Paper).where(Paper.id.in_(held), Paper.opened_at.is_not(None))):
            looks.record(session, paper, who, "exported", now=now, detail=f"归档卷 {archived.plan.number}：{reason.strip()}")
    session.flush()


def verify(session: Session, archived: ArchivePack, *, keys: Collection[str] = ()) -> Sequence[str]:
    """What is wrong with a stored pack, a sentence each: by itself, and against what the audit trail knows of it."""
    with opened(session, archived) as stream:
        same = digest_of(stream) == archived.sha256
        stream.seek(0)
        report = verifier.examine(stream, keys=keys or ([archived.signed_by] if archived.signed_by else ()))
    found = [] if same else ["整卷的 SHA-256 与登记的不一致：文件被改动过。"]
    found += [finding.sentence for finding in report.findings]
    entry = session.scalar(sa.select(AuditEntry).where(AuditEntry.table_name == ArchivePack.__tablename__,
                                                       AuditEntry.row_key == str(archived.id), AuditEntry.action == "insert"))
    if entry is None:
        found.append("审计留痕中没有这卷档案的归档记录。")
    elif entry.values["sha256"][1] != archived.sha256:
        found.append("登记的 SHA-256 与归档时审计留痕记下的不一致：登记被改动过。")
    if session.scalar(sa.select(AuditEntry.id).where(AuditEntry.digest == archived.audit_head)) is None:
        found.append("审计留痕中找不到归档时的最新一条记录：留痕被截断或改动过。")
    return found


NAMED.append(lambda session: session.scalars(sa.select(ArchivePack.sha256).where(ArchivePack.destroyed_at.is_(None), ArchivePack.file == b"")))
