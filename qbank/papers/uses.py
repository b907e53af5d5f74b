"""How often items were used: in how many sealed papers, shut ones among them, and what papers share.

Counts that include shut papers serve rules only: shown item by item they would tell what is on a shut paper. What people
see of an item's uses are its figures (``qbank.items.figures``), which count from the opening on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.figures import USES
from qbank.items.models import ItemVersion
from qbank.papers.models import Paper, PaperItem, PaperState, Specification
from qbank.papers.packs import links


def exposures(session: Session, table_id: int, institution_id: int, *, before: datetime | None = None) -> dict[int, int]:
    """Item → number of sealed papers of this bank that one of its versions is in; ``before``: sealed by then."""
    sealed = (sa.select(Paper.id).join(Specification, Specification.id == Paper.specification_id)
              .where(Paper.state == PaperState.SEALED, Specification.table_id == table_id,
                     Paper.institution_id == institution_id))
    if before is not None:
        sealed = sealed.where(Paper.sealed_at <= before)
    query = (sa.select(ItemVersion.item_id, sa.func.count(PaperItem.paper_id.distinct()))
             .join(PaperItem, PaperItem.version_id == ItemVersion.id)
             .where(PaperItem.paper_id.in_(sealed)).group_by(ItemVersion.item_id))
    found: Counter[int] = Counter({item_id: count for item_id, count in session.execute(query)})  # noqa: C416  # rows are not pairs to mypy
    for rows in links(session, session.scalars(sealed.where(Paper.opened_at.is_(None)))).values():
        found.update({item_id for _, item_id in rows})
    return dict(found)


def all_uses(session: Session) -> dict[int, tuple[int, datetime]]:
    """Item → number of opened papers it is in and when the last of them was opened, for the bank's list."""
    query = (sa.select(ItemVersion.item_id, sa.func.count(PaperItem.paper_id.distinct()), sa.func.max(Paper.opened_at))
             .join(PaperItem, PaperItem.version_id == ItemVersion.id).join(Paper, Paper.id == PaperItem.paper_id)
             .where(Paper.state == PaperState.SEALED, Paper.opened_at.is_not(None)).group_by(ItemVersion.item_id))
    return {item_id: (count, last) for item_id, count, last in session.execute(query) if last is not None}


USES.append(all_uses)


def overlaps(session: Session, item_ids: Collection[int], institution_id: int, but: int | None = None) -> list[tuple[Paper, int]]:
    """Sealed papers of the institution that share items with these, most shared first; ``but`` is left out."""
    wanted, others = set(item_ids), (Paper.state == PaperState.SEALED, Paper.institution_id == institution_id, Paper.id != (but or 0))
    query = (sa.select(PaperItem.paper_id, sa.func.count(ItemVersion.item_id.distinct()))
             .join(ItemVersion, ItemVersion.id == PaperItem.version_id).join(Paper, Paper.id == PaperItem.paper_id)
             .where(*others, ItemVersion.item_id.in_(wanted)).group_by(PaperItem.paper_id))
    shared = {paper_id: count for paper_id, count in session.execute(query)}  # noqa: C416  # as above
    for paper_id, rows in links(session, session.scalars(sa.select(Paper.id).where(*others, Paper.opened_at.is_(None)))).items():
        shared[paper_id] = len(wanted & {item_id for _, item_id in rows})
    papers = {paper.id: paper for paper in session.scalars(sa.select(Paper).where(Paper.id.in_(shared)))}
    return [(papers[paper_id], count) for paper_id, count in sorted(shared.items(), key=lambda pair: (-pair[1], -pair[0])) if count]
