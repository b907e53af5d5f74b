"""What the rows of revision 0005 become in 0006. Written against the tables as they are then, not against the models."""

from __future__ import annotations

import sqlalchemy as sa

from qbank.kernel.times import UtcDateTime, utc_now

EVENT = 'INSERT INTO scope_events (scope_id, kind, day, reason, "by", at) SELECT id, {what}, published_by, :at FROM filed_scopes'


def after(connection: sa.Connection) -> None:
    """The history of the directory begins with what it says today: each scope was published, some were ended early."""
    for what, where in (("'PUBLISHED', valid_from, ''", ""), ("'ENDED', valid_until, end_reason", " WHERE end_reason <> ''")):
        connection.execute(sa.text(EVENT.format(what=what) + where).bindparams(sa.bindparam("at", utc_now(), UtcDateTime())))
