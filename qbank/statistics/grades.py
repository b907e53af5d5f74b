"""How hard an item is, in the five grades that assembly counts: by its statistics where there are any, else by its author."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.statistics.models import ItemStatistic

AT_ONCE = 2000  # parameters of one IN (...)
SHARES: Mapping[int, float] = {1: 0.9, 2: 0.8, 3: 0.65, 4: 0.5, 5: 0.35}  # the share right that a grade stands for


def grade_of(share: float) -> int:
    """The grade whose share right is nearest: 1 (easy) to 5 (hard); the easier one half-way between two."""
    return min(SHARES, key=lambda grade: (round(abs(SHARES[grade] - share), 9), grade))


def measured_grades(session: Session, version_ids: Collection[int]) -> dict[int, int]:
    """Version → its grade by its current statistics, where there are any.

    Taken from the shrunk share right, so that a few answers move a grade little and many move it all the way.
    """
    wanted = list(version_ids)
    found: dict[int, int] = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = session.execute(sa.select(ItemStatistic.version_id, ItemStatistic.shrunk).where(
            ItemStatistic.version_id.in_(wanted[start:start + AT_ONCE]), ItemStatistic.current,
            ItemStatistic.shrunk.is_not(None)))
        found |= {version_id: grade_of(share) for version_id, share in rows if share is not None}
    return found
