"""The health of a bank as a workbook: numbers with conditional colours and a native chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from qbank.items.health import Health, Limits, importance_warning
from qbank.kernel.times import spoken
from qbank.papers.bank_health import Forecast
from qbank.papers.specification import kind_name

# As on the page: light to dark blue, so that a grey print keeps the order; nothing at all is framed in red.
SHADES = {"none": {"bg_color": "#FFFFFF", "font_color": "#B3261E", "border": 2, "border_color": "#B3261E"},
          "few": {"bg_color": "#DCE9F7"}, "enough": {"bg_color": "#8FB8DE"}, "plenty": {"bg_color": "#1F5FAE", "font_color": "#FFFFFF"}}


def health_workbook(found: Health, limits: Limits, coming: Forecast, title: str, names: Mapping[str, str],
                    at: datetime) -> bytes:
    """Four sheets: what is to be done, ranges with a chart, points, the forecast."""
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    style = {"big": book.add_format({"bold": True, "font_size": 14}),
             "head": book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True}),
             "body": book.add_format({"border": 1})}
    shades = {name: book.add_format(look) for name, look in SHADES.items()}
    _summary(book.add_worksheet("概况"), style, found, title, at)
    _ranges(book, style, shades, found, limits)
    _points(book.add_worksheet("鉴定点"), style, shades, found, limits)
    _forecast(book.add_worksheet("预测"), style, shades, coming, names)
    book.close()
    return stream.getvalue()


def _summary(sheet: Any, style: Mapping[str, Any], found: Health, title: str, at: datetime) -> None:
    sheet.write_string(0, 0, f"题库健康 {title}", style["big"])
    sheet.write_string(1, 0, f"统计时间 {spoken(at)}；只统计考试题库中已入库、可以组卷的试题。")
    rows: list[Sequence[Any]] = [
        ("可用试题", found.items), ("鉴定点", len(found.points)), ("试题不足的鉴定点", found.missing),
        ("久未修改和使用的试题", len(found.stale)), ("使用过多的试题", len(found.exposed)),
        *((f"难度 {grade}", count) for grade, count in found.difficulty.items()),
        *((f"{kind_name(keys.kind)}答案 {letter}", count) for keys in found.keys for letter, count in keys.counts.items())]
    _table(sheet, 3, (("项目", 30), ("数量", 12)), rows, style)
    sheet.write_string(len(rows) + 5, 0, "需要处理", style["big"])
    for line, sentence in enumerate(found.warnings or ["没有发现问题。"], start=len(rows) + 6):
        sheet.write_string(line, 0, sentence)


def _ranges(book: Any, style: Mapping[str, Any], shades: Mapping[str, Any], found: Health, limits: Limits) -> None:
    sheet = book.add_worksheet("鉴定范围")
    leaves = [one for one in found.ranges if one.leaf]
    rows = [(one.path, one.name, one.weight / 2, one.points, one.points_needed, one.notation,
             importance_warning(one.importance, limits), one.items, one.points * limits.items_per_point, one.empty, one.thin,
             one.stale, one.exposed) for one in leaves]
    _table(sheet, 0, (("范围", 12), ("名称", 28), ("比重 %", 9), ("鉴定点", 9), ("应有鉴定点", 11), ("X:Y:Z", 13), ("重要程度提示", 36),
                      ("试题", 8), ("应有试题", 10), ("没有试题的点", 13), ("试题不足的点", 13), ("久未用", 9), ("使用过多", 10)), rows, style)
    last = len(rows)
    if not last:
        return
    sheet.conditional_format(1, 3, last, 3, {"type": "formula", "criteria": "=$D2<$E2", "format": shades["none"]})
    sheet.conditional_format(1, 7, last, 7, {"type": "formula", "criteria": "=$H2<$I2", "format": shades["few"]})
    sheet.conditional_format(1, 9, last, 10, {"type": "cell", "criteria": ">", "value": 0, "format": shades["few"]})
    chart = book.add_chart({"type": "column"})
    for column, name, fill in ((7, "试题", "#1F5FAE"), (8, "应有试题", "#C9D5E3")):
        chart.add_series({"name": name, "categories": ["鉴定范围", 1, 0, last, 0], "values": ["鉴定范围", 1, column, last, column],
                          "fill": {"color": fill}, "gap": 60})
    chart.set_title({"name": "各鉴定范围的试题与应有试题"})
    chart.set_size({"width": 900, "height": 320})
    sheet.insert_chart(last + 3, 0, chart)


def _points(sheet: Any, style: Mapping[str, Any], shades: Mapping[str, Any], found: Health, limits: Limits) -> None:
    rows = [(cell.path, cell.point.segment, cell.point.name, cell.point.importance, cell.items, cell.unused,
             max(0, limits.items_per_point - cell.items)) for cell in found.points]
    _table(sheet, 0, (("范围", 12), ("鉴定点", 9), ("名称", 40), ("重要程度", 9), ("试题", 8), ("没用过的", 10), ("还要写", 9)), rows, style)
    asked = limits.items_per_point
    for name, criteria in (("none", {"criteria": "=", "value": 0}), ("few", {"criteria": "<", "value": asked}),
                           ("plenty", {"criteria": ">=", "value": 2 * asked}), ("enough", {"criteria": ">=", "value": asked})):
        sheet.conditional_format(1, 4, max(1, len(rows)), 4, {"type": "cell", "format": shades[name], "stop_if_true": True, **criteria})


def _forecast(sheet: Any, style: Mapping[str, Any], shades: Mapping[str, Any], coming: Forecast, names: Mapping[str, str]) -> None:
    asked = coming.asked
    sheet.write_string(0, 0, f"{asked.sittings} 场 × {asked.forms} 套（{coming.form}），重复率 ≤ {asked.repeat_percent} %："
                             f"共还需要写 {coming.missing} 题", style["big"])
    rows = [(cell.range_key, names.get(cell.range_key, ""), kind_name(cell.kind), cell.count, cell.repeated,
             cell.derivation(asked.papers), cell.need, cell.held, cell.missing) for cell in coming.cells]
    _table(sheet, 2, (("范围", 12), ("名称", 28), ("题型", 10), ("每套题量", 10), ("可重复", 9), ("推算", 26), ("共需", 9), ("现有", 9),
                      ("还要写", 9)), rows, style)
    sheet.conditional_format(3, 8, max(3, len(rows) + 2), 8, {"type": "cell", "criteria": ">", "value": 0, "format": shades["few"]})


def _table(sheet: Any, top: int, columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]], style: Mapping[str, Any]) -> None:
    for column, (title, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(top, column, title, style["head"])
    for line, row in enumerate(rows, start=top + 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(line, column, value, style["body"])
            else:
                sheet.write_number(line, column, value, style["body"])
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(top)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页 / 共 &N 页")
