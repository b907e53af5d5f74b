"""Joining the marks of several assessors, and of several modules, into one score. Pure.

Everything is exact: fractions of half-points, never floats. Only the sum over all modules is rounded, as the rule pack
says, and never over the least that passes: a mean of 59.83 is 59.5 and fails, it is never lifted to 60.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qbank.standards.rounding import HALF_UP, MODES, rounded
from qbank.standards.rulepack import FULL_HALF_POINTS, PASS_HALF_POINTS, RulePack


@dataclass(frozen=True)
class AssessorMarks:
    """One assessor's signed sheet: the total in half-points, and for every ★ row (in order) whether it was violated."""

    name: str
    total: int
    violated: tuple[bool, ...] = ()


@dataclass(frozen=True)
class JoinRules:
    """How totals become a score: from how many marks on the highest and the lowest are left out (0: never), how far apart
    totals out of 200 half-points may lie, the rounding mode, and the least that passes."""

    trim_from: int = 5
    spread: int = 20
    rounding: int = HALF_UP
    least: int = PASS_HALF_POINTS

    @classmethod
    def of(cls, pack: RulePack) -> JoinRules:
        return cls(pack.practical_trim_from, pack.practical_spread_half_points, pack.rounding, 2 * pack.practical_least)


@dataclass(frozen=True)
class ModuleMarks:
    """The signed sheets of one module (or of the whole part, ``name`` empty); ``veto_rows`` are the texts of its ★ rows;
    ``chief``, where the chief assessor marked, decides alone."""

    sheets: tuple[AssessorMarks, ...]
    veto_rows: tuple[str, ...] = ()
    name: str = ""
    chief: AssessorMarks | None = None
    chief_reason: str = ""


@dataclass(frozen=True)
class Joined:
    """``exact`` is the sum of the modules' means, ``half_points`` what it is rounded to. ``passed`` follows ``exact``."""

    half_points: int
    exact: Fraction
    vetoed: bool
    reasons: tuple[str, ...]
    least: int = PASS_HALF_POINTS

    @property
    def passed(self) -> bool:
        return self.half_points >= self.least and not self.vetoed


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


def trimmed(totals: Sequence[int], trim_from: int) -> Sequence[int]:
    """What counts: without one highest and one lowest where there are ``trim_from`` or more (and at least three)."""
    if trim_from and len(totals) >= max(trim_from, 3):
        return sorted(totals)[1:-1]
    return totals


def spread_of(totals: Sequence[int]) -> int:
    """Half-points between the highest and the lowest."""
    return max(totals) - min(totals)


def too_far(totals: Sequence[int], most: int, rules: JoinRules) -> bool:
    """Whether totals out of ``most`` lie further apart than the rule pack allows for 200."""
    return spread_of(totals) * FULL_HALF_POINTS > rules.spread * most


def join_marks(sheets: Sequence[AssessorMarks], veto_rows: Sequence[str] = (), rules: JoinRules = JoinRules()) -> Joined:  # frozen
    """Join the signed sheets of one candidate who was marked with one rubric; see :func:`join_modules`."""
    return join_modules([ModuleMarks(tuple(sheets), tuple(veto_rows))], rules)


def join_modules(modules: Sequence[ModuleMarks], rules: JoinRules = JoinRules()) -> Joined:  # frozen
    """The sum of the modules' means, rounded once.

    A ★ row recorded as violated by at least half of the assessors (by the chief, where he marked) fails the part; a
    divided verdict is named. Raises ValueError when a sheet does not answer every ★ row.
    """
    exact, vetoed, reasons = Fraction(0), False, []
    for module in modules:
        mean, sentences = _mean_of_module(module, rules)
        verdicts = [_verdict(text, [(sheet.name, sheet.violated[place]) for sheet in _judging(module)])
                    for place, text in enumerate(module.veto_rows)]
        head = f"{module.name}：" if module.name else ""
        reasons += [head + sentence for sentence in (*sentences, *(said for said, _ in verdicts if said))]
        exact, vetoed = exact + mean, vetoed or any(fails for _, fails in verdicts)
    shown = rounded(exact, rules.rounding, rules.least)
    rounding = "" if exact == shown else f"（{MODES[rules.rounding]}{'，不进为合格' if shown < exact < rules.least else ''}）"
    means = f"合计 {spoken_mean(exact)} 分，" if len(modules) > 1 or rounding else ""
    reasons.append(f"{means}记 {spoken_points(shown)} 分{rounding}")
    return Joined(shown, exact, vetoed, tuple(reasons), rules.least)


def _judging(module: ModuleMarks) -> Sequence[AssessorMarks]:
    return (module.chief,) if module.chief else module.sheets


def _mean_of_module(module: ModuleMarks, rules: JoinRules) -> tuple[Fraction, list[str]]:
    if any(len(sheet.violated) != len(module.veto_rows) for sheet in (*module.sheets, *_judging(module))):
        raise ValueError("a sheet does not answer every veto row")
    totals = [sheet.total for sheet in module.sheets]
    counted = trimmed(totals, rules.trim_from)
    mean = mean_of(counted)
    reasons = [f"{sheet.name} 评 {spoken_points(sheet.total)} 分" for sheet in module.sheets]
    if module.chief is not None:
        why = f"：{module.chief_reason}" if module.chief_reason else ""
        reasons.append(f"{len(totals)} 名考评员最多相差 {spoken_points(spread_of(totals))} 分，超过规定，由考评组长 {module.chief.name} "
                       f"评定 {spoken_points(module.chief.total)} 分{why}")
        return Fraction(module.chief.total), reasons
    left_out = "" if len(counted) == len(totals) else "去掉最高分和最低分，"
    return mean, [*reasons, f"{left_out}{len(counted)} 名考评员平均 {spoken_mean(mean)} 分"]


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
