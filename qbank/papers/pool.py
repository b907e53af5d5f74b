"""What the bank holds for a paper: the approved items, how often they were used, and who may not use which."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemVersion, Stimulus
from qbank.items.pairs import apart
from qbank.items.states import STANDING, ItemState, Purpose
from qbank.papers.compliance import Candidate
from qbank.papers.uses import exposures
from qbank.standards.models import Point, Range
from qbank.statistics.grades import measured_grades


@dataclass(frozen=True)
class Pool:
    """The newest approved version of every item of one bank. Candidates are keyed by version id.

    ``own`` are the versions of items that the composer wrote or edited: barred, composer and author are kept apart.
    ``item_ids`` maps version -> item; ``points`` maps a candidate's point key -> what a person reads. ``apart`` are pairs
    that may not meet on a form; ``together`` the sets of one shared material; ``torn`` the items of sets of which one
    still waits for approval, or says something else about the material: barred until the set is whole.
    """

    candidates: tuple[Candidate, ...]
    own: frozenset[int]
    item_ids: Mapping[int, int]
    points: Mapping[str, str]
    apart: tuple[tuple[int, int], ...] = ()
    together: tuple[frozenset[int], ...] = ()
    torn: frozenset[int] = frozenset()

    @property
    def barred(self) -> frozenset[int]:
        return self.own | self.torn

    @property
    def digest(self) -> str:
        """The state of the bank in 16 digits: the same digest, specification and seed make the same paper again."""
        lines = [[item.key, item.exposure, item.difficulty] for item in sorted(self.candidates, key=lambda item: item.key)]
        bounds = [sorted(self.own), sorted(self.torn), sorted(self.apart), sorted(map(sorted, self.together))]
        return hashlib.sha256(json.dumps([lines, bounds]).encode()).hexdigest()[:16]


def pool_of(session: Session, table_id: int, institution_id: int, composer_id: int, *, before: datetime | None = None) -> Pool:
    """Everything that ``institution_id`` holds approved for ``table_id``, as ``composer_id`` may use it; with ``before``,
    uses count as they did then: what makes an older paper again."""
    rows = session.execute(
        sa.select(ItemVersion.id, ItemVersion.item_id, ItemVersion.kind, ItemVersion.key, ItemVersion.difficulty,
                  ItemVersion.content_hash, Point.id, Point.segment, Point.name, Point.importance, Range.path)
        .join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
        .where(Item.table_id == table_id, Item.institution_id == institution_id,
               ItemVersion.state.in_(STANDING), Item.purpose == Purpose.EXAM)
        .order_by(ItemVersion.item_id, ItemVersion.number)).all()
    newest = {row.item_id: row for row in rows}
    doubles = Counter(row.content_hash for row in newest.values())
    used = exposures(session, table_id, institution_id, before=before)
    grades = measured_grades(session, [row[0] for row in newest.values()])
    candidates = tuple(
        Candidate(key=version_id, range_key=path, point_key=str(point_id), importance=importance.value,
                  kind=kind.value, difficulty=grades.get(version_id, difficulty), answer=key, exposure=used.get(item_id, 0),
                  group=content_hash if doubles[content_hash] > 1 else None)
        for version_id, item_id, kind, key, difficulty, content_hash, point_id, _, _, importance, path in newest.values())
    wrote = _written_by(session, composer_id, table_id, institution_id)
    version_of = {row.item_id: row[0] for row in newest.values()}
    together, torn = sets_of(session, table_id, institution_id, version_of)
    return Pool(candidates, frozenset(row[0] for row in newest.values() if row.item_id in wrote),
                {row[0]: row.item_id for row in newest.values()},
                {str(row[6]): f"{row.path}-{row.segment} {row.name}" for row in newest.values()},
                tuple((version_of[one], version_of[other]) for one, other in apart(session, table_id, institution_id)
                      if one in version_of and other in version_of), together, torn)


def sets_of(session: Session, table_id: int, institution_id: int, version_of: Mapping[int, int],
            ) -> tuple[tuple[frozenset[int], ...], frozenset[int]]:
    """Sets of one shared material as versions that stand in ``version_of`` (item -> version), and the versions of sets
    that are not whole: an item waits for approval or is kept for practice, or two versions of the material are in use."""
    query = (sa.select(ItemVersion.item_id, ItemVersion.id, Stimulus.id, sa.func.coalesce(Stimulus.root_id, Stimulus.id))
             .join(ItemVersion.item).join(ItemVersion.stimulus)
             .where(Item.table_id == table_id, Item.institution_id == institution_id,
                    ItemVersion.state.not_in((ItemState.SUPERSEDED, ItemState.RETIRED)))
             .order_by(ItemVersion.item_id, ItemVersion.number))
    lines: defaultdict[int, dict[int, tuple[int, int]]] = defaultdict(dict)  # line -> item -> version, its material
    for item_id, version_id, stimulus_id, line in session.execute(query):
        if version_of.get(item_id, version_id) == version_id:  # a new version that waits does not count beside a standing one
            lines[line][item_id] = version_id, stimulus_id
    together, torn = [], set()
    for members in lines.values():
        held = {version_id for item_id, (version_id, _) in members.items() if item_id in version_of}
        if len(held) == len(members) and len({stimulus_id for _, stimulus_id in members.values()}) == 1:
            together.append(frozenset(held))
        else:
            torn |= held
    return tuple(together), frozenset(torn)


def standing_versions(session: Session, table_id: int, institution_id: int) -> dict[int, int]:
    """Item -> the version that papers may use."""
    query = (sa.select(ItemVersion.item_id, ItemVersion.id).join(ItemVersion.item)
             .where(Item.table_id == table_id, Item.institution_id == institution_id, ItemVersion.state.in_(STANDING),
                    Item.purpose == Purpose.EXAM))
    return {item_id: version_id for item_id, version_id in session.execute(query)}  # noqa: C416  # as below


def _written_by(session: Session, account_id: int, table_id: int, institution_id: int) -> set[int]:
    query = (sa.select(ItemVersion.item_id).join(ItemVersion.item)
             .where(ItemVersion.author_id == account_id, Item.table_id == table_id,
                    Item.institution_id == institution_id))
    return set(session.scalars(query))
