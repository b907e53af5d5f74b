"""Time: stored in UTC, shown in Asia/Shanghai, always handed in as ``now``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

SHANGHAI = ZoneInfo("Asia/Shanghai")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of the doors; nothing below them calls it."""
    return datetime.now(UTC)


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


def from_form(text: str) -> datetime:
    """Read ``YYYY-MM-DDTHH:MM`` typed by somebody in China. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment).astimezone(UTC)
