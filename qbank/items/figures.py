"""What the rooms above tell the bank about its items, kept beside them for the list's filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemFigures, ItemVersion

AT_ONCE = 2000  # parameters of one IN (...)
T = TypeVar("T")


class Measured(Protocol):
    """Statistics of one version, as far as the list knows them."""

    version_id: int
    n: int
    difficulty: float | None
    item_rest: float | None


# What the rooms above know, all of it, for ``rebuild``: they append to these lists when they are imported.
USES: list[Callable[[Session], Mapping[int, tuple[int, datetime]]]] = []  # item → sealed papers, when the last was sealed
STATISTICS: list[Callable[[Session], Iterable[Measured]]] = []


def note_uses(session: Session, uses: Mapping[int, int], *, now: datetime) -> None:
    """Each of these items is in so many more opened papers."""
    for item_id, row in _rows(session, uses.keys()).items():
        row.uses, row.last_used_at = row.uses + uses[item_id], now
    session.flush()


def note_statistics(session: Session, measured: Iterable[Measured]) -> None:
    """New statistics of versions; an item shows those of its newest version that has any."""
    by_version = {one.version_id: one for one in measured}
    versions = {version_id: (item_id, number) for version_id, item_id, number in _versions(session, by_version)}
    rows = _rows(session, {item_id for item_id, _ in versions.values()})
    known = [row.measured_id for row in rows.values() if row.measured_id]
    numbers = {version_id: number for version_id, _, number in _versions(session, known)}
    for version_id in sorted(versions, key=lambda key: versions[key]):
        item_id, number = versions[version_id]
        row, one = rows[item_id], by_version[version_id]
        if row.measured_id is not None and numbers.get(row.measured_id, 0) > number:
            continue
        row.measured_id, row.answered, row.difficulty, row.discrimination = version_id, one.n, one.difficulty, one.item_rest
        numbers[version_id] = number
    session.flush()


def rebuild(session: Session) -> int:
    """Everything anew from sealed papers and stored statistics; says for how many items something is known."""
    session.execute(sa.delete(ItemFigures))
    session.expire_all()
    for source in USES:
        found = source(session)
        for item_id, row in _rows(session, found.keys()).items():
            row.uses, row.last_used_at = found[item_id]
    session.flush()
    for statistics in STATISTICS:
        note_statistics(session, statistics(session))
    return session.scalar(sa.select(sa.func.count()).select_from(ItemFigures)) or 0


def _rows(session: Session, item_ids: Collection[int]) -> dict[int, ItemFigures]:
    """A row for each item; new ones are added."""
    found: dict[int, ItemFigures] = {}
    for chunk in _chunks(sorted(set(item_ids))):
        found |= {row.item_id: row for row in session.scalars(sa.select(ItemFigures).where(ItemFigures.item_id.in_(chunk)))}
        for item_id in chunk:
            if item_id not in found:
                found[item_id] = ItemFigures(item_id=item_id, uses=0, answered=0)
                session.add(found[item_id])
    return found


def _versions(session: Session, version_ids: Collection[int]) -> Iterator[tuple[int, int, int]]:
    for chunk in _chunks(sorted(version_ids)):
        query = sa.select(ItemVersion.id, ItemVersion.item_id, ItemVersion.number).where(ItemVersion.id.in_(chunk))
        yield from ((version_id, item_id, number) for version_id, item_id, number in session.execute(query))


def _chunks(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start:start + AT_ONCE]
