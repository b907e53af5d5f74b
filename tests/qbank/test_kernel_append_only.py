"""Tables whose rows are only added: the database refuses, whoever asks and by whatever way."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qbank.kernel import append_only, migrations
from qbank.kernel.audit import verify
from qbank.kernel.db import Base, Database
from tests.conftest import People

MEDDLING = {
    "changing an entry": "UPDATE audit_entries SET actor_name = '别人'",
    "removing an entry": "DELETE FROM audit_entries",
    "forgetting an attempt": "DELETE FROM sign_in_attempts",
}


@pytest.fixture
def trail(session: Session, people: People) -> int:
    """How many entries the trail has: a school was entered and renamed, somebody failed to sign in."""
    people.home.name = "湘江高级技工学校"
    session.execute(sa.text("INSERT INTO sign_in_attempts (login, address, at, succeeded) VALUES ('chen', '10.0.0.7', CURRENT_TIMESTAMP, false)"))
    session.commit()
    return session.scalar(sa.text("SELECT count(*) FROM audit_entries")) or 0


@pytest.mark.parametrize("how", MEDDLING)
def test_the_database_refuses_to_change_what_is_only_added(how: str, trail: int, session: Session, database: Database) -> None:
    session.rollback()
    with database.engine.connect() as connection, connection.begin(), pytest.raises(IntegrityError, match="is append-only"):
        connection.execute(sa.text(MEDDLING[how]))
    assert session.scalar(sa.text("SELECT count(*) FROM audit_entries")) == trail
    assert verify(session) == []


def test_postgresql_does_not_empty_the_trail_either(trail: int, session: Session, database: Database) -> None:
    session.rollback()
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite knows no TRUNCATE")
    with database.engine.connect() as connection, connection.begin(), pytest.raises(IntegrityError, match="is append-only"):
        connection.execute(sa.text("TRUNCATE audit_entries"))
    assert session.scalar(sa.text("SELECT count(*) FROM audit_entries")) == trail


def test_only_the_taking_back_of_a_cost_may_still_be_written(session: Session, database: Database) -> None:
    session.rollback()
    with database.engine.connect() as connection, connection.begin() as everything:
        _forget_pointers(connection, "cost_entries")  # no plan is needed here
        connection.execute(sa.text("INSERT INTO cost_entries (plan_id, category, fen, note, entered_by, at) "
                                   "VALUES (1, '材料', 100, '', 1, CURRENT_TIMESTAMP)"))
        assert connection.execute(sa.text("UPDATE cost_entries SET cancelled_at = CURRENT_TIMESTAMP")).rowcount == 1
        with pytest.raises(IntegrityError, match="cost_entries is append-only"), connection.begin_nested():
            connection.execute(sa.text("UPDATE cost_entries SET fen = 1"))
        everything.rollback()


def _forget_pointers(connection: sa.Connection, table: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        return
    for pointer in sa.inspect(connection).get_foreign_keys(table):
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {pointer['name']}")


def test_every_table_that_says_so_is_protected_and_a_missing_trigger_is_named(session: Session, database: Database) -> None:
    session.rollback()
    with database.engine.begin() as connection:
        assert append_only.unprotected(connection) == []
        assert {"audit_entries", "answer_events", "time_entries", "fee_entries", "result_decisions"} <= append_only.tables().keys()
        held = dict(append_only._held(connection))
        name = next(name for name, table in held.items() if table == "answer_events")
        append_only._drop(connection, name, "answer_events")
        assert append_only.unprotected(connection) == ["answer_events"]
        append_only.protect(connection)
        assert append_only._held(connection) == held


def test_an_upgrade_brings_back_what_a_rewritten_table_lost(session: Session, database: Database) -> None:
    session.rollback()
    with database.engine.begin() as connection:
        append_only.lift(connection)
        assert set(append_only.unprotected(connection)) == append_only.tables().keys()
    migrations.upgrade(database.engine)
    with database.engine.connect() as connection:
        assert append_only.unprotected(connection) == []


def test_columns_that_may_still_be_filled_exist(database: Database) -> None:
    for table, filled in append_only.tables().items():
        assert filled <= set(Base.metadata.tables[table].columns.keys()), table
