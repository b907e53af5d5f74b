"""Whether the bank can serve each rule: counts that a composer sees beside it before anything is composed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from qbank.papers.compiling import average_information
from qbank.papers.engine.items import ItemPool
from qbank.papers.measuring import Parameters
from qbank.papers.rules import HARD, KINDS_OF_RULES, Number, Setting
from qbank.papers.specification import Quotas, kind_name


@dataclass(frozen=True)
class Supply:
    """What the bank holds for one rule: enough or not, in a sentence."""

    enough: bool
    sentence: str


@dataclass(frozen=True)
class Shortage:
    """A range and kind that lacks items for all forms together."""

    range_key: str
    kind: str
    need: int
    have: int

    @property
    def missing(self) -> int:
        return self.need - self.have


@dataclass(frozen=True, eq=False)
class Stock:
    """What the rules are checked against. ``open`` (n,): items that no hard rule and nobody's hand keeps out, and that a
    quota has a place for."""

    items: ItemPool
    parameters: Parameters
    quotas: Quotas
    settings: Mapping[str, Setting]
    forms: int
    barred: frozenset[int]
    open: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        cells = {(key, self.quotas.parts[p].kind) for (key, p), count in self.quotas.counts.items() if count}
        keys, exposure, last = self.items.keys.tolist(), self.items.numbers("exposure"), self.items.numbers("last_used")
        placed = [cell in cells and key not in self.barred
                  for key, cell in zip(keys, zip(self.items.ranges, self.items.kinds, strict=True), strict=True)]
        usable = np.array(placed, dtype=bool) & ~(self.items.numbers("pretest") > 0)
        if (rule := self.settings["exposure"]).mode == HARD:
            usable &= exposure < rule.numbers["most"]
        if (rule := self.settings["rest"]).mode == HARD:
            usable &= last > rule.numbers["sittings"]
        object.__setattr__(self, "open", usable)

    @property
    def length(self) -> int:
        return sum(part.count for part in self.quotas.parts)

    def count(self, name: str) -> Counter[str]:
        """Usable items per label of the array ``name``."""
        return Counter(map(str, np.asarray(getattr(self.items, name))[self.open].tolist()))


def shortages(stock: Stock) -> list[Shortage]:
    """Cells with fewer usable items than the forms need: apart from one another where sharing is forbidden."""
    held = Counter((str(key), str(kind)) for key, kind, usable in
                   zip(stock.items.ranges, stock.items.kinds, stock.open, strict=True) if usable)
    overlap = stock.settings["overlap"]
    times = stock.forms if overlap.mode == HARD and overlap.numbers["percent"] == 0 else 1
    found = []
    for (key, p), count in stock.quotas.counts.items():
        kind = stock.quotas.parts[p].kind
        if held[key, kind] < count * times:
            found.append(Shortage(key, kind, count * times, held[key, kind]))
    return found


def supplies(stock: Stock) -> dict[str, Supply]:
    """One sentence for each rule of the page."""
    return {code: CHECKS[code](stock, stock.settings[code].numbers) for code in KINDS_OF_RULES}


def _quotas(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    short = shortages(stock)
    if not short:
        return Supply(True, f"可用 {int(stock.open.sum())} 道，{stock.forms} 套卷每一格都够。")
    worst = max(short, key=lambda one: one.missing)
    return Supply(False, f"{len(short)} 格不够，共缺 {sum(one.missing for one in short)} 道；最缺 {worst.range_key} "
                         f"{kind_name(worst.kind)}：需要 {worst.need} 道，可用 {worst.have} 道。")


def _points(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    asked: Counter[str] = Counter()
    for (key, _), count in stock.quotas.counts.items():
        asked[key] += count
    held = Counter(key for key, _ in {(str(stock.items.ranges[i]), str(stock.items.points[i])) for i in np.flatnonzero(stock.open).tolist()})
    repeated = sum(max(0, count - held[key]) for key, count in asked.items())
    if repeated:
        return Supply(False, f"有 {sum(count > held[key] for key, count in asked.items())} 个范围的鉴定点少于题数，一套卷至少有 {repeated} 题与别的题同点。")
    return Supply(True, f"可用的题涉及 {sum(held.values())} 个鉴定点，每个范围都够不重复。")


def _importance(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    held = stock.count("importance")
    needed = stock.length * max(0.0, numbers["X"] - numbers["within"]) / 100
    return Supply(held["X"] >= needed, f"可用 X {held['X']}、Y {held['Y']}、Z {held['Z']} 道；一套卷至少要 X {ceil(needed)} 道。")


def _pairs(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    doubles = sum(1 for count in Counter(filter(None, stock.items.doubles)).values() if count > 1)
    return Supply(True, f"已标记 {len(stock.items.apart)} 对，另有 {doubles} 组内容相同的题。")


def _sets(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    return Supply(True, f"完整的题组 {len(stock.items.together)} 组，共 {sum(map(len, stock.items.together))} 道题。")


def _grades(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    held = Counter(map(int, stock.items.numbers("grades")[stock.open]))
    lack = [grade for grade in range(1, 6) if held[grade] < stock.length * numbers[f"g{grade}"] / 100 - numbers["within"]]
    listed = "、".join(f"{grade} 级 {held[grade]}" for grade in range(1, 6))
    return Supply(not lack, f"可用 {listed} 道{'；不够的等级：' + '、'.join(map(str, lack)) if lack else '，一套卷够用'}。")


def _difficulty(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    if not stock.open.any():
        return Supply(False, "没有可用的题。")
    b = np.sort(stock.parameters.b[stock.open])
    n = min(stock.length, len(b))
    low, high = float(b[:n].mean()), float(b[-n:].mean())
    reached = low <= numbers["mean"] + numbers["within"] and high >= numbers["mean"] - numbers["within"]
    return Supply(reached, f"题库平均 b {b.mean():.2f}，最易 {n} 题平均 {low:.2f}，最难 {n} 题平均 {high:.2f}；{_calibrated(stock)}。")


def _information(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    listed = " / ".join(f"{value:.1f}" for value in average_information(stock.items, stock.quotas, stock.settings, stock.forms))
    return Supply(True, f"题库平均一套卷在 θ＝{' / '.join(f'{theta:.2f}' for theta in stock.items.abilities)} 处的信息量为 {listed}；{_calibrated(stock)}。")


def _expected(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    if not stock.open.any():
        return Supply(False, "没有可用的题。")
    share = stock.items.numbers("expected")[stock.open].mean()
    return Supply(True, f"合格线处各题平均预期得分率 {100 * share:.0f} %；{_calibrated(stock)}。")


def _calibrated(stock: Stock) -> str:
    return f"{int(stock.parameters.calibrated.sum())} / {len(stock.items)} 道题已标定，其余按难度等级推算"


def _out(stock: Stock, out: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> Supply:
    """How many of the bank's items a rule keeps out, told as a number only."""
    left = len(stock.items) - int(out.sum())
    return Supply(left >= stock.length, f"{what} {int(out.sum())} 道，其余 {left} 道。")


def _exposure(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    return _out(stock, stock.items.numbers("exposure") >= numbers["most"], "一年内已用到上限的题")


def _rest(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    return _out(stock, stock.items.numbers("last_used") <= numbers["sittings"], f"最近 {numbers['sittings']:g} 场用过的题")


def _overlap(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    if stock.forms == 1:
        return Supply(True, "只组一套卷时没有影响。")
    needed, have = stock.forms * stock.length, int(stock.open.sum())
    return Supply(have >= needed, f"{stock.forms} 套卷都不共用需要 {needed} 道，可用 {have} 道。")


def _earlier(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    return Supply(True, f"要对照的已封存试卷 {len(stock.items.earlier)} 套，每套至多共用 {int(stock.length * numbers['percent'] / 100)} 道。")


def _fresh(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    unused = int((stock.items.numbers("exposure")[stock.open] == 0).sum())
    return Supply(True, f"可用的题中一年内没有用过的 {unused} 道。")


def _keys(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    found = Counter((str(kind), str(answer)) for kind, answer, usable in
                    zip(stock.items.kinds, stock.items.answers, stock.open, strict=True) if usable)
    kinds = {kind for kind, _ in found}
    told = ["单选 " + "、".join(f"{letter} {found['single', letter]}" for letter in "ABCD")] if "single" in kinds else []
    told += [f"判断 √ {found['judge', 'T']}、× {found['judge', 'F']}"] if "judge" in kinds else []
    return Supply(True, f"题库中答案：{'；'.join(told)}。" if told else "没有单选题和判断题。")


def _length(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    lengths, total = stock.items.numbers("lengths"), 0.0
    kinds = np.asarray(stock.items.kinds)
    for part in stock.quotas.parts:
        chosen = lengths[stock.open & (kinds == part.kind)]
        total += part.count * (float(chosen.mean()) if len(chosen) else 0.0)
    return Supply(numbers["least"] <= total * 1.3 and total * 0.7 <= numbers["most"], f"题库平均一套卷约 {total:,.0f} 字。")


def _pretest(stock: Stock, numbers: Mapping[str, Number]) -> Supply:
    fresh = ~stock.parameters.calibrated & (stock.items.numbers("exposure") == 0)
    held = Counter(kind for kind, new in zip(stock.items.kinds, fresh, strict=True) if new)
    enough = all(held[kind] >= count for kind, count in numbers.items())
    return Supply(enough, f"没有统计也没有用过的题：{'、'.join(f'{kind_name(kind)} {held[kind]} 道' for kind in numbers)}。")


CHECKS: Mapping[str, Callable[[Stock, Mapping[str, Number]], Supply]] = {
    "quotas": _quotas, "points": _points, "importance": _importance, "pairs": _pairs, "sets": _sets, "grades": _grades,
    "difficulty": _difficulty, "parallel": _information, "sharpest": _information, "information": _information,
    "expected": _expected, "exposure": _exposure, "rest": _rest, "overlap": _overlap, "earlier": _earlier, "fresh": _fresh,
    "keys": _keys, "length": _length, "pretest": _pretest}
