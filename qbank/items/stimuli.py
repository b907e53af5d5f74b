"""Materials that several items share (共用题干): one row for one text of a bank."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import Stimulus
from qbank.kernel.access import Viewer
from qbank.standards.models import WeightTable


def keep(session: Session, table: WeightTable, institution_id: int, texts: Collection[str], who: Viewer, *,
         now: datetime, instead_of: Stimulus | None = None) -> dict[str, Stimulus]:
    """Text → its row in this bank; a text that is new gets a row, of the line of ``instead_of`` if that is given."""
    wanted = {text for text in texts if text}
    if not wanted:
        return {}
    query = sa.select(Stimulus).where(Stimulus.table_id == table.id, Stimulus.institution_id == institution_id)
    found = {row.text: row for row in session.scalars(query.order_by(Stimulus.id)) if row.text in wanted}
    for text in sorted(wanted - found.keys()):
        found[text] = Stimulus(institution_id=institution_id, table_id=table.id, text=text, author_id=who.account_id,
                               created_at=now, root_id=instead_of.line if instead_of else None)
        session.add(found[text])
    session.flush()
    return found
