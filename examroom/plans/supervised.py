"""Which plans a supervisor was sent to. The room that sends them registers its answer here: imports go down only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from qbank.kernel.access import Role, Viewer

Sent = Callable[[Any, Viewer], sa.ColumnElement[bool]]
SENT: list[Sent] = []


def register(sent: Sent) -> Sent:
    """``sent(plan_id, viewer)``: a condition, true where the viewer was sent to the plan of that column."""
    SENT.append(sent)
    return sent


def sent_to(plan_id: Any, viewer: Viewer) -> sa.ColumnElement[bool]:
    """Nobody, as long as no room sends anybody."""
    if not viewer.has(Role.QUALITY_SUPERVISOR):
        return sa.false()
    return sa.or_(sa.false(), *(sent(plan_id, viewer) for sent in SENT))
