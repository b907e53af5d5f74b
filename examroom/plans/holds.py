"""What sittings say against releasing an item for practice, and against showing keys and statistics of their papers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan, Sitting, SittingPaper, SittingState
from qbank.items.models import Item
from qbank.items.practice import HOLDS
from qbank.kernel.times import spoken
from qbank.papers import embargo
from qbank.papers.holds import papers_with

AHEAD = (SittingState.PLANNED, SittingState.DEALT)


def in_sittings_to_come(session: Session, item: Item, now: datetime) -> list[str]:
    """One sentence for each sitting with such a paper whose sheets are not all collected; papers are not named here."""
    query = (sa.select(Sitting.name, Sitting.starts_at, ExamPlan.title).join(ExamPlan, ExamPlan.id == Sitting.plan_id)
             .where(Sitting.state.in_(AHEAD), Sitting.forms.any(SittingPaper.paper_id.in_(papers_with(item))))
             .order_by(Sitting.starts_at, Sitting.id))
    return [f"它在“{title}”{name}（{spoken(starts_at)}）要用的试卷里。请等这场考试收卷后再转。"
            for name, starts_at, title in session.execute(query)]


def not_ended(session: Session, paper_ids: Collection[int], now: datetime) -> list[str]:
    """One sentence for each sitting of these papers that waits or runs. One that was never dealt and is past holds nothing."""
    rows = session.scalars(sa.select(Sitting).where(
        Sitting.state.in_(AHEAD), Sitting.forms.any(SittingPaper.paper_id.in_(paper_ids))).order_by(Sitting.starts_at, Sitting.id))
    return [f"“{sitting.plan.title}”{sitting.name}（{spoken(sitting.starts_at)} 开考）还没有收卷。" for sitting in rows
            if sitting.state is SittingState.DEALT or now < sitting.ends_at]


HOLDS.append(in_sittings_to_come)
embargo.HOLDS.append(not_ended)
