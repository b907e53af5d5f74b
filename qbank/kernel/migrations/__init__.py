"""Schema changes, only through Alembic: ``upgrade`` brings a database to the newest revision.

Revisions from 0007 on only expand: what was there stays as it was, so that a program goes on working on the schema of a newer
one. A new version upgrades the schema while the old one serves, then takes its place.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from qbank.kernel import append_only
from qbank.kernel.db import Base

TRIES, PAUSE_SECONDS = 30, 1.0
LOCK_SECONDS = 4  # behind whoever waits for a whole table everybody else waits too
BUSY = ("55P03", "40P01")  # lock not available, deadlock


def configuration(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(connection=connection, metadata=Base.metadata)
    return config


def upgrade(engine: sa.Engine) -> None:
    """Create or upgrade the schema; all models must have been imported. One that is newer than this program stays as it is.

    While others serve, it never makes them wait long for a table: it lets go and tries again.
    """
    for left in reversed(range(TRIES)):
        try:
            _upgrade(engine)
            return
        except sa.exc.OperationalError as error:
            if not left or getattr(error.orig, "sqlstate", None) not in BUSY:
                raise
            time.sleep(PAUSE_SECONDS)


def _upgrade(engine: sa.Engine) -> None:
    with engine.connect() as connection, _rows_left_alone(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('examroom upgrade'))"))  # of two hosts at once one waits
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        if is_newer(MigrationContext.configure(connection).get_current_revision()):
            return
        command.upgrade(configuration(connection), "head")
        append_only.protect(connection)  # after every upgrade: SQLite forgets the triggers of a table that it writes anew


@contextmanager
def _rows_left_alone(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by writing it anew and dropping the old one, which would take the rows that point to it."""
    raw = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        if broken := raw.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"the upgrade left rows that point nowhere: {broken[:5]}")
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def revisions(engine: sa.Engine) -> tuple[str | None, str | None]:
    """The revision of the database and the newest one of the program."""
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
        return MigrationContext.configure(connection).get_current_revision(), script.get_current_head()


def fits(revision: str | None) -> bool:
    """Whether this program works on a schema of ``revision``: its own newest, or one that only a newer program knows."""
    return revision is not None and (revision == _own()[0] or is_newer(revision))


def is_newer(revision: str | None) -> bool:
    """Whether only a newer program knows this revision."""
    return revision is not None and revision not in _own()[1]


@cache
def _own() -> tuple[str | None, Collection[str]]:
    script = ScriptDirectory(str(Path(__file__).parent))
    return script.get_current_head(), frozenset(one.revision for one in script.walk_revisions())
