"""试题分析: what the theory items of one plan showed, for the school; only when no later sitting waits for the papers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.marking import desk, sitting_report
from examroom.marking.models import SittingReport
from examroom.marking.sitting_report import SittingPage
from examroom.plans.models import ExamPlan, Sitting
from qbank.items.markup import plain
from qbank.items.models import ItemVersion
from qbank.kernel.access import Viewer, visible
from qbank.kernel.export import SHARE, Chart
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range
from qbank.standards.packs import pack_for
from qbank.statistics.form_document import distribution_section, figures_section
from qbank.statistics.intervals import wilson
from qbank.statistics.listing import numbers_of
from qbank.statistics.models import ItemStatistic
from qbank.statistics.reports_print import Document, Section
from qbank.statistics.verdicts import Thresholds, flags, suppressed
from scoring.reports import plots
from scoring.reports.cohort import Cohort

SIGNED = ("考务负责人（签字）：", "日期：　　　年　　月　　日")


def pages_of(session: Session, plan: ExamPlan, viewer: Viewer, *, now: datetime) -> list[SittingPage]:
    """The statistics of each sitting of the plan that ``viewer`` may see. Refuses while a paper is still needed."""
    minimum = pack_for(session, plan.institution).statistics_minimum_n
    reports = session.scalars(visible(SittingReport, viewer).join(SittingReport.sitting).where(Sitting.plan_id == plan.id)
                              .options(joinedload(SittingReport.sitting)).order_by(Sitting.starts_at)).all()
    for report in reports:
        desk.require_released(session, report.sitting, now=now)
    return [sitting_report.page_of(session, report, viewer, minimum) for report in reports]


def items_document(session: Session, cohort: Cohort, pages: Sequence[SittingPage], limits: Thresholds) -> Document:
    """Figures, distribution, areas and items of each sitting that enough candidates sat."""
    enough = [page for page in pages if page.report.n >= page.minimum]
    if not enough:
        said = "、".join(f"{page.report.sitting.name}：{suppressed(page.report.n, page.minimum)}" for page in pages)
        raise Refused("no_statistics", f"没有可以报告的试题统计{f'（{said}）' if said else ''}。理论考试评分后自动计算，人数太少的不列出。")
    sections = []
    for place, page in enumerate(enough, 1):
        prefix = f"{place} " if len(enough) > 1 else ""
        told = [figures_section(page.figures), distribution_section(tuple(page.found["distribution"])), _areas(session, page),
                _items(session, page, limits)]
        sections += [Section(f"{prefix}{one.title}", one.columns, one.rows, [f"场次：{page.report.sitting.name}，{page.report.n} 份答卷。", *one.sentences],
                             one.pictures, one.charts, one.printed, one.formats, one.least, one.frozen) for one in told]
    return Document("试题分析报告", cohort.facts, sections, ["试题和统计属于考试秘密：只供学校改进教学和题库使用，不得张贴、传阅。"], signatures=SIGNED)


def areas_of(session: Session, page: SittingPage) -> list[tuple[str, int, float]]:
    """鉴定范围 → items and their mean share right, the lowest first."""
    table: Sequence[Mapping[str, Any]] = [row for row in page.found["table"] if row["p"] is not None]
    names = dict(session.execute(sa.select(ItemVersion.id, Range.name).join(Point, Point.id == ItemVersion.point_id)
                                 .join(Range, Range.id == Point.range_id)
                                 .where(ItemVersion.id.in_([row["version"] for row in table]))).all())
    found: dict[str, list[float]] = defaultdict(list)
    for row in table:
        found[names.get(row["version"], "其他")].append(row["p"])
    return sorted(((name, len(shares), float(np.mean(shares))) for name, shares in found.items()), key=lambda one: one[2])


def areas_plot(areas: Sequence[tuple[str, int, float]]) -> bytes:
    return plots.earned(tuple((name, share) for name, _, share in areas[:16]), "各鉴定范围的平均答对率")


def _areas(session: Session, page: SittingPage) -> Section:
    areas = areas_of(session, page)
    said = [f"失分最多的是“{areas[0][0]}”，平均答对率 {areas[0][2]:.0%}。"] if areas else []
    return Section("各鉴定范围", (("鉴定范围", 34), ("题数", 8), ("平均答对率", 12)), areas, said, [areas_plot(areas)] if areas else [],
                   [Chart("bar", "各鉴定范围的平均答对率", "鉴定范围", ["平均答对率"], y_title="答对率", most=1.0)] if areas else [],
                   formats={"平均答对率": SHARE})


def _items(session: Session, page: SittingPage, limits: Thresholds) -> Section:
    versions = [row["version"] for row in page.found["table"]]
    bank = {one.version_id: one for one in session.scalars(sa.select(ItemStatistic).where(
        ItemStatistic.version_id.in_(versions), ItemStatistic.current))}
    rows: list[list[Any]] = []
    for row in page.found["table"]:
        held, p, n = bank.get(row["version"]), row["p"], page.report.n
        low, high = wilson(np.array([p * n]), np.array([float(n)])) if p is not None else (np.array([np.nan]),) * 2
        told = "、".join(flag.chinese for flag in flags(numbers_of(held), limits)) if held and held.n >= limits.minimum else ""
        bounds = [None if np.isnan(end[0]) else float(end[0]) for end in (low, high)]
        rows.append([row["number"], plain(page.stems.get(row["version"], ""))[:40], p, *bounds, row["item_rest"], row["omitted"],
                     held.n if held else None, held.difficulty if held and held.n >= limits.minimum else None, told])
    columns = (("题号", 6), ("题干", 40), ("答对率", 9), ("95% 下限", 9), ("95% 上限", 9), ("题余相关", 9), ("未答", 7),
               ("题库累计 n", 10), ("题库答对率", 10), ("提示", 18))
    return Section("各题", columns, rows, ["答对率是本场的；“题库累计”是这道题历次考试合在一起的统计。题余相关为负时，先核对答案。"],
                   charts=[Chart("column", "各题答对率", "题号", ["答对率"], y_title="答对率", most=1.0)],
                   formats=dict.fromkeys(("答对率", "95% 下限", "95% 上限", "题库答对率"), SHARE) | {"题余相关": "0.00"}, least={"题余相关": 0})
