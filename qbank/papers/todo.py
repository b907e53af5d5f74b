"""What waits for a composer."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from qbank.papers.models import Paper, PaperState

MOST = 5  # more drafts than this are one line


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Draft papers of this composer that wait to be checked and sealed, or given up."""
    if not viewer.has(Role.PAPER_COMPOSER):
        return []
    drafts = visible(Paper, viewer).where(Paper.state == PaperState.DRAFT, Paper.composer_id == viewer.account_id)
    count = session.scalar(sa.select(sa.func.count()).select_from(drafts.subquery())) or 0
    if count > MOST:
        return [Todo(f"核对并封存试卷（{count} 套）", "papers.index", {"state": "draft"}, "不用的请作废")]
    return [Todo(f"核对并封存试卷：{paper.name}", "papers.show", {"paper_id": paper.id}, "核对合规性报告后封存，不用的请作废")
            for paper in session.scalars(drafts.order_by(Paper.id))]
