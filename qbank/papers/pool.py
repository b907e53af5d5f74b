"""What the bank holds for a paper: the approved items as the engine's arrays, and who may not use which."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.answers import guide_total
from qbank.items.draft import WRITTEN
from qbank.items.models import Item, ItemVersion, Option, Stimulus
from qbank.items.pairs import apart
from qbank.items.states import STANDING, ItemState, Purpose
from qbank.papers.engine.items import NEVER, ItemPool
from qbank.papers.measuring import Cut, Parameters, cut_of, parameters_of
from qbank.papers.past import Past, past_of
from qbank.papers.specification import Part
from qbank.standards.models import Point, Range
from qbank.statistics.grades import measured_grades

YEAR = timedelta(days=365)
UNGRADED = 3  # an item that nobody graded counts as middling


@dataclass(frozen=True, eq=False)
class Pool:
    """The newest approved version of every item of one bank, keyed by version id.

    ``own`` are the versions of items that the composer wrote or edited: barred, composer and author are kept apart.
    ``torn`` the items of sets of which one still waits for approval, or says something else about the material: barred
    until the set is whole. ``item_ids`` maps version → item, ``points`` a point's key → what a person reads, ``worth`` a
    written item → the half-points of its marking guide. ``past`` are the sealed papers of the bank, the newest first.
    """

    items: ItemPool
    parameters: Parameters
    cut: Cut
    own: frozenset[int]
    torn: frozenset[int]
    item_ids: Mapping[int, int]
    points: Mapping[str, str]
    worth: Mapping[int, int]
    past: tuple[Past, ...] = ()

    @property
    def barred(self) -> frozenset[int]:
        return self.own | self.torn

    @property
    def version_of(self) -> dict[int, int]:
        """Item → the version of it in this pool."""
        return {item_id: version_id for version_id, item_id in self.item_ids.items()}

    @property
    def digest(self) -> str:
        """The state of the bank in 16 digits: the same digest, specification and seed make the same paper again."""
        items = self.items
        order = np.argsort(items.keys)
        lines = [[int(items.keys[i]), float(items.numbers("exposure")[i]), float(items.numbers("last_used")[i]),
                  int(items.numbers("grades")[i]), round(float(self.parameters.a[i]), 9), round(float(self.parameters.b[i]), 9)]
                 for i in order]
        bounds = [sorted(self.own), sorted(self.torn), sorted(items.apart), sorted(map(sorted, items.together))]
        return hashlib.sha256(json.dumps([lines, bounds, round(self.cut.theta, 9)]).encode()).hexdigest()[:16]

    def misfits(self, parts: Sequence[Part]) -> frozenset[int]:
        """Written items whose marking guide adds up to something else than their part is worth."""
        worth = {part.kind: part.half_points for part in parts}
        return frozenset(key for key, kind in zip(self.items.keys.tolist(), self.items.kinds, strict=True)
                         if key in self.worth and kind in worth and self.worth[key] != worth[kind])

    def of_items(self, item_ids: Iterable[int]) -> frozenset[int]:
        """The versions of these items that the bank holds for papers now."""
        version_of = self.version_of
        return frozenset(version_of[item] for item in item_ids if item in version_of)

    def measured(self, abilities: Sequence[float], *, papers: int = 0, tried: Mapping[str, int] | None = None) -> ItemPool:
        """The arrays with information at ``abilities``, the newest ``papers`` sealed papers to differ from, and so many
        items of a kind set apart to be tried out: the newest without statistics or a use."""
        version_of = self.version_of
        earlier = {past.name: frozenset(version_of[item] for item in past.item_ids if item in version_of)
                   for past in self.past[:papers]}
        return replace(self.items, abilities=tuple(abilities), cut=self.cut.theta, earlier=earlier, b=self.parameters.b,
                       pretest=self._tried(tried or {}), information=self.parameters.information(abilities), expected=self.parameters.expected(self.cut.theta))

    def _tried(self, wanted: Mapping[str, int]) -> list[bool]:
        items, out = self.items, self.barred.union(*self.items.together)
        untouched = ~self.parameters.calibrated & (items.numbers("last_used") >= NEVER)
        left, found = dict(wanted), [False] * len(items)
        for place in np.argsort(-items.keys):
            kind = str(items.kinds[place])
            if left.get(kind, 0) > 0 and untouched[place] and int(items.keys[place]) not in out:
                left[kind] -= 1
                found[place] = True
        return found

    def holdings(self, parts: Sequence[Part] = (), barred: frozenset[int] = frozenset()) -> dict[tuple[str, str], int]:
        """Usable items per (range, kind)."""
        out = self.barred | self.misfits(parts) | barred
        return dict(Counter((str(path), str(kind)) for key, path, kind in
                            zip(self.items.keys.tolist(), self.items.ranges, self.items.kinds, strict=True) if key not in out))


def pool_of(session: Session, table_id: int, institution_id: int, composer_id: int, *, now: datetime | None = None,
            but_family: int | None = None, holding: Collection[int] = ()) -> Pool:
    """Everything that ``institution_id`` holds approved for ``table_id``, as ``composer_id`` may use it; uses of the year
    before ``now`` (None: of all times), without those of one family.

    ``holding``: versions that are in the pool whatever became of them, in place of newer ones of the same items; what may
    not be used any more is barred.
    """
    usable = sa.and_(ItemVersion.state.in_(STANDING), Item.purpose == Purpose.EXAM)
    rows = session.execute(
        sa.select(ItemVersion.id, ItemVersion.item_id, ItemVersion.kind, ItemVersion.key, ItemVersion.difficulty,
                  ItemVersion.content_hash, sa.func.length(ItemVersion.stem), ItemVersion.guide,
                  Point.id, Point.segment, Point.name, Point.importance, Range.path, usable)
        .join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
        .where(Item.table_id == table_id, Item.institution_id == institution_id,
               sa.or_(usable, ItemVersion.id.in_(holding)) if holding else usable)
        .order_by(ItemVersion.item_id, ItemVersion.number)).all()
    held = {row[1]: row for row in rows if row[0] in set(holding)}
    newest = list(({row[1]: row for row in rows} | held).values())
    versions = [row[0] for row in newest]
    version_of = {row[1]: row[0] for row in newest}
    measured = measured_grades(session, versions)
    grades = [measured.get(row[0]) or row[4] or UNGRADED for row in newest]
    doubles = Counter(row[5] for row in newest)
    together, torn = sets_of(session, table_id, institution_id, version_of)
    torn |= {row[0] for row in newest if not row[13]}
    past = past_of(session, table_id, institution_id, before=now, but_family=but_family)
    exposure, last_used = _uses(past, [row[1] for row in newest], now)
    known = parameters_of(session, table_id, institution_id, versions, grades)
    items = ItemPool(
        keys=np.array(versions, dtype=np.int64), ranges=[row[12] for row in newest], kinds=[row[2].value for row in newest],
        points=[str(row[8]) for row in newest], importance=[row[11].value for row in newest], grades=grades,
        answers=[row[3] for row in newest], lengths=_lengths(session, table_id, institution_id, newest), exposure=exposure, last_used=last_used,
        doubles=[row[5] if doubles[row[5]] > 1 else "" for row in newest],
        apart=tuple((version_of[one], version_of[other]) for one, other in apart(session, table_id, institution_id)
                    if one in version_of and other in version_of), together=together)
    wrote = _written_by(session, composer_id, table_id, institution_id)
    return Pool(items, known, cut_of(session, table_id, institution_id, known),
                frozenset(row[0] for row in newest if row[1] in wrote), torn, {row[0]: row[1] for row in newest},
                {str(row[8]): f"{row[12]}-{row[9]} {row[10]}" for row in newest},
                {row[0]: guide_total(row[7]) for row in newest if row[2].value in WRITTEN}, past)


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


def _uses(past: Sequence[Past], items: Sequence[int], now: datetime | None) -> tuple[list[int], list[int]]:
    """Of each item: papers of the last year that it was on, and sittings since it was last used."""
    used: Counter[int] = Counter()
    last: dict[int, int] = {}
    for paper in sorted(past, key=lambda one: one.turn, reverse=True):
        last |= dict.fromkeys(paper.item_ids, paper.turn)
        if now is None or paper.sealed_at > now - YEAR:
            used.update(paper.item_ids)
    return [used[item] for item in items], [last.get(item, NEVER) for item in items]


def _lengths(session: Session, table_id: int, institution_id: int, rows: Sequence[Any]) -> list[int]:
    """Characters to read of each version: stem and options, and its share of the material it has in common with others."""
    bank = (Item.table_id == table_id, Item.institution_id == institution_id, ItemVersion.state.in_(STANDING))
    counted = session.execute(
        sa.select(Option.version_id, sa.func.sum(sa.func.length(Option.text))).join(ItemVersion, ItemVersion.id == Option.version_id)
        .join(ItemVersion.item).where(*bank).group_by(Option.version_id))
    options: dict[int, int] = {row[0]: row[1] for row in counted}
    material: Sequence[Any] = session.execute(sa.select(ItemVersion.id, ItemVersion.stimulus_id, sa.func.length(Stimulus.text))
                               .join(ItemVersion.item).join(ItemVersion.stimulus).where(*bank)).all()
    sharing = Counter(row[1] for row in material)
    extra: dict[int, int] = {one: -(-length // sharing[stimulus_id]) for one, stimulus_id, length in material}
    return [row[6] + int(options.get(row[0], 0)) + extra.get(row[0], 0) for row in rows]


def _written_by(session: Session, account_id: int, table_id: int, institution_id: int) -> set[int]:
    query = (sa.select(ItemVersion.item_id).join(ItemVersion.item)
             .where(ItemVersion.author_id == account_id, Item.table_id == table_id,
                    Item.institution_id == institution_id))
    return set(session.scalars(query))
