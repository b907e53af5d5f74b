"""Joining the marks of several assessors into one score (domain.md 3.4: the mean). Pure.

The mean is exact: a fraction of half-points, never a float. It is shown rounded DOWN to the half-point, so the shown
score passes exactly when the mean itself does: a mean of 59.83 is 59.5 and fails, it is never lifted to 60.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qbank.standards.rulepack import PASS_HALF_POINTS


@dataclass(frozen=True)
class AssessorMarks:
    """One assessor's signed sheet: the total in half-points, and for every ★ row (in order) whether it was violated."""

    name: str
    total: int
    violated: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Joined:
    """``half_points`` is the mean rounded down. The part is passed when the mean reaches 60 and nothing vetoed it."""

    half_points: int
    mean: Fraction
    vetoed: bool
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.mean >= PASS_HALF_POINTS and not self.vetoed


def spoken_points(half_points: int) -> str:
    """``119`` → ``59.5``."""
    return f"{half_points // 2}.{half_points % 2 * 5}"


def spoken_mean(mean: Fraction) -> str:
    """A mean of half-points in points with two decimals, cut off and not rounded: 59.996 must not read 60.00."""
    hundredths = mean * 50 // 1
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def mean_of(totals: Sequence[Fraction | int]) -> Fraction:
    """The exact mean. Raises ValueError for an empty sequence."""
    if not totals:
        raise ValueError("no marks to join")
    return sum((Fraction(total) for total in totals), Fraction(0)) / len(totals)


def join_marks(sheets: Sequence[AssessorMarks], veto_rows: Sequence[str] = ()) -> Joined:
    """Join the signed sheets of one candidate; ``veto_rows`` are the texts of the ★ rows.

    A ★ row recorded as violated by at least half of the assessors fails the part; a divided verdict is named.
    Raises ValueError when a sheet does not answer every ★ row.
    """
    if any(len(sheet.violated) != len(veto_rows) for sheet in sheets):
        raise ValueError("a sheet does not answer every veto row")
    mean = mean_of([sheet.total for sheet in sheets])
    shown = int(mean // 1)
    reasons = [f"{sheet.name} 评 {spoken_points(sheet.total)} 分" for sheet in sheets]
    rounding = "" if mean == shown else "（向下取到 0.5 分）"
    reasons.append(f"{len(sheets)} 名考评员平均 {spoken_mean(mean)} 分，记 {spoken_points(shown)} 分{rounding}")
    vetoed = False
    for index, text in enumerate(veto_rows):
        sentence, fails = _verdict(text, [(sheet.name, sheet.violated[index]) for sheet in sheets])
        vetoed = vetoed or fails
        if sentence:
            reasons.append(sentence)
    return Joined(shown, mean, vetoed, tuple(reasons))


def _verdict(text: str, verdicts: Sequence[tuple[str, bool]]) -> tuple[str, bool]:
    """What is to be said of one ★ row (empty when nobody saw a violation) and whether it fails the part."""
    against = [name for name, violated in verdicts if violated]
    if not against:
        return "", False
    fails = 2 * len(against) >= len(verdicts)
    end = "操作技能判为不合格" if fails else "未达半数，不作否决"
    if len(against) == len(verdicts):
        return f"★“{text}”：{len(verdicts)} 名考评员均判违反，{end}", fails
    others = "、".join(name for name, violated in verdicts if not violated)
    return f"★“{text}”判定不一致：{'、'.join(against)}判违反，{others}判未违反；{end}", fails
