"""考评员评分报告: how the assessors of a plan agreed, printed from what the practical room computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qbank.kernel.export import SCORE, SHARE, Chart
from qbank.kernel.refused import Refused
from qbank.statistics.plots_raters import severity
from qbank.statistics.reports_print import Document, Section
from scoring.practical.rating import FAR, GroupRaters
from scoring.reports.cohort import Cohort
from scoring.reports.plots import short

DRAWN = 24  # assessors in one picture; the table has all
REACH = 1.959963984540054
SIGNED = ("考务负责人（签字）：", "日期：　　　年　　月　　日")
ICC = ("单人 ICC(2,1)", "单人下限", "单人上限", "平均 ICC(2,k)", "平均下限", "平均上限")


def assessors_document(cohort: Cohort, groups: Sequence[GroupRaters]) -> Document:
    """Agreement of each group, severity of each assessor, pairs, marks that stand apart."""
    if not groups:
        raise Refused("no_ratings", "还没有全部签字的操作技能评分，不能分析考评员的一致性。")
    return Document("考评员评分报告", cohort.facts, [_agreement(groups), severity_section(groups), _pairs(groups), _apart(groups)],
                    ["宽严和一致性由考评员对同一批考生的评分算出，用来发现需要校准的地方，不是对考评员的结论。人数少时区间很宽。"], signatures=SIGNED)


def _agreement(groups: Sequence[GroupRaters]) -> Section:
    rows = [[group.group.name, one.n, one.k, *map(_known, (one.single, *one.single_interval, one.mean, *one.mean_interval)), judged(one.single)]
            for group in groups for one in [group.agreement]]
    columns = (("考核组", 20), ("考生", 8), ("考评员", 8), *((title, 11) for title in ICC), ("说明", 22))
    said = "ICC 接近 1 表示换一名考评员分数也差不多。单人 ICC 说的是一名考评员的分数，平均 ICC 说的是几名考评员的平均分（Shrout 与 Fleiss，1979）。"
    return Section("各组一致性", columns, rows, [said], formats=dict.fromkeys(ICC, "0.00"))


def judged(icc: float) -> str:
    """Koo and Li (2016), Journal of Chiropractic Medicine 15, 155-163: below 0.5 poor, to 0.75 moderate, to 0.9 good."""
    if np.isnan(icc):
        return "人数不足，无法计算"
    return "一致性差，应当校准" if icc < 0.5 else "一致性一般" if icc < 0.75 else "一致性好" if icc < 0.9 else "一致性很好"


def severity_section(groups: Sequence[GroupRaters]) -> Section:
    """Who gives more or less than the others of his group for the same candidates, the most severe first."""
    found = sorted(((group, at) for group in groups for at in range(len(group.names))), key=lambda one: one[0].severity.effects[one[1]])
    rows: list[list[Any]] = []
    for group, at in found:
        effect, error = float(group.severity.effects[at]), float(group.severity.errors[at])
        rows.append([group.names[at], group.group.name, len(group.totals), float(group.totals[:, at].mean()), _known(effect),
                     _known(effect - REACH * error), _known(effect + REACH * error), severity_words(effect, error)])
    columns = (("考评员", 12), ("考核组", 16), ("评分人数", 9), ("平均给分", 9), ("宽严（分）", 10), ("95% 下限", 9), ("95% 上限", 9), ("说明", 24))
    bars = tuple((short(f"{group.names[at]}（{group.group.name}）", 16), float(group.severity.effects[at]), float(group.severity.errors[at]))
                 for group, at in found[:DRAWN] if not np.isnan(group.severity.effects[at]))
    return Section("考评员宽严", columns, rows, ["正数偏宽，负数偏严；只与同组其他考评员对同一批考生的评分比较。"],
                   [severity(bars, "比同组其他考评员平均多给的分（向右更宽）")] if bars else [],
                   [Chart("bar", "考评员宽严（分）", "考评员", ["宽严（分）"], bounds=("95% 下限", "95% 上限"), y_title="分")],
                   formats=dict.fromkeys(("平均给分", "宽严（分）", "95% 下限", "95% 上限"), SCORE))


def severity_words(effect: float, error: float) -> str:
    if not abs(effect) > REACH * error:
        return "与其他考评员没有明显差别"
    return f"明显偏{'宽' if effect > 0 else '严'}，平均{'多' if effect > 0 else '少'}给 {abs(effect):.1f} 分"


def _pairs(groups: Sequence[GroupRaters]) -> Section:
    rows = [[group.group.name, one, other, passed.n, apart, _known(passed.kappa), _known(bands.kappa), _same(group, one, other)]
            for group in groups for one, other, passed, bands, apart in group.pairs]
    columns = (("考核组", 16), ("考评员甲", 12), ("考评员乙", 12), ("共同考生", 9), ("平均相差（分）", 11), ("κ（合格与否）", 12), ("加权 κ（分数段）", 14),
               ("合格判定一致", 12))
    return Section("两两比较", columns, rows, ["“合格判定一致”是两人都判合格或都判不合格的比例；κ 扣除了碰巧一致，两人都判全部合格时无法计算。"],
                   formats={"平均相差（分）": SCORE, "合格判定一致": SHARE, "κ（合格与否）": "0.00", "加权 κ（分数段）": "0.00"})


def _same(group: GroupRaters, one: str, other: str) -> float:
    """The share of candidates whom both pass or both fail."""
    passes = group.totals[:, [group.names.index(one), group.names.index(other)]] >= group.passing
    return float((passes[:, 0] == passes[:, 1]).mean())


def _apart(groups: Sequence[GroupRaters]) -> Section:
    rows = [[one.candidate, group.group.name, one.assessor, one.row, one.given, one.others, one.standardised]
            for group in groups for one in group.outliers]
    said = f"考虑了考生的水平和考评员的宽严以后，仍相差 {FAR:g} 个标准误以上的单项评分，应查看评分记录和录像。"
    columns = (("考生", 11), ("考核组", 16), ("考评员", 11), ("评分内容", 34), ("给分", 8), ("其他人平均", 10), ("标准化", 8))
    return Section("离群评分", columns, rows, [said if rows else f"{said}没有发现。"], formats=dict.fromkeys(("给分", "其他人平均", "标准化"), SCORE))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
