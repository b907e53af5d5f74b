"""Sets: items that share one material (共用材料). The items of one line of materials are one set."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from qbank.items import bank, stimuli
from qbank.items.models import Item, ItemVersion, Stimulus
from qbank.items.states import ItemState
from qbank.items.writing import clean
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused


@dataclass(frozen=True)
class Material:
    """A material as it is offered to the author of the next item: its newest text, and how many items share it."""

    stimulus: Stimulus
    items: int


def line_of(stimulus: Stimulus | None) -> sa.ColumnElement[bool]:
    """The condition that a version belongs to the set of ``stimulus``."""
    if stimulus is None:
        return sa.false()
    return ItemVersion.stimulus_id.in_(sa.select(Stimulus.id).where(
        sa.or_(Stimulus.id == stimulus.line, Stimulus.root_id == stimulus.line)))


def members(session: Session, stimulus: Stimulus | None) -> list[ItemVersion]:
    """The newest versions of the items of a set, in their order; retired ones are no members."""
    other = aliased(ItemVersion)
    newest = sa.select(sa.func.max(other.number)).where(other.item_id == ItemVersion.item_id).scalar_subquery()
    return list(session.scalars(
        sa.select(ItemVersion).where(line_of(stimulus), ItemVersion.number == newest, ItemVersion.state != ItemState.RETIRED)
        .order_by(ItemVersion.item_id)))


def materials(session: Session, table_id: int, institution_id: int) -> list[Material]:
    """The materials of a bank that items use now, the newest first."""
    other = aliased(ItemVersion)
    newest = sa.select(sa.func.max(other.number)).where(other.item_id == ItemVersion.item_id).scalar_subquery()
    counts = (sa.select(ItemVersion.stimulus_id, sa.func.count().label("shared")).join(ItemVersion.item)
              .where(Item.table_id == table_id, Item.institution_id == institution_id, ItemVersion.number == newest,
                     ItemVersion.state != ItemState.RETIRED).group_by(ItemVersion.stimulus_id).subquery())
    rows = session.execute(sa.select(Stimulus, counts.c.shared).join(counts, counts.c.stimulus_id == Stimulus.id)
                           .order_by(Stimulus.id.desc())).all()
    found: dict[int, Material] = {}
    for stimulus, count in rows:
        held = found.get(stimulus.line)
        found[stimulus.line] = Material(held.stimulus if held else stimulus, count + (held.items if held else 0))
    return list(found.values())


def change_material(session: Session, stimulus: Stimulus, text: str, who: Viewer, *, now: datetime,
                    reason: str) -> list[ItemVersion]:
    """A new text for a whole set: every item of it gets a new version with the reason."""
    versions, text = members(session, stimulus), clean(text)
    if not versions:
        raise Refused("no_set", "没有试题使用这份材料，不需要修改。")
    item = versions[0].item
    bank.require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
    if not text:
        raise Refused("no_material", "材料不能为空。如果这些题不再共用材料，请逐题修改，选择“不用共用材料”。")
    if text == stimulus.text:
        raise Refused("nothing_changed", "材料没有任何改动，不需要保存。")
    if not reason.strip():
        raise Refused("no_reason", "请写明修改原因，审题员要据此复核。")
    stimuli.keep(session, item.table, item.institution_id, [text], who, now=now, instead_of=stimulus)
    return [bank.edit(session, version, dataclasses.replace(bank.draft_of(version), stimulus=text), who, now=now,
                      reason=f"共用材料修改：{reason.strip()}") for version in versions]
