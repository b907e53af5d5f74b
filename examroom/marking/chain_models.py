"""Who answers for the scores of a sitting whose records of answers do not hold together."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id


class ChainAcknowledgement(Base):
    """One person looked into the breaks of a sitting's event chains. ``digest``: of exactly those; a further one asks anew."""

    __tablename__ = "chain_acknowledgements"
    __append_only__ = frozenset()
    __table_args__ = (sa.UniqueConstraint("sitting_id", "digest", "account_id"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    comment: Mapped[str]
    at: Mapped[datetime]
    person: Mapped[Account] = relationship()
