"""A second host: with the same keys it starts, with others it does not; and revisions leave what the old program needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from qbank.kernel import doctor, host_keys, migrations
from qbank.kernel.db import Database
from qbank.kernel.settings import Settings
from tests.conftest import TestClock

FIRST_THAT_EXPANDS = "0007"


def host(folder: Path, database: Database) -> Settings:
    return Settings.from_environment({"EXAMROOM_DATABASE_URL": database.url.replace("+psycopg", "")}, folder=folder)


@pytest.fixture
def first(tmp_path: Path, database: Database, session: Session) -> Settings:
    made = host(tmp_path / "first", database)
    host_keys.remember(session, made)
    session.commit()
    return made


def test_a_host_with_copied_keys_is_one_of_ours_and_one_with_its_own_is_named(first: Settings, tmp_path: Path, database: Database,
                                                                              session: Session) -> None:
    (tmp_path / "second").mkdir()
    for key in first.folder.glob("*.key"):
        shutil.copy2(key, tmp_path / "second")
    assert host_keys.differing(session, host(tmp_path / "second", database)) == []
    assert host_keys.differing(session, host(tmp_path / "stranger", database)) == ["codes", "identity", "papers", "secret"]
    (tmp_path / "second" / "papers.key").write_bytes(b"p" * 32)
    assert host_keys.differing(session, host(tmp_path / "second", database)) == ["papers"]


def test_a_missing_signing_key_is_named_before_a_second_one_is_made(first: Settings, session: Session) -> None:
    (first.folder / "signing.pem").write_bytes(b"the key of our certificates")
    host_keys.remember(session, first)
    (first.folder / "signing.pem").unlink()
    assert host_keys.differing(session, first) == ["signing"]


def test_while_a_key_is_replaced_hosts_that_hold_both_go_on_and_afterwards_those_without_the_new_one_are_named(
        first: Settings, session: Session, tmp_path: Path, database: Database) -> None:
    file, old = first.folder / "identity.key", (first.folder / "identity.key").read_bytes()
    file.write_bytes(b"n" * 32 + old)
    assert host_keys.differing(session, first) == []
    host_keys.replaced(session, "identity", b"n" * 32)
    assert host_keys.differing(session, first) == []
    file.write_bytes(old)
    assert "identity" in host_keys.differing(session, first)


def test_keys_changed_on_purpose_are_accepted(first: Settings, session: Session, tmp_path: Path, database: Database) -> None:
    other = host(tmp_path / "other", database)
    host_keys.remember(session, other, anew=True)
    assert host_keys.differing(session, other) == []
    assert host_keys.differing(session, first) == ["codes", "identity", "papers", "secret"]


def test_the_marks_tell_nothing_of_the_keys(first: Settings, session: Session) -> None:
    held = set(session.scalars(sa.select(host_keys.HostKey.mark)))
    assert len(held) == 4
    for key in (first.secret_key, first.identity_key, first.paper_keys.file.read_bytes()):
        assert key.hex()[:16] not in "".join(held)


def test_the_doctor_finds_the_host_with_other_keys(first: Settings, tmp_path: Path, database: Database, clock: TestClock) -> None:
    found = {one.subject: one for one in doctor.look(host(tmp_path / "stranger", database), database, now=clock(), thorough=False)}
    assert not found["host keys"].well
    assert "identity" in found["host keys"].detail
    found = {one.subject: one for one in doctor.look(first, database, now=clock(), thorough=False)}
    assert found["host keys"].well


@pytest.fixture
def empty(fresh_database_url: Callable[[], str]) -> Iterator[Database]:
    made = Database(fresh_database_url())
    with made.engine.begin() as connection:
        everything = sa.MetaData()
        everything.reflect(connection)
        everything.drop_all(connection)
    yield made
    made.engine.dispose()


Shape = dict[str, dict[str, object]]


def shape(connection: sa.Connection) -> Shape:
    """What a program that knows this schema counts on, table by table."""
    seen = sa.inspect(connection)
    found: Shape = {}
    for table in seen.get_table_names():
        columns = {one["name"]: (str(one["type"]), one["nullable"], one["default"] is not None) for one in seen.get_columns(table)}
        unique = {tuple(one["column_names"]) for one in seen.get_unique_constraints(table)}
        unique |= {tuple(name or "" for name in one["column_names"]) for one in seen.get_indexes(table) if one["unique"]}
        pointers = {(tuple(one["constrained_columns"]), one["referred_table"]) for one in seen.get_foreign_keys(table)}
        checks = {str(one["sqltext"]) for one in seen.get_check_constraints(table)}
        found[table] = {"columns": columns, "unique": unique, "pointers": pointers, "checks": checks}
    return found


def contractions(before: Shape, after: Shape) -> list[str]:
    """Why a program made for ``before`` could fail on ``after``."""
    found = [f"table {table} is gone" for table in before if table not in after]
    for table in before.keys() & after.keys():
        old, new = before[table]["columns"], after[table]["columns"]
        assert isinstance(old, dict)
        assert isinstance(new, dict)
        found += [f"{table}.{name} is gone" for name in old if name not in new]
        found += [f"{table}.{name} was {old[name]}, is {new[name]}" for name in old if name in new
                  and (old[name][0] != new[name][0] or (old[name][1] and not new[name][1]))]
        found += [f"{table}.{name} must be given" for name, (_, nullable, has_default) in new.items() if name not in old and not (nullable or has_default)]
        for kind in ("unique", "pointers", "checks"):
            was, is_now = before[table][kind], after[table][kind]
            assert isinstance(was, set)
            assert isinstance(is_now, set)
            added = {one for one in is_now - was if kind != "pointers" or not set(one[0]) - old.keys()}
            found += [f"{table}: new among {kind}: {one}" for one in added if kind != "pointers" or set(one[0]) <= old.keys()]
    return found


def test_each_revision_from_the_seventh_on_only_expands(empty: Database) -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    chain = [one.revision for one in reversed(list(script.walk_revisions()))]
    first = chain.index(FIRST_THAT_EXPANDS)
    with empty.engine.begin() as connection:
        command.upgrade(migrations.configuration(connection), chain[first - 1])
        before = shape(connection)
    for revision in chain[first:]:
        with empty.engine.begin() as connection:
            command.upgrade(migrations.configuration(connection), revision)
            after = shape(connection)
        assert contractions(before, after) == [], revision
        before = after


@pytest.mark.parametrize(("change", "why"), [
    ("DROP TABLE things", "table things is gone"),
    ("ALTER TABLE things RENAME COLUMN word TO other", "things.word is gone"),
    ("ALTER TABLE things ADD COLUMN must TEXT NOT NULL", "things.must must be given"),
    ("CREATE UNIQUE INDEX one_word ON things (word)", "things: new among unique: ('word',)"),
])
def test_what_does_not_only_expand_is_found(change: str, why: str, empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT)"))
        before = shape(connection)
        if "ADD COLUMN must" in change and connection.dialect.name == "sqlite":  # refused there for a table that exists: written anew
            connection.execute(sa.text("DROP TABLE things"))
            change = "CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT, must TEXT NOT NULL)"
        connection.execute(sa.text(change))
        assert why in contractions(before, shape(connection))


def test_what_only_expands_passes(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT)"))
        before = shape(connection)
        for change in ("CREATE TABLE more (id INTEGER PRIMARY KEY)", "ALTER TABLE things ADD COLUMN may TEXT",
                       "ALTER TABLE things ADD COLUMN has TEXT NOT NULL DEFAULT 'one'", "CREATE INDEX some_words ON things (word)"):
            connection.execute(sa.text(change))
        assert contractions(before, shape(connection)) == []


def test_a_schema_that_only_a_newer_program_knows_is_served_and_an_older_one_is_not() -> None:
    newest = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    assert [migrations.fits(one) for one in (newest, "9999", "0006", "0001", None)] == [True, True, False, False, False]


def test_upgrading_a_newer_schema_changes_nothing(empty: Database) -> None:
    migrations.upgrade(empty.engine)
    with empty.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        before = shape(connection)
    migrations.upgrade(empty.engine)
    with empty.engine.connect() as connection:
        assert shape(connection) == before
    assert migrations.revisions(empty.engine)[0] == "9999"
