"""Lists of names: 成绩汇总表 for the binder, 公示名单 for the wall."""

from __future__ import annotations

from collections.abc import Sequence

from qbank.kernel.export import SCORE, SHARE, Chart
from qbank.kernel.identity import masked_name
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.statistics.reports_print import Document, Section
from scoring.reports.cohort import Cohort
from scoring.reports.rates import Line, overall
from scoring.results.merge import Verdict

SIGNED = ("制表人：", "复核人：", "负责人（签章）：", "日期：　　　年　　月　　日")


def summary(cohort: Cohort, everyone: Sequence[Line] | None = None) -> Document:
    """成绩汇总表: every candidate with the parts, the outcome and, where it is no pass, why. ``everyone``: all who
    are counted when ``cohort`` holds only those that a filter chose."""
    counted = cohort.lines if everyone is None else everyone
    notes = [f"按筛选条件列出 {len(cohort.lines)} / {len(counted)} 名考生。"] if len(counted) > len(cohort.lines) else []
    columns = [("序号", 6), ("准考证号", 18), ("姓名", 11), ("证件号码", 21), ("学号", 12), ("班级", 13), *((part, 9) for part in cohort.parts),
               ("认定结果", 9), ("说明", 46)]
    rows = [[place, line.ticket, line.name, line.masked, line.student, line.class_name, *_points(line, cohort.parts), line.told,
             "" if line.passed else "；".join(line.reasons)] for place, line in enumerate(cohort.lines, 1)]
    roster = Section("名册", columns, rows, formats=dict.fromkeys(cohort.parts, SCORE),
                     least={part: cohort.least[part] / 2 for part in cohort.parts}, frozen=3)
    return Document("职业技能等级认定成绩汇总表", cohort.facts, [roster, counts(counted)], notes, landscape=True, signatures=SIGNED)


def counts(lines: Sequence[Line]) -> Section:
    """How many there are of each outcome."""
    whole = overall(lines)
    rows = [[verdict.chinese, number, number / len(lines)] for verdict in Verdict
            if (number := sum(line.verdict is verdict for line in lines)) or verdict in (Verdict.PASSED, Verdict.FAILED)] if lines else []
    between = f"，95% 区间 {whole.low:.1%} 至 {whole.high:.1%}" if whole.low is not None and whole.high is not None else ""
    said = [f"合格率 {whole.share:.1%}（合格 {whole.passed} 人，占全部 {whole.n} 名考生{between}）。"] if whole.share is not None else []
    return Section("汇总", (("认定结果", 14), ("人数", 10), ("占全部考生", 12)), rows, said, formats={"占全部考生": SHARE},
                   charts=[Chart("column", "认定结果", "认定结果", ["人数"], y_title="人数")] if rows else [])


def notice(cohort: Cohort) -> Document:
    """公示名单: who is to be certified, names and identity numbers masked. Only of a list that has been posted."""
    if cohort.noticed_at is None:
        raise Refused("not_posted", "结果还没有公示，不能印制公示名单。请先在“成绩与结果”中公示。")
    columns = (("序号", 7), ("姓名", 12), ("证件号码", 24), ("职业（工种）", 24), ("等级", 14), ("认定结果", 10))
    passed = [line for line in cohort.lines if line.passed]
    rows = [[place, masked_name(line.name), line.masked, cohort.occupation, LEVEL_NAMES[cohort.level], line.told]
            for place, line in enumerate(passed, 1)]
    said = [f"以下 {len(passed)} 名考生拟认定为合格，现予公示。公示时间：{spoken(cohort.noticed_at)} 至 {spoken(cohort.notice_ends)}（含当日）。",
            f"对公示内容有异议的，请在公示期内实名向评价机构反映：{cohort.contact}。"]
    facts = [("评价机构", cohort.school), ("计划", f"{cohort.title}（{cohort.number}）")]
    return Document("职业技能等级认定结果公示", facts, [Section("公示名单", columns, rows, said)],
                    signatures=("评价机构（公章）：", f"{spoken(cohort.noticed_at).split(' ')[0]}"))


def _points(line: Line, parts: Sequence[str]) -> list[float | None]:
    return [None if (score := line.scores[part]) is None else score / 2 for part in parts]
