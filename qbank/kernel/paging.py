"""Keyset paging: a page begins behind the last row of the page before it, however long the list is.

``?after=`` and ``?before=`` carry the place as the values of the columns that order the list; what cannot be read is the
beginning of the list. All columns run in one direction, the last one is unique, none is null (coalesce where it may be).
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

PAGE = 50
MOST_COUNTED = 10_000
Columns: TypeAlias = Sequence[sa.ColumnElement[Any] | InstrumentedAttribute[Any]]


@dataclass(frozen=True)
class Keys:
    """The unique values of one page in the order of the list; ``before`` and ``after``: cursors, empty at the ends."""

    found: list[Any]
    before: str
    after: str


def keyset(session: Session, query: sa.Select[Any], order: Columns, asked: Mapping[str, str], *,
           descending: bool = False, size: int = PAGE) -> Keys:
    """One page of ``query``, ordered by ``order``; only the values of the last column, by which the caller loads rows."""
    backward = _decoded(asked.get("before", ""), order)
    cursor = backward or _decoded(asked.get("after", ""), order)
    falling = descending is not bool(backward)  # towards smaller values
    narrow = query.with_only_columns(*order, maintain_column_froms=True).order_by(None)
    if cursor is not None:
        here, there = sa.tuple_(*order), sa.tuple_(*(sa.bindparam(None, value, column.type)
                                                     for value, column in zip(cursor, order, strict=True)))
        narrow = narrow.where(here < there if falling else here > there)
    ordered = narrow.order_by(*(column.desc() if falling else column for column in order)).limit(size + 1)
    rows = session.execute(ordered).all()
    more, rows = len(rows) > size, rows[:size]
    if backward:
        rows = rows[::-1]
    if not rows:
        # Behind an end, or deleted meanwhile: from the start instead of an empty page without a way out.
        return keyset(session, query, order, {}, descending=descending, size=size) if cursor else Keys([], "", "")
    earlier, later = (more, True) if backward else (cursor is not None, more)
    return Keys([row[-1] for row in rows], _encoded(rows[0]) if earlier else "", _encoded(rows[-1]) if later else "")


def counted(session: Session, query: sa.Select[Any], most: int = MOST_COUNTED) -> tuple[int, bool]:
    """How many rows ``query`` has, counted up to ``most``, and whether there are more."""
    some = query.order_by(None).with_only_columns(sa.literal(1), maintain_column_froms=True).limit(most + 1)
    found = session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    return min(found, most), found > most


def _encoded(values: Sequence[Any]) -> str:
    plain = [value.value if isinstance(value, enum.Enum) else value.isoformat() if isinstance(value, date) else value
             for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, ensure_ascii=False).encode()).decode().rstrip("=")


def _decoded(text: str, order: Columns) -> list[Any] | None:
    if not text:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(order):
            return None
        return [_typed(value, column.type.python_type) for value, column in zip(values, order, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        return None


def _typed(value: Any, kind: Any) -> Any:
    """The value that JSON made of one of ``kind``; ValueError or TypeError for anything else."""
    if issubclass(kind, enum.Enum):
        return kind(value)
    if issubclass(kind, datetime):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment
    if issubclass(kind, date):
        return date.fromisoformat(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or (kind is int and abs(value) >= 2**31):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if kind is str and "\x00" in value:
        raise ValueError("no text has a NUL byte")
    return value
