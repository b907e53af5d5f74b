"""A calibration as a workbook: parameters, classical numbers, fit, abilities and how the fit was reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qbank.kernel.export import Table
from qbank.statistics.analysis import ItemAnalysis
from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration

CLASSICAL = {"n": "作答人数", "difficulty": "难度 p", "item_rest": "题余相关", "biserial": "二列相关",
             "upper_lower": "高低分组差（27%）",
             "b_index": "B 指数", "omitted": "未答率", "not_reached": "未做到率",
             "shrunk_difficulty": "收缩后的 p", "shrunk_low": "收缩后的 p 下限", "shrunk_high": "收缩后的 p 上限",
             "shrunk": "样本小（已收缩）", "reason": "没有数值的原因"}


def tables(found: Calibration, analysis: ItemAnalysis, fit: pd.DataFrame, persons: Sequence[str], theta: Floats,
           theta_se: Floats, source: str) -> list[Table]:
    """The worksheets, in the order in which a person reads them."""
    return [_summary(found, analysis, source), _parameters(found), _classical(analysis), _frame("拟合", fit),
            Table("考生能力", [("考生", 16), ("能力 θ（EAP）", 14), ("标准误", 10)],
                  [[who, _cell(t), _cell(e)] for who, t, e in zip(persons, theta, theta_se, strict=True)])]


def _summary(found: Calibration, analysis: ItemAnalysis, source: str) -> Table:
    reliability = analysis.forms[0].alpha if analysis.forms else None
    lines: list[tuple[str, Any]] = [
        ("数据文件", source), ("考生人数", analysis.persons), ("题目数", found.n_items), ("模型", found.model),
        ("是否收敛", "是" if found.converged else "否：参数不可使用"), ("迭代次数", found.iterations), ("求积节点", found.nodes),
        ("对数似然", _cell(found.log_likelihood)), ("对数后验", _cell(found.log_posterior)), ("梯度范数", _cell(found.gradient_norm)),
        ("AIC", _cell(found.aic)), ("α 系数", _cell(reliability.value) if reliability else None),
        ("α 95% 下限", _cell(reliability.low) if reliability else None),
        ("α 95% 上限", _cell(reliability.high) if reliability else None)]
    notes = ["逻辑度量，D = 1：P = c + (1 - c) / (1 + exp(-a(θ - b)))。"]
    return Table("概要", [("项目", 16), ("数值", 40)], [*lines, *(("提示", text) for text in found.warnings)], "标定报告", notes)


def _parameters(found: Calibration) -> Table:
    names = found.items or tuple(str(j + 1) for j in range(found.n_items))
    steps = 0 if found.thresholds is None else found.thresholds.shape[1]
    columns = [("题", 16), ("模型", 8), ("n", 8), ("a", 9), ("a 标准误", 9), ("b", 9), ("b 标准误", 9), ("c", 9), ("c 标准误", 9),
               *((f"b{k + 1}", 9) for k in range(steps)), ("没有数值的原因", 40)]
    rows = []
    for j, name in enumerate(names):
        numbers = (found.n, found.a, found.se_a, found.b, found.se_b, found.c, found.se_c)
        thresholds = [] if found.thresholds is None else [_cell(value) for value in found.thresholds[j]]
        rows.append([name, found.models[j], *(_cell(column[j]) for column in numbers), *thresholds, found.reasons.get(j, "")])
    return Table("项目参数", columns, rows)


def _classical(analysis: ItemAnalysis) -> Table:
    return _frame("经典统计", analysis.frame().rename(columns=_title))


def _title(name: str) -> str:
    for ending, spoken in (("_low", " 下限"), ("_high", " 上限")):
        if name not in CLASSICAL and name.endswith(ending):
            return CLASSICAL[name.removesuffix(ending)] + spoken
    return CLASSICAL[name]


def _frame(sheet: str, frame: pd.DataFrame) -> Table:
    return Table(sheet, [("题", 16), *((str(title), 12) for title in frame.columns)],
                 [[str(name), *_cells(row)] for name, row in zip(frame.index, frame.to_numpy(dtype=object), strict=True)])


def _cells(row: Iterable[Any]) -> list[Any]:
    return [_cell(value) if isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
            else "是" if value is True or value is np.True_ else "" if value is False or value is np.False_ else value
            for value in row]


def _cell(value: Any) -> float | int | None:
    number = float(value)
    if not np.isfinite(number):
        return None
    return int(number) if number == int(number) and abs(number) < 1e9 else round(number, 6)
