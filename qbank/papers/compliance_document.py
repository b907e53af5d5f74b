"""The compliance sheet (组卷符合性表) as a document of a form and of a family: the same numbers as PDF and as workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qbank.kernel.export import Chart
from qbank.kernel.times import spoken
from qbank.papers import plots
from qbank.papers.checking import title_named
from qbank.papers.curves import Curves
from qbank.papers.models import Paper, PaperFamily
from qbank.papers.rules import HARD, MODES, SOFT
from qbank.papers.specification import kind_name
from qbank.standards.rulepack import PASS_HALF_POINTS
from qbank.statistics.reports_print import Document, Section

SAMPLE = "示例：本权重表不是官方文本，仅供演示。"
ANSWERS = {"T": "√", "F": "×"}
PLOTS = ("information", "expected", "difficulty", "coverage")


def paper_document(paper: Paper, curves: Mapping[str, Curves]) -> Document:
    """``curves``: form → its curves, of this form and those made with it, as far as they are known."""
    sheet = paper.compliance
    told = [[name, _said(value)] for name, value in facts(paper) if value not in (None, "")]
    sections = [Section("概况", [("项目", 24), ("内容", 70)], told), _ranges(paper), _kinds(sheet), _importance(sheet), _grades(paper),
                _measured(paper, curves), _demands(sheet), _keys(sheet), _repeated(sheet), _shared(sheet)]
    return Document(f"组卷合规性报告 {paper.name}", [("权重表", paper.specification.table.label), ("状态", state_of(paper))],
                    [section for section in sections if section is not None], [SAMPLE] if paper.specification.table.is_sample else [])


def family_document(family: PaperFamily, papers: Sequence[Paper], curves: Mapping[str, Curves]) -> Document:
    """All forms of one call side by side."""
    report = family.report
    told: list[list[Any]] = [["组卷方案", family.specification.label], ["套数", len(papers)], ["求解结果", report.get("status", "")],
            *_optimum(report), ["用时（秒）", report.get("seconds")],
            ["任两套共用题数最多", report.get("shared")], ["题库可用题数", report.get("bank_size")], ["题库状态摘要", report.get("bank_digest", "")],
            ["合格线", report.get("cut_sentence", "")], *([f"“{title_named(rule)}”没有尽满足的代价", cost] for rule, cost in report.get("costs", {}).items())]
    summary = Section("概况", [("项目", 26), ("内容", 60)], [[name, _said(value)] for name, value in told])
    sections = [summary, _forms(papers), _matrix(papers), _family_curves(papers, curves), _family_grades(papers), _family_coverage(papers)]
    return Document(f"组卷合规性报告 {family.name}", [("权重表", family.specification.table.label), ("组卷时间", spoken(family.created_at))],
                    [section for section in sections if section is not None], [SAMPLE] if family.specification.table.is_sample else [])


def _optimum(report: Mapping[str, Any]) -> list[list[Any]]:
    """How good the forms are and how good any could be, in the words of what was made best."""
    value, bound = report.get("value"), report.get("bound")
    if value is None:
        return []
    if report.get("measure") == "deviation":
        return [["信息量偏离目标最多", f"{value:.3%}"], ["理论上能做到的最小值", f"{bound or 0:.3%}"]]
    name, best = ("各套最低信息量", "最大") if report.get("measure") == "information" else ("没有尽满足的代价合计", "最小")
    return [[name, f"{value:.2f}"], [f"理论上能做到的{best}值", "—" if bound is None else f"{bound:.2f}"]]


def _said(value: Any) -> str:
    """A number among words is a word: the column stays on the left."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def plot(papers: Sequence[Paper], curves: Mapping[str, Curves], name: str) -> bytes | None:
    """One of ``PLOTS`` over all ``papers``; None where there is nothing to draw."""
    if name in {"information", "expected"}:
        return _curve_plot(papers, curves, name)
    return _grade_plot(papers) if name == "difficulty" else _coverage_plot(papers) if name == "coverage" else None


def facts(paper: Paper) -> list[list[Any]]:
    sheet, specification = paper.compliance, paper.specification
    return [
        ["试卷", paper.name], ["状态", state_of(paper)], ["组卷方案", specification.label], ["考试时间（分钟）", specification.minutes],
        ["组卷人", paper.composer.name], ["组卷时间", spoken(paper.created_at)], ["封存人", paper.sealer.name if paper.sealer else ""],
        ["封存时间", spoken(paper.sealed_at)], ["启封时间", spoken(paper.opened_at)], ["指纹（SHA-256）", paper.fingerprint or "未封存"],
        ["随机种子", "与内容一起封存，启封后显示" if paper.seed is None else str(paper.seed)], ["题库可用题数", sheet.get("bank_size")],
        ["题库状态摘要", sheet.get("bank_digest", "")], ["求解结果", sheet.get("status", "")],
        ["与理论上的最好结果最多相差", None if sheet.get("gap") is None else f"{sheet['gap']:.2%}"],
        ["回避的本人命题数", sheet.get("own_barred")], ["平均难度（目标）", sheet.get("mean_difficulty_target")],
        ["平均难度（实际）", sheet.get("mean_difficulty")], ["覆盖鉴定点数", sheet.get("points_covered")],
        ["不止出一题的鉴定点数", sheet.get("repeated_points", len(sheet.get("repeated", [])))], ["使用最多的题曾用于（套）", sheet.get("max_exposure")],
        ["不计分的试测题", sheet.get("tried")], ["互斥题、相近题（本卷同时出现的对数）", sheet.get("apart_met")],
        ["共用题干题组（不完整的）", sheet.get("sets_broken")]]


def state_of(paper: Paper) -> str:
    return "已启封" if paper.opened_at else paper.state.chinese


def _ranges(paper: Paper) -> Section:
    sheet = paper.compliance
    kinds = [(kind_name(line["kind"]), 9) for line in sheet["kinds"]]
    rows = [[line["path"], line["name"], line["target"] / 2, line["actual"] / 2, (line["actual"] - line["target"]) / 2,
             line.get("points"), line.get("points_of_table"), *line["items"]] for line in sheet["ranges"]]
    columns = [("范围", 10), ("名称", 26), ("目标分值", 9), ("实际分值", 9), ("偏差", 7), ("覆盖点数", 9), ("全部点数", 9), *kinds]
    return Section("鉴定范围", columns, rows, [SAMPLE] if paper.specification.table.is_sample else [],
                   charts=[Chart("column", "目标与实际分值", "范围", ["目标分值", "实际分值"], y_title="分")])


def _kinds(sheet: Mapping[str, Any]) -> Section:
    return Section("题型", [("题型", 14), ("每题分值", 10), ("目标题量", 10), ("实际题量", 10), ("偏差", 8)],
                   [[kind_name(line["kind"]), line["half_points"] / 2, line["target"], line["actual"], line["actual"] - line["target"]]
                    for line in sheet["kinds"]])


def _importance(sheet: Mapping[str, Any]) -> Section:
    table = sheet["importance_of_table"]
    total = sum(table.values()) or 1
    rows = [[code, sheet["importance"][code], round(100 * (sheet["importance_shares"][code] or 0), 1), round(100 * table[code] / total, 1),
             round(100 * (sheet["importance_shares"][code] or 0) - 100 * table[code] / total, 1)] for code in ("X", "Y", "Z")]
    return Section("重要程度", [("重要程度", 12), ("题量", 8), ("占比 %", 10), ("细目表占比 %", 14), ("偏差", 8)], rows)


def _grades(paper: Paper) -> Section:
    rows = [[f"{line['grade']} {line['name']}", line["target"], line["actual"], line["actual"] - line["target"]] for line in paper.compliance["difficulty"]]
    picture = _grade_plot([paper])
    return Section("难度", [("难度", 12), ("目标题量", 10), ("实际题量", 10), ("偏差", 8)], rows, pictures=[picture] if picture else [],
                   charts=[Chart("column", "难度分布", "难度", ["目标题量", "实际题量"], y_title="题")])


def _measured(paper: Paper, curves: Mapping[str, Curves]) -> Section | None:
    sheet = paper.compliance
    mine = curves.get(paper.form)
    sentences = []
    if sheet.get("expected") is not None:
        sentences.append(f"合格线 θ = {sheet['cut']:.2f}（{sheet['cut_sentence']}）处期望得分 {sheet['expected']:.2f} 分，标准误 {sheet['error']:.2f} 分；"
                         f"{sheet.get('calibrated', 0)} 题的参数来自标定，其余按难度等级估计。")
        sentences += [f"θ = {theta:.2f}：信息量目标 {aim:.3f}，实际 {got:.3f}，偏差 {100 * (got - aim) / aim:+.2f} %。"
                      for theta, aim, got in zip(sheet["abilities"], sheet["target"], sheet["information"], strict=False) if aim]
    if mine is None:
        return Section("测量", sentences=sentences) if sentences else None
    rows = [[theta, told, score, error] for theta, told, score, error in zip(mine.theta, mine.information, mine.expected, mine.error, strict=True)]
    pictures = [picture for name in ("information", "expected") if (picture := _curve_plot([paper], curves, name))]
    return Section("测量", [("能力 θ", 9), ("信息量", 10), ("期望得分", 10), ("得分的标准误", 12)], rows, sentences, pictures,
                   [Chart("scatter", "信息量", "能力 θ", ["信息量"]), Chart("scatter", "期望得分", "能力 θ", ["期望得分"])], printed=False)


def _demands(sheet: Mapping[str, Any]) -> Section | None:
    """Every rule with what was asked, what the form has, and whether it is kept."""
    if not (lines := sheet.get("lines")):
        return None
    rows = [[title_named(line["rule"]), line["name"], line["low"], line["high"], line["actual"], MODES[HARD if line["hard"] else SOFT],
             "满足" if line["kept"] else "未满足", line["cost"]] for line in lines]
    broken = sum(not line["kept"] for line in lines)
    return Section("全部要求", [("规则", 16), ("要求", 34), ("下限", 8), ("上限", 8), ("实际", 9), ("方式", 9), ("结果", 8), ("代价", 8)], rows,
                   [f"共 {len(lines)} 项要求，满足 {len(lines) - broken} 项，未满足 {broken} 项（都是“尽量满足”的要求）。"])


def _keys(sheet: Mapping[str, Any]) -> Section:
    return Section("答案分布", [("题型", 14), ("答案", 10), ("题量", 10)],
                   [[kind_name(kind), ANSWERS.get(answer, answer) if kind == "judge" else answer, count]
                    for kind, answers in sheet["keys"].items() for answer, count in answers.items()])


def _repeated(sheet: Mapping[str, Any]) -> Section | None:
    rows = [[line["point"], line["count"]] for line in sheet["repeated"]]
    return Section("重复的鉴定点", [("鉴定点", 60), ("题量", 10)], rows) if rows else None


def _shared(sheet: Mapping[str, Any]) -> Section:
    rows = [*([f"同次组卷 {line['form']} 卷", line["shared"]] for line in sheet["overlap_forms"]),
            *([line["name"], line["shared"]] for line in sheet["overlap_sealed"])]
    return Section("与其他试卷共用题", [("试卷", 60), ("共用题数", 12)], rows or [["与同次组卷和已封存的试卷没有共用题", 0]])


def _forms(papers: Sequence[Paper]) -> Section:
    """A line for each form: what must be alike."""
    abilities: list[float] = next((paper.compliance["abilities"] for paper in papers if paper.compliance.get("abilities")), [])
    columns = [("卷", 6), ("状态", 9), ("与权重的偏差（分）", 12), ("平均难度", 9), *((f"信息量 θ={theta:.2f}", 11) for theta in abilities),
               ("合格线处期望得分", 11), ("标准误", 8), ("使用最多的题（套）", 10), ("满足的要求", 9), ("未满足", 8)]
    rows = []
    for paper in papers:
        sheet = paper.compliance
        lines = sheet.get("lines", [])
        rows.append([paper.form, state_of(paper), sum(abs(line["actual"] - line["target"]) for line in sheet["ranges"]) / 2, sheet["mean_difficulty"],
                     *map(_two, sheet.get("information", [None] * len(abilities))), _two(sheet.get("expected")), _two(sheet.get("error")),
                     sheet["max_exposure"],
                     sum(line["kept"] for line in lines), sum(not line["kept"] for line in lines)])
    return Section("各套", columns, rows, charts=[Chart("column", "合格线处期望得分", "卷", ["合格线处期望得分"], y_title="分")])


def _matrix(papers: Sequence[Paper]) -> Section | None:
    """How many items each two forms share; of a large pool each form's sheet lists those that share most."""
    if not 1 < len(papers) <= 26:
        return None
    shared = {paper.form: {line["form"]: line["shared"] for line in paper.compliance["overlap_forms"]} for paper in papers}
    names = [paper.form for paper in papers]
    rows = [[one, *("—" if one == other else shared[one].get(other, 0) for other in names)] for one in names]
    return Section("共用题矩阵", [("卷", 6), *((name, 6) for name in names)], rows)


def _family_curves(papers: Sequence[Paper], curves: Mapping[str, Curves]) -> Section | None:
    known = [paper.form for paper in papers if paper.form in curves]
    if not known:
        return None
    theta = curves[known[0]].theta
    rows = [[at, *(curves[form].information[place] for form in known), *(curves[form].expected[place] for form in known)] for place, at in enumerate(theta)]
    told, scored = ([f"{name} {form}" for form in known] for name in ("信息量", "期望得分"))
    pictures = [picture for name in ("information", "expected") if (picture := _curve_plot(papers, curves, name))]
    return Section("测量", [("能力 θ", 9), *((title, 11) for title in (*told, *scored))], rows, [], pictures,
                   [Chart("scatter", "信息量", "能力 θ", told), Chart("scatter", "期望得分", "能力 θ", scored)], printed=False)


def _family_grades(papers: Sequence[Paper]) -> Section:
    grades = papers[0].compliance["difficulty"]
    picture = _grade_plot(papers)
    return Section("难度", [("卷", 8), *((f"{line['grade']} {line['name']}", 9) for line in grades)],
                   [["目标", *(line["target"] for line in grades)],
                    *([paper.form, *(line["actual"] for line in paper.compliance["difficulty"])] for paper in papers)],
                   pictures=[picture] if picture else [], printed=len(papers) <= 26)


def _family_coverage(papers: Sequence[Paper]) -> Section | None:
    picture = _coverage_plot(papers)
    return Section("鉴定点覆盖", [("范围", 12), *((paper.form, 6) for paper in papers)], _covered(papers), ["每格为该卷考核的鉴定点数 / 该范围的鉴定点数。"],
                   [picture], printed=False) if picture else None


def _covered(papers: Sequence[Paper]) -> list[list[Any]]:
    return [[line["path"], *(f"{paper.compliance['ranges'][place]['points']}/{line['points_of_table']}" for paper in papers)]
            for place, line in enumerate(papers[0].compliance["ranges"])]


def _curve_plot(papers: Sequence[Paper], curves: Mapping[str, Curves], name: str) -> bytes | None:
    known = [(form, curves[form]) for form in sorted(curves)]
    if not known:
        return None
    sheet = papers[0].compliance
    lines = tuple((form, getattr(held, name)) for form, held in known)
    if name == "information":
        target = tuple(zip(sheet.get("abilities", []), sheet.get("target", []), strict=False))
        return plots.information(known[0][1].theta, lines, sheet.get("cut"), target)
    return plots.expected(known[0][1].theta, lines, sheet.get("cut"), PASS_HALF_POINTS / 2)


def _grade_plot(papers: Sequence[Paper]) -> bytes | None:
    lines = papers[0].compliance.get("difficulty", [])
    if not lines:
        return None
    return plots.difficulty(tuple(line["name"] for line in lines), tuple(line["target"] for line in lines),
                            tuple((f"{paper.form} 卷", tuple(line["actual"] for line in paper.compliance["difficulty"])) for paper in papers
                                  if len(paper.compliance["difficulty"]) == len(lines)))


def _coverage_plot(papers: Sequence[Paper]) -> bytes | None:
    if not all("points" in line for paper in papers for line in paper.compliance["ranges"]):
        return None  # composed before points were counted
    rows = papers[0].compliance["ranges"]
    shares = tuple(tuple(paper.compliance["ranges"][place]["points"] / max(line["points_of_table"], 1) for paper in papers)
                   for place, line in enumerate(rows))
    return plots.coverage(tuple(line["path"] for line in rows), tuple(paper.form for paper in papers), shares,
                          tuple(tuple(str(cell) for cell in row[1:]) for row in _covered(papers)))
