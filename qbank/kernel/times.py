"""Time: stored in UTC, shown in Asia/Shanghai, always handed in as ``now``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as datetime_time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

SHANGHAI = ZoneInfo("Asia/Shanghai")
Clock = Callable[[], datetime]
LOG = logging.getLogger(__name__)
MOVED_SECONDS = 2.0
SAY_SECONDS = 60.0


def _counter() -> float:
    """Seconds that pass whatever is done to the clock; on Linux also those in which the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def utc_now() -> datetime:
    """The clock of the doors; nothing below them calls it."""
    return datetime.now(UTC)


class SteadyClock:
    """Time that nobody can move: the wall clock read once, and since then a counter that only runs.

    A server whose machine's clock is set in the middle of an exam neither closes it nor gives time away. It says so, and
    takes the new time when it is started again.
    """

    def __init__(self, wall: Clock = utc_now, counter: Callable[[], float] = _counter) -> None:
        self._wall, self._counter = wall, counter
        self._began, self._count = wall(), counter()
        self._said = -SAY_SECONDS

    def __call__(self) -> datetime:
        passed = self._counter() - self._count
        moment = self._began + timedelta(seconds=passed)
        moved = (self._wall() - moment).total_seconds()
        if abs(moved) > MOVED_SECONDS and passed - self._said >= SAY_SECONDS:
            self._said = passed
            LOG.warning("this machine's clock was moved by %.0f s; the server keeps its own time until it is started again", moved)
        return moment


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored as UTC without offset so that both databases compare it alike."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def local(moment: datetime) -> datetime:
    """``moment`` on the clocks of China."""
    return moment.astimezone(SHANGHAI)


def local_date(moment: datetime) -> date:
    """The calendar day in China at ``moment``."""
    return local(moment).date()


def spoken(moment: datetime | date | None, *, seconds: bool = False) -> str:
    """``2026年11月22日 09:00`` as the offices write it; an empty string for None."""
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        there = local(moment)
        clock = f"{there:%H:%M:%S}" if seconds else f"{there:%H:%M}"
        return f"{there.year}年{there.month}月{there.day}日 {clock}"
    return f"{moment.year}年{moment.month}月{moment.day}日"


def to_form(moment: datetime) -> str:
    """What a field of a form shows for ``moment``, as :func:`from_form` reads it."""
    return f"{local(moment):%Y-%m-%dT%H:%M}"


def from_form(text: str) -> datetime:
    """Read ``YYYY-MM-DDTHH:MM`` typed by somebody in China. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last minute of ``day`` in China: until when something is to be done that is due on that day."""
    return datetime.combine(day, datetime_time(23, 59), SHANGHAI)
