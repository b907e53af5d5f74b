"""Photos of candidates, each kept once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from qbank.kernel.db import Base, Id


class CandidatePhoto(Base):
    """A candidate's photo, kept once under its hash."""

    __tablename__ = "candidate_photos"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    media_type: Mapped[str] = mapped_column(sa.String(40))
    content: Mapped[bytes] = mapped_column(info={"secret": True})
    at: Mapped[datetime]
