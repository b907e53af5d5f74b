"""What happens around marks: the stream of a tablet, a spread that goes to the chief assessor, corrections."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Versioned
from scoring.practical.models import GroupMember, MarkSheet, RubricRow


class MarkStream(Base):
    """How far the events of one assessor's device have arrived: sent twice, they count once."""

    __tablename__ = "mark_streams"
    __table_args__ = (sa.UniqueConstraint("group_id", "account_id", "device"),)
    __unaudited__ = "a counter; the marks themselves are audited"

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_groups.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    device: Mapped[str] = mapped_column(sa.String(32))  # made by the browser, once
    acknowledged: Mapped[int] = mapped_column(default=0)  # sequence of the last event that was taken or refused


class Discrepancy(Versioned, Base):
    """Totals further apart than the rule pack allows: the chief assessor marks the candidate, and the first marks stay."""

    __tablename__ = "discrepancies"

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("group_members.id"), unique=True)
    spread: Mapped[int]  # half-points between the highest and the lowest total
    allowed: Mapped[int]  # by the rule pack of that day
    found_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")  # the chief's, with the signature
    decided_at: Mapped[datetime | None]  # null: waits for the chief assessor
    member: Mapped[GroupMember] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.member.has(GroupMember.visible_to(viewer))


class CorrectionState(enum.StrEnum):
    """asked → approved | rejected."""

    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"asked": "待批准", "approved": "已更正", "rejected": "未同意"}[self.value]


class Correction(Versioned, Base):
    """Another entry for one row of a signed sheet. The mark itself is never written again; both are shown."""

    __tablename__ = "mark_corrections"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("mark_sheets.id"), index=True)
    row_id: Mapped[int] = mapped_column(sa.ForeignKey("rubric_rows.id"))
    before: Mapped[dict[str, Any]]  # {"entry", "half_points", "violated"} as they stood when it was asked for
    after: Mapped[dict[str, Any]]
    reason: Mapped[str]
    state: Mapped[CorrectionState] = mapped_column(sa.Enum(CorrectionState, native_enum=False, length=10),
                                                   default=CorrectionState.ASKED)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    score_before: Mapped[int | None]  # the candidate's practical score, half-points
    score_after: Mapped[int | None]
    sheet: Mapped[MarkSheet] = relationship()
    row: Mapped[RubricRow] = relationship()
    asker: Mapped[Account] = relationship(foreign_keys=asked_by)
    decider: Mapped[Account | None] = relationship(foreign_keys=decided_by)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.sheet.has(MarkSheet.visible_to(viewer))
