"""What waits for an assessor."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.todo import Todo
from scoring.practical.overview import own_groups


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Groups in which this assessor has not signed for every candidate."""
    return [Todo("评分并签字：操作技能考核", "practical.group", {"group_id": own.group.id},
                 f"{own.group.plan.title} {own.group.name}：还有 {own.left} 名考生没有签字（共 {own.candidates} 名）",
                 own.group.starts_at)
            for own in own_groups(session, viewer) if own.left > 0]
