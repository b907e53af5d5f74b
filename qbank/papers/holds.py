"""What papers say against releasing an item for practice."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemVersion
from qbank.items.practice import HOLDS
from qbank.papers.models import Paper, PaperItem, PaperState


def in_draft_papers(session: Session, item: Item, now: datetime) -> list[str]:
    """One sentence for each draft paper that holds a version of ``item``."""
    query = (sa.select(Paper.name).where(Paper.state == PaperState.DRAFT, Paper.id.in_(papers_with(item)))
             .order_by(Paper.id))
    return [f"它在待封存的试卷“{name}”里。请先封存或作废这份试卷。" for name in session.scalars(query)]


def papers_with(item: Item) -> sa.Select[int]:
    """The ids of all papers that hold a version of ``item``."""
    return (sa.select(PaperItem.paper_id).join(ItemVersion, ItemVersion.id == PaperItem.version_id)
            .where(ItemVersion.item_id == item.id))


HOLDS.append(in_draft_papers)
