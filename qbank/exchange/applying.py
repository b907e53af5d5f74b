"""Putting a batch into the bank and taking it out again, in slices, so that nobody else waits long for the write lock.

The state of the batch says that it is under way; a slice is one transaction, rows that are in the bank say so. What a
crash leaves between two slices is taken up again by the worker (``qbank.exchange.work.take_up``). For the person it stays
one act: the batch is applied when the last slice is, and can only be reverted as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.exchange.judging import judge, note, row_of
from qbank.exchange.matching import matcher
from qbank.items import pairs
from qbank.items.bank import label, require_reach, store
from qbank.items.models import ImportBatch, ImportRow, Item, ItemPair, ItemVersion, ReviewTask, SecondKey
from qbank.items.states import BatchState, ItemState, RowVerdict
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base
from qbank.kernel.refused import Refused

SLICE = 200  # items in one transaction
MOST_NAMED = 30
USES = {"paper_items": "已用于试卷", "item_statistics": "已有统计数据"}
OWN = {"items", "item_versions", "options", "reviews", "second_keys", "review_tasks", "item_pairs", "item_figures",
       "likenesses", "stimuli", "import_batches"}


def apply(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Put the good rows into the bank as drafts, all in this transaction. Long batches do it in slices."""
    begin(session, batch, who, now=now)
    while batch.state is BatchState.APPLYING:
        advance(session, batch, who, now=now)
    return batch.added


def begin(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Say that the batch is being applied; how many rows will be. Refuses when there is nothing to apply."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    _in_state(batch, BatchState.PREVIEWED, "导入")
    good = session.scalar(sa.select(sa.func.count()).where(*_good(batch))) or 0
    if not good or not _recheck(session, batch):
        raise _nothing(session, batch)
    batch.state, batch.applied_at, batch.applied_by_id, batch.added = BatchState.APPLYING, now, who.account_id, 0
    session.flush()
    return good


def advance(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime, size: int = SLICE) -> None:
    """The next slice: its rows are checked once more, for the bank may have grown, and the good ones become drafts."""
    _in_state(batch, BatchState.APPLYING, "继续导入")
    rows = list(session.scalars(sa.select(ImportRow).where(*_good(batch)).order_by(ImportRow.id).limit(size)))
    checked = judge(session, batch, [row_of(row) for row in rows])
    drafts, from_rows = [], []
    for row, one in zip(rows, checked, strict=True):
        note(row, one)
        if one.verdict is RowVerdict.GOOD:
            drafts.append((one.draft, one.point_id))
            from_rows.append(row)
            row.verdict = RowVerdict.IMPORTED
    made = store(session, batch.table, batch.institution_id, drafts, who, now=now, reason=f"导入批次 {batch.id}", batch=batch)
    for version, row in zip(made, from_rows, strict=True):
        for one in row.alike:
            if other := session.get(Item, one["item"]):
                pairs.note_likeness(session, version.item, other, one["score"], now=now)
    batch.added += len(drafts)
    batch.applied_at = now
    if len(rows) < size:
        batch.state = BatchState.APPLIED
    session.flush()


def left(session: Session, batch: ImportBatch) -> int:
    """How many items the batch will have when all is done."""
    return batch.added + (session.scalar(sa.select(sa.func.count()).where(*_good(batch))) or 0)


def revert(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Take the whole batch out again, all in this transaction. Says which items stop it."""
    items = begin_revert(session, batch, who, now=now)
    while batch.state is BatchState.REVERTING:
        retreat(session, batch, now=now)
    return items


def begin_revert(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Say that the batch is being taken back; how many items will be. Refuses while one of them is used or edited."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    _in_state(batch, BatchState.APPLIED, "撤销")
    keys = list(session.scalars(_items(batch).with_only_columns(Item.id)))
    _require_unused(session, batch, keys)
    batch.state, batch.applied_at, batch.applied_by_id = BatchState.REVERTING, now, who.account_id
    session.flush()
    return len(keys)


def retreat(session: Session, batch: ImportBatch, *, now: datetime, size: int = SLICE) -> None:
    """The next slice of items goes, with versions, options, reviews and what hangs on them; the trail keeps what they said.

    One that was used since the beginning stops it: the batch is applied again, with the items that are left.
    """
    _in_state(batch, BatchState.REVERTING, "继续撤销")
    items = list(session.scalars(_items(batch).limit(size).options(
        selectinload(Item.versions).selectinload(ItemVersion.options),
        selectinload(Item.versions).selectinload(ItemVersion.reviews))))
    if stopping := _uses(session, [item.id for item in items]):
        batch.state = BatchState.APPLIED
        batch.added = session.scalar(sa.select(sa.func.count()).select_from(_items(batch).subquery())) or 0
        batch.notes = [*batch.notes, f"撤销没有完成：{'；'.join(stopping[:3])}。还有 {batch.added} 道题留在题库里。"]
        session.flush()
        return
    versions = [version.id for item in items for version in item.versions]
    for thing in _hanging(session, [item.id for item in items], versions):
        session.delete(thing)
    session.flush()
    for item in items:
        session.delete(item)
    batch.applied_at = now
    if len(items) < size:
        batch.state = BatchState.REVERTED
        session.execute(sa.update(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.verdict == RowVerdict.IMPORTED)
                        .values(verdict=RowVerdict.GOOD), execution_options={"synchronize_session": False})
    session.flush()


def _good(batch: ImportBatch) -> tuple[sa.ColumnElement[bool], ...]:
    return ImportRow.batch_id == batch.id, ImportRow.verdict == RowVerdict.GOOD


def _items(batch: ImportBatch) -> sa.Select[Item]:
    return sa.select(Item).where(Item.versions.any(ItemVersion.batch_id == batch.id)).order_by(Item.id)


def _recheck(session: Session, batch: ImportBatch) -> bool:
    """Whether one good row is still good: the bank may have grown since the check."""
    points, after = matcher(session, batch.table, batch.institution_id), 0
    while rows := list(session.scalars(sa.select(ImportRow).where(*_good(batch), ImportRow.id > after)
                                       .order_by(ImportRow.id).limit(SLICE))):
        checked = judge(session, batch, [row_of(row) for row in rows], points=points)
        if any(one.verdict is RowVerdict.GOOD for one in checked):
            return True
        after = rows[-1].id
    return False


def _nothing(session: Session, batch: ImportBatch) -> Refused:
    earlier = session.scalar(sa.select(ImportBatch.id).where(
        ImportBatch.file_hash == batch.file_hash, ImportBatch.table_id == batch.table_id, ImportBatch.id != batch.id,
        ImportBatch.institution_id == batch.institution_id, ImportBatch.state == BatchState.APPLIED).order_by(ImportBatch.id))
    again = f"这个文件已在批次 {earlier} 导入过。" if earlier else ""
    return Refused("nothing_to_import", f"{again}没有可导入的题：所有行都有错误、待匹配鉴定点或与已有的题重复，题库没有变化。")


def _require_unused(session: Session, batch: ImportBatch, keys: Sequence[int]) -> None:
    if stopping := _uses(session, keys):
        more = [f"……共 {len(stopping)} 道"] if len(stopping) > MOST_NAMED else []
        raise Refused("batch_in_use", f"这一批有 {len(stopping)} 道题已经修改或使用，不能整批撤销。不需要的题请逐道停用。",
                      stopping[:MOST_NAMED] + more)


def _uses(session: Session, keys: Sequence[int]) -> list[str]:
    """One line for each item that was edited further, is in use, or is pointed to from above (papers, statistics)."""
    found: dict[int, str] = {}
    for start in range(0, len(keys), SLICE):
        part = keys[start:start + SLICE]
        versions = list(session.scalars(sa.select(ItemVersion).where(ItemVersion.item_id.in_(part)).order_by(ItemVersion.id)))
        used = _pointed_to(session, part, [version.id for version in versions])
        for version in versions:
            if version.number > 1:
                found[version.item_id] = f"{label(version)}：已修改到第 {version.number} 版"
            elif version.state is ItemState.IN_USE:
                found[version.item_id] = f"{label(version)}：{version.state.chinese}"
            elif why := used.get(("item_versions", version.id)) or used.get(("items", version.item_id)):
                found[version.item_id] = f"{label(version)}：{why}"
    return [found[key] for key in sorted(found)]


def _pointed_to(session: Session, items: Collection[int], versions: Collection[int]) -> dict[tuple[str, int], str]:
    """(table, id) → what uses it. The rooms above are known only by the foreign keys that they hold."""
    found: dict[tuple[str, int], str] = {}
    for table in Base.metadata.sorted_tables:
        if table.name in OWN:
            continue
        for key in table.foreign_keys:
            wanted = {"items": items, "item_versions": versions}.get(key.column.table.name)
            if wanted:
                held = session.scalars(sa.select(key.parent).where(key.parent.in_(wanted)).distinct())
                found |= {(key.column.table.name, one): USES.get(table.name, "已被其他记录引用") for one in held}
    return found


def _hanging(session: Session, items: Sequence[int], versions: Sequence[int]) -> Iterable[Base]:
    """What the database would take along in silence: deleted here, so that the trail keeps it."""
    yield from session.scalars(sa.select(SecondKey).where(SecondKey.version_id.in_(versions)))
    yield from session.scalars(sa.select(ReviewTask).where(ReviewTask.version_id.in_(versions)))
    yield from session.scalars(sa.select(ItemPair).where(ItemPair.first_id.in_(items) | ItemPair.second_id.in_(items)))


def _in_state(batch: ImportBatch, state: BatchState, verb: str) -> None:
    if batch.state is not state:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不能{verb}。请刷新页面查看最新状态。")
