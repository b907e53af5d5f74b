"""Import batches: an uploaded file is read, checked and previewed, then applied or discarded as a whole, and revertable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange import tabular
from qbank.exchange.applying import apply, revert
from qbank.exchange.check import CheckedRow
from qbank.exchange.judging import judge, similar
from qbank.exchange.mapping import NEEDED, Choice, titles_hash
from qbank.exchange.pictures import clean_pictures
from qbank.exchange.readers import read_content, sniff
from qbank.exchange.rows import cells_of_found
from qbank.exchange.sheets import NO_HEAD, SheetRow, Workbook
from qbank.items import pictures
from qbank.items.bank import require_reach
from qbank.items.models import ColumnMapping, ImportBatch, ImportFile, ImportRow
from qbank.items.states import BatchState, Purpose, RowVerdict
from qbank.items.writing import clean
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import WeightTable

__all__ = ["apply", "counts", "discard", "earlier_same", "keep_pictures", "name_columns", "read", "receive", "revert", "rows", "settle", "upload"]

TABLES = {"excel": tabular.look_at_excel, "csv": tabular.look_at_csv}
NO_GRADE = "文件里没有写难度的题已按“3 中”填写，导入前可以修改。"
OPEN = (BatchState.CHECKING, BatchState.MAPPING, BatchState.PREVIEWED)


@dataclass(frozen=True)
class Reading:
    """What checking a file found: its rows, the sheets whose columns somebody has to name, or why it is refused."""

    format: str = ""
    rows: Sequence[CheckedRow] = ()
    notes: Sequence[str] = ()
    problem: str = ""
    foreign: Sequence[dict[str, Any]] = ()
    pictures: Sequence[bytes] = ()
    alike: Mapping[int, list[dict[str, Any]]] = field(default_factory=dict)  # place in rows → what is similar


def receive(session: Session, table: WeightTable, institution_id: int, file_name: str, content: bytes, who: Viewer, *,
            now: datetime, format: str = "", purpose: Purpose = Purpose.EXAM) -> ImportBatch:
    """Keep an uploaded file until it is checked. ``format`` empty: by what is in it; ``purpose``: for which bank."""
    require_reach(session, table, institution_id, Role.ITEM_AUTHOR, who)
    if not table.ranges:
        raise Refused("no_ranges", f"“{table.label}”还没有鉴定范围和鉴定点，请先在细目表中录入，再导入试题。")
    batch = ImportBatch(institution_id=institution_id, table_id=table.id, file_name=file_name[:200], uploaded_at=now,
                        file_hash=hashlib.sha256(content).hexdigest(), uploader_id=who.account_id, format=format,
                        purpose=purpose)
    session.add(batch)
    session.flush()
    session.add(ImportFile(batch_id=batch.id, content=content))
    session.flush()
    return batch


def read(session: Session, batch: ImportBatch) -> Reading:
    """Read and judge the file of ``batch``; writes nothing."""
    content = session.get_one(ImportFile, batch.id).content
    form = batch.format
    try:
        form = form or sniff(content, batch.file_name)
        if form in TABLES:
            return _read_table(session, batch, form, content)
        return _read_drafts(session, batch, form, content)
    except Refused as refusal:
        return Reading(form, problem=refusal.sentence)


def keep_pictures(session: Session, batch: ImportBatch, contents: Sequence[bytes], who: Viewer, *, now: datetime) -> None:
    """Put the pictures of a file into the school's bank, before the rows that name them; given up, they harm nobody."""
    pictures.keep(session, batch.institution_id, contents, who, now=now)


def settle(session: Session, batch: ImportBatch, reading: Reading) -> None:
    """Write what :func:`read` found; the copy of the file goes unless its columns have to be named first."""
    if batch.state is not BatchState.CHECKING:
        return  # discarded in the meantime
    batch.format, batch.problem, batch.notes = reading.format, reading.problem, list(reading.notes)
    if reading.foreign:
        batch.state, batch.layout = BatchState.MAPPING, list(reading.foreign)
        session.flush()
        return
    session.execute(sa.delete(ImportFile).where(ImportFile.batch_id == batch.id))
    batch.state = BatchState.REFUSED if reading.problem else BatchState.PREVIEWED
    if reading.rows:
        session.execute(sa.insert(ImportRow), [
            {"batch_id": batch.id, "sheet_name": one.row.sheet[:200], "row_number": one.row.number,
             "place": one.row.place[:200], "problems": list(one.row.problems), "cells": one.cells,
             "errors": one.all_errors, "duplicate_of": one.duplicate_of, "verdict": one.verdict,
             "content_hash": one.content_hash, "alike": reading.alike.get(place, [])}
            for place, one in enumerate(reading.rows)])
    session.flush()


def upload(session: Session, table: WeightTable, institution_id: int, file_name: str, content: bytes, who: Viewer, *,
           now: datetime, format: str = "", purpose: Purpose = Purpose.EXAM) -> ImportBatch:
    """Receive, check and preview in one go; refuses a file that cannot be read. Pages do it in a job instead."""
    batch = receive(session, table, institution_id, file_name, content, who, now=now, format=format, purpose=purpose)
    reading = read(session, batch)
    if reading.problem:
        raise Refused("unreadable_file", reading.problem)
    keep_pictures(session, batch, reading.pictures, who, now=now)
    settle(session, batch, reading)
    return batch


def name_columns(session: Session, batch: ImportBatch, choices: Sequence[Choice | None], who: Viewer, *,
                 now: datetime) -> None:
    """Say which column is which, for every sheet of ``batch.layout`` (None: not read); remembered by the titles.

    The file has to be checked again after that.
    """
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    if batch.state is not BatchState.MAPPING:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不需要指定各列。")
    if not any(choices):
        raise Refused("nothing_chosen", "请至少指定一个工作表的各列。")
    for sheet, choice in zip(batch.layout, choices, strict=True):
        _check_choice(sheet["sheet"], choice)
    layout = []
    for sheet, choice in zip(batch.layout, choices, strict=True):
        said = {"head": choice.head, "columns": list(choice.columns), "defaults": dict(choice.defaults)} if choice else None
        layout.append({**sheet, "said": said})
        if choice and choice.head > NO_HEAD:
            _remember(session, batch, sheet["lines"][choice.head], choice, who, now)
    batch.layout, batch.state = layout, BatchState.CHECKING
    session.flush()


def discard(session: Session, batch: ImportBatch, who: Viewer, *, now: datetime) -> None:
    """Give a preview up; nothing goes into the bank."""
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    if batch.state not in OPEN:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不能放弃。")
    session.execute(sa.delete(ImportFile).where(ImportFile.batch_id == batch.id))
    batch.state = BatchState.DISCARDED


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


def rows(batch: ImportBatch, *verdicts: RowVerdict) -> sa.Select[ImportRow]:
    """The rows of ``batch`` with one of ``verdicts`` (none given: all), errors first."""
    order = sa.case(*((ImportRow.verdict == verdict, place) for place, verdict in enumerate(RowVerdict)))
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(order, ImportRow.id)
    return query.where(ImportRow.verdict.in_(verdicts)) if verdicts else query


def _read_table(session: Session, batch: ImportBatch, form: str, content: bytes) -> Reading:
    chosen = {sheet["sheet"]: Choice(**sheet["said"]) if sheet["said"] else Choice(0, [])
              for sheet in batch.layout if "said" in sheet}
    remembered = {row.titles_hash: row.columns for row in session.scalars(
        sa.select(ColumnMapping).where(ColumnMapping.institution_id == batch.institution_id))}
    found: Workbook = TABLES[form](content, batch.file_name, remembered, chosen)
    if found.foreign:
        return Reading(form, foreign=found.foreign, notes=found.notes)
    if form == "excel" and (number := tabular.pictures_in_workbook(content)):
        found.notes.append(f"工作簿里有 {number} 幅图片：单元格带不走图片，请在导入后把图片插入到有关的题里，或改用 Word 文档导入。")
    return _judged(session, batch, form, found.rows, found.notes, [])


def _read_drafts(session: Session, batch: ImportBatch, form: str, content: bytes) -> Reading:
    read = read_content(content, batch.file_name, form)
    if not read.items:
        return Reading(form, problem=" ".join((f"“{batch.file_name}”里没有读到试题。", *read.notes)))
    kept, items = clean_pictures(read)
    found = [SheetRow("", one.number or place, cells_of_found(one), one.place or f"第 {place} 题", one.problems)
             for place, one in enumerate(items, start=1)]
    ungraded = [row for row in found if "难度" not in row.cells]
    for row in ungraded:
        row.cells["难度"] = "3"
    notes = [*read.notes, *([NO_GRADE] if ungraded else [])]
    return _judged(session, batch, form, found, notes, kept)


def _judged(session: Session, batch: ImportBatch, form: str, found: Sequence[SheetRow], notes: Sequence[str],
            kept: Sequence[bytes]) -> Reading:
    checked = judge(session, batch, found, arriving={hashlib.sha256(content).hexdigest() for content in kept})
    return Reading(form, checked, notes, pictures=kept, alike=similar(session, batch, checked))


def _check_choice(sheet: str, choice: Choice | None) -> None:
    if choice is None:
        return
    where = f"工作表“{sheet}”" if sheet else "文件"
    given = [title for title in choice.columns if title]
    if missing := [title for title in NEEDED if title not in given]:
        raise Refused("missing_columns", f"{where}还没有指定哪一列是{'、哪一列是'.join(missing)}。")
    if twice := sorted({title for title in given if given.count(title) > 1}):
        raise Refused("column_twice", f"{where}有几列都指定为{'、'.join(twice)}，请只保留一列。")


def _remember(session: Session, batch: ImportBatch, titles: Sequence[str], choice: Choice, who: Viewer,
              now: datetime) -> None:
    columns = {clean(title): ours for title, ours in zip(titles, choice.columns, strict=False) if title}
    key = titles_hash(titles)
    row = session.scalar(sa.select(ColumnMapping).where(ColumnMapping.institution_id == batch.institution_id,
                                                        ColumnMapping.titles_hash == key))
    if row is None:
        row = ColumnMapping(institution_id=batch.institution_id, titles_hash=key, made_by_id=who.account_id, made_at=now)
        session.add(row)
    row.columns = {"columns": columns, "defaults": dict(choice.defaults)}
    row.made_by_id, row.made_at = who.account_id, now
