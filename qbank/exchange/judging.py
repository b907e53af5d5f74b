"""Judging the rows of a batch against its bank, and what is similar there; writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange.check import CheckedRow, check_rows
from qbank.exchange.matching import Matcher, matcher
from qbank.exchange.sheets import SheetRow
from qbank.items import markup, pairs
from qbank.items.bank import doubles
from qbank.items.models import ImportBatch, ImportRow, Picture
from qbank.items.states import RowVerdict

AT_ONCE = 900


def judge(session: Session, batch: ImportBatch, rows: Sequence[SheetRow], *, arriving: Collection[str] = (),
          points: Matcher | None = None) -> list[CheckedRow]:
    """Every row with its verdict. ``arriving``: hashes of pictures that come with the file."""
    points = points or matcher(session, batch.table, batch.institution_id)
    checked = check_rows(rows, points, lambda hashes: doubles(session, batch.table_id, batch.institution_id, hashes))
    named = {one: {sha for text in one.cells.values() if "](media:" in text for sha in markup.pictures_in(text)}
             for one in checked if any("](media:" in text for text in one.cells.values())}
    kept = _kept(session, batch.institution_id, {sha for found in named.values() for sha in found} - set(arriving))
    for one, found in named.items():
        if missing := found - kept - set(arriving):
            one.errors.append(("", f"有 {len(missing)} 幅图片不在文件里，也不在本校题库里，请在入库后重新插入，并删去文字里的图片标记。"))
    return checked


def similar(session: Session, batch: ImportBatch, checked: Sequence[CheckedRow]) -> dict[int, list[dict[str, Any]]]:
    """Place in ``checked`` → the items of the bank and rows of the file whose stems are much alike."""
    candidates = [place for place, one in enumerate(checked) if one.verdict in {RowVerdict.GOOD, RowVerdict.UNMATCHED}]
    if not candidates:
        return {}
    drafts = [checked[place].draft for place in candidates]
    found = pairs.alike_rows(session, batch.table, batch.institution_id, [draft.stem for draft in drafts],
                             [draft.options for draft in drafts])
    return {place: alike for place, alike in zip(candidates, found, strict=True) if alike}


def row_of(row: ImportRow) -> SheetRow:
    """A stored row as the check takes it."""
    return SheetRow(row.sheet_name, row.row_number, dict(row.cells), row.place, tuple(row.problems))


def note(row: ImportRow, one: CheckedRow) -> None:
    """Write what was found to the row; only what changed."""
    values = {"cells": one.cells, "errors": one.all_errors, "duplicate_of": one.duplicate_of, "verdict": one.verdict,
              "content_hash": one.content_hash}
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def with_same_content(session: Session, batch_id: int, hashes: Iterable[str]) -> list[ImportRow]:
    """The rows of a batch that ask the same as others: they are judged together. Dropped ones take no part."""
    wanted = [one for one in set(hashes) if one]
    found: list[ImportRow] = []
    for start in range(0, len(wanted), AT_ONCE):
        found += session.scalars(sa.select(ImportRow).where(
            ImportRow.batch_id == batch_id, ImportRow.content_hash.in_(wanted[start:start + AT_ONCE]),
            ImportRow.verdict.not_in([RowVerdict.DROPPED, RowVerdict.IMPORTED])))
    return found


def _kept(session: Session, institution_id: int, wanted: Collection[str]) -> set[str]:
    hashes = list(wanted)
    found: set[str] = set()
    for start in range(0, len(hashes), AT_ONCE):
        found |= set(session.scalars(sa.select(Picture.sha256).where(
            Picture.institution_id == institution_id, Picture.sha256.in_(hashes[start:start + AT_ONCE]))))
    return found
