"""Forms that were assembled from an Excel pool, as a workbook: the forms, their proof, what they share, their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qbank.kernel.export import Chart, Table, workbook
from qbank.papers.curves import THETA
from qbank.papers.engine.results import Assembly
from qbank.papers.excel_pool import ExcelPool
from qbank.papers.specification import kind_name

MOST_SHEETS = 26  # forms with a worksheet of their own


def labels_of(count: int) -> list[str]:
    """A to Z; beyond 26 forms 001, 002, …"""
    return [chr(ord("A") + place) for place in range(count)] if count <= MOST_SHEETS else [f"{place + 1:03d}" for place in range(count)]


def forms_workbook(read: ExcelPool, made: Assembly, source: str, seed: int) -> bytes:
    labels = labels_of(len(made.forms))
    tables = [_summary(made, source, seed), *_forms(read, made, labels), _ranges(read, made, labels), _demands(made, labels), _measured(read, made, labels)]
    if 1 < len(labels) <= MOST_SHEETS:
        tables.append(_matrix(made, labels))
    return workbook(tables)


def _summary(made: Assembly, source: str, seed: int) -> Table:
    rows: list[list[Any]] = [["题库文件", source], ["种子", seed], ["套数", len(made.forms)], ["求解结果", made.status],
                             ["优化值", round(made.value, 6)], ["理论界", round(made.bound, 6)], ["差距", round(made.gap, 6)],
                             ["用时（秒）", round(made.seconds, 2)], ["任两套共用题数最多", made.shared],
                             *([f"软约束代价：{rule}", round(cost, 4)] for rule, cost in made.costs.items())]
    return Table("概况", [("项目", 26), ("内容", 60)], rows, "组卷结果")


def _forms(read: ExcelPool, made: Assembly, labels: Sequence[str]) -> list[Table]:
    columns = [("卷", 6), ("序号", 6), ("题号", 16), ("题型", 10), ("范围", 12), ("鉴定点", 16), ("难度", 8), ("答案", 8), ("分值", 8)]
    worth = {part.kind: part.half_points / 2 for part in read.quotas.parts}
    pool = read.pool
    points, answers, grades = pool.labels("points"), pool.labels("answers"), pool.numbers("grades")
    rows = [[[label, place, read.names[key], kind_name(pool.kinds[key]), pool.ranges[key], str(points[key]).partition("\0")[0], int(grades[key]),
              str(answers[key]), 0 if key in made.tried else worth[pool.kinds[key]]] for place, key in enumerate(keys, start=1)]
            for label, keys in zip(labels, made.forms, strict=True)]
    if len(labels) > MOST_SHEETS:
        return [Table("各套试题", columns, [row for form in rows for row in form])]
    return [Table(f"{label}卷", columns, form, f"{label} 卷") for label, form in zip(labels, rows, strict=True)]


def _ranges(read: ExcelPool, made: Assembly, labels: Sequence[str]) -> Table:
    worth = {part.kind: part.half_points / 2 for part in read.quotas.parts}
    got = [dict.fromkeys(read.quotas.target, 0.0) for _ in labels]
    for held, keys in zip(got, made.forms, strict=True):
        for key in set(keys) - made.tried:
            held[read.pool.ranges[key]] += worth[read.pool.kinds[key]]
    rows = [[path, read.titles.get(path, ""), aim / 2, *(held[path] for held in got), max(abs(held[path] - aim / 2) for held in got)]
            for path, aim in read.quotas.target.items()]
    return Table("范围", [("范围", 12), ("名称", 24), ("目标分值", 10), *((f"{label} 卷", 8) for label in labels), ("最大偏差", 10)], rows, "各范围分值")


def _demands(made: Assembly, labels: Sequence[str]) -> Table:
    rows = [[label, line.rule, line.name, line.low if np.isfinite(line.low) else None, line.high if np.isfinite(line.high) else None, round(line.actual, 4),
             "硬" if line.hard else "软", "满足" if line.kept else "未满足", round(line.cost, 4)]
            for label, lines in zip(labels, made.lines, strict=True) for line in lines]
    columns = [("卷", 6), ("规则", 16), ("要求", 40), ("下限", 10), ("上限", 10), ("实际", 10), ("硬/软", 8), ("结果", 8), ("代价", 8)]
    return Table("符合性", columns, rows, "每项要求与实际")


def _measured(read: ExcelPool, made: Assembly, labels: Sequence[str]) -> Table:
    """Information and expected score over the scale, with charts; no more than 26 forms have lines of their own."""
    shown = list(zip(labels, made.forms, strict=True))[:MOST_SHEETS]
    worth = {part.kind: part.half_points / 2 for part in read.quotas.parts}
    told, right = read.parameters.information(THETA), np.stack([read.parameters.expected(theta) for theta in THETA])
    columns, values = [("能力 θ", 10)], [list(THETA)]
    for label, keys in shown:
        held = [key for key in keys if key not in made.tried]
        points = np.array([worth[read.pool.kinds[key]] for key in held])
        columns += [(f"信息量 {label}", 11), (f"期望得分 {label}", 11)]
        values += [[round(float(one), 4) for one in told[held].sum(axis=0)], [round(float(one), 3) for one in right[:, held] @ points]]
    facts = [f"{label} 卷：合格线处期望得分 {score:.2f}，标准误 {error:.2f}"
             for (label, _), score, error in zip(shown, made.expected, made.error, strict=False)]
    return Table("测量", columns, [list(row) for row in zip(*values, strict=True)], "信息量与期望得分", facts, charts=[
        Chart("scatter", name, "能力 θ", [f"{name} {label}" for label, _ in shown]) for name in ("信息量", "期望得分")])


def _matrix(made: Assembly, labels: Sequence[str]) -> Table:
    rows = [[one, *("—" if one == other else len(set(mine) & set(theirs)) for other, theirs in zip(labels, made.forms, strict=True))]
            for one, mine in zip(labels, made.forms, strict=True)]
    return Table("共用题", [("卷", 6), *((label, 6) for label in labels)], rows, "任两套共用题数")
