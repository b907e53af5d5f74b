"""Schema changes, only through Alembic: ``upgrade`` brings a database to the newest revision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from qbank.kernel import append_only
from qbank.kernel.db import Base


def configuration(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(connection=connection, metadata=Base.metadata)
    return config


def upgrade(engine: sa.Engine) -> None:
    """Create or upgrade the schema; all models must have been imported."""
    with engine.connect() as connection, _rows_left_alone(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('examroom upgrade'))"))  # of two hosts at once one waits
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
