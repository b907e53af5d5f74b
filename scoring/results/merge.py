"""Merging the parts of one candidate into pass or fail (notice 五(三); domain.md 1.5, 3.4). Pure.

Every required part is out of 100 and must reach 60 by itself: no averaging, no compensation. Levels 5 to 3 need theory
and practical, levels 2 and 1 also the comprehensive review. Scores are half-points: 119 is 59.5 and fails.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from qbank.standards.rulepack import PASS_HALF_POINTS
from scoring.practical.joining import spoken_points
from scoring.review.joining import REVIEWED_LEVELS

THEORY, PRACTICAL, REVIEW = "理论知识", "操作技能", "综合评审"
PENDING = "尚无成绩"  # ends the sentence of a part that is still to come


@dataclass(frozen=True)
class Outcome:
    """``complete`` is False while a required part has neither a score nor a recorded absence; that never passes."""

    passed: bool
    reasons: tuple[str, ...]
    complete: bool = True


def required_parts(level: int) -> tuple[str, ...]:
    """The parts that ``level`` (5 to 1) is made of."""
    return (THEORY, PRACTICAL, REVIEW) if level in REVIEWED_LEVELS else (THEORY, PRACTICAL)


def merge(level: int, theory: int | None, practical: int | None, review: int | None = None, *,
          theory_void: bool = False, practical_vetoed: bool = False, absent: Collection[str] = ()) -> Outcome:
    """The outcome with a sentence for every required part, written for the candidate.

    Scores are half-points or None; ``absent`` names the parts (THEORY, PRACTICAL, REVIEW) that the candidate did not
    appear for. A review score at a level without review is ignored.
    """
    scores = {THEORY: theory, PRACTICAL: practical, REVIEW: review}
    reasons, passed, complete = [], True, True
    for part in required_parts(level):
        score = scores[part]
        if part == THEORY and theory_void:
            passed = False
            reasons.append(f"{part}成绩因违纪作无效处理")
        elif part in absent:
            passed = False
            reasons.append(f"{part}缺考")
        elif score is None:
            passed = complete = False
            reasons.append(f"{part}{PENDING}")
        elif part == PRACTICAL and practical_vetoed:
            passed = False
            reasons.append(f"{part} {spoken_points(score)} 分，但违反 ★ 关键技能要求，按一票否决判为不合格")
        else:
            reached = score >= PASS_HALF_POINTS
            passed = passed and reached
            reasons.append(f"{part} {spoken_points(score)} 分，{'合格' if reached else '未达到 60 分'}")
    return Outcome(passed, tuple(reasons), complete)
