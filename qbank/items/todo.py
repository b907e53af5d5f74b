"""What waits in the bank for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.items import worklists
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import end_of_day, local_date
from qbank.kernel.todo import Todo

CLAUSE = "五（一）"  # 题库建设及试题开发


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Items returned to this author and comments that want a reply, items that wait for this reviewer."""
    found = []
    if viewer.has(Role.ITEM_AUTHOR):
        count, replies = (worklists.count(session, worklists.returned(viewer)),
                          worklists.count(session, worklists.replies_wanted(viewer)))
        if count:
            wanted = f"；{replies} 条意见还没有回复" if replies else ""
            found.append(Todo(f"修改被退回的试题（{count} 道）", "items.desk", detail=f"审题员写明了意见，修改后重新提交审核{wanted}",
                              clause=CLAUSE))
        elif replies:
            found.append(Todo(f"回复审题意见（{replies} 条）", "items.desk", detail="审题员再审时会看到您的回复", clause=CLAUSE))
        if count := worklists.count(session, worklists.disputed(viewer)):
            found.append(Todo(f"核对答案（{count} 道）", "items.desk", detail="有审题员盲答的结果与您的答案不一致", clause=CLAUSE))
        if count := worklists.count(session, worklists.submitted(viewer)):
            found.append(Todo(f"您的试题正在审核（{count} 道）", "items.index", {"state": "submitted", "mine": "1"},
                              "审题员逐道作答、评议，通过后入库", clause=CLAUSE, waits_for="审题员"))
    if viewer.has(Role.ITEM_REVIEWER):
        load = worklists.load_of(session, viewer, local_date(now))
        if load.count:
            detail = f"其中 {load.overdue} 道已超过审题期限" if load.overdue else "从期限最早的一道开始"
            found.append(Todo(f"审核试题（{load.count} 道）", "items.review", detail=detail,
                              due=end_of_day(load.first_due) if load.first_due else None, clause=CLAUSE))
    return found
