"""Practice bank and exam bank are apart: an item is released for practice once, and never comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.items.models import Item, ItemVersion
from qbank.items.states import ItemState, Purpose
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused

# What the rooms above know against a release: (session, item, now) → sentences, none when nothing stands against it.
# They append to this list when they are imported; this room knows neither papers nor sittings.
HOLDS: list[Callable[[Session, Item, datetime], list[str]]] = []


def release_for_practice(session: Session, item: Item, who: Viewer, reason: str, *, now: datetime) -> None:
    """Move an item from the exam bank to the practice bank, for good: candidates will see it with its key.

    Refused while anything in ``HOLDS`` stands against it: a draft paper, a paper whose sitting is still to come.
    """
    require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
    session.refresh(item, with_for_update=True)  # a paper that is being sealed meanwhile waits, or is waited for
    if item.purpose is Purpose.PRACTICE:
        raise Refused("in_practice", f"题 {item.id} 已在练习题库。")
    if not reason.strip():
        raise Refused("no_reason", "请写明转入练习题库的原因。")
    if item.newest.state in {ItemState.RETIRED, ItemState.SUSPENDED}:
        raise Refused("not_usable", f"题 {item.id} 现在是“{item.newest.state.chinese}”，不能转入练习题库。")
    if found := [sentence for hold in HOLDS for sentence in hold(session, item, now)]:
        raise Refused("held", f"题 {item.id} 现在不能转入练习题库：考生在练习中见过的题不能再用于考试。", found)
    item.purpose, item.purpose_reason = Purpose.PRACTICE, reason.strip()[:2000]
    session.flush()


def practice_items(session: Session, version_ids: Collection[int], *, hold: bool = False) -> list[int]:
    """The items of these versions that are in the practice bank, in order.

    ``hold`` keeps the others from being released until the transaction ends: they are about to go into an exam.
    """
    query = sa.select(Item.id, Item.purpose).join(ItemVersion, ItemVersion.item_id == Item.id)
    query = query.where(ItemVersion.id.in_(version_ids)).order_by(Item.id)
    rows = session.execute(query.with_for_update(read=True, of=Item) if hold else query).all()
    return sorted({item_id for item_id, purpose in rows if purpose is Purpose.PRACTICE})
