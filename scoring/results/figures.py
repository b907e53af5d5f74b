"""The figures of a result list: counts, pass rate, score distribution. Pure but for the rows it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scoring.results.merge import PARTS, PRACTICAL, REVIEW, THEORY, Verdict
from scoring.results.models import Result

__all__ = ["BANDS", "PARTS", "Figures", "distribution", "figures", "score_of"]
# Label, lowest and highest score in half-points; the border of passing is a border of bands.
BANDS: tuple[tuple[str, int, int], ...] = (("0–39.5", 0, 79), ("40–49.5", 80, 99), ("50–59.5", 100, 119),
                                          ("60–69.5", 120, 139), ("70–79.5", 140, 159), ("80–89.5", 160, 179),
                                          ("90–100", 180, 200))


@dataclass(frozen=True)
class Figures:
    """How many candidates there are of each verdict. ``rate`` is the share of passes among all, 0 when there is none."""

    counts: Mapping[Verdict, int]

    def of(self, verdict: Verdict) -> int:
        return self.counts.get(verdict, 0)

    @property
    def candidates(self) -> int:
        return sum(self.counts.values())

    @property
    def passed(self) -> int:
        return self.of(Verdict.PASSED)

    @property
    def incomplete(self) -> int:
        return self.of(Verdict.INCOMPLETE)

    @property
    def rate(self) -> float:
        return self.passed / self.candidates if self.candidates else 0.0


def figures(results: Sequence[Result]) -> Figures:
    return Figures(Counter(result.verdict for result in results))


def score_of(result: Result, part: str) -> int | None:
    """The half-points of one part."""
    return {THEORY: result.theory, PRACTICAL: result.practical, REVIEW: result.review}[part]


def distribution(results: Sequence[Result], part: str) -> list[int]:
    """How many scores of ``part`` fall in each band; candidates without a score are in none."""
    scores = [score for result in results if (score := score_of(result, part)) is not None]
    return [sum(low <= score <= high for score in scores) for _, low, high in BANDS]
