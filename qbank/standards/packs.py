"""Which rule pack holds for an institution."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.accounts import Institution
from qbank.standards.models import StoredRulePack
from qbank.standards.rulepack import RulePack


def pack_for(session: Session, institution: Institution) -> RulePack:
    """The rule pack of the narrowest region that holds ``institution``; the defaults where none is stored."""
    stored = session.scalars(sa.select(StoredRulePack).order_by(sa.func.length(StoredRulePack.region).desc())).all()
    for pack in stored:
        if institution.region.startswith(pack.region):
            return RulePack.read(pack.values)
    return RulePack()
