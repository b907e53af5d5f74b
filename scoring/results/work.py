"""Merging a big plan, off the request."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from scoring.results import desk
from scoring.results.parts import gather

MERGE = "results.merge"
MANY = 300  # candidates: more are not merged while a browser waits


def takes_long(session: Session, plan: ExamPlan) -> bool:
    return (session.scalar(sa.select(sa.func.count()).where(Enrolment.plan_id == plan.id)) or 0) > MANY


@kind(MERGE, "合成成绩")
def run(work: Work) -> str:
    """Arguments: plan. What is missing is looked for without a lock; then everything is merged and written at once."""
    plan_id = int(work.arguments["plan"])
    work.progress(0, 3, "正在读取各部分成绩…")
    with work.reading() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        desk.check_mergeable(session, plan, work.who, now=work.now())
        work.progress(1, 3, "正在逐人核对…")
        candidates = gather(session, plan)
        lacking = sum(bool(one.missing) for one in candidates)
        said = f"，其中 {lacking} 名成绩不全" if lacking else ""
    work.progress(2, 3, f"正在合成并写入 {len(candidates)} 名考生的结果{said}…")
    with work.transaction() as session:
        desk.merge_plan(session, fetch(session, ExamPlan, plan_id, work.who), work.who, now=work.now())
    work.progress(3, 3, f"已合成 {len(candidates)} 名考生的成绩{said}。")
    return f"/results/plans/{plan_id}"
