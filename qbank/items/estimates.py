"""What reviewers expect of an item (Angoff): of just-qualified candidates, the share who would answer it right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from math import nan
from statistics import fmean, stdev
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from qbank.items.bank import AT_ONCE
from qbank.items.markup import plain
from qbank.items.models import Item, ItemVersion, Review
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.export import Table
from qbank.standards.models import Point, Range


class Estimate(NamedTuple):
    """Shares from 0 to 1: the mean of ``n`` reviewers and their standard deviation (n - 1; NaN of one reviewer)."""

    mean: float
    n: int
    spread: float


def expert_estimate(session: Session, version_ids: Collection[int]) -> dict[int, Estimate]:
    """Version → what its reviewers expect; versions without any estimate are left out.

    A mean may be 0 or 1 when everybody said so: move it inwards before taking logits.
    """
    found: dict[int, list[int]] = defaultdict(list)
    wanted = list(version_ids)
    for start in range(0, len(wanted), AT_ONCE):
        query = sa.select(Review.version_id, Review.estimate).where(
            Review.version_id.in_(wanted[start:start + AT_ONCE]), Review.estimate.is_not(None)).order_by(Review.id)
        for version_id, share in session.execute(query):
            found[version_id].append(share or 0)
    return {version_id: summed_up(shares) for version_id, shares in found.items()}


def summed_up(shares: Collection[int]) -> Estimate:
    """``shares`` in per cent, at least one."""
    values = [share / 100 for share in shares]
    return Estimate(fmean(values), len(values), stdev(values) if len(values) > 1 else nan)


def standard_setting(session: Session, table_id: int, who: Viewer) -> Table:
    """A standard-setting round as a worksheet: a line for each item, a column for each reviewer, the sums below.

    A reviewer sees the others' estimates only of items that are decided or that they judged themselves.
    """
    mine = sa.exists().where(Review.version_id == ItemVersion.id, Review.reviewer_id == who.account_id)
    query = (visible(ItemVersion, who).join(ItemVersion.item).join(ItemVersion.point).join(Point.range)
             .where(Item.table_id == table_id, ItemVersion.state != ItemState.SUPERSEDED,
                    ItemVersion.reviews.any(Review.estimate.is_not(None)))
             .options(joinedload(ItemVersion.point).joinedload(Point.range),
                      joinedload(ItemVersion.reviews).joinedload(Review.reviewer))
             .order_by(Range.path, Point.segment, ItemVersion.item_id))
    if who.has(Role.ITEM_REVIEWER):
        query = query.where(sa.or_(ItemVersion.state != ItemState.SUBMITTED, mine))
    versions = session.scalars(query).unique().all()
    names = {review.reviewer_id: review.reviewer.name for version in versions for review in version.reviews
             if review.estimate is not None}
    people = sorted(names, key=lambda key: (names[key], key))
    columns = [("题号", 8), ("版本", 6), ("鉴定范围", 12), ("鉴定点", 8), ("题型", 9), ("题干", 60),
               *((names[key], 10) for key in people), ("人数", 6), ("平均（%）", 9), ("标准差（%）", 10)]
    return Table("标准设定", columns, [*(_line(version, people) for version in versions), *_sums(versions, people)])


def _line(version: ItemVersion, people: list[int]) -> list[Any]:
    given = {review.reviewer_id: review.estimate for review in version.reviews if review.estimate is not None}
    found = summed_up(given.values())
    return [version.item_id, version.number, version.point.range.path, version.point.segment, version.kind.chinese,
            plain(version.stem), *(given.get(key) for key in people), found.n, round(found.mean * 100, 1),
            None if found.n < 2 else round(found.spread * 100, 1)]


def _sums(versions: Collection[ItemVersion], people: list[int]) -> list[list[Any]]:
    """Each reviewer's mean, and the cut that the round proposes: the mean of the items' means."""
    if not versions:
        return []
    by_person: dict[int, list[int]] = defaultdict(list)
    means = []
    for version in versions:
        given = [(review.reviewer_id, review.estimate) for review in version.reviews if review.estimate is not None]
        for key, share in given:
            by_person[key].append(share)
        means.append(fmean(share for _, share in given))
    return [[None, None, None, None, None, "合计：各审题员的平均，以及建议的合格线（各题平均的平均，%）",
             *(round(fmean(by_person[key]), 1) for key in people), len(versions), round(fmean(means), 1), None]]
