"""The report of one paper as a document: the same numbers as its page."""

from __future__ import annotations

from typing import Any

from qbank.items.markup import plain
from qbank.kernel.export import Chart
from qbank.kernel.times import spoken
from qbank.statistics import plots_form
from qbank.statistics.listing import numbers_of
from qbank.statistics.reports import PASSING, THETA, Figure, FormReport
from qbank.statistics.reports_print import Document, Section
from qbank.statistics.verdicts import Thresholds, flags, suppressed

FIGURE_COLUMNS = (("指标", 34), ("数值", 10), ("95% 下限", 10), ("95% 上限", 10), ("人数 n", 9), ("说明", 60))
PLOTS = ("information", "expected", "distribution")


def plot(report: FormReport, name: str) -> bytes | None:
    """One of ``PLOTS``; None where there is nothing to draw."""
    theta = tuple(THETA.tolist())
    if name == "distribution":
        return plots_form.distribution(tuple(report.form.distribution), PASSING)
    if name == "information" and report.information is not None:
        return plots_form.information(theta, tuple(report.information.tolist()), report.cut)
    if name == "expected" and report.curves:
        curves = tuple((title, tuple(shares.tolist())) for title, shares in report.curves)
        return plots_form.expected(theta, curves, report.cut, PASSING)
    return None


def form_document(report: FormReport, limits: Thresholds) -> Document:
    form, run = report.form, report.run
    facts = [("试卷", form.name), ("考生", f"{form.n} 人"), ("题数", str(form.items)), ("统计截至", spoken(run.made_at)),
             ("合格", f"{form.passed} 人")]
    notes = [*map(str, run.notes)]
    if form.n < limits.minimum:
        notes.insert(0, f"{suppressed(form.n, limits.minimum)}，不列出统计值。")
    sections = [figures_section(report.figures), distribution_section(tuple(form.distribution)), _curves(report), _items(report, limits)]
    return Document(f"试卷统计报告：{form.name}", facts, [section for section in sections if section is not None], notes)


def figures_section(figures: tuple[Figure, ...]) -> Section:
    return Section("主要指标", FIGURE_COLUMNS, [[one.title, *(_round(value, one.digits + 1) for value in (one.value, one.low, one.high)),
                                             one.n, one.sentence] for one in figures])


def distribution_section(counts: tuple[int, ...]) -> Section:
    width = 100 // max(len(counts), 1)
    rows = [[f"{place * width}–{(place + 1) * width}", count] for place, count in enumerate(counts)]
    return Section("分数分布", (("分数段", 12), ("人数", 10)), rows, pictures=[plots_form.distribution(counts, PASSING)],
                   charts=[Chart("column", "分数分布", "分数段", ["人数"], y_title="人数")], printed=False)


def _curves(report: FormReport) -> Section | None:
    if report.information is None:
        return None
    titles = [f"期望得分 {place + 1}：{name}" for place, (name, _) in enumerate(report.curves)]
    rows = [[round(float(theta), 2), round(float(told), 4), round(float(told) ** -0.5, 4) if told > 0 else None,
             *(round(float(shares[at]), 4) for _, shares in report.curves)]
            for at, (theta, told) in enumerate(zip(THETA, report.information, strict=True))]
    cut = f"合格线在能力 {report.cut:.2f} 处。" if report.cut is not None else "没有得出合格线的位置。"
    return Section("信息量与期望得分", [("能力 θ", 10), ("信息量", 10), ("能力的标准误", 12), *((title, 18) for title in titles)], rows,
                   [f"由项目反应模型（{report.run.model}）得出。{cut}"],
                   [picture for name in ("information", "expected") if (picture := plot(report, name)) is not None],
                   [Chart("scatter", "试卷信息量", "能力 θ", ["信息量", "能力的标准误"]), Chart("scatter", "期望得分", "能力 θ", titles)],
                   printed=False)


def _items(report: FormReport, limits: Thresholds) -> Section:
    rows: list[list[Any]] = []
    for place, row in enumerate(report.rows, 1):
        if row is None or row.n < limits.minimum:
            rows.append([place, "", row.n if row else 0, None, None, None, None, None, suppressed(row.n if row else 0, limits.minimum)])
            continue
        rows.append([place, plain(row.version.stem)[:40], row.n, *(_round(value, 3) for value in (row.difficulty, row.item_rest, row.b_index, row.a, row.b)),
                     "、".join(flag.chinese for flag in flags(numbers_of(row), limits))])
    columns = (("题号", 6), ("题干", 40), ("n", 6), ("难度 p", 8), ("题余相关", 9), ("B 指数", 8), ("a", 7), ("b", 7), ("提示", 18))
    chart = [Chart("column", "各题答对率", "题号", ["难度 p"], y_title="答对率")] if any(row[3] is not None for row in rows) else []
    return Section("各题", columns, rows, charts=chart)


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
