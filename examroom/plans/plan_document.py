"""考务方案 as the offices read it: what, when, where, who, against which ratios, what it costs, and how it was decided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import amending, arrangement, arranging, desk, fees, money, route, staffing
from examroom.plans.amendment_models import AmendmentDecision, PlanAmendment
from examroom.plans.arrangement import PART_NAMES
from examroom.plans.models import Enrolment, ExamPlan, PlanDecision, PlanState
from qbank.kernel.printing import typeset
from qbank.kernel.times import local, local_date, spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.ratios import PEOPLE

TEMPLATE = Path(__file__).with_name("plan.typ")


def pdf(session: Session, plan: ExamPlan, *, now: datetime) -> bytes:
    """The plan as it stands now."""
    values = json.dumps(of_plan(session, plan, now=now), ensure_ascii=False)
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"plan": values}, made_at=now)


def of_plan(session: Session, plan: ExamPlan, *, now: datetime) -> dict[str, Any]:
    """All of it as plain values."""
    held = arrangement.of(plan)
    amendments = [one for one in reversed(amending.amendments_of(session, plan)) if one.state is PlanState.APPROVED]
    return {"title": f"{plan.institution.name}职业技能等级认定考务方案", "state": "" if plan.state is PlanState.APPROVED else plan.state.chinese,
            "facts": _facts(session, plan), "classes": _classes(session, plan), "parts": _parts(session, plan),
            "people": _people(plan), "measures": plan.measures, "fees": _fees(session, plan, now),
            "decisions": _decisions(plan.decisions), "amendments": [_amendment(one) for one in amendments],
            "days": "、".join(spoken(day) for day in held.days) or spoken(plan.starts_on), "printed": spoken(now, seconds=True),
            "school": plan.institution.name, "province": route.goes_to_province(plan.level)}


def _facts(session: Session, plan: ExamPlan) -> list[list[str]]:
    deadline, standard = desk.deadline(session, plan), plan.standard
    latest = f"{spoken(deadline.latest)}（首考日前 {deadline.needed} 个工作日）" if deadline.latest else deadline.problem
    route_told = "市鉴定中心备案，省鉴定中心批准" if route.goes_to_province(plan.level) else "市鉴定中心审核"
    return [["方案名称", plan.title], ["计划编号", plan.number], ["职业（编码）", f"{standard.occupation.name}（{standard.occupation.code}）"],
            ["工种／方向", standard.work_type or "—"], ["等级", LEVEL_NAMES[plan.level]],
            ["认定依据", f"{standard.basis.chinese}《{standard.title}》{standard.edition}年版 {standard.document_number}".strip()],
            ["首考日", spoken(plan.starts_on)], ["最迟报送日", latest], ["报送时间", spoken(plan.submitted_at) or "尚未报送"],
            ["审核路径", route_told], ["联系人和电话", plan.contact or "—"]]


def _classes(session: Session, plan: ExamPlan) -> list[list[str]]:
    rows = session.execute(sa.select(Enrolment.class_name, sa.func.count()).where(Enrolment.plan_id == plan.id)
                           .group_by(Enrolment.class_name).order_by(Enrolment.class_name)).all()
    return [[name or "未填班级", str(count)] for name, count in rows]


def _parts(session: Session, plan: ExamPlan) -> list[dict[str, Any]]:
    held = arrangement.of(plan)
    found = []
    for part in held.parts:
        demand = staffing.demand_of(session, plan, part)
        rows = [[spoken(line.site.starts_at), f"{line.site.minutes} 分钟", line.site.place, str(line.site.candidates),
                 f"{line.needed}／{len(line.site.staff)}", line.site.names or "未安排"]
                for line in arranging.lines(session, plan, held) if line.site.part == part]
        found.append({"title": PART_NAMES[part], "people": PEOPLE[part], "demand": demand.told, "rows": rows})
    return found


def _people(plan: ExamPlan) -> list[list[str]]:
    """Everybody who serves, with where and when."""
    duties: dict[tuple[int, str], list[str]] = {}
    for site in arrangement.of(plan).sites:
        for key, name in site.staff:
            duties.setdefault((key, name), []).append(f"{PEOPLE[site.part]}：{local(site.starts_at):%m-%d %H:%M} {site.place}")
    return [[name, "；".join(told)] for (_, name), told in sorted(duties.items(), key=lambda one: one[0][1])]


def _fees(session: Session, plan: ExamPlan, now: datetime) -> str:
    schedule = fees.fee_on(session, plan, local_date(now))
    if schedule is None:
        return "本方案没有公示的收费标准，不收费。"
    told = [f"{name} {money.yuan(fen)} 元" for name, fen in (("理论", schedule.theory_fen), ("技能", schedule.practical_fen),
                                                            ("评审", schedule.review_fen)) if fen]
    return (f"每名考生 {money.yuan(schedule.total_fen)} 元（{'，'.join(told) or '不收费'}）。参考标准：{schedule.basis}；"
            f"已报{schedule.filed_with}备案（{schedule.filing_reference}），自 {spoken(schedule.valid_from)} 起执行并向社会公示。"
            "评价活动不以营利为目的（五（五））。")


def _decisions(decisions: Sequence[PlanDecision | AmendmentDecision]) -> list[list[str]]:
    return [[spoken(one.at), one.officer.name, one.state.chinese, one.comment or "—"] for one in decisions]


def _amendment(one: PlanAmendment) -> dict[str, Any]:
    return {"title": f"第 {one.number} 次变更（{spoken(one.submitted_at)} 报送）", "reason": one.reason, "changes": amending.changes(one),
            "decisions": _decisions(one.decisions)}
