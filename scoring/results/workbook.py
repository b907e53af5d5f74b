"""The result list as an Excel workbook (XlsxWriter): 结果名册, and 汇总 with a native chart of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES
from scoring.results.figures import BANDS, PARTS, distribution, figures
from scoring.results.merge import REVIEW, Verdict, required_parts
from scoring.results.models import Result, ResultList

WIDTHS = {"序号": 6, "准考证号": 16, "姓名": 12, "证件号码": 22, "学号": 14, "班级": 14, "理论知识": 10, "操作技能": 10,
          "综合评审": 10, "认定结果": 10, "说明": 60}


def workbook(result_list: ResultList, results: Sequence[Result] | None = None) -> bytes:
    """An ``.xlsx`` file: the roster shows ``results`` in their order (None: all by ticket), the summary counts everyone.

    Text is written as text, never as a formula.
    """
    everyone = sorted(result_list.results, key=lambda one: one.enrolment.ticket_number)
    rows = everyone if results is None else list(results)
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "align": "center", "valign": "vcenter"}),
        "text": book.add_format({"border": 1, "text_wrap": True, "valign": "top"}),
        "count": book.add_format({"border": 1, "num_format": "0", "valign": "top"}),
        "score": book.add_format({"border": 1, "num_format": "0.0", "valign": "top"}),
        "failed": book.add_format({"border": 1, "num_format": "0.0", "valign": "top", "font_color": "#B3261E"}),
        "share": book.add_format({"border": 1, "num_format": "0.0%"}),
    }
    _roster(book.add_worksheet("结果名册"), result_list, rows, formats)
    _summary(book, book.add_worksheet("汇总"), result_list, everyone, formats)
    book.close()
    return stream.getvalue()


def _title(result_list: ResultList) -> tuple[str, str]:
    plan = result_list.plan
    return (f"{plan.institution.name} 职业技能等级认定结果",
            f"计划编号 {plan.number}　{plan.standard.label}　{LEVEL_NAMES[plan.level]}　"
            f"状态：{result_list.state.chinese}　合成时间：{spoken(result_list.merged_at)}")


def _roster(sheet: Any, result_list: ResultList, rows: Sequence[Result], formats: dict[str, Any]) -> None:
    title, note = _title(result_list)
    sheet.write_string(0, 0, title, formats["title"])
    chosen = f"　按筛选条件列出 {len(rows)} / {len(result_list.results)} 名考生" if len(rows) < len(result_list.results) else ""
    sheet.write_string(1, 0, note + chosen)
    reviewed = REVIEW in required_parts(result_list.plan.level)
    heads = [head for head in WIDTHS if head != REVIEW or reviewed]
    for column, head in enumerate(heads):
        sheet.set_column(column, column, WIDTHS[head])
        sheet.write_string(2, column, head, formats["head"])
    for line, result in enumerate(rows, 3):
        sheet.write_number(line, 0, line - 2, formats["count"])
        for column, head in enumerate(heads[1:], 1):
            _cell(sheet, line, column, _value(result, head), formats)
    sheet.freeze_panes(3, 3)
    sheet.autofilter(2, 0, max(2, len(rows) + 2), len(heads) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L制表人：　　　　审核人：&C第 &P 页 / 共 &N 页")


def _value(result: Result, head: str) -> Any:
    enrolment = result.enrolment
    values = {"准考证号": enrolment.ticket_number, "姓名": enrolment.candidate.name,
              "证件号码": enrolment.candidate.identity_masked or "", "学号": enrolment.student_number,
              "班级": enrolment.class_name, "理论知识": result.theory, "操作技能": result.practical, "综合评审": result.review,
              "认定结果": result.verdict.chinese, "说明": "；".join(result.reasons)}
    return values[head]


def _cell(sheet: Any, line: int, column: int, value: Any, formats: dict[str, Any]) -> None:
    if isinstance(value, int):
        sheet.write_number(line, column, value / 2, formats["score" if value >= 120 else "failed"])
    else:
        sheet.write_string(line, column, value or "—", formats["text"])


def _summary(book: Any, sheet: Any, result_list: ResultList, rows: Sequence[Result], formats: dict[str, Any]) -> None:
    title, note = _title(result_list)
    sheet.write_string(0, 0, title, formats["title"])
    sheet.write_string(1, 0, note)
    counted = figures(rows)
    counts = [("考生", counted.candidates), *((verdict.chinese, counted.of(verdict)) for verdict in (Verdict.PASSED, Verdict.FAILED))]
    others = [(verdict.chinese, counted.of(verdict)) for verdict in (Verdict.ABSENT, Verdict.VOID, Verdict.INCOMPLETE)]
    for column, lines in ((0, counts), (2, others)):
        for line, (name, number) in enumerate(lines, 3):
            sheet.write_string(line, column, name, formats["head"])
            sheet.write_number(line, column + 1, number, formats["count"])
    sheet.write_string(6, 0, "合格率", formats["head"])
    sheet.write_number(6, 1, counted.rate, formats["share"])
    parts = [part for part in PARTS if part in required_parts(result_list.plan.level)]
    for column, head in enumerate(("分数段", *parts)):
        sheet.write_string(8, column, head, formats["head"])
    for line, (label, _, _) in enumerate(BANDS, 9):
        sheet.write_string(line, 0, label, formats["text"])
    chart = book.add_chart({"type": "column"})
    for column, part in enumerate(parts, 1):
        for line, number in enumerate(distribution(rows, part), 9):
            sheet.write_number(line, column, number, formats["text"])
        last = 8 + len(BANDS)
        chart.add_series({"name": ["汇总", 8, column], "categories": ["汇总", 9, 0, last, 0],
                          "values": ["汇总", 9, column, last, column], "data_labels": {"value": True}})
    chart.set_title({"name": "成绩分布（人数）"})
    chart.set_x_axis({"name": "分数"})
    chart.set_y_axis({"name": "人数", "major_gridlines": {"visible": True}, "min": 0})
    chart.set_size({"width": 640, "height": 360})
    sheet.insert_chart("F3", chart)
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 4, 11)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
