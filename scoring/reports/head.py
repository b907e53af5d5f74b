"""认定情况分析: two pages for the head teacher: what came out, where points are lost, what may be done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.standards.models import Range
from scoring.practical import rating
from scoring.practical.models import GroupMember, Mark, MarkSheet, PracticalGroup, RubricRow
from scoring.reports import plots
from scoring.reports.analyses import class_rates, crossed_plot, rates_plot, spread_words
from scoring.reports.assessors import judged
from scoring.reports.cohort import Cohort, cohort_of
from scoring.reports.findings import Finding, findings
from scoring.reports.items import areas_of, areas_plot, pages_of
from scoring.reports.rates import Rate, overall
from scoring.reports.scores import bands, scores
from scoring.results.models import ResultList

TEMPLATE = Path(__file__).with_name("head.typ")
MOST_CLASSES = 12  # in the picture: two pages are two pages
MOST_AREAS = 8


@dataclass(frozen=True)
class Analysis:
    """The two pages: figures, pictures and findings; the second page says where points are lost."""

    cohort: Cohort
    whole: Rate
    findings: tuple[Finding, ...]
    pictures: tuple[tuple[str, bytes], ...]
    lost: tuple[tuple[str, bytes], ...]
    quality: tuple[str, ...]


def analysis_of(session: Session, found: ResultList, viewer: Viewer, *, now: datetime) -> Analysis:
    """Everything that ``viewer`` may see; what is not open to him or not there is said in a sentence."""
    cohort = cohort_of(session, found)
    whole = overall(cohort.lines)
    if whole.share is None:
        raise Refused("no_candidates", "本计划没有考生，没有可以分析的结果。")
    told = findings(cohort.lines, cohort.parts, cohort.least, _before(session, found, viewer))
    groups = sorted(class_rates(cohort), key=lambda one: one.share or 0)[:MOST_CLASSES]
    pictures = [(f"{part}成绩分布", plots.scores(tuple(bands(scores(cohort.lines, part))), cohort.least[part] / 2, part))
                for part in cohort.parts]
    by_class = [("各班级合格率" if len(groups) < MOST_CLASSES else f"合格率最低的 {MOST_CLASSES} 个班级", rates_plot(groups, whole))] if len(groups) > 1 else []
    lost, quality = _lost(session, found.plan, viewer, now)
    return Analysis(cohort, whole, tuple(told), tuple(pictures), (*by_class, ("理论与操作对照", crossed_plot(cohort)), *lost), tuple(quality))


def pdf(found: Analysis, *, made_at: datetime) -> bytes:
    cohort = found.cohort
    values: dict[str, Any] = {
        "title": f"{cohort.title} 认定情况分析", "facts": [list(pair) for pair in cohort.facts],
        "rate": f"{found.whole.share:.1%}", "between": f"{found.whole.low:.0%} 至 {found.whole.high:.0%}",
        "n": str(found.whole.n), "passed": str(found.whole.passed),
        "findings": [[one.title, one.text, one.advice] for one in found.findings], "quality": list(found.quality),
        "spreads": [spread_words(cohort, part) for part in cohort.parts],
        "pictures": [[title, picture.decode()] for title, picture in found.pictures], "lost": [[title, picture.decode()] for title, picture in found.lost]}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"analysis": json.dumps(values, ensure_ascii=False)}, made_at=made_at)


def practical_areas(session: Session, plan: ExamPlan, viewer: Viewer) -> list[tuple[str, float]]:
    """职业功能 → the share of its points that candidates earned on average in signed sheets, the lowest first."""
    seen = visible(MarkSheet, viewer).with_only_columns(MarkSheet.id).where(MarkSheet.signed_at.is_not(None))
    rows = session.execute(
        sa.select(Range.name, sa.func.sum(Mark.half_points), sa.func.sum(RubricRow.most)).select_from(Mark)
        .join(RubricRow, RubricRow.id == Mark.row_id).join(Range, Range.id == RubricRow.range_id).join(MarkSheet, MarkSheet.id == Mark.mark_sheet_id)
        .join(GroupMember, GroupMember.id == MarkSheet.member_id).join(PracticalGroup, PracticalGroup.id == GroupMember.group_id)
        .where(PracticalGroup.plan_id == plan.id, MarkSheet.id.in_(seen), Mark.half_points.is_not(None)).group_by(Range.name)).all()
    return sorted(((name, float(earned or 0) / float(most)) for name, earned, most in rows if most), key=lambda one: one[1])


def _before(session: Session, found: ResultList, viewer: Viewer) -> Rate | None:
    """The batch before of the same school, occupation and level that was posted."""
    plan = found.plan
    earlier = session.scalars(visible(ResultList, viewer).join(ResultList.plan).where(
        ExamPlan.institution_id == plan.institution_id, ExamPlan.standard_id == plan.standard_id, ExamPlan.level == plan.level,
        ExamPlan.starts_on < plan.starts_on, ResultList.noticed_at.is_not(None)).order_by(ExamPlan.starts_on.desc()).limit(1)).one_or_none()
    return overall(cohort_of(session, earlier).lines, earlier.plan.number) if earlier else None


def _lost(session: Session, plan: ExamPlan, viewer: Viewer, now: datetime) -> tuple[list[tuple[str, bytes]], list[str]]:
    pictures, quality = [], []
    try:
        pages = [page for page in pages_of(session, plan, viewer, now=now) if page.report.n >= page.minimum]
    except Refused as refusal:
        pages = []
        quality.append(f"理论试题的分析现在不能列出：{refusal.sentence}")
    if pages:
        largest = max(pages, key=lambda page: page.report.n)
        areas = areas_of(session, largest)[:MOST_AREAS]
        pictures.append(("理论知识：平均答对率最低的鉴定范围", areas_plot(areas)))
        quality.append(f"理论知识失分最多的是“{areas[0][0]}”，平均答对率 {areas[0][2]:.0%}。" + _reliability(largest.found["figures"].get("alpha")))
    elif not quality:
        quality.append("理论考试人数不足，不列出各鉴定范围的得分率。")
    if areas_done := practical_areas(session, plan, viewer)[:MOST_AREAS]:
        pictures.append(("操作技能：各职业功能的平均得分率", plots.earned(tuple(areas_done), "各职业功能的平均得分率")))
        quality.append(f"操作技能失分最多的是“{areas_done[0][0]}”，平均得分率 {areas_done[0][1]:.0%}。" + _agreement(session, plan, viewer))
    return pictures, quality


def _reliability(alpha: float | None) -> str:
    if alpha is None:
        return ""
    return f"试卷信度 {alpha:.2f}，" + ("成绩稳定。" if alpha >= 0.8 else "成绩的偶然误差偏大，离 60 分很近的结果要慎重看待。")


def _agreement(session: Session, plan: ExamPlan, viewer: Viewer) -> str:
    singles = [group.agreement for group in rating.groups_of(session, plan, viewer) if not np.isnan(group.agreement.single)]
    if not singles:
        return ""
    lowest = min(singles, key=lambda one: one.single)
    return f"考评员之间的一致性（ICC）{'最低的组' if len(singles) > 1 else ''}为 {lowest.single:.2f}，{judged(lowest.single)}。"
