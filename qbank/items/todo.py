"""What waits in the bank for a person."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy.orm import Session

from qbank.items import worklists
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import SHANGHAI, local_date
from qbank.kernel.todo import Todo


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Items returned to this author and comments that want a reply, items that wait for this reviewer."""
    found = []
    if viewer.has(Role.ITEM_AUTHOR):
        count, replies = (worklists.count(session, worklists.returned(viewer)),
                          worklists.count(session, worklists.replies_wanted(viewer)))
        if count:
            wanted = f"；{replies} 条意见还没有回复" if replies else ""
            found.append(Todo(f"修改被退回的试题（{count} 道）", "items.desk", detail=f"审题员写明了意见，修改后重新提交审核{wanted}"))
        elif replies:
            found.append(Todo(f"回复审题意见（{replies} 条）", "items.desk", detail="审题员再审时会看到您的回复"))
        if count := worklists.count(session, worklists.disputed(viewer)):
            found.append(Todo(f"核对答案（{count} 道）", "items.desk", detail="有审题员盲答的结果与您的答案不一致"))
    if viewer.has(Role.ITEM_REVIEWER):
        load = worklists.load_of(session, viewer, local_date(now))
        if load.count:
            detail = f"其中 {load.overdue} 道已超过审题期限" if load.overdue else "从期限最早的一道开始"
            found.append(Todo(f"审核试题（{load.count} 道）", "items.review", detail=detail, due=_end_of(load.first_due)))
    return found


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time(23, 59), SHANGHAI) if day else None
