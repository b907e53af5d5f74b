"""Pass rates with Wilson's intervals, of everybody, of classes and of parts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qbank.statistics.intervals import wilson
from scoring.results.merge import Verdict

FEW = 10  # below this a rate says hardly anything


@dataclass(frozen=True)
class Line:
    """One candidate: ``scores`` part → half-points (None: none), ``vetoed`` the parts that a ★ row failed."""

    ticket: str
    name: str
    masked: str
    student: str
    class_name: str
    scores: Mapping[str, int | None]
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    vetoed: frozenset[str] = frozenset()
    label: str = ""  # what the rule pack calls the outcome; empty: the verdict's own word

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED

    @property
    def told(self) -> str:
        return self.label or self.verdict.chinese

    def reaches(self, part: str, least: int) -> bool:
        """Whether the part is passed."""
        score = self.scores.get(part)
        return score is not None and score >= least and part not in self.vetoed


@dataclass(frozen=True)
class Rate:
    """``passed`` of ``n``; ``low`` and ``high`` bound the share (None where nobody is counted)."""

    name: str
    n: int
    passed: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        return self.passed / self.n if self.n else None

    @property
    def few(self) -> bool:
        return self.n < FEW


def rate(name: str, passed: int, n: int, level: float = 0.95) -> Rate:
    """A share with Wilson's interval (1927), which stays inside 0 to 1 and means something at 0 and at 1."""
    if n == 0:
        return Rate(name, 0, 0, None, None)
    low, high = wilson(np.array([float(passed)]), np.array([float(n)]), level)
    return Rate(name, n, passed, max(0.0, float(low[0])), min(1.0, float(high[0])))


def overall(lines: Sequence[Line], name: str = "全体", level: float = 0.95) -> Rate:
    """Of all who enrolled: an absent candidate has not passed."""
    return rate(name, sum(line.passed for line in lines), len(lines), level)


def of_part(lines: Sequence[Line], part: str, least: int) -> Rate:
    """Of those who have a score in ``part``."""
    scored = [line for line in lines if line.scores.get(part) is not None]
    return rate(part, sum(line.reaches(part, least) for line in scored), len(scored))


def grouped(lines: Iterable[Line], key: Callable[[Line], str]) -> dict[str, list[Line]]:
    """By name, in the order of the names."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(key(line), []).append(line)
    return dict(sorted(found.items()))


def classes(lines: Sequence[Line]) -> dict[str, list[Line]]:
    return grouped(lines, lambda line: line.class_name or "未填班级")


def outlying(groups: Sequence[Rate], whole: Rate) -> tuple[list[Rate], list[Rate]]:
    """The groups that are lower and those that are higher than everybody together, beyond what chance explains: the whole's
    rate lies outside the group's interval, which is the wider the more groups are compared (Bonferroni)."""
    level = 1 - 0.05 / max(len(groups), 1)
    lower, higher = [], []
    for group in groups if whole.share is not None else ():
        wide = rate(group.name, group.passed, group.n, level)
        if wide.high is not None and wide.high < (whole.share or 0):
            lower.append(group)
        elif wide.low is not None and wide.low > (whole.share or 0):
            higher.append(group)
    return lower, higher
