"""What the bank holds for a paper: the approved items, how often they were used, and who may not use which."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import STANDING, Item, ItemVersion, Purpose
from qbank.papers.compliance import Candidate
from qbank.papers.models import Paper, PaperItem, PaperState
from qbank.standards.models import Point, Range


@dataclass(frozen=True)
class Pool:
    """The newest approved version of every item of one bank. Candidates are keyed by version id.

    ``own`` are the versions of items that the composer wrote or edited: barred, composer and author are kept apart.
    ``item_ids`` maps version -> item; ``points`` maps a candidate's point key -> what a person reads.
    """

    candidates: tuple[Candidate, ...]
    own: frozenset[int]
    item_ids: Mapping[int, int]
    points: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The state of the bank in 16 digits: the same digest, specification and seed make the same paper again."""
        lines = [[item.key, item.exposure] for item in sorted(self.candidates, key=lambda item: item.key)]
        return hashlib.sha256(json.dumps([lines, sorted(self.own)]).encode()).hexdigest()[:16]


def pool_of(session: Session, table_id: int, institution_id: int, composer_id: int) -> Pool:
    """Everything that ``institution_id`` holds approved for ``table_id``, as ``composer_id`` may use it."""
    rows = session.execute(
        sa.select(ItemVersion.id, ItemVersion.item_id, ItemVersion.kind, ItemVersion.key, ItemVersion.difficulty,
                  ItemVersion.content_hash, Point.id, Point.segment, Point.name, Point.importance, Range.path)
        .join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
        .where(Item.table_id == table_id, Item.institution_id == institution_id,
               ItemVersion.state.in_(STANDING), Item.purpose == Purpose.EXAM)
        .order_by(ItemVersion.item_id, ItemVersion.number)).all()
    newest = {row.item_id: row for row in rows}
    doubles = Counter(row.content_hash for row in newest.values())
    used = exposures(session, table_id, institution_id)
    candidates = tuple(
        Candidate(key=version_id, range_key=path, point_key=str(point_id), importance=importance.value,
                  kind=kind.value, difficulty=difficulty, answer=key, exposure=used.get(item_id, 0),
                  group=content_hash if doubles[content_hash] > 1 else None)
        for version_id, item_id, kind, key, difficulty, content_hash, point_id, _, _, importance, path in newest.values())
    wrote = _written_by(session, composer_id, table_id, institution_id)
    return Pool(candidates, frozenset(row[0] for row in newest.values() if row.item_id in wrote),
                {row[0]: row.item_id for row in newest.values()},
                {str(row[6]): f"{row.path}-{row.segment} {row.name}" for row in newest.values()})


def exposures(session: Session, table_id: int, institution_id: int) -> dict[int, int]:
    """Item -> number of sealed papers that one of its versions is in."""
    query = (sa.select(ItemVersion.item_id, sa.func.count(PaperItem.paper_id.distinct()))
             .join(PaperItem, PaperItem.version_id == ItemVersion.id).join(Paper, Paper.id == PaperItem.paper_id)
             .join(Item, Item.id == ItemVersion.item_id)
             .where(Paper.state == PaperState.SEALED, Item.table_id == table_id, Item.institution_id == institution_id)
             .group_by(ItemVersion.item_id))
    return {item_id: count for item_id, count in session.execute(query)}  # noqa: C416  # rows are not pairs to mypy


def overlaps(session: Session, item_ids: Collection[int], institution_id: int, but: int | None = None) -> list[tuple[Paper, int]]:
    """Sealed papers of the institution that share items with these, most shared first; ``but`` is left out."""
    query = (sa.select(Paper, sa.func.count(ItemVersion.item_id.distinct()).label("shared"))
             .join(PaperItem, PaperItem.paper_id == Paper.id).join(ItemVersion, ItemVersion.id == PaperItem.version_id)
             .where(Paper.state == PaperState.SEALED, Paper.institution_id == institution_id, Paper.id != (but or 0),
                    ItemVersion.item_id.in_(item_ids))
             .group_by(Paper.id).order_by(sa.desc("shared"), Paper.id.desc()))
    return [(paper, shared) for paper, shared in session.execute(query)]


def _written_by(session: Session, account_id: int, table_id: int, institution_id: int) -> set[int]:
    query = (sa.select(ItemVersion.item_id).join(ItemVersion.item)
             .where(ItemVersion.author_id == account_id, Item.table_id == table_id,
                    Item.institution_id == institution_id))
    return set(session.scalars(query))
