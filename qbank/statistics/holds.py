"""What stands against showing the statistics of a paper: somebody may still have to sit it.

This room knows neither papers nor sittings; the rooms above append to HOLDS when they are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.refused import Refused

HOLDS: list[Callable[[Session, int, datetime], list[str]]] = []  # (session, paper id, now) → sentences


def shut(session: Session, paper_ids: Iterable[int], *, now: datetime) -> set[int]:
    """The papers whose statistics may not be shown yet."""
    return {paper_id for paper_id in paper_ids if any(hold(session, paper_id, now) for hold in HOLDS)}


def require_released(session: Session, paper_id: int, *, now: datetime) -> None:
    """Refuse while anything stands against it."""
    if found := [sentence for hold in HOLDS for sentence in hold(session, paper_id, now)]:
        raise Refused("embargo", "这套试卷还有考试没有结束，它的统计暂不公开。最后一场收卷后即可查看。", found)
