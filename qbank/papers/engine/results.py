"""What the engine answers: forms with their proof, or why there are none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qbank.kernel.refused import Refused


@dataclass(frozen=True)
class Line:
    """One demand against one form. `low` and `high` may be infinite; `cost` is what a soft demand pays for its misses."""

    rule: str
    name: str
    low: float
    high: float
    actual: float
    hard: bool
    cost: float

    @property
    def missed(self) -> float:
        """How far outside its limits the form is, in the demand's own unit."""
        return max(0.0, self.low - self.actual, self.actual - self.high)

    @property
    def kept(self) -> bool:
        return self.missed <= 1e-6 * max(1.0, abs(self.actual))

    @property
    def sentence(self) -> str:
        """One Chinese line: what was asked and what the form has."""
        asked = (f"{self.low:g}" if self.low == self.high else f"不少于 {self.low:g}" if self.high == float("inf")
                 else f"不多于 {self.high:g}" if self.low <= 0 else f"{self.low:g} 到 {self.high:g}")
        return f"{self.name}：要求 {asked}，实际 {self.actual:g}"


@dataclass(frozen=True)
class Assembly:
    """Forms of item keys in paper order (part, range, key; the items of a set stand together), and their proof.

    `value` is what was optimised and `bound` what no assembly can better: with `measure` "deviation" (least is best)
    the greatest deviation from the target information as a share of it; with "information" (most is best) the least
    information; with "cost" (least is best) what the soft rules cost. `gap` is |value - bound|, as a share of the value
    for information and cost; `optimal` says that it is closed. `cut_short`: a limit of time ended a search, so that
    another run may give other forms; otherwise the same pool, specification, rules and seed give the same bit for bit.
    `lines[f]` holds every demand against form f, `costs` what each soft rule costs over all forms. `information` is
    (forms, abilities), `expected` the expected score at the cut in points and `error` its standard error. `shared` is
    the most items that two forms share, `tried` the unscored items.
    """

    forms: tuple[tuple[int, ...], ...]
    measure: str
    value: float
    bound: float
    gap: float
    optimal: bool
    cut_short: bool
    method: str
    seconds: float
    shared: int
    lines: tuple[tuple[Line, ...], ...]
    costs: Mapping[str, float]
    target: tuple[float, ...]
    information: tuple[tuple[float, ...], ...]
    expected: tuple[float, ...]
    error: tuple[float, ...]
    tried: frozenset[int] = frozenset()

    @property
    def status(self) -> str:
        """One Chinese sentence for the report."""
        if self.optimal:
            return "已证明最优"
        bound = f"与理论上界相差 {100 * self.gap:.2g} %" if self.measure != "deviation" else (
            f"信息量偏离目标最多 {100 * self.value:.2g} %，理论下界 {100 * self.bound:.2g} %")
        return f"{'到时限为止找到的最好结果' if self.cut_short else '已达到要求'}，{bound}"


@dataclass(frozen=True)
class Cause:
    """One demand of a conflict: the sentence names it and how to relax it, `missing` counts the units it lacks."""

    rule: str
    name: str
    sentence: str
    missing: float
    range_key: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Explanation:
    """Why no forms exist.

    Removing all of `causes` makes the call feasible, and without any one of them it is not enough to remove the rest:
    no demand is named in vain. `nearest` are the forms that miss the demands least, `breaks` what they miss (a line per form and
    demand), `write` what to add to the bank (a line per range and kind). `complete` is False when time ran out before
    the causes were shown to be the fewest, `certain` when it was not even proved that there are no forms: then the causes are
    what the best forms found miss.
    """

    causes: tuple[Cause, ...]
    nearest: Assembly | None
    breaks: tuple[str, ...]
    write: tuple[str, ...]
    complete: bool
    certain: bool = True


class Unmakeable(Refused):
    """No forms exist: the sentence and the details are the causes; `explanation` has the nearest paper too."""

    def __init__(self, explanation: Explanation) -> None:
        lines = [cause.sentence for cause in explanation.causes]
        more = f"（共 {len(lines)} 处冲突）" if len(lines) > 1 else ""
        if explanation.certain:
            super().__init__("unmakeable", f"按现有要求无法组卷：{lines[0] if lines else '要求互相冲突'}{more}", lines)
        else:
            super().__init__("assembly_timeout", "在限定的搜索量内没有找到满足全部要求的试卷，也没有证明不存在；"
                                                 f"最接近的试卷差在：{lines[0]}{more}", lines)
        self.explanation = explanation


@dataclass(frozen=True)
class Swap:
    """`key` may stand for the item on the form: every hard rule stays kept. Ranked: cost of soft rules, then likeness.

    `cost` is how much dearer (negative: cheaper) the soft rules and the deviation from the target become, `distance`
    how unlike the items are (whitened information, grade, point), `information` the change at each ability, `breaks`
    the soft demands that the swap breaks anew. An item of a set goes with the whole set for another one: `gone` leave and
    `come` come in, place for place of the same cell; of single items one each.
    """

    key: int
    cost: float
    distance: float
    information: tuple[float, ...]
    breaks: tuple[str, ...]
    gone: tuple[int, ...]
    come: tuple[int, ...]
