"""What the rooms above tell the bank about its items, kept beside them for the list's filters."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemFigures

AT_ONCE = 2000  # parameters of one IN (...)


def note_use(session: Session, item_ids: Collection[int], *, now: datetime) -> None:
    """These items are in one more sealed paper."""
    wanted = sorted(set(item_ids))
    for start in range(0, len(wanted), AT_ONCE):
        chunk = wanted[start:start + AT_ONCE]
        known = {row.item_id: row for row in session.scalars(sa.select(ItemFigures).where(ItemFigures.item_id.in_(chunk)))}
        for item_id in chunk:
            row = known.get(item_id) or ItemFigures(item_id=item_id, uses=0, answered=0)
            row.uses, row.last_used_at = row.uses + 1, now
            session.add(row)
    session.flush()
