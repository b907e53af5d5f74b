"""How often one may ask: a bucket of turns for each token or address that fills up again with time. Pure, in memory.

Each process counts for itself, so N processes let a token have up to N times its rate: the limits keep a machine from being worn
out and tokens from being guessed, which that changes little, and a shared count would make a write of every read.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

MOST_KEYS = 10_000


@dataclass(frozen=True)
class Rate:
    """``burst`` at once, and ``per_minute`` over time."""

    per_minute: int
    burst: int


TOKEN = Rate(per_minute=120, burst=60)
ANYONE = Rate(per_minute=60, burst=30)
WRONG_TOKENS = Rate(per_minute=10, burst=10)


class Buckets:
    """The turns that are left, by key."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}  # turns left, at which second
        self._lock = threading.Lock()

    def take(self, key: str, rate: Rate, second: float) -> int:
        """Take a turn: 0, or the seconds to wait when there is none."""
        with self._lock:
            left = self._fill(key, rate, second)
            if left < 1:
                self._left[key] = (left, second)
                return math.ceil((1 - left) * 60 / rate.per_minute)
            self._left[key] = (left - 1, second)
            return 0

    def empty(self, key: str, rate: Rate, second: float) -> bool:
        """Whether no turn is left, without taking one."""
        with self._lock:
            return self._fill(key, rate, second) < 1

    def _fill(self, key: str, rate: Rate, second: float) -> float:
        if len(self._left) >= MOST_KEYS and key not in self._left:
            self._forget(second)
        left, then = self._left.get(key, (float(rate.burst), second))
        return min(float(rate.burst), left + max(0.0, second - then) * rate.per_minute / 60)

    def _forget(self, second: float) -> None:
        """Who has not asked for two minutes has a full bucket again; then the oldest, should that not be enough."""
        kept = {key: held for key, held in self._left.items() if second - held[1] < 120}
        newest = sorted(kept, key=lambda key: kept[key][1])[-MOST_KEYS // 2:]
        self._left = {key: kept[key] for key in newest}
