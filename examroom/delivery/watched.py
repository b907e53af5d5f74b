"""What operators see of the exam itself: how many sittings run, how many candidates write, how many were heard of just now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Presence, Sheet, SheetState
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.metrics import MEASURED, Measure

SILENT = timedelta(minutes=1)


def _sittings(session: Session, now: datetime) -> Iterator[Measure]:
    heard = sa.func.sum(sa.case((Presence.seen_at > now - SILENT, 1), else_=0))
    sittings, writing, connected = session.execute(
        sa.select(sa.func.count(Sheet.sitting_id.distinct()), sa.func.count(), heard).select_from(Sheet)
        .join(Sitting, Sitting.id == Sheet.sitting_id).outerjoin(Presence, Presence.sheet_id == Sheet.id)
        .where(Sitting.state == SittingState.DEALT, Sheet.state == SheetState.STARTED)).one()
    yield Measure("sittings_running", "Sittings with at least one candidate who writes.", sittings)
    yield Measure("candidates_writing", "Sheets that are started and not handed in.", writing)
    yield Measure("candidates_connected", "Those of them that were heard of within a minute.", connected or 0)


MEASURED.append(_sittings)
