"""准考证号: 14 digits. Pure.

======== ======= =====================================================
digits   length  meaning
======== ======= =====================================================
1-2      2       year of the first exam day, last two digits
3-7      5       the plan
8        1       level, 5 (五级/初级工) to 1 (一级/高级技师)
9-14     6       serial within the plan, from 000001, never used twice
======== ======= =====================================================
"""

from __future__ import annotations

LAST_PLAN = 99_999
LAST_SERIAL = 999_999


def ticket_number(year: int, plan_id: int, level: int, serial: int) -> str:
    """Unique while plan and serial fit their digits. Raises ValueError when one does not."""
    if not (0 < plan_id <= LAST_PLAN and 0 < serial <= LAST_SERIAL and 1 <= level <= 5):
        raise ValueError(f"no ticket number for plan {plan_id}, level {level}, serial {serial}")
    return f"{year % 100:02d}{plan_id:05d}{level}{serial:06d}"
