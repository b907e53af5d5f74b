"""What an institution is filed for."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import Standard


class FiledScope(Versioned, Base):
    """备案范围: one occupation (work type) and level that an institution may examine, by a standard, for a time.

    Published by the province centre; the public directory (评价机构目录) lists it.
    """

    __tablename__ = "filed_scopes"
    __table_args__ = (sa.UniqueConstraint("institution_id", "standard_id", "level", "valid_from"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"),
                      sa.CheckConstraint("valid_until >= valid_from", name="validity"))

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"))
    level: Mapped[int]
    valid_from: Mapped[date]
    valid_until: Mapped[date]  # the last day it is valid
    published_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    end_reason: Mapped[Line] = mapped_column(default="")  # why the province ended it early; empty: it runs its time
    institution: Mapped[Institution] = relationship()
    standard: Mapped[Standard] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER,
                            Role.QUALITY_SUPERVISOR, Role.ADMINISTRATOR)

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_until
