"""A conflict in plain Chinese: each demand that stands in the way, how to relax it, and what to write. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf

import numpy as np

from qbank.papers.engine.explaining import Conflict, short
from qbank.papers.engine.model import Demand
from qbank.papers.engine.problem import Band, Problem
from qbank.papers.engine.reporting import cell_name
from qbank.papers.engine.results import Assembly, Cause


def causes(problem: Problem, conflict: Conflict) -> tuple[Cause, ...]:
    """One cause for each demand in the way, those of the table first; pairs, musts and groups by the items they name."""
    order = {"cell": 0, "band": 1, "group": 2, "must": 3, "pair": 4, "overlap": 5}
    found = sorted(conflict.missing.items(), key=lambda entry: (order[entry[0][0]], *entry[0][1:]))
    lacking = any(demand[0] == "cell" for demand in conflict.missing)
    return tuple(_cause(problem, demand, amount, lacking) for demand, amount in found)


def _cause(problem: Problem, demand: Demand, amount: float, follows: bool) -> Cause:
    kind, index, label = demand
    if kind == "cell":
        return _cell(problem, label, amount)
    if kind == "band":
        found = _band(problem, problem.bands[index], amount)
        return replace(found, sentence=found.sentence + "（总题数因缺题而少）") if follows else found
    if kind == "group":
        groups = problem.groups[index]
        name = groups.names[label]
        return Cause(groups.rule, name, f"{groups.rule}（{name}）与其他要求冲突；放宽为可重复 {ceil(amount - 1e-6)} 次，或补写其他题", amount)
    if kind == "must":
        must, key = problem.musts[index], int(problem.keys[label])
        return Cause(must.rule, str(key), f"{must.rule} {key} 与其他要求冲突；去掉这道{must.rule}后可以组卷", amount)
    if kind == "pair":
        one, other = int(problem.keys[label // problem.size]), int(problem.keys[label % problem.size])
        return Cause("互斥相近", f"{one}、{other}", f"题目 {one} 与题目 {other} 互相提示或内容相近，却都不得不用；补写可替换的题，或取消这一对", amount)
    return Cause("各套共用题", "各套共用题", f"各套共用题不多于 {problem.overlap} 道不能满足；放宽共用题数，或减少套数", amount)


def _cell(problem: Problem, cell: int, amount: float) -> Cause:
    name, lacking = cell_name(problem, cell), short(problem, cell)
    range_key, kind = problem.cell_names[cell]
    if lacking <= 0:
        each = ceil(amount / problem.forms - 1e-6)
        sentence = f"{name}每套 {problem.quotas[cell]} 题与其他要求冲突，差 {ceil(amount - 1e-6)} 题；补写合用的题，或每套少出 {each} 题"
        return Cause("题量", name, sentence, amount, range_key, kind)
    inside = problem.cells == cell
    ways = [f"放宽“{bar.rule}”可多用 {int(inside[bar.items].sum())} 题" for bar in problem.bars if inside[bar.items].any()]
    if problem.forms > 1:
        ways.append("减少套数" if problem.overlap is None else "减少套数或允许各套共用题目")
    need, held = int(problem.quotas[cell]) * problem.forms, int((problem.open() & inside).sum())
    sentence = (f"{name}缺 {lacking} 题：{problem.forms} 套共需 {need} 题，可用 {held} 题；"
                f"补写 {lacking} 题{''.join(f'，或{way}' for way in ways)}")
    return Cause("题量", name, sentence, float(lacking), range_key, kind)


def _band(problem: Problem, band: Band, amount: float) -> Cause:
    each = amount / problem.forms
    value = np.bincount(problem.cells[band.items], minlength=len(problem.quotas))
    low = band.low > -inf and (band.high == inf or (band.low > 0 and _rather_low(problem, band, value)))
    limit, reach = (band.low, band.low - each) if low else (band.high, band.high + each)
    asked = f"{limit:g}" if band.low == band.high else f"{'不少于' if low else '不多于'} {limit:g}"
    sentence = f"{band.rule}：{band.name}要求 {asked}，平均只能做到 {reach:.4g}；放宽到 {reach:.4g}，或补写合用的题"
    return Cause(band.rule, band.name, sentence, amount)


def _rather_low(problem: Problem, band: Band, held: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    """Whether the band lacks items rather than having too many it cannot leave out: some quota could do without its items."""
    total = np.bincount(problem.cells[problem.open()], minlength=len(problem.quotas))
    forced = np.maximum(problem.quotas * problem.forms - (total - held), 0).sum()
    return bool(forced <= band.high * problem.forms)


def breaks(nearest: Assembly) -> tuple[str, ...]:
    """What the nearest forms miss of the hard demands."""
    names = form_names(len(nearest.forms))
    return tuple(f"{name}卷 {line.sentence}" for name, lines in zip(names, nearest.lines, strict=True) for line in lines
                 if line.hard and not line.kept)


def form_names(count: int) -> list[str]:
    """A to Z, beyond 26 forms 001, 002, …"""
    return [chr(ord("A") + f) for f in range(count)] if count <= 26 else [f"{f + 1:03d}" for f in range(count)]


def to_write(problem: Problem, conflict: Conflict) -> tuple[str, ...]:
    """What to add to the bank so that the demands can stay as they are."""
    lines = []
    for (kind, index, label), amount in sorted(conflict.missing.items()):
        if kind == "cell":
            lines.append(f"{cell_name(problem, label)}：补写 {max(short(problem, label), ceil(amount - 1e-6))} 题")
        elif kind == "band" and (problem.bands[index].values == 1).all():
            band = problem.bands[index]
            lines.append(f"{band.rule}（{band.name}）：补写能调整该项的题约 {ceil(amount - 1e-6)} 题")
    return tuple(lines)
