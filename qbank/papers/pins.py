"""Items pinned to every form or barred from all, by hand: by whom, why, and found by searching."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.items.markup import plain
from qbank.items.models import Item, ItemVersion
from qbank.items.states import STANDING, Purpose
from qbank.items.words import terms_of
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers import desk
from qbank.papers.lists import lists_of, may_see, require_sight, rules_of
from qbank.papers.models import Specification
from qbank.papers.rules import LISTS
from qbank.standards.models import Point

MOST_FOUND = 20
LONGEST_REASON = 200


def listed(session: Session, specification: Specification, name: str) -> list[dict[str, Any]]:
    """The rows of a list: item, why, who, at."""
    return lists_of(session, specification).get(name, [])


def add(session: Session, specification: Specification, name: str, item_id: int, why: str, who: Viewer, *,
        now: datetime) -> Specification:
    """Pin or bar an item of the bank. Refuses without a reason, and what stands on either list."""
    _check_name(name)
    require_sight(session, specification, who)
    why = " ".join(why.split())
    if not 0 < len(why) <= LONGEST_REASON:
        raise Refused("no_reason", f"请写明原因，不超过 {LONGEST_REASON} 字。")
    if not _standing(session, specification, sa.and_(ItemVersion.item_id == item_id)):
        raise Refused("no_such_item", f"本方案的题库里没有可用的题 {item_id}。")
    for other, title in LISTS.items():
        if any(row["item"] == item_id for row in listed(session, specification, other)):
            raise Refused("listed_already", f"题 {item_id} 已在“{title}”中。")
    row = {"item": item_id, "why": why, "who": who.name, "account": who.account_id, "at": now.isoformat()}
    return _with(session, specification, name, [*listed(session, specification, name), row], who, f"{LISTS[name]}加入 1 道", now)


def remove(session: Session, specification: Specification, name: str, item_id: int, who: Viewer, *, now: datetime) -> Specification:
    """Take an item off a list."""
    _check_name(name)
    require_sight(session, specification, who)
    left = [row for row in listed(session, specification, name) if row["item"] != item_id]
    if len(left) == len(listed(session, specification, name)):
        raise Refused("not_listed", f"题 {item_id} 不在“{LISTS[name]}”中。")
    return _with(session, specification, name, left, who, f"{LISTS[name]}去掉 1 道", now)


def search(session: Session, specification: Specification, text: str) -> list[ItemVersion]:
    """Items of the specification's bank by number or by words of the stem."""
    text = text.strip()
    if not text:
        return []
    words = [ItemVersion.words.contains(word, autoescape=True) for word in terms_of(text)]
    by_number = [ItemVersion.item_id == int(text)] if text.isascii() and text.isdecimal() and len(text) < 10 else []
    return _standing(session, specification, sa.or_(sa.and_(*words), *by_number))


def rows_of(session: Session, specification: Specification, name: str) -> list[tuple[dict[str, Any], ItemVersion | None]]:
    """A list with the items as they stand now; None: not usable any more."""
    rows = listed(session, specification, name)
    found = {version.item_id: version for version in
             _standing(session, specification, ItemVersion.item_id.in_([row["item"] for row in rows]), most=len(rows))}
    return [(row, found.get(row["item"])) for row in rows]


def named(session: Session, specification: Specification, name: str, who: Viewer) -> list[str]:
    """As one reads them in a comparison; how many, where they are shut."""
    if not may_see(session, specification, who):
        return [f"{count} 道（试卷封存中，不显示）"] if (count := len(listed(session, specification, name))) else []
    return [f"题 {row['item']} {plain(version.stem)[:30] if version else '（已不可用）'}（{row['who']}：{row['why']}）"
            for row, version in rows_of(session, specification, name)]


def _standing(session: Session, specification: Specification, condition: sa.ColumnElement[bool],
              most: int = MOST_FOUND) -> list[ItemVersion]:
    query = (sa.select(ItemVersion).join(ItemVersion.item)
             .where(Item.table_id == specification.table_id, Item.institution_id == specification.institution_id,
                    ItemVersion.state.in_(STANDING), Item.purpose == Purpose.EXAM, condition)
             .options(selectinload(ItemVersion.point).selectinload(Point.range)).order_by(ItemVersion.item_id).limit(most))
    return list(session.scalars(query))


def _with(session: Session, specification: Specification, name: str, rows: Sequence[dict[str, Any]], who: Viewer, reason: str,
          now: datetime) -> Specification:
    wanted = dataclasses.replace(desk.contents_of(session, specification), rules={**rules_of(session, specification), name: list(rows)})
    return desk.revise(session, specification, wanted, who, reason=reason, now=now)


def _check_name(name: str) -> None:
    if name not in LISTS:
        raise Refused("no_such_list", "请选择必选题或禁用题。")
