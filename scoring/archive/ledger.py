"""工作台账 over all batches (notice 五(二)): one line for each, and each batch's steps; searched, exported, printed."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.models import Enrolment, ExamPlan, PlanState
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES, Occupation, Standard
from qbank.statistics.reports_print import Document, Section, tables_of
from scoring.archive.models import ArchiveHold, ArchivePack
from scoring.archive.steps import steps_of
from scoring.certificates.models import Certificate
from scoring.results.models import Result, ResultList, ResultState

MOST_EXPORTED = 500  # batches in one workbook
MOST_TOLD = 50  # batches of which it tells every step: each takes some seventy questions to the database


class Standing(enum.StrEnum):
    """Where a batch stands on its way into the archive."""

    RUNNING = "running"
    WAITING = "waiting"
    KEPT = "kept"
    HELD = "held"
    DESTROYED = "destroyed"

    @property
    def chinese(self) -> str:
        return {"running": "进行中", "waiting": "待归档", "kept": "已归档", "held": "封存保留", "destroyed": "已销毁"}[self.value]


@dataclass(frozen=True)
class Asked:
    """What the ledger is searched for; an empty field asks for nothing."""

    words: str = ""
    year: int | None = None
    level: int | None = None
    standing: Standing | None = None


@dataclass(frozen=True)
class Batch:
    """One line of the ledger."""

    plan: ExamPlan
    standing: Standing
    enrolled: int
    passed: int | None  # None: no results yet
    certificates: int
    pack: ArchivePack | None

    @property
    def state(self) -> str:
        return self.standing.chinese if self.standing is not Standing.RUNNING or self.plan.state is PlanState.APPROVED else self.plan.state.chinese


def query(viewer: Viewer, asked: Asked) -> sa.Select[ExamPlan]:
    """The batches that ``viewer`` may see and asked for, the newest first."""
    found = visible(ExamPlan, viewer).options(joinedload(ExamPlan.institution), joinedload(ExamPlan.standard).joinedload(Standard.occupation))
    for word in asked.words.split():
        like = f"%{word.replace('%', '').replace('_', '')}%"
        found = found.where(sa.or_(
            ExamPlan.title.ilike(like), ExamPlan.number.ilike(like), ExamPlan.institution.has(Institution.name.ilike(like)),
            ExamPlan.standard.has(Standard.occupation.has(sa.or_(Occupation.name.ilike(like), Occupation.code.ilike(like))))))
    if asked.year is not None:
        found = found.where(sa.extract("year", ExamPlan.starts_on) == asked.year)
    if asked.level is not None:
        found = found.where(ExamPlan.level == asked.level)
    if asked.standing is not None:
        found = found.where(_is(asked.standing))
    return found.order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())


def _is(standing: Standing) -> sa.ColumnElement[bool]:
    packed = sa.exists().where(ArchivePack.plan_id == ExamPlan.id)
    gone = sa.exists().where(ArchivePack.plan_id == ExamPlan.id, ArchivePack.destroyed_at.is_not(None))
    held = sa.exists().where(ArchiveHold.plan_id == ExamPlan.id, ArchiveHold.released_at.is_(None))
    final = sa.exists().where(ResultList.plan_id == ExamPlan.id, ResultList.state == ResultState.FINAL)
    return {Standing.RUNNING: sa.and_(~final, ~packed), Standing.WAITING: sa.and_(final, ~packed), Standing.HELD: held,
            Standing.KEPT: sa.and_(packed, ~gone, ~held), Standing.DESTROYED: gone}[standing]


def batches(session: Session, plans: Sequence[ExamPlan]) -> list[Batch]:
    """The lines of these plans, in few queries."""
    ids = [plan.id for plan in plans]
    enrolled = _counts(session, sa.select(Enrolment.plan_id, sa.func.count()).where(Enrolment.plan_id.in_(ids)).group_by(Enrolment.plan_id))
    passed = _counts(session, sa.select(ResultList.plan_id, sa.func.sum(sa.cast(Result.passed, sa.Integer)))
                     .join(Result, Result.list_id == ResultList.id).where(ResultList.plan_id.in_(ids)).group_by(ResultList.plan_id))
    issued = _counts(session, sa.select(ResultList.plan_id, sa.func.count(Certificate.id)).join(Result, Result.list_id == ResultList.id)
                     .join(Certificate, Certificate.result_id == Result.id).where(ResultList.plan_id.in_(ids)).group_by(ResultList.plan_id))
    packs = {one.plan_id: one for one in session.scalars(sa.select(ArchivePack).where(ArchivePack.plan_id.in_(ids)))}
    final = set(session.scalars(sa.select(ResultList.plan_id).where(ResultList.plan_id.in_(ids), ResultList.state == ResultState.FINAL)))
    held = set(session.scalars(sa.select(ArchiveHold.plan_id).where(ArchiveHold.plan_id.in_(ids), ArchiveHold.released_at.is_(None))))
    return [Batch(plan, _standing(packs.get(plan.id), plan.id in final, plan.id in held), enrolled.get(plan.id, 0), passed.get(plan.id),
                  issued.get(plan.id, 0), packs.get(plan.id)) for plan in plans]


def _counts(session: Session, query: sa.Select[int, int]) -> dict[int, int]:
    return {key: int(number or 0) for key, number in session.execute(query).all()}


def _standing(pack: ArchivePack | None, final: bool, held: bool) -> Standing:
    if pack is not None and pack.destroyed_at is not None:
        return Standing.DESTROYED
    if held:
        return Standing.HELD
    if pack is not None:
        return Standing.KEPT
    return Standing.WAITING if final else Standing.RUNNING


def document(session: Session, plan: ExamPlan, *, phase: str = "", words: str = "") -> Document:
    """The ledger of one batch, to be printed or as a workbook."""
    rows = [[place, one.when, one.phase, one.what, one.who, one.detail, one.document]
            for place, one in enumerate(steps_of(session, plan, phase=phase, words=words), 1)]
    columns = (("序号", 6), ("时间", 17), ("阶段", 10), ("步骤", 14), ("办理人", 12), ("内容", 46), ("形成的材料", 18))
    facts = [("评价机构", plan.institution.name), ("计划编号", plan.number), ("批次", plan.title),
             ("职业（工种）、等级", f"{plan.standard.label} {LEVEL_NAMES[plan.level]}"), ("首考日", spoken(plan.starts_on))]
    notes = [f"只列出{'“' + phase + '”阶段' if phase else ''}{'含“' + words + '”' if words else ''}的步骤。"] if phase or words else []
    return Document("职业技能等级认定工作台账", facts, [Section("办理步骤", columns, rows, formats={"序号": "0"})], notes, landscape=True,
                    signatures=("填表人：", "负责人（签章）：", "日期：　　　年　　月　　日"))


def book(session: Session, viewer: Viewer, asked: Asked, *, now: datetime) -> bytes:
    """The workbook: the list of batches as asked for, then all their steps."""
    plans = session.scalars(query(viewer, asked).limit(MOST_EXPORTED)).unique().all()
    columns = (("序号", 6), ("计划编号", 22), ("批次", 34), ("评价机构", 26), ("职业（工种）", 24), ("等级", 12), ("首考日", 12), ("报名", 8),
               ("合格", 8), ("证书", 8), ("状态", 12), ("归档时间", 18), ("保存期至", 14))
    rows = [(place, one.plan.number, one.plan.title, one.plan.institution.name, one.plan.standard.label, LEVEL_NAMES[one.plan.level],
             one.plan.starts_on.isoformat(), one.enrolled, one.passed, one.certificates, one.state, one.pack.packed_at if one.pack else None,
             one.pack.keep_until.isoformat() if one.pack else None) for place, one in enumerate(batches(session, plans), 1)]
    steps = [[plan.number, *row[1:]] for plan in plans[:MOST_TOLD] for row in tables_of(document(session, plan))[0].rows]
    if len(plans) > MOST_TOLD:
        steps.append(["", f"只列出前 {MOST_TOLD} 个批次的步骤。请按年份、等级或名称缩小查询范围后再导出，或在批次页面单独导出。", "", "", "", "", ""])
    return workbook([Table("批次", columns, rows, "职业技能等级认定工作台账"),
                     Table("步骤", (("计划编号", 22), ("时间", 16), ("阶段", 12), ("步骤", 16), ("办理人", 14), ("内容", 60), ("形成的材料", 22)), steps)],
                    made_at=now)
