"""Tables whose rows are only added: the database itself refuses to change or delete them.

A model says so: ``__append_only__ = frozenset()``, or with the names of the columns that may still be filled in later (who took
an entry back, and when). Triggers stop whatever goes past the program's rules; who owns the database can take them away, and
is found by the hash chain and by the heads on paper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from qbank.kernel.db import Base

PREFIX = "append_only_"
FUNCTION = "examroom_append_only"
FUNCTION_SQL = f"""CREATE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$"""
HELD = {
    "sqlite": "SELECT name, tbl_name AS place FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'append_only_%'",
    "postgresql": "SELECT tgname AS name, relname AS place FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname LIKE 'append_only_%' "
                  "AND tgenabled <> 'D' AND relnamespace = CAST(current_schema() AS regnamespace)",
}


@dataclass(frozen=True)
class Trigger:
    """One trigger. Its name carries a hash of what it says, so that another text is another trigger."""

    name: str
    table: str
    statement: str


def tables() -> dict[str, frozenset[str]]:
    """The append-only tables, each with the columns that may still be written."""
    found = {str(mapper.local_table): mapper.class_.__append_only__ for mapper in Base.registry.mappers}
    return {table: filled for table, filled in sorted(found.items()) if filled is not None}


def protect(connection: sa.Connection) -> None:
    """Bring the triggers of all append-only tables that are there to what the models say. Touches nothing that stands."""
    existing = set(sa.inspect(connection).get_table_names())
    wanted = {one.name: one for one in _wanted(connection.dialect.name) if one.table in existing}
    held = _held(connection)
    if connection.dialect.name == "postgresql" and wanted.keys() - held.keys():
        _make_function(connection)
    for name in held.keys() - wanted.keys():
        _drop(connection, name, held[name])
    for name in wanted.keys() - held.keys():
        connection.execute(sa.text(wanted[name].statement))


def lift(connection: sa.Connection) -> None:
    """Take the triggers away: in a copy that is changed and thrown away."""
    for name, table in _held(connection).items():
        _drop(connection, name, table)


def unprotected(connection: sa.Connection) -> list[str]:
    """The append-only tables of which a trigger is missing or disabled."""
    held = _held(connection)
    return sorted({one.table for one in _wanted(connection.dialect.name) if one.name not in held})


def _held(connection: sa.Connection) -> Mapping[str, str]:
    """The triggers that are there: name → table."""
    return {row.name: row.place for row in connection.execute(sa.text(HELD[connection.dialect.name]))}


def _wanted(dialect: str) -> Iterator[Trigger]:
    for table, filled in tables().items():
        columns = [column.name for column in Base.metadata.tables[table].columns if column.name not in filled]
        update = f"UPDATE OF {', '.join(columns)}" if filled else "UPDATE"
        events = {"update": update, "delete": "DELETE"} | ({"truncate": "TRUNCATE"} if dialect == "postgresql" else {})
        for kind, event in events.items():
            yield _trigger(dialect, table, kind, event)


def _trigger(dialect: str, table: str, kind: str, event: str) -> Trigger:
    name = f"{PREFIX}{table}_{kind}_{hashlib.sha256(event.encode()).hexdigest()[:6]}"
    head = f"CREATE TRIGGER {name} BEFORE {event} ON {table}"
    if dialect == "sqlite":
        return Trigger(name, table, f"{head} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
    each = "STATEMENT" if kind == "truncate" else "ROW"
    return Trigger(name, table, f"{head} FOR EACH {each} EXECUTE FUNCTION {FUNCTION}()")


def _make_function(connection: sa.Connection) -> None:
    there = connection.scalar(sa.text("SELECT count(*) FROM pg_proc WHERE proname = :name "
                                      "AND pronamespace = CAST(current_schema() AS regnamespace)"), {"name": FUNCTION})
    if not there:
        connection.execute(sa.text(FUNCTION_SQL))


def _drop(connection: sa.Connection, name: str, table: str) -> None:
    connection.execute(sa.text(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.dialect.name == "postgresql" else "")))
