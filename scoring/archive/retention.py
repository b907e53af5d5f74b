"""The retention clock (保存期; notice 五(二): three years at least, a rule pack may ask for more). Pure."""

from __future__ import annotations

from datetime import date


def keep_until(packed: date, years: int) -> date:
    """The last day on which a pack of ``packed`` must be kept: the same day ``years`` later.

    29 February runs to 1 March where there is none: a pack is kept a day longer, never a day shorter.
    """
    try:
        return packed.replace(year=packed.year + years)
    except ValueError:
        return date(packed.year + years, 3, 1)


def is_over(until: date, today: date) -> bool:
    """Whether nothing must be kept any more: on the day after the last day."""
    return today > until


def remaining(until: date, today: date) -> str:
    """How long a pack must still be kept, in words."""
    days = (until - today).days
    if days < 0:
        return "保存期已满"
    years = max(0, until.year - today.year - ((until.month, until.day) < (today.month, today.day)))
    rest = (until - keep_until(today, years)).days
    return f"还需保存 {years} 年 {max(0, rest)} 天" if years else f"还需保存 {days} 天"
