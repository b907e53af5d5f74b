"""How often items were used: in how many sealed papers, shut ones among them, at which sittings, and what papers share.

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
from qbank.papers.models import Paper, PaperItem, PaperState, PaperUse, Specification
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


def note_sitting(session: Session, sitting_id: int, paper_ids: Collection[int], *, now: datetime) -> None:
    """These papers, and no others, are dealt to the candidates of a sitting. Dealt again, a paper keeps its first time."""
    held = {use.paper_id: use for use in session.scalars(sa.select(PaperUse).where(PaperUse.sitting_id == sitting_id))}
    for paper_id, use in held.items():
        if paper_id not in paper_ids:
            session.delete(use)
    session.add_all([PaperUse(sitting_id=sitting_id, paper_id=paper_id, at=now) for paper_id in sorted(set(paper_ids) - held.keys())])
    session.flush()
