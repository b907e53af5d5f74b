"""The evaluation report of one school's pilot (总结评估报告) as a PDF for the file and for the seal."""

from __future__ import annotations

from datetime import datetime

from examroom.filing import annexes, evaluations
from examroom.filing.standing_models import Evaluation
from qbank.kernel.times import spoken
from qbank.statistics.reports_print import Document, Section
from qbank.statistics.reports_print import pdf as print_document


def pdf(evaluation: Evaluation, *, made_at: datetime) -> bytes:
    """The report with its figures, its parts, and what the province decided."""
    facts = [("学校", evaluation.institution.name), ("评估期间", f"{spoken(evaluation.starts_on)}至{spoken(evaluation.ends_on)}"),
             ("评估结论", evaluation.verdict.chinese), ("上报时间", spoken(evaluation.reported_at) or "未上报"),
             ("省级决定", evaluations.told(evaluation) + (f"：{evaluation.decision}" if evaluation.decision else ""))]
    figures = Section("认定工作数据", [("项目", 20), ("数量", 10)], [[name, number] for name, number in evaluation.figures.items()])
    parts = [Section(field.title, sentences=[line for line in evaluation.sections.get(field.key, "").split("\n") if line.strip()])
             for field in annexes.REPORT]
    return print_document(Document("职业技能等级认定试点总结评估报告", facts, [figures, *parts],
                                   signatures=("市鉴定中心（盖章）：", "日期：　　　年　　月　　日")), made_at=made_at)
