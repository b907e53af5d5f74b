"""From SQLite to PostgreSQL: every row copied in one transaction, counted and hashed on both sides.

The source is held under its write lock while it is read, so nothing can be acknowledged that would stay behind. Rows are
compared as the program reads them, table by table, by a sum of their SHA-256 in which their order does not count.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import AddConstraint, DropConstraint

from qbank.kernel import migrations
from qbank.kernel.db import Base
from qbank.kernel.refused import Refused

CHUNK = 500  # rows at once: some carry pictures
HIDDEN = {"alembic_version"}


@dataclass(frozen=True)
class Moved:
    """One table on both sides."""

    table: str
    rows: int
    sha256: str


def move(source: sa.Engine, target: sa.Engine, say: Callable[[str, int], None] = lambda table, rows: None) -> list[Moved]:
    """Copy everything from ``source`` into the empty PostgreSQL ``target``. All or nothing: a difference undoes it."""
    _require(source, target)
    migrations.upgrade(target)
    tables = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    with source.connect() as old, old.begin(), target.connect() as new, new.begin():
        _require_known(old, tables)
        pointers = [constraint for table in tables for constraint in table.foreign_key_constraints]
        for constraint in pointers:
            new.execute(DropConstraint(constraint))
        for table in tables:  # what the schema itself brought along stands in the source too
            new.execute(sa.delete(table))
        moved = []
        for table in tables:
            rows = _copy(old, new, table)
            say(table.name, rows)
            moved.append(_compared(old, new, table))
        for constraint in pointers:
            new.execute(AddConstraint(constraint))
        for table in tables:
            _go_on_counting(new, table)
        return moved


def digest(connection: sa.Connection, table: sa.Table) -> tuple[int, str]:
    """Rows of a table, and a hash over all of them that does not depend on their order."""
    rows = total = 0
    for row in _rows(connection, table):
        rows += 1
        total += int.from_bytes(hashlib.sha256(json.dumps([plain(value) for value in row], ensure_ascii=False, sort_keys=True).encode()).digest(), "big")
    return rows, f"{total % 2**256:064x}"


def plain(value: Any) -> Any:
    """A value as JSON holds it, the same whichever database it came from."""
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return f"{value.timestamp():.6f}"
    if isinstance(value, enum.Enum):
        return value.name
    return value if isinstance(value, dict | list | str | int | float | bool | None) else str(value)


def _require(source: sa.Engine, target: sa.Engine) -> None:
    if source.dialect.name != "sqlite" or target.dialect.name != "postgresql":
        raise Refused("wrong_direction", "只能从 SQLite 迁到 PostgreSQL。请用 --to 指定 postgresql:// 开头的地址。")
    current, newest = migrations.revisions(source)
    if current != newest:
        raise Refused("old_schema", f"源数据库的结构是 {current}，程序需要 {newest}。请先运行 examroom upgrade，再迁移。")
    if tables := sa.inspect(target).get_table_names():
        raise Refused("not_empty", f"目标数据库里已有 {len(tables)} 张表。只能迁到空数据库；请新建一个数据库。")


def _require_known(old: sa.Connection, tables: Sequence[sa.Table]) -> None:
    unknown = set(sa.inspect(old).get_table_names()) - {table.name for table in tables} - HIDDEN
    if unknown:
        raise Refused("unknown_tables", f"源数据库里有程序不认识的表，不能保证迁移完整：{'、'.join(sorted(unknown))}。")


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[Any]]:
    yield from connection.execute(sa.select(table), execution_options={"yield_per": CHUNK})


def _copy(old: sa.Connection, new: sa.Connection, table: sa.Table) -> int:
    rows = 0
    for part in old.execute(sa.select(table), execution_options={"yield_per": CHUNK}).mappings().partitions():
        try:
            new.execute(sa.insert(table), [dict(row) for row in part])
        except (SQLAlchemyError, ValueError) as error:
            raise Refused("row_refused", f"表 {table.name} 有 PostgreSQL 不接受的内容，迁移已全部撤销。", [str(error).splitlines()[0][:300]]) from error
        rows += len(part)
    return rows


def _compared(old: sa.Connection, new: sa.Connection, table: sa.Table) -> Moved:
    before, after = digest(old, table), digest(new, table)
    if before != after:
        raise Refused("copy_differs", f"表 {table.name} 迁移前后不一致，迁移已全部撤销。请把下面的内容告诉技术支持。",
                      [f"{rows} 行，SHA-256 {found}" for rows, found in (before, after)])
    return Moved(table.name, *after)


def _go_on_counting(new: sa.Connection, table: sa.Table) -> None:
    """The next row gets the next number."""
    for column in table.primary_key:
        name = new.scalar(sa.select(sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
        if name:
            new.execute(sa.select(sa.func.setval(name, sa.select(sa.func.coalesce(sa.func.max(column), 1)).scalar_subquery(),
                                                 sa.select(sa.func.count() > 0).select_from(table).scalar_subquery())))
