"""What waits for a panel member."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.todo import Todo
from scoring.review.overview import own_panels


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Panels in which this member has not signed for every candidate."""
    return [Todo("评审并签字：综合评审", "review.panel", {"panel_id": own.member.panel_id},
                 f"{own.member.panel.plan.title}：还有 {own.left} 名考生没有签字（共 {own.candidates} 名）",
                 own.member.panel.starts_at)
            for own in own_panels(session, viewer) if own.left > 0]
