"""演练: look at everything, then let the whole sitting be sat on a scratch copy over HTTP, and write the readiness sheet."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import AnswerEvent
from examroom.invigilation import load, readiness, scratch
from examroom.invigilation.models import Rehearsal
from examroom.plans.models import Sitting, SittingState
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Viewer
from qbank.kernel.finding import Finding
from qbank.kernel.jobs import Work, kind
from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken

REHEARSE = "invigilation.rehearse"
TEMPLATE = Path(__file__).with_name("readiness.typ")
MOST_CANDIDATES = 1000
SECONDS, EVERY = 20.0, 5.0  # of saving, and between two saves of one candidate
SLOWEST_START, SLOWEST_SAVE, SLOWEST_HAND_IN = 4000.0, 250.0, 2000.0  # milliseconds: the last start, the 99th percentile of the others
AROUND = timedelta(minutes=30)


def require_rehearsable(session: Session, sitting: Sitting, who: Viewer, *, now: datetime) -> None:
    """An officer of the plan, a dealt sitting, and no exam running on this installation: the load would slow it down."""
    require_officer(session, sitting.plan, who)
    if sitting.state is not SittingState.DEALT:
        raise Refused("not_dealt", "先发卷，再演练：演练打开的就是要用的答卷。" if sitting.state is SittingState.PLANNED
                      else "本场次已经收卷，不需要演练。")
    running = session.scalars(sa.select(Sitting).where(Sitting.state == SittingState.DEALT, Sitting.starts_at < now + AROUND,
                                                       Sitting.starts_at > now - timedelta(hours=12))).all()
    if busy := [other for other in running if other.ends_at > now]:
        raise Refused("exam_running", "有考试正在进行或 30 分钟内开始，现在演练会拖慢考生。请在考试结束后，或提前演练。",
                      [f"{other.plan.title} {other.name}（{spoken(other.starts_at)}）" for other in busy[:5]])


@kind(REHEARSE, "考试演练")
def rehearse(work: Work) -> str:
    sitting_id, seconds = work.arguments["sitting"], float(work.arguments.get("seconds", SECONDS))
    with work.reading() as session:
        sitting = session.get_one(Sitting, sitting_id)
        require_rehearsable(session, sitting, work.who, now=work.now())
        work.progress(0, 4, "打开每份答卷，核对图片和设置")
        found = list(readiness.look(session, sitting, work.settings, now=work.now()))
    found.append(readiness.reachable(work.settings, 20))
    figures: list[dict[str, Any]] = []
    try:
        outcome, held = _storm(work, sitting_id, seconds)
        figures = outcome.figures()
        found += judged(outcome, held)
    except Refused as refusal:
        found.append(Finding("模拟考试", False, refusal.sentence, "；".join(refusal.details) or "排除原因后再演练一次。"))
    with work.transaction() as session:
        kept = Rehearsal(sitting_id=sitting_id, asked_by=work.who.account_id, at=work.now(), figures=figures,
                         well=all(finding.well for finding in found), findings=[dataclasses.asdict(finding) for finding in found])
        session.add(kept)
        session.flush()
        return f"/invigilation/rehearsals/{kept.id}"


def _storm(work: Work, sitting_id: int, seconds: float) -> tuple[load.Outcome, dict[int, int]]:
    """What the candidates saw, and what the copy's database holds afterwards (sheet → highest sequence)."""
    with scratch.served(work.settings, sitting_id, most=MOST_CANDIDATES) as copy:
        outcome = load.sit(copy.address, copy.sheets, seconds=seconds, every=EVERY,
                           progress=lambda done, told: work.progress(done, 4, told))
        with copy.database.engine.connect() as connection:
            held = dict(connection.execute(sa.select(AnswerEvent.sheet_id, sa.func.max(AnswerEvent.sequence))
                                           .group_by(AnswerEvent.sheet_id)).all())
        return outcome, held


def judged(outcome: load.Outcome, held: dict[int, int]) -> Iterator[Finding]:
    """What the storm showed."""
    by_act = {str(row["act"]): row for row in outcome.figures()}
    count = len(outcome.times.get("开始答题", ()))
    lost = sum(held.get(sheet, 0) < highest for sheet, highest in outcome.acknowledged.items())
    yield Finding("模拟考试：没有出错", not outcome.errors, f"{count} 名模拟考生，出错 {len(outcome.errors)} 次"
                  + (f"，例如 {outcome.errors[0]}" if outcome.errors else ""), "看服务日志；人数太多时换更快的机器或分场次。")
    yield Finding("模拟考试：确认过的作答都在", bool(outcome.acknowledged) and not lost,
                  f"{sum(outcome.acknowledged.values())} 次保存得到确认，{lost} 名考生的作答不全", "不要开考，立即报告系统管理员。")
    yield Finding("模拟考试：全部交卷", len(outcome.handed_in) == count > 0, f"{len(outcome.handed_in)} / {count} 份交卷", "看服务日志。")
    for act, field, most, told in (("开始答题", "worst", SLOWEST_START, "最后一名"), ("保存作答", "p99", SLOWEST_SAVE, "99% 的保存"),
                                   ("交卷", "p99", SLOWEST_HAND_IN, "99% 的交卷")):
        if act in by_act:
            slow = float(by_act[act][field])
            yield Finding(f"模拟考试：{act}的速度", slow <= most, f"{told}在 {slow:.0f} 毫秒内（不应超过 {most:.0f}）",
                          "关闭机器上的其他程序，换固态硬盘或更快的机器，或减少同场人数。")


def pdf(rehearsal: Rehearsal) -> bytes:
    """考前检查单."""
    sitting = rehearsal.sitting
    values = {"facts": facts(rehearsal), "well": rehearsal.well, "findings": rehearsal.findings, "figures": rehearsal.figures,
              "name": sitting.name}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"sheet": json.dumps(values, ensure_ascii=False)}, made_at=rehearsal.at)


def facts(rehearsal: Rehearsal) -> list[list[str]]:
    sitting = rehearsal.sitting
    return [["考务方案", sitting.plan.title], ["场次", f"{sitting.name}　{spoken(sitting.starts_at)}　{sitting.minutes} 分钟"],
            ["考场", "、".join(f"{used.room.name}（{len(used.seats)} 人）" for used in sitting.rooms)],
            ["演练时间", f"{spoken(rehearsal.at, seconds=True)}　{rehearsal.author.name}"]]
