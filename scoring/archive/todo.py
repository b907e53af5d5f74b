"""What waits: batches to pack, destructions to decide, packs whose time is over (notice 五（二）)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.times import local_date, spoken
from qbank.kernel.todo import Todo
from scoring.archive.erasure_models import Erasure
from scoring.archive.models import ArchiveHold, ArchivePack, Destruction, DestructionState
from scoring.archive.retention import is_over
from scoring.results.models import ResultDecision, ResultList, ResultState

CLAUSE = "五（二）"
PACK_WITHIN = timedelta(days=30)  # after the province's decision
SHOWN = 5


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    return [*_unpacked(session, viewer), *_asked(session, viewer), *_erasures(session, viewer), *_over(session, viewer, now)]


def _unpacked(session: Session, viewer: Viewer) -> list[Todo]:
    decided = dict(session.execute(
        sa.select(ResultList.plan_id, sa.func.max(ResultDecision.at)).join(ResultDecision, ResultDecision.list_id == ResultList.id)
        .where(ResultList.state == ResultState.FINAL).group_by(ResultList.plan_id)).all())
    final = sa.select(ResultList.plan_id).where(ResultList.state == ResultState.FINAL)
    waiting = session.scalars(visible(ExamPlan, viewer).where(ExamPlan.id.in_(final),
                                                              ExamPlan.id.not_in(sa.select(ArchivePack.plan_id)))).all()
    return [Todo(f"归档：{plan.title}", "archive.checklist", {"plan_id": plan.id}, "认定结果已审核，档案还没有归档。", clause=CLAUSE,
                 due=decided[plan.id] + PACK_WITHIN if plan.id in decided else None)
            for plan in waiting if on_duty(session, viewer, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)]


def _asked(session: Session, viewer: Viewer) -> list[Todo]:
    found = session.scalars(visible(Destruction, viewer).where(Destruction.state == DestructionState.ASKED)).all()
    return [Todo(f"核准销毁：{one.pack.plan.title}", "archive.show", {"pack_id": one.pack_id}, f"{one.asker.name}：{one.reason}", clause=CLAUSE,
                 waits_for="另一名考务员" if one.asked_by == viewer.account_id else "")
            for one in found if on_duty(session, viewer, one.pack.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.pack.plan_id)]


def _erasures(session: Session, viewer: Viewer) -> list[Todo]:
    found = session.scalars(visible(Erasure, viewer).where(Erasure.state == DestructionState.ASKED)).all()
    return [Todo(f"核准到期删除个人信息：{len(one.people)} 人", "archive.erasures", {}, f"{one.asker.name}：{one.reason}", clause=CLAUSE,
                 waits_for="另一名考务员" if one.asked_by == viewer.account_id else "") for one in found]


def _over(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Packs whose time is over and that nobody decided about: an alarm, never an act."""
    held = sa.exists().where(ArchiveHold.plan_id == ArchivePack.plan_id, ArchiveHold.released_at.is_(None))
    found = session.scalars(visible(ArchivePack, viewer).where(ArchivePack.destroyed_at.is_(None), ArchivePack.keep_until < local_date(now), ~held)
                            .order_by(ArchivePack.keep_until)).all()
    over = [one for one in found if is_over(max(one.keep_until, one.paper_until or one.keep_until), local_date(now))
            and not any(asked.state is DestructionState.ASKED for asked in one.destructions)
            and on_duty(session, viewer, one.plan.institution_id, Role.EXAM_OFFICER, plan_id=one.plan_id)]
    if len(over) > SHOWN:
        return [Todo(f"归档卷保存期已满（{len(over)} 卷）", "archive.index", {}, "可以继续保存，也可以由两人按规定销毁。", clause=CLAUSE, alarm=True)]
    return [Todo(f"保存期已满：{one.plan.title}", "archive.show", {"pack_id": one.id},
                 f"保存期到 {spoken(one.keep_until)} 止。可以继续保存，也可以由两人按规定销毁。", clause=CLAUSE, alarm=True) for one in over]
