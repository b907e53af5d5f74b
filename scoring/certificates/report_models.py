"""The upward report (上报): how its table is laid out, each batch that was sent, what the office answered row by row."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line
from scoring.certificates.models import Certificate
from scoring.results.models import ResultList


class ReportLayout(Base):
    """The columns of a school's report, as data. A newer one takes its place; batches keep the columns they were made with."""

    __tablename__ = "report_layouts"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    layout: Mapped[dict[str, Any]]  # of layout.Layout
    set_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    institution: Mapped[Institution] = relationship()
    officer: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.EXAM_OFFICER)


class BatchKind(enum.StrEnum):
    """Which certificates of a list are sent."""

    NEW = "new"
    RESENT = "resent"
    CHANGED = "changed"

    @property
    def chinese(self) -> str:
        return {"new": "首次上报", "resent": "退回后重报", "changed": "变更上报"}[self.value]


class ReportBatch(Base):
    """One workbook that was made for the office, kept encrypted: the very file can be taken again."""

    __tablename__ = "report_batches"

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    number: Mapped[int]  # within the list, from 1
    kind: Mapped[BatchKind] = mapped_column(sa.Enum(BatchKind, native_enum=False, length=10))
    layout: Mapped[dict[str, Any]]
    file_cipher: Mapped[bytes] = mapped_column(deferred=True, info={"secret": True, "identity": "cipher"})
    sha256: Mapped[str] = mapped_column(sa.String(64))  # of the workbook in clear
    made_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    maker: Mapped[Account] = relationship()
    lines: Mapped[list[ReportLine]] = relationship(back_populates="batch", order_by="ReportLine.row")
    receipts: Mapped[list[ReportReceipt]] = relationship(back_populates="batch", order_by="ReportReceipt.id")
    results: Mapped[ResultList] = relationship()

    __table_args__ = (sa.UniqueConstraint("list_id", "number"),)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.list_id.in_(sa.select(ResultList.id).where(ResultList.visible_to(viewer)))


class LineState(enum.StrEnum):
    """sent → accepted | rejected."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"sent": "待回执", "accepted": "已接收", "rejected": "被退回"}[self.value]


class ReportLine(Base):
    """One certificate in one batch, and what the office said to it."""

    __tablename__ = "report_lines"
    __table_args__ = (sa.UniqueConstraint("batch_id", "certificate_id"),
                      sa.CheckConstraint("(state = 'SENT') = (receipt_id IS NULL)", name="answered"))

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("report_batches.id"))
    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    row: Mapped[int]
    state: Mapped[LineState] = mapped_column(sa.Enum(LineState, native_enum=False, length=10), default=LineState.SENT)
    reason: Mapped[str] = mapped_column(default="")
    receipt_id: Mapped[int | None] = mapped_column(sa.ForeignKey("report_receipts.id"))  # the one that said so last
    batch: Mapped[ReportBatch] = relationship(back_populates="lines")
    certificate: Mapped[Certificate] = relationship()


class ReportReceipt(Base):
    """回执: an Excel file of the office, read once. The file itself is not kept: it may hold identity numbers."""

    __tablename__ = "report_receipts"

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("report_batches.id"), index=True)
    file_name: Mapped[Line]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    accepted: Mapped[int]
    rejected: Mapped[int]
    problems: Mapped[list[Any]]  # sentences about rows that could not be read
    read_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    batch: Mapped[ReportBatch] = relationship(back_populates="receipts")
    reader: Mapped[Account] = relationship()
