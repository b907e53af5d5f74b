"""What a candidate's review goes through, and the time of the defence. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

MOST_ROUNDS = 2  # marks are given once, and once more after a discussion


class CaseState(enum.StrEnum):
    """waiting → defending ⇄ paused → scoring → done, or scoring → discussing → scoring (second round) → done."""

    WAITING = "waiting"
    DEFENDING = "defending"
    PAUSED = "paused"
    SCORING = "scoring"
    DISCUSSING = "discussing"
    DONE = "done"

    @property
    def chinese(self) -> str:
        return {"waiting": "待答辩", "defending": "答辩中", "paused": "答辩暂停", "scoring": "评分中", "discussing": "待合议",
                "done": "已合成"}[self.value]


MOVES: dict[CaseState, frozenset[CaseState]] = {
    CaseState.WAITING: frozenset({CaseState.DEFENDING}),
    # Back to waiting: a member left and a substitute has to hear the candidate.
    CaseState.DEFENDING: frozenset({CaseState.PAUSED, CaseState.SCORING, CaseState.WAITING}),
    CaseState.PAUSED: frozenset({CaseState.DEFENDING, CaseState.SCORING, CaseState.WAITING}),
    CaseState.SCORING: frozenset({CaseState.DISCUSSING, CaseState.DONE, CaseState.WAITING}),
    CaseState.DISCUSSING: frozenset({CaseState.SCORING}),
    CaseState.DONE: frozenset(),
}


@dataclass(frozen=True)
class Timer:
    """The time of one defence: seconds spent before the last start, and since when it runs (None: it stands)."""

    minutes: int
    spent: int
    running_since: datetime | None

    def used(self, now: datetime) -> int:
        """Whole seconds used at ``now``."""
        running = int((now - self.running_since).total_seconds()) if self.running_since else 0
        return self.spent + max(0, running)

    def left(self, now: datetime) -> int:
        """Whole seconds that are left; negative when the time is over."""
        return self.minutes * 60 - self.used(now)
