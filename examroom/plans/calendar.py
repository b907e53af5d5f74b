"""Working days in China. Pure.

The days come from ``chinese_calendar``; it raises for a year it lacks, and weekends alone would be wrong (调休). For such
a year the office's own table is used, and without one nothing is guessed: the rule refuses and asks for the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

from qbank.kernel.refused import Refused

ONE_DAY = timedelta(days=1)
AS_WRITTEN = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:[（(][^）)]*[）)])?", re.ASCII)


@dataclass(frozen=True)
class YearTable:
    """The office's table of one year: weekdays off work, and weekend days at work (调休)."""

    year: int
    holidays: frozenset[date]
    workdays: frozenset[date]

    def is_working_day(self, day: date) -> bool:
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)


Tables = Mapping[int, YearTable]


def knows(year: int) -> bool:
    """Whether the library has this year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date, tables: Tables) -> bool:
    """Refuses with ``calendar_missing`` for a year that neither the library nor the office has."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        if day.year in tables:
            return tables[day.year].is_working_day(day)
    raise Refused("calendar_missing", f"系统还没有 {day.year} 年的工作日历，不能推算工作日。"
                                      f"请先在“工作日历”中录入国务院办公厅公布的 {day.year} 年放假和调休安排。")


def working_days_between(first: date, last: date, tables: Tables) -> int:
    """Working days strictly between two days: neither ``first`` nor ``last`` counts."""
    count, day = 0, first + ONE_DAY
    while day < last:
        count += is_working_day(day, tables)
        day += ONE_DAY
    return count


def latest_submission(starts_on: date, needed: int, tables: Tables) -> date:
    """The last day to submit so that ``needed`` working days lie strictly between it and ``starts_on``."""
    count, day = 0, starts_on
    while count < needed:
        day -= ONE_DAY
        count += is_working_day(day, tables)
    return day - ONE_DAY


def working_day_after(day: date, count: int, tables: Tables) -> date:
    """The ``count``-th working day after ``day``, which itself does not count."""
    found = 0
    while found < count:
        day += ONE_DAY
        found += is_working_day(day, tables)
    return day


def _day(text: str, year: int, month: int = 0) -> date:
    """``2027-02-05``, or as the notices write it: ``2月5日（周五）``; year and month from before when left out."""
    written = AS_WRITTEN.fullmatch(text)
    if written is None:
        return date.fromisoformat(text)
    return date(int(written[1] or year), int(written[2] or month), int(written[3]))


def read_days(text: str, year: int, what: str) -> frozenset[date]:
    """Days from what an officer typed: one a line or parted by commas, a span as ``2027-02-05至2027-02-11``.

    Refuses what cannot be read and days of another year, naming ``what``.
    """
    days: set[date] = set()
    for piece in text.replace("，", "\n").replace(",", "\n").replace("、", "\n").split("\n"):
        if not (cleaned := piece.strip()):
            continue
        ends = [end.strip() for end in cleaned.split("至")]
        try:
            first = _day(ends[0], year)
            last = _day(ends[-1], first.year, first.month)
        except ValueError:
            raise Refused("not_a_day", f"“{what}”中的“{cleaned}”不是日期。请写成 {year}-01-01 或 1月1日，"
                                       f"连续几天写成 {year}-02-05至{year}-02-11 或 2月5日至11日。") from None
        if len(ends) > 2 or first > last or {first.year, last.year} != {year}:
            raise Refused("not_in_year", f"“{what}”中的“{cleaned}”不在 {year} 年内，或起止颠倒。")
        days.update(first + ONE_DAY * step for step in range((last - first).days + 1))
    return frozenset(days)
