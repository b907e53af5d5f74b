"""Questions that may hang (a database behind a dead network), asked so that whoever wants the answer never does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
LOG = logging.getLogger(__name__)
FRESH_SECONDS = 1.0  # an answer is good for so long: nobody can make us ask more often
PATIENCE_SECONDS = 3.0
GIVEN_UP_SECONDS = 10.0  # then the question is asked anew beside the one that hangs


class _Asking(Generic[T]):
    """One question on its way."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self.answer: T | None = None
        self.answered = threading.Event()
        self.asked_at = time.monotonic()
        threading.Thread(target=self._run, name="bounded", daemon=True).start()

    def _run(self) -> None:
        try:
            self.answer = self._ask()
        except Exception as error:
            LOG.warning("no answer: %s", type(error).__name__)
        finally:
            self.answered.set()

    def is_spent(self) -> bool:
        age = time.monotonic() - self.asked_at
        return age > (FRESH_SECONDS if self.answered.is_set() else GIVEN_UP_SECONDS)


class Bounded(Generic[T]):
    """``ask``, at most once at a time and once a second; None when it failed or took too long."""

    def __init__(self, ask: Callable[[], T], patience: float = PATIENCE_SECONDS) -> None:
        self._ask, self._patience = ask, patience
        self._lock = threading.Lock()
        self._held: _Asking[T] | None = None

    def __call__(self) -> T | None:
        with self._lock:
            if self._held is None or self._held.is_spent():
                self._held = _Asking(self._ask)
            held = self._held
        return held.answer if held.answered.wait(self._patience) else None
