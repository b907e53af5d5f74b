"""How the marks of two or three people become the points of an answer, in half-points. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

CLOSEST, THIRD, MEAN, MIDDLE = 1, 2, 3, 4
RULES = {CLOSEST: "取最接近的两个评分的平均", THIRD: "以第三评为准", MEAN: "取三个评分的平均", MIDDLE: "取中间的一个评分"}


@dataclass(frozen=True)
class Joined:
    """The points and a sentence that says how they came about."""

    half_points: int
    reason: str


def too_far(first: int, second: int, worth: int, percent: int) -> bool:
    """Whether two marks differ by more than ``percent`` of what the item is worth."""
    return 100 * abs(first - second) > percent * worth


def of_two(first: int, second: int) -> Joined:
    """The mean; a quarter of a point goes up to the next half: to the candidate."""
    return Joined(_mean(first, second), f"两评 {_said(first)}、{_said(second)}，取平均{_up(first, second)}")


def of_three(first: int, second: int, third: int, rule: int) -> Joined:
    """By the rule pack. Of two pairs that are equally close the higher one counts. ValueError for an unknown rule."""
    marks = (first, second, third)
    said = f"两评 {_said(first)}、{_said(second)} 相差过大，第三评 {_said(third)}，{RULES.get(rule, '')}"
    if rule == CLOSEST:
        pair = min(combinations(marks, 2), key=lambda two: (abs(two[0] - two[1]), -sum(two)))
        return Joined(_mean(*pair), f"{said}（{_said(pair[0])}、{_said(pair[1])}）{_up(*pair)}")
    if rule == THIRD:
        return Joined(third, said)
    if rule == MEAN:
        return Joined(_mean(*marks), said + _up(*marks))
    if rule == MIDDLE:
        return Joined(sorted(marks)[1], said)
    raise ValueError(f"no rule {rule}")


def _mean(*marks: int) -> int:
    return -(-sum(marks) // len(marks))


def _up(*marks: int) -> str:
    return "（不足 0.5 分的部分进到 0.5 分）" if sum(marks) % len(marks) else ""


def _said(half_points: int) -> str:
    return f"{half_points / 2:g}"
