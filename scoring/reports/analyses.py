"""Pass rates with intervals and distributions of scores, as documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from qbank.kernel.export import COLOURS, SCORE, SHARE, Chart
from qbank.statistics.reports_print import Document, Section
from scoring.reports import plots, rates
from scoring.reports.cohort import Cohort
from scoring.reports.rates import Rate, of_part, overall
from scoring.reports.scores import BAND, bands, label, scores, spread

DRAWN = 24  # classes in one picture; the table has all
WILSON = ("合格率的区间是 95% Wilson 区间：换一批同样水平的考生，合格率大致会落在这个范围内；人数越少，区间越宽。"
          f"不足 {rates.FEW} 人的组只作参考。")
MEANT = "总合格率以全部报名考生为分母（缺考算作未合格）；各部分的合格率以该部分有成绩的考生为分母。"
RATE_COLUMNS = (("人数", 9), ("合格", 9), ("合格率", 10), ("95% 下限", 10), ("95% 上限", 10))
FORMATS = dict.fromkeys(("合格率", "95% 下限", "95% 上限"), SHARE)
SIGNED = ("制表人：", "复核人：", "日期：　　　年　　月　　日")


def rates_document(cohort: Cohort) -> Document:
    """合格率分析 of one plan: all, each part, each class, each part of each class."""
    whole, groups = overall(cohort.lines), class_rates(cohort)
    parts = [of_part(cohort.lines, part, cohort.least[part]) for part in cohort.parts]
    sections = [_rates("总体与各部分", "对象", [whole, *parts], whole, [MEANT]), _rates("各班级", "班级", groups, whole, [outlying_words(groups, whole)]),
                _by_class_and_part(cohort)]
    return Document("合格率分析", cohort.facts, sections, [WILSON], signatures=SIGNED)


def occupations_document(title: str, facts: Sequence[tuple[str, str]], rows: Sequence[tuple[Rate, Sequence[Rate]]]) -> Document:
    """合格率 by occupation and level over several plans; beside each its parts."""
    groups = [group for group, _ in rows]
    said = [MEANT, "只统计已经公示的认定计划。"]
    detail = [[group.name, part.name, *_cells(part)] for group, parts in rows for part in parts]
    whole = rates.rate("全体", sum(group.passed for group in groups), sum(group.n for group in groups))
    return Document(title, facts, [
        _rates("各职业（工种）、等级", "职业（工种）、等级", [*groups, whole] if len(groups) > 1 else groups, whole, said),
        Section("各部分", (("职业（工种）、等级", 30), ("部分", 12), *RATE_COLUMNS), detail, formats=FORMATS)], [WILSON], signatures=SIGNED)


def class_rates(cohort: Cohort) -> list[Rate]:
    return [overall(lines, name) for name, lines in rates.classes(cohort.lines).items()]


def drawn(groups: Sequence[Rate]) -> list[Rate]:
    """Those of a picture: all, or of very many the lowest; lowest first."""
    return sorted((group for group in groups if group.share is not None), key=lambda group: (group.share, group.name))[:DRAWN]


def rates_plot(groups: Sequence[Rate], whole: Rate, words: str = "合格率与区间", room: int = plots.NAME) -> bytes:
    bars = tuple((f"{group.name}（{group.n}）", group.share or 0.0, group.low, group.high) for group in drawn(groups))
    return plots.rates(bars, whole.share, words, room)


def outlying_words(groups: Sequence[Rate], whole: Rate) -> str:
    """Which groups differ from everybody by more than chance."""
    if len(groups) < 2:
        return "只有一个班级，没有可比较的。"
    lower, higher = rates.outlying(groups, whole)
    said = [f"{'、'.join(group.name for group in some)}明显{word}于全体" for some, word in ((lower, "低"), (higher, "高")) if some]
    return f"与全体相比（已考虑同时比较 {len(groups)} 个班级）：" + ("；".join(said) if said else "各班级的差别都在偶然波动的范围内") + "。"


def _rates(title: str, head: str, groups: Sequence[Rate], whole: Rate, said: Sequence[str]) -> Section:
    rows = [[group.name, *_cells(group)] for group in groups]
    more = [f"班级较多，图中只画合格率最低的 {DRAWN} 个。"] if len(groups) > DRAWN else []
    return Section(title, ((head, 26), *RATE_COLUMNS), rows, [*said, *more], [rates_plot(groups, whole, f"{title}的合格率")], [
        Chart("bar", "合格率（横线为 95% 区间）", head, ["合格率"], y_title="合格率", bounds=("95% 下限", "95% 上限"), most=1.0)], formats=FORMATS)


def _cells(group: Rate) -> list[Any]:
    return [group.n, group.passed, group.share, group.low, group.high]


def _by_class_and_part(cohort: Cohort) -> Section:
    rows = [[name, part, *_cells(of_part(lines, part, cohort.least[part]))]
            for name, lines in rates.classes(cohort.lines).items() for part in cohort.parts]
    return Section("各班级各部分", (("班级", 26), ("部分", 12), *RATE_COLUMNS), rows, formats=FORMATS)


def scores_document(cohort: Cohort) -> Document:
    """成绩分布: of each part, of each part in each class, and of the parts against each other."""
    sections = [_distribution(cohort, part) for part in cohort.parts]
    return Document("成绩分布", cohort.facts, [_figures(cohort), *sections, _by_class(cohort)],
                    ["分数段的边界与合格线重合：59.5 分和 60 分不在同一段。"], signatures=SIGNED)


COLUMNS = (("有成绩", 9), ("平均分", 9), ("标准差", 9), ("下四分位", 9), ("中位数", 9), ("上四分位", 9), ("最低", 9), ("最高", 9),
           ("未达线", 9), ("差 5 分以内", 11))


def _figures(cohort: Cohort) -> Section:
    rows = [[part, *_spread(scores(cohort.lines, part), cohort.least[part])] for part in cohort.parts]
    return Section("各部分成绩", (("部分", 14), *COLUMNS), rows, [CROSSED], [crossed_plot(cohort)],
                   formats=dict.fromkeys([name for name, _ in COLUMNS[1:8]], SCORE))


def crossed_plot(cohort: Cohort) -> bytes:
    first, second = cohort.parts[:2]
    return plots.crossed(crossed(cohort), (cohort.least[first] / 2, cohort.least[second] / 2), (first, second))


CROSSED = "图中每个圆是同一分数段的考生，面积表示人数；红线为合格线，右上方两项都达到合格线。"


def crossed(cohort: Cohort) -> tuple[tuple[int, int, int], ...]:
    """Candidates in each pair of bands of the first two parts."""
    first, second = cohort.parts[:2]
    pairs = Counter((min(one // BAND, 19), min(two // BAND, 19)) for line in cohort.lines
                    if (one := line.scores[first]) is not None and (two := line.scores[second]) is not None)
    return tuple((x, y, n) for (x, y), n in sorted(pairs.items()))


def _distribution(cohort: Cohort, part: str) -> Section:
    found, least = scores(cohort.lines, part), cohort.least[part]
    counted = bands(found)
    rows = [[label(band), count if band * BAND < least else 0, 0 if band * BAND < least else count] for band, count in enumerate(counted)]
    return Section(f"{part}分布", (("分数段", 12), ("未达合格线", 12), ("达到合格线", 12)), rows, [spread_words(cohort, part)],
                   [plots.scores(tuple(counted), least / 2, part)],
                   [Chart("column", f"{part}成绩分布（合格线 {least / 2:g} 分）", "分数段", ["未达合格线", "达到合格线"], y_title="人数", stacked=True,
                          colours=(COLOURS[1], COLOURS[0]))],
                   printed=False)


def spread_words(cohort: Cohort, part: str) -> str:
    """The distribution in a sentence."""
    found = spread(scores(cohort.lines, part), cohort.least[part])
    if found.mean is None or found.quartiles is None:
        return f"{part}还没有成绩。"
    sd = f"，标准差 {found.sd:.1f}" if found.sd is not None else ""
    return (f"{part}：{found.n} 人有成绩，平均 {found.mean:.1f} 分{sd}；中间一半的考生在 {found.quartiles[0]:.1f} 到 {found.quartiles[2]:.1f} 分之间。"
            f"{found.below} 人没有达到合格线，其中 {found.near} 人只差 5 分以内。")


def _by_class(cohort: Cohort) -> Section:
    rows = [[name, part, *_spread(scores(lines, part), cohort.least[part])]
            for name, lines in rates.classes(cohort.lines).items() for part in cohort.parts]
    return Section("各班级成绩", (("班级", 20), ("部分", 12), *COLUMNS), rows, formats=dict.fromkeys([name for name, _ in COLUMNS[1:8]], SCORE))


def _spread(found: Sequence[int], least: int) -> list[Any]:
    one = spread(found, least)
    return [one.n, one.mean, one.sd, *(one.quartiles or (None, None, None)), one.lowest, one.highest, one.below, one.near]
