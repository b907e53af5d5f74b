"""The sealed papers of a bank, shut ones among them: what was used when. For rules; never shown item by item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.papers.models import Paper, PaperState, PaperUse, Specification
from qbank.papers.packs import links


@dataclass(frozen=True)
class Past:
    """One sealed paper; ``turn`` counts the sittings back from now: 1 was dealt at the last one.

    A paper that was dealt at none waits for one: its turn is the number of sittings since it was sealed, 0 before the next.
    """

    id: int
    name: str
    sealed_at: datetime
    turn: int
    item_ids: frozenset[int]


def past_of(session: Session, table_id: int, institution_id: int, *, before: datetime | None = None,
            but_family: int | None = None) -> tuple[Past, ...]:
    """The newest first, as it stood at ``before``, without one family."""
    query = (sa.select(Paper.id, Paper.name, Paper.sealed_at)
             .join(Specification, Specification.id == Paper.specification_id)
             .where(Paper.state == PaperState.SEALED, Specification.table_id == table_id,
                    Paper.institution_id == institution_id).order_by(Paper.sealed_at.desc(), Paper.id.desc()))
    if before is not None:
        query = query.where(Paper.sealed_at <= before)
    if but_family is not None:
        query = query.where(sa.or_(Paper.family_id.is_(None), Paper.family_id != but_family))
    rows = session.execute(query).all()
    items = links(session, [row.id for row in rows])
    sealed = [(row.id, row.sealed_at) for row in rows]
    turns = turns_of(sealed, _uses(session, table_id, institution_id, before))
    return tuple(Past(row.id, row.name, row.sealed_at, turns[row.id], frozenset(item_id for _, item_id in items[row.id])) for row in rows)


def turns_of(sealed: Sequence[tuple[int, datetime]], uses: Mapping[int, Mapping[int, datetime]]) -> dict[int, int]:
    """Paper → its turn. ``sealed``: paper, when; ``uses``: sitting → its papers and when each was dealt there."""
    held = {sitting: max(papers.values()) for sitting, papers in uses.items() if papers}
    newest = sorted(held, key=lambda sitting: (held[sitting], sitting), reverse=True)
    last: dict[int, int] = {}
    for turn, sitting in enumerate(newest, start=1):
        for paper_id in uses[sitting]:
            last.setdefault(paper_id, turn)
    return {paper_id: last.get(paper_id, sum(at >= sealed_at for at in held.values())) for paper_id, sealed_at in sealed}


def _uses(session: Session, table_id: int, institution_id: int, before: datetime | None) -> dict[int, dict[int, datetime]]:
    query = (sa.select(PaperUse.sitting_id, PaperUse.paper_id, PaperUse.at).join(Paper, Paper.id == PaperUse.paper_id)
             .join(Specification, Specification.id == Paper.specification_id)
             .where(Specification.table_id == table_id, Paper.institution_id == institution_id))
    found: defaultdict[int, dict[int, datetime]] = defaultdict(dict)
    for sitting_id, paper_id, at in session.execute(query if before is None else query.where(PaperUse.at <= before)):
        found[sitting_id][paper_id] = at
    return found
