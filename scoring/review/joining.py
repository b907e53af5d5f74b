"""Joining the marks of the review panel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qbank.standards.review_form import spoken_form
from qbank.standards.rounding import HALF_UP, MODES, rounded
from qbank.standards.rulepack import PASS_HALF_POINTS
from scoring.practical.joining import mean_of, spoken_mean, spoken_points

REVIEWED_LEVELS = frozenset({2, 1})  # 技师以上应进行综合评审 (notice, part 五(三)); a rule pack may ask it of more
Form = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class MemberMarks:
    """One panel member's signed marks in half-points, each row out of 100 points, in the order of the form."""

    name: str
    points: tuple[int, ...]

    def total(self, form: Form) -> Fraction:
        """The weighted total in half-points, exact."""
        return sum((Fraction(given * percent, 100) for given, (_, percent) in zip(self.points, form, strict=True)), Fraction(0))


@dataclass(frozen=True)
class JoinedReview:
    """``half_points`` is the exact mean on the grid of the rule pack; ``spread`` the highest total less the lowest."""

    half_points: int
    mean: Fraction
    spread: Fraction
    reasons: tuple[str, ...]


def join_panel(marks: Sequence[MemberMarks], form: Form, *, mode: int = HALF_UP,
               least: int = PASS_HALF_POINTS) -> JoinedReview:
    """The mean of the members' weighted totals. Rounding never lifts it over ``least``.

    Raises ValueError for no marks, a form that does not sum to 100, or marks that do not fit the form.
    """
    if sum(percent for _, percent in form) != 100:
        raise ValueError("the rows of the form must sum to 100")
    totals = [one.total(form) for one in marks]
    mean = mean_of(totals)
    shown = rounded(mean, mode, least)
    reasons = [f"{one.name} 评：{'，'.join(f'{name} {spoken_points(given)} 分' for given, (name, _) in zip(one.points, form, strict=True))}，"
               f"合 {spoken_mean(total)} 分" for one, total in zip(marks, totals, strict=True)]
    rounding = "" if mean == shown else f"（{MODES[mode]}{'，不进为合格' if mean < least and rounded(mean, mode, 0) >= least else ''}）"
    reasons.append(f"{spoken_form(form)}；{len(marks)} 名评审专家平均 {spoken_mean(mean)} 分，记 {spoken_points(shown)} 分{rounding}")
    return JoinedReview(shown, mean, max(totals) - min(totals), tuple(reasons))
