"""Import batches: an uploaded workbook is checked and previewed, then applied or discarded as a whole, and revertable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.exchange.check import CheckedRow, check_rows
from qbank.exchange.sheets import SheetRow, read_workbook
from qbank.items.bank import doubles, label, require_reach, store
from qbank.items.models import (
    BatchState,
    ImportBatch,
    ImportFile,
    ImportRow,
    Item,
    ItemState,
    ItemVersion,
    RowVerdict,
)
from qbank.items.points import points_of
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import WeightTable

MOST_NAMED = 30


@dataclass(frozen=True)
class Reading:
    """What checking a file found: its rows, or why the whole file is refused."""

    rows: Sequence[CheckedRow] = ()
    notes: Sequence[str] = ()
    problem: str = ""


def receive(session: Session, table: WeightTable, institution_id: int, file_name: str, content: bytes, who: Viewer, *,
            now: datetime) -> ImportBatch:
    """Keep an uploaded file until it is checked."""
    require_reach(session, table, institution_id, Role.ITEM_AUTHOR, who)
    if not table.ranges:
        raise Refused("no_ranges", f"“{table.label}”还没有鉴定范围和鉴定点，请先在细目表中录入，再导入试题。")
    batch = ImportBatch(institution_id=institution_id, table_id=table.id, file_name=file_name[:200], uploaded_at=now,
                        file_hash=hashlib.sha256(content).hexdigest(), uploader_id=who.account_id)
    session.add(batch)
    session.flush()
    session.add(ImportFile(batch_id=batch.id, content=content))
    session.flush()
    return batch


def read(session: Session, batch: ImportBatch) -> Reading:
    """Read and judge the file of ``batch``; writes nothing."""
    content = session.get_one(ImportFile, batch.id).content
    try:
        found = read_workbook(content, batch.file_name)
    except Refused as refusal:
        return Reading(problem=refusal.sentence)
    return Reading(_checked(session, batch, found.rows), found.notes)


def settle(session: Session, batch: ImportBatch, reading: Reading) -> None:
    """Write what :func:`read` found; the copy of the file goes."""
    if batch.state is not BatchState.CHECKING:
        return  # discarded in the meantime
    session.execute(sa.delete(ImportFile).where(ImportFile.batch_id == batch.id))
    batch.problem, batch.notes = reading.problem, list(reading.notes)
    batch.state = BatchState.REFUSED if reading.problem else BatchState.PREVIEWED
    if reading.rows:
        session.execute(sa.insert(ImportRow), [
            {"batch_id": batch.id, "sheet_name": one.row.sheet[:200], "row_number": one.row.number,
             "cells": one.row.cells, "errors": one.errors, "duplicate_of": one.duplicate_of, "verdict": one.verdict}
            for one in reading.rows])
    session.flush()


def upload(session: Session, table: WeightTable, institution_id: int, file_name: str, content: bytes, who: Viewer, *,
           now: datetime) -> ImportBatch:
    """Receive, check and preview in one go; refuses a file that cannot be read. Pages do it in a job instead."""
    batch = receive(session, table, institution_id, file_name, content, who, now=now)
    reading = read(session, batch)
    if reading.problem:
        raise Refused("unreadable_file", reading.problem)
    settle(session, batch, reading)
    return batch


def apply(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Put the good rows into the bank as drafts. They are checked once more: the bank may have grown since."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    _in_state(batch, BatchState.PREVIEWED, "导入")
    good = list(session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch.id,
                                                           ImportRow.verdict == RowVerdict.GOOD)
                                .order_by(ImportRow.id)))
    checked = _checked(session, batch, [SheetRow(row.sheet_name, row.row_number, row.cells) for row in good])
    for row, one in zip(good, checked, strict=True):
        row.verdict, row.errors, row.duplicate_of = one.verdict, one.errors, one.duplicate_of
    drafts = [(one.draft, one.point_id) for one in checked if one.verdict is RowVerdict.GOOD]
    if not drafts:
        earlier = earlier_same(session, batch)
        again = f"这个文件已在批次 {earlier.id} 导入过。" if earlier and earlier.state is BatchState.APPLIED else ""
        raise Refused("nothing_to_import", f"{again}没有可导入的题：所有行都有错误或与已有的题重复，题库没有变化。")
    store(session, batch.table, batch.institution_id, drafts, who, now=now, reason=f"导入批次 {batch.id}", batch=batch)
    batch.state, batch.applied_at, batch.added = BatchState.APPLIED, now, len(drafts)
    session.flush()
    return len(drafts)


def discard(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> None:
    """Give a preview up; nothing goes into the bank."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    if batch.state not in {BatchState.CHECKING, BatchState.PREVIEWED}:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不能放弃。")
    session.execute(sa.delete(ImportFile).where(ImportFile.batch_id == batch.id))
    batch.state = BatchState.DISCARDED


def revert(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> int:
    """Take the whole batch out again, while none of its items went further than a draft. Says which items stop it."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    _in_state(batch, BatchState.APPLIED, "撤销")
    items = list(session.scalars(
        sa.select(Item).where(Item.versions.any(ItemVersion.batch_id == batch.id)).order_by(Item.id)
        .options(selectinload(Item.versions).selectinload(ItemVersion.options),
                 selectinload(Item.versions).selectinload(ItemVersion.reviews))))
    stopping = [f"{label(item.newest)}：{reason}" for item in items if (reason := _why_kept(item))]
    if stopping:
        more = [f"……共 {len(stopping)} 道"] if len(stopping) > MOST_NAMED else []
        raise Refused("batch_in_use", f"这一批有 {len(stopping)} 道题已经提交、审核、修改或使用，不能整批撤销。不需要的题请逐道停用。",
                      stopping[:MOST_NAMED] + more)
    for item in items:
        session.delete(item)
    batch.state = BatchState.REVERTED
    session.flush()
    return len(items)


def earlier_same(session: Session, batch: ImportBatch) -> ImportBatch | None:
    """Another batch of the same bank from the very same file that is applied or waits; an applied one first."""
    found = session.scalars(
        sa.select(ImportBatch).where(
            ImportBatch.file_hash == batch.file_hash, ImportBatch.table_id == batch.table_id,
            ImportBatch.institution_id == batch.institution_id, ImportBatch.id != batch.id,
            ImportBatch.state.in_([BatchState.APPLIED, BatchState.PREVIEWED])).order_by(ImportBatch.id)).all()
    return next((other for other in found if other.state is BatchState.APPLIED), found[0] if found else None)


def counts(session: Session, batch: ImportBatch) -> dict[RowVerdict, int]:
    """How many rows got which verdict."""
    query = (sa.select(ImportRow.verdict, sa.func.count()).where(ImportRow.batch_id == batch.id)
             .group_by(ImportRow.verdict))
    found = {row[0]: row[1] for row in session.execute(query)}
    return {verdict: found.get(verdict, 0) for verdict in RowVerdict}


def rows(batch: ImportBatch, verdict: RowVerdict | None = None) -> sa.Select[ImportRow]:
    """The rows of ``batch``, errors first."""
    order = sa.case((ImportRow.verdict == RowVerdict.WRONG, 0), (ImportRow.verdict == RowVerdict.DUPLICATE, 1), else_=2)
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(order, ImportRow.id)
    return query.where(ImportRow.verdict == verdict) if verdict else query


def _checked(session: Session, batch: ImportBatch, found: Sequence[SheetRow]) -> list[CheckedRow]:
    return check_rows(found, points_of(session, batch.table),
                      lambda hashes: doubles(session, batch.table_id, batch.institution_id, hashes))


def _in_state(batch: ImportBatch, state: BatchState, verb: str) -> None:
    if batch.state is not state:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不能{verb}。请刷新页面查看最新状态。")


def _why_kept(item: Item) -> str:
    if len(item.versions) > 1:
        return f"已修改到第 {item.newest.number} 版"
    version = item.newest
    if version.state is ItemState.DRAFT or (version.state is ItemState.RETIRED and not version.reviews):
        return ""
    return f"状态为“{version.state.chinese}”"
