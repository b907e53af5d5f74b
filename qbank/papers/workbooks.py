"""The compliance sheet as an Excel workbook."""

from __future__ import annotations

from qbank.kernel.export import Table
from qbank.kernel.times import spoken
from qbank.papers.models import Paper
from qbank.papers.specification import kind_name


def compliance_tables(paper: Paper) -> list[Table]:
    """One worksheet for each part of the sheet; points, not half-points."""
    sheet, specification = paper.compliance, paper.specification
    title = f"组卷合规性报告 {paper.name}"
    notes = [specification.table.label]
    if specification.table.is_sample:
        notes.append("示例：本权重表不是官方文本，仅供演示。")
    kinds = [(kind_name(line["kind"]), 12) for line in sheet["kinds"]]
    ranges = [[line["path"], line["name"], line["target"] / 2, line["actual"] / 2, (line["actual"] - line["target"]) / 2,
               *line["items"]] for line in sheet["ranges"]]
    return [
        Table("概况", [("项目", 24), ("内容", 70)], _facts(paper), title, notes),
        Table("鉴定范围", [("范围", 12), ("名称", 32), ("目标分值", 12), ("实际分值", 12), ("偏差", 10), *kinds], ranges, title, notes),
        Table("题型", [("题型", 14), ("每题分值", 12), ("目标题量", 12), ("实际题量", 12)],
              [[kind_name(line["kind"]), line["half_points"] / 2, line["target"], line["actual"]]
               for line in sheet["kinds"]], title),
        Table("重要程度", [("重要程度", 14), ("题量", 10), ("占比 %", 12), ("细目表鉴定点数", 18)],
              [[code, sheet["importance"][code], round(100 * (sheet["importance_shares"][code] or 0), 1),
                sheet["importance_of_table"][code]] for code in ("X", "Y", "Z")], title),
        Table("难度", [("难度", 14), ("目标题量", 12), ("实际题量", 12)],
              [[f"{line['grade']} {line['name']}", line["target"], line["actual"]] for line in sheet["difficulty"]], title),
        Table("答案分布", [("题型", 14), ("答案", 10), ("题量", 10)],
              [[kind_name(kind), answer, count] for kind, answers in sheet["keys"].items()
               for answer, count in answers.items()], title),
        Table("重复的鉴定点", [("鉴定点", 60), ("题量", 10)],
              [[line["point"], line["count"]] for line in sheet["repeated"]], title),
        Table("与其他试卷共用题", [("试卷", 60), ("共用题数", 12)],
              [*([f"同次组卷 {line['form']} 卷", line["shared"]] for line in sheet["overlap_forms"]),
               *([line["name"], line["shared"]] for line in sheet["overlap_sealed"])], title),
    ]


def _facts(paper: Paper) -> list[list[str | int | float | None]]:
    sheet, specification = paper.compliance, paper.specification
    return [
        ["试卷", paper.name], ["状态", paper.state.chinese], ["组卷方案", specification.name],
        ["考试时间（分钟）", specification.minutes], ["组卷人", paper.composer.name], ["组卷时间", spoken(paper.created_at)],
        ["封存人", paper.sealer.name if paper.sealer else ""], ["封存时间", spoken(paper.sealed_at)],
        ["指纹（SHA-256）", paper.fingerprint or "未封存"], ["平均难度（目标）", sheet["mean_difficulty_target"]],
        ["平均难度（实际）", sheet["mean_difficulty"]], ["覆盖鉴定点数", sheet["points_covered"]],
        ["随机种子", "启封后显示" if paper.seed is None else paper.seed], ["题库可用题数", sheet["bank_size"]], ["回避的本人命题数", sheet["own_barred"]],
        ["互斥题、相近题（题库标记的对数）", sheet.get("apart_marked")], ["互斥题、相近题（本卷同时出现的对数）", sheet.get("apart_met")],
        ["共用题干题组（本卷）", sheet.get("sets")], ["共用题干题组（不完整的）", sheet.get("sets_broken")],
        ["题库状态摘要", sheet["bank_digest"]], ["求解结果", sheet["status"]],
    ]
