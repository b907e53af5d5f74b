"""A month as the office looks at it: working days, legal holidays, adjusted days (调休), and what falls on each. Pure.

A year that neither the calendar library nor the office's own table has is shown as unknown: weekends would be a guess.
"""

from __future__ import annotations

import calendar as months
import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import chinese_calendar

from examroom.plans.calendar import Tables, is_working_day, working_day_after, working_days_between
from qbank.kernel.refused import Refused

NAMES = {str(holiday.value): str(holiday.chinese) for holiday in chinese_calendar.Holiday}
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)


class DayKind(enum.StrEnum):
    """What a day is to those who work."""

    WORKING = "working"
    ADJUSTED = "adjusted"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    UNKNOWN = "unknown"

    @property
    def chinese(self) -> str:
        return {"working": "工作日", "adjusted": "调休上班", "weekend": "周末", "holiday": "放假", "unknown": "日历未录入"}[self.value]


class EventKind(enum.StrEnum):
    """What falls on a day, the most important first."""

    EXAM = "exam"
    DEADLINE = "deadline"
    NOTICE = "notice"
    EXPIRY = "expiry"

    @property
    def chinese(self) -> str:
        return {"exam": "考试", "deadline": "截止", "notice": "公示", "expiry": "到期"}[self.value]


@dataclass(frozen=True)
class Event:
    """Something on a day, and the page that shows it."""

    day: date
    kind: EventKind
    title: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    is_late: bool = False


@dataclass(frozen=True)
class Day:
    """One square of the month."""

    on: date
    kind: DayKind
    name: str  # of the holiday, where the library knows it
    in_month: bool
    events: tuple[Event, ...]


def day_kind(day: date, tables: Tables) -> tuple[DayKind, str]:
    """What ``day`` is, and the holiday's name for days off and for the weekends worked for it."""
    try:
        works = is_working_day(day, tables)
    except Refused:
        return DayKind.UNKNOWN, ""
    name = _name(day)
    if works:
        return (DayKind.ADJUSTED, name) if day.weekday() >= 5 else (DayKind.WORKING, "")
    return (DayKind.HOLIDAY, name) if day.weekday() < 5 or name else (DayKind.WEEKEND, "")


def _name(day: date) -> str:
    try:
        return NAMES.get(chinese_calendar.get_holiday_detail(day)[1] or "", "")
    except NotImplementedError:
        return ""


def span(first_of_month: date) -> tuple[date, date]:
    """The first Monday and the last Sunday that the page of a month shows."""
    last = first_of_month.replace(day=months.monthrange(first_of_month.year, first_of_month.month)[1])
    return (first_of_month - timedelta(days=first_of_month.weekday()), last + timedelta(days=6 - last.weekday()))


def weeks(first_of_month: date, events: Iterable[Event], tables: Tables) -> list[list[Day]]:
    """The weeks of a month from Monday to Sunday."""
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_day[event.day].append(event)
    order = list(EventKind)
    first, last = span(first_of_month)
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    squares = [Day(day, *day_kind(day, tables), (day.year, day.month) == (first_of_month.year, first_of_month.month),
                   tuple(sorted(by_day[day], key=lambda event: (order.index(event.kind), event.title)))) for day in days]
    return [squares[place:place + 7] for place in range(0, len(squares), 7)]


def working_days(squares: Iterable[Iterable[Day]]) -> int | None:
    """How many working days the month has; None when its year is unknown."""
    kinds = [day.kind for week in squares for day in week if day.in_month]
    return None if DayKind.UNKNOWN in kinds else sum(kind in (DayKind.WORKING, DayKind.ADJUSTED) for kind in kinds)


def earliest_start(today: date, needed: int, tables: Tables) -> date | None:
    """The first exam day that a plan handed in today may have: ``needed`` working days lie between. None: unknown."""
    try:
        return working_day_after(today, needed, tables) + timedelta(days=1)
    except Refused:
        return None


def left(due: date, today: date, tables: Tables) -> str:
    """How long there is still time, in working days; empty where the calendar does not know."""
    if due < today:
        return f"已逾期 {(today - due).days} 天"
    if due == today:
        return "今天"
    try:
        return f"还有 {working_days_between(today, due, tables) + is_working_day(due, tables)} 个工作日"
    except Refused:
        return ""


def month_asked(text: str, today: date) -> date:
    """``2026-11`` as the first day of that month; this month for anything else."""
    try:
        asked = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return asked if FIRST <= asked <= LAST else today.replace(day=1)


def beside(first_of_month: date, step: int) -> date | None:
    """The month before (-1) or after (1); None at the ends of what the page shows."""
    month = first_of_month.year * 12 + first_of_month.month - 1 + step
    found = date(month // 12, month % 12 + 1, 1)
    return found if FIRST <= found <= LAST else None
