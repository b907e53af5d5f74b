"""Joining the marks of the review panel. Pure. The rounding rule is that of :mod:`scoring.practical.joining`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scoring.practical.joining import mean_of, spoken_mean, spoken_points

REVIEWED_LEVELS = frozenset({2, 1})  # 技师以上应进行综合评审 (notice, part 五(三))


@dataclass(frozen=True)
class MemberMarks:
    """One panel member's signed marks in half-points, each out of 100 points."""

    name: str
    thesis: int
    defence: int

    def total(self, thesis_percent: int) -> Fraction:
        """The weighted total in half-points, exact."""
        return Fraction(self.thesis * thesis_percent + self.defence * (100 - thesis_percent), 100)


@dataclass(frozen=True)
class JoinedReview:
    """``half_points`` is the mean rounded down."""

    half_points: int
    mean: Fraction
    reasons: tuple[str, ...]


def join_panel(marks: Sequence[MemberMarks], *, thesis_percent: int) -> JoinedReview:
    """The mean of the members' weighted totals. Raises ValueError for no marks or a weight outside 0..100."""
    if not 0 <= thesis_percent <= 100:
        raise ValueError("thesis_percent must be within 0..100")
    totals = [one.total(thesis_percent) for one in marks]
    mean = mean_of(totals)
    shown = int(mean // 1)
    reasons = [f"{one.name} 评：书面材料 {spoken_points(one.thesis)} 分，答辩 {spoken_points(one.defence)} 分，"
               f"合 {spoken_mean(total)} 分" for one, total in zip(marks, totals, strict=True)]
    rounding = "" if mean == shown else "（向下取到 0.5 分）"
    reasons.append(f"书面材料占 {thesis_percent}%、答辩占 {100 - thesis_percent}%，{len(marks)} 名评审专家平均 "
                   f"{spoken_mean(mean)} 分，记 {spoken_points(shown)} 分{rounding}")
    return JoinedReview(shown, mean, tuple(reasons))
