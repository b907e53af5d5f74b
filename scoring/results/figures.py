"""The figures of a result list: counts, pass rate, score distribution. Pure but for the rows it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.results.merge import PRACTICAL, REVIEW, THEORY
from scoring.results.models import Result

PARTS = (THEORY, PRACTICAL, REVIEW)
# Label, lowest and highest score in half-points; the border of passing is a border of bands.
BANDS: tuple[tuple[str, int, int], ...] = (("0–39.5", 0, 79), ("40–49.5", 80, 99), ("50–59.5", 100, 119),
                                          ("60–69.5", 120, 139), ("70–79.5", 140, 159), ("80–89.5", 160, 179),
                                          ("90–100", 180, 200))


@dataclass(frozen=True)
class Figures:
    """``rate`` is the share of passes among all candidates, 0 when there is none; ``incomplete`` lack a part."""

    candidates: int
    passed: int
    rate: float
    incomplete: int

    @property
    def failed(self) -> int:
        return self.candidates - self.passed - self.incomplete


def figures(results: Sequence[Result]) -> Figures:
    passed = sum(result.passed for result in results)
    return Figures(len(results), passed, passed / len(results) if results else 0.0,
                   sum(not result.is_complete for result in results))


def score_of(result: Result, part: str) -> int | None:
    """The half-points of one part."""
    return {THEORY: result.theory, PRACTICAL: result.practical, REVIEW: result.review}[part]


def distribution(results: Sequence[Result], part: str) -> list[int]:
    """How many scores of ``part`` fall in each band; candidates without a score are in none."""
    scores = [score for result in results if (score := score_of(result, part)) is not None]
    return [sum(low <= score <= high for score in scores) for _, low, high in BANDS]
