"""What waits in the bank for a person."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import waiting_for
from qbank.items.models import ItemState, ItemVersion
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Items returned to this author, items that wait for this reviewer."""
    found = []
    if viewer.has(Role.ITEM_AUTHOR):
        returned = visible(ItemVersion, viewer).where(ItemVersion.state == ItemState.RETURNED,
                                                      ItemVersion.author_id == viewer.account_id)
        if count := _count(session, returned):
            found.append(Todo(f"修改被退回的试题（{count} 道）", "items.index", {"state": "returned", "mine": "1"},
                              "审题员写明了意见，修改后重新提交审核"))
    if viewer.has(Role.ITEM_REVIEWER) and (count := _count(session, waiting_for(viewer))):
        found.append(Todo(f"审核试题（{count} 道）", "items.review", detail="从提交最早的一道开始"))
    return found


def _count(session: Session, query: sa.Select[ItemVersion]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())) or 0
