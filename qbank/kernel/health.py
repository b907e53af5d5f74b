"""Is this process alive, and should it be given work? For load balancers and for whoever watches.

Live: it answers. Ready: it does not drain, no other machine has taken over, the database answers within seconds, and its
schema is one that this program knows or a newer one (which only expands, so that an upgrade can run beneath us).
"""

from __future__ import annotations

import enum
from typing import Any

from alembic.runtime.migration import MigrationContext
from flask import Blueprint, Flask, current_app

from qbank.kernel import fencing, migrations
from qbank.kernel.bounded import Bounded
from qbank.kernel.db import Database
from qbank.kernel.web import bare

blueprint = Blueprint("operations", __name__)


class Health(enum.StrEnum):
    """READY takes requests; the others say why not."""

    READY = "ready"
    DRAINING = "draining"
    SUPERSEDED = "superseded"
    DATABASE = "database"
    SCHEMA = "schema"


class Watch:
    """Looks after one process."""

    def __init__(self, app: Flask) -> None:
        self._kernel: dict[str, Any] = app.extensions["examroom"]
        self._revision = Bounded(lambda: (revision_of(self._kernel["database"]),))

    def look(self) -> Health:
        draining = self._kernel.get("draining")
        if draining is not None and draining.is_set():
            return Health.DRAINING
        if fencing.is_superseded(self._kernel["settings"].folder):
            return Health.SUPERSEDED
        found = self._revision()
        if found is None:
            return Health.DATABASE
        return Health.READY if migrations.fits(found[0]) else Health.SCHEMA


def revision_of(database: Database) -> str | None:
    """The schema's revision; None where there is none."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@blueprint.get("/healthz")
@bare
def health() -> Any:
    """One word: strangers reach this door."""
    found: Health = current_app.extensions["health"].look()
    return {"status": found}, 200 if found is Health.READY else 503


@blueprint.get("/healthz/live")
@bare
def live() -> Any:
    return {"status": "live"}
