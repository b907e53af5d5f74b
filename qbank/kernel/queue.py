"""How a waiting job finds a worker. The row in ``jobs`` is the message: what was committed is never lost on the way.

Without a setting every worker of every host looks into that table, on SQLite and PostgreSQL alike. With
``EXAMROOM_QUEUE_URL=redis://…`` Redis tells them at once, and what it forgets is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import sqlalchemy as sa
from huey import Huey, MemoryHuey
from huey.storage import MemoryStorage

from qbank.kernel.settings import Settings

LOG = logging.getLogger(__name__)
NAME = "examroom"


class TableOfJobs(MemoryStorage):  # type: ignore[misc]  # Huey has no types
    """Huey's storage: its messages are the waiting rows, so nothing is put in, and a row is read until somebody has claimed it."""

    def __init__(self, name: str, oldest: Callable[[], bytes | None]) -> None:
        super().__init__(name)
        self._oldest = oldest
        self._silent = False

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """The row is there already."""

    def dequeue(self) -> bytes | None:
        try:
            found = self._oldest()
        except sa.exc.OperationalError as error:
            if not self._silent:
                LOG.warning("the table of jobs does not answer: %s", type(error.orig).__name__)
            self._silent = True
            return None
        self._silent = False
        return found


def of(settings: Settings, oldest: Callable[[], bytes | None]) -> Huey:
    """The queue that the settings choose; ``oldest`` gives the message of the job that has waited longest."""
    if settings.jobs_inline:
        return MemoryHuey(NAME, immediate=True)
    if not settings.queue_url:
        return Huey(NAME, results=False, storage_class=TableOfJobs, oldest=oldest)
    try:
        from huey import RedisHuey

        return RedisHuey(NAME, results=False, url=settings.queue_url)
    except (ImportError, TypeError) as error:  # Huey without the package redis
        raise RuntimeError("EXAMROOM_QUEUE_URL names Redis, but its package is missing: pip install 'examroom[redis]'") from error
