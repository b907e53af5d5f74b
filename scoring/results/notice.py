"""The days of the public notice (公示; notice 四(二): not less than seven days; domain.md 3.1). Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from qbank.kernel.times import SHANGHAI, local_date


def notice_end(posted: datetime, days: int) -> datetime:
    """The first moment after the last day of the notice.

    Calendar days in China, counted from the day after posting: posted on 1 June for 7 days it runs through 8 June and
    ends at 9 June 00:00.
    """
    return datetime.combine(local_date(posted) + timedelta(days=days + 1), time(), SHANGHAI)


def last_day(ends_at: datetime) -> date:
    """The last calendar day in China on which the notice stands."""
    return local_date(ends_at - timedelta(microseconds=1))
