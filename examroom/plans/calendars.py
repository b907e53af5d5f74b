"""The office's own working-day tables, for years that the calendar library lacks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import calendar
from examroom.plans.calendar import YearTable
from examroom.plans.models import WorkingCalendar
from qbank.kernel.access import Role, Viewer
from qbank.kernel.doctor import EXAMINED
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date

OFFICES_ABOVE = (Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.ADMINISTRATOR)


def tables(session: Session) -> dict[int, YearTable]:
    """All stored tables by year."""
    return {stored.year: YearTable(stored.year, _days(stored.holidays), _days(stored.workdays))
            for stored in session.scalars(sa.select(WorkingCalendar))}


def store_year(session: Session, year: int, holidays: Iterable[date], workdays: Iterable[date], source: str,
               who: Viewer) -> WorkingCalendar:
    """Store the table of one year. A school enters a year that is missing; only the offices change one that is there."""
    off, at_work = set(holidays), set(workdays)
    if calendar.knows(year):
        raise Refused("calendar_known", f"系统已内置 {year} 年的工作日历，不需要录入。")
    _check(year, off, at_work, source)
    stored = session.scalar(sa.select(WorkingCalendar).where(WorkingCalendar.year == year))
    if stored is None:
        stored = WorkingCalendar(year=year)
        session.add(stored)
    elif not who.has(*OFFICES_ABOVE):
        raise Refused("calendar_stored", f"{year} 年的工作日历已经录入。需要更正时，请联系市或省鉴定中心。")
    stored.holidays = sorted(day.isoformat() for day in off if day.weekday() < 5)
    stored.workdays = sorted(day.isoformat() for day in at_work)
    stored.source = source.strip()
    session.flush()
    return stored


def _check(year: int, off: set[date], at_work: set[date], source: str) -> None:
    if not 2000 <= year <= 2100:
        raise Refused("year", "年份应在 2000 到 2100 之间。")
    if any(day.year != year for day in off | at_work):
        raise Refused("not_in_year", f"放假和调休日期都应在 {year} 年内。")
    if not any(day.weekday() < 5 for day in off):
        raise Refused("no_holidays", f"{year} 年没有任何工作日放假，表不完整。请按国务院办公厅通知录入全部放假日期。")
    if wrong := sorted(day for day in at_work if day.weekday() < 5):
        raise Refused("workday_on_weekday", f"调休上班日期应为周六或周日，{wrong[0]} 不是，请核对。")
    if both := sorted(off & at_work):
        raise Refused("both", f"{both[0]} 同时出现在放假和调休上班中，请核对。")
    if not source.strip():
        raise Refused("source_missing", "请填写依据，例如通知名称和文号。")


def _days(texts: Iterable[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


def _examine(session: Session) -> Finding:
    """This year's working days must be known; next year's are published in November and needed by the first plan of January."""
    year, held = local_date(session.info["clock"]()).year, tables(session)
    missing = [one for one in (year, year + 1) if not calendar.knows(one) and one not in held]
    remedy = "；".join(f"在“考务方案 → 工作日历”（/plans/calendars）录入国务院办公厅公布的 {one} 年放假和调休安排" for one in missing)
    return Finding("calendar", year not in missing, "、".join(f"缺 {one} 年" for one in missing) or f"{year}、{year + 1} 年都有",
                   remedy, advice=remedy)


EXAMINED.append(_examine)
