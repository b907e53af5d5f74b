"""Statistics of a region as a document: PDF, workbook, and the pictures of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from examroom.oversight.kinds import InspectionKind, Severity
from qbank.kernel.export import SHARE, Chart
from qbank.statistics.reports_print import Document, Section
from scoring.reports import plots, rates
from scoring.reports.analyses import WILSON, rates_plot
from scoring.reports.region import Line, Wish

DRAWN = 24  # schools in one picture; the table has all
RATES = (("考生", 9), ("合格", 9), ("合格率", 10), ("95% 下限", 10), ("95% 上限", 10))
WORK = (("评价机构", 28), ("有效备案", 10), ("认定计划", 10), ("已批准", 9), ("报名人次", 10))
SEEN = (("评价机构", 28), *((kind.chinese, 10) for kind in InspectionKind), ("待完成", 9), *((f"{one.chinese}问题", 10) for one in Severity), ("未销号", 9),
        ("逾期", 8), ("考生违纪", 10), ("人员违规", 10), ("最近检查", 12))
FORMATS = dict.fromkeys(("合格率", "95% 下限", "95% 上限"), SHARE)
MEANT = "合格率以已经公示结果的考生为分母（缺考算作未合格）。检查和问题按提交检查记录的年份统计，撤销的不计；“未销号”“逾期”以今天为准。"
SIGNED = ("制表人：", "审核人：", "日期：　　　年　　月　　日")


def region_document(wish: Wish, schools: Sequence[Line], cities: Sequence[Line], whole: Line) -> Document:
    """What the centres hand in: schools, and cities where there is more than one."""
    facts = [("年度", f"{wish.year} 年"), ("范围", whole.name), ("评价机构", f"{whole.schools} 所，受检 {whole.inspected} 所")]
    sections = [Section("认定工作", WORK, [_work(one) for one in (*schools, whole)]),
                Section("合格率", (("评价机构", 28), *RATES), [_rate(one) for one in (*schools, whole)], [outlying_words(schools, whole)],
                        [rates_picture(schools, whole)],
                        [Chart("bar", "合格率（横线为 95% 区间）", "评价机构", ["合格率"], y_title="合格率",
                               bounds=("95% 下限", "95% 上限"), most=1.0)], formats=FORMATS),
                Section("监督检查", SEEN, [_seen(one) for one in (*schools, whole)], [coverage_words(whole)], [findings_picture(schools)],
                        [Chart("column", "发现的问题", "评价机构", [f"{one.chinese}问题" for one in Severity], y_title="个", stacked=True)])]
    if len(cities) > 1:
        sections += [Section("各市州合格率", (("市州", 28), *RATES), [_rate(one) for one in cities], [outlying_words(cities, whole)],
                             [rates_picture(cities, whole)], formats=FORMATS),
                     Section("各市州监督检查", (("市州", 28), *SEEN[1:]), [_seen(one) for one in cities])]
    return Document(f"{wish.year} 年职业技能等级认定监督统计", facts, sections, [MEANT, WILSON], landscape=True, signatures=SIGNED)


def rates_picture(lines: Sequence[Line], whole: Line) -> bytes:
    return rates_plot([one.rate for one in lines], whole.rate, "各单位的合格率与区间", room=18)


def findings_picture(lines: Sequence[Line]) -> bytes:
    """Findings of each school by severity, the most on top."""
    shown = sorted((one for one in lines if one.all_findings), key=lambda one: (-one.all_findings, one.name))[:DRAWN]
    bars = tuple((one.name, tuple(one.findings.get(severity, 0) for severity in Severity)) for one in shown)
    return plots.stacked(bars, tuple(one.chinese for one in Severity), "问题数", "各单位发现的问题")


def outlying_words(lines: Sequence[Line], whole: Line) -> str:
    """Which rates differ from that of all together by more than chance."""
    groups = [one.rate for one in lines if one.judged]
    if len(groups) < 2:
        return "只有一个单位有已公示的结果，没有可比较的。"
    lower, higher = rates.outlying(groups, whole.rate)
    said = [f"{'、'.join(group.name for group in some)}明显{word}于全体" for some, word in ((lower, "低"), (higher, "高")) if some]
    return f"与全体相比（已考虑同时比较 {len(groups)} 个单位）：" + ("；".join(said) + "，宜列入检查。" if said else "差别都在偶然波动的范围内。")


def coverage_words(whole: Line) -> str:
    share = f"（{whole.inspected / whole.schools:.0%}）" if whole.schools else ""
    return (f"{whole.schools} 所评价机构中 {whole.inspected} 所{share}受过检查，共 {whole.all_inspections} 次，发现问题 {whole.all_findings} 个，"
            f"未销号 {whole.live} 个，其中逾期 {whole.overdue} 个；还有 {whole.waiting} 项检查没有完成。")


def _work(one: Line) -> list[Any]:
    return [one.name, one.scopes, one.plans, one.approved, one.candidates]


def _rate(one: Line) -> list[Any]:
    found = one.rate
    return [one.name, found.n, found.passed, found.share, found.low, found.high]


def _seen(one: Line) -> list[Any]:
    return [one.name, *(one.inspections.get(kind, 0) for kind in InspectionKind), one.waiting, *(one.findings.get(severity, 0) for severity in Severity),
            one.live, one.overdue, one.misconduct, one.staff, one.last_inspected.isoformat() if one.last_inspected else "—"]
