"""封闭期: what a paper's key and scores would tell somebody who still has to sit a form of its family.

An early sitting may end while a later one waits. Until the last sitting of the family has ended, the keys of its papers, the
scores on them and what statistics say of their items stay shut. The rooms above know the sittings: they append to HOLDS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.refused import Refused
from qbank.papers.models import Paper
from qbank.statistics import holds

# (session, ids of all papers of the families, now) → one sentence for each sitting that has not ended.
HOLDS: list[Callable[[Session, Collection[int], datetime], list[str]]] = []


def family_of(session: Session, paper_ids: Iterable[int]) -> set[int]:
    """These papers and all papers that were made together with them."""
    ids = set(paper_ids)
    families = sa.select(Paper.family_id).where(Paper.id.in_(ids), Paper.family_id.is_not(None))
    return ids | set(session.scalars(sa.select(Paper.id).where(Paper.family_id.in_(families))))


def sentences(session: Session, paper_ids: Iterable[int], *, now: datetime) -> list[str]:
    """Why the papers are still under embargo; empty when they are not."""
    family = family_of(session, paper_ids)
    return [sentence for hold in HOLDS for sentence in hold(session, family, now)] if family else []


def require(session: Session, paper_ids: Iterable[int], *, now: datetime) -> None:
    """Refuse while a sitting of the family has not ended."""
    if found := sentences(session, paper_ids, now=now):
        raise Refused("embargo", "这套试卷（含同一次组出的其他卷）还有考试没有结束，答案、成绩和统计暂不公开，以免泄露给后面的考生。"
                      "最后一场收卷后即可查看。", found)


def _of_statistics(session: Session, paper_id: int, now: datetime) -> list[str]:
    return sentences(session, [paper_id], now=now)


holds.HOLDS.append(_of_statistics)
