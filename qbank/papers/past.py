"""The sealed papers of a bank, shut ones among them: what was used when. For rules; never shown item by item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.packs import links


@dataclass(frozen=True)
class Past:
    """One sealed paper; ``turn`` counts the calls that made papers back from now: 1 is the last one."""

    id: int
    name: str
    sealed_at: datetime
    turn: int
    item_ids: frozenset[int]


def past_of(session: Session, table_id: int, institution_id: int, *, before: datetime | None = None,
            but_family: int | None = None) -> tuple[Past, ...]:
    """The newest first, as it stood at ``before``, without one family. Forms made together have one turn, that of the one
    sealed last."""
    query = (sa.select(Paper.id, Paper.name, Paper.sealed_at, Paper.family_id)
             .join(Specification, Specification.id == Paper.specification_id)
             .where(Paper.state == PaperState.SEALED, Specification.table_id == table_id,
                    Paper.institution_id == institution_id).order_by(Paper.sealed_at.desc(), Paper.id.desc()))
    if before is not None:
        query = query.where(Paper.sealed_at <= before)
    if but_family is not None:
        query = query.where(sa.or_(Paper.family_id.is_(None), Paper.family_id != but_family))
    rows = session.execute(query).all()
    items = links(session, [row.id for row in rows])
    turns: dict[tuple[bool, int], int] = {}
    found = []
    for row in rows:
        group = (True, row.family_id) if row.family_id else (False, row.id)
        turn = turns.setdefault(group, len(turns) + 1)
        found.append(Past(row.id, row.name, row.sealed_at, turn, frozenset(item_id for _, item_id in items[row.id])))
    return tuple(found)
