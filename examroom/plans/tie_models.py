"""Declared relations (回避): between those who assess, invigilate or review, and those who are examined."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line

EXAMINERS = (Role.PRACTICAL_ASSESSOR, Role.INVIGILATOR, Role.REVIEW_EXAMINER)


class TieKind(enum.StrEnum):
    """Why somebody must not judge or watch another."""

    TEACHER = "teacher"
    RELATIVE = "relative"

    @property
    def chinese(self) -> str:
        return {"teacher": "任课（班主任）", "relative": "亲属或其他利害关系"}[self.value]


class Tie(Base):
    """A declared relation: a class that this person teaches, or a candidate who is kin."""

    __tablename__ = "assessor_ties"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    kind: Mapped[TieKind] = mapped_column(sa.Enum(TieKind, native_enum=False, length=10))
    class_name: Mapped[Line] = mapped_column(default="")  # of a teacher
    candidate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # of a relative
    note: Mapped[Line] = mapped_column(default="")
    declared_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    declared_at: Mapped[datetime]
    account: Mapped[Account] = relationship(foreign_keys=account_id)
    candidate: Mapped[Account | None] = relationship(foreign_keys=candidate_id)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        own = sa.and_(sa.literal(viewer.has(*EXAMINERS)), cls.account_id == viewer.account_id)
        return sa.or_(own, viewer.reach(cls.institution_id, Role.EXAM_OFFICER))
