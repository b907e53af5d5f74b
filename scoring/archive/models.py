"""The archive of a batch: its evidence pack, what was filed beside it, who opened it, what stops its end and how it ended."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import ExamPlan, SittingRoom
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned


class ArchivePack(Base):
    """归档卷: the evidence of one plan as one file, with its hash and the head of the audit trail at that time."""

    __tablename__ = "archive_packs"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    file: Mapped[bytes] = mapped_column(deferred=True, default=b"")  # of earlier releases; empty: in the media folder under its hash
    size: Mapped[int]  # bytes of the file
    sha256: Mapped[str] = mapped_column(sa.String(64))
    audit_head: Mapped[str] = mapped_column(sa.String(64))
    manifest: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # SHA-256; printed on covers; empty: an earlier release
    signed_by: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # thumbprint of the key; empty: not signed
    packed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    packed_at: Mapped[datetime]
    keep_until: Mapped[date]  # the last day on which it must still be kept
    paper_until: Mapped[date | None]  # the same for what is kept on paper; null: an earlier release, as ``keep_until``
    destroyed_at: Mapped[datetime | None]  # null: kept
    plan: Mapped[ExamPlan] = relationship()
    packer: Mapped[Account] = relationship()
    accesses: Mapped[list[ArchiveAccess]] = relationship(back_populates="pack", order_by="ArchiveAccess.id")
    destructions: Mapped[list[Destruction]] = relationship(back_populates="pack", order_by="Destruction.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class ArchiveAccess(Base):
    """查阅记录: who took a pack, or one filed scan of a packed batch, out, when and why."""

    __tablename__ = "archive_accesses"
    __append_only__ = frozenset()
    __table_args__ = (sa.CheckConstraint("reason <> ''", name="reason"),)

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("archive_packs.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(sa.ForeignKey("archive_documents.id"))  # null: the whole pack
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    reason: Mapped[str]
    pack: Mapped[ArchivePack] = relationship(back_populates="accesses")
    document: Mapped[FiledDocument | None] = relationship()
    account: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.pack.has(ArchivePack.visible_to(viewer))


class FiledDocument(Base):
    """归档材料: a document that this system does not make itself, as a scan, or where its paper lies."""

    __tablename__ = "archive_documents"
    __table_args__ = (sa.CheckConstraint("attachment_id IS NOT NULL OR place <> ''", name="somewhere"),
                      sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name="withdrawn"))

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    line: Mapped[str] = mapped_column(sa.String(40))  # of the catalogue of volumes
    title: Mapped[Line]
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # null: on paper only
    place: Mapped[Line] = mapped_column(default="")  # box and shelf of the paper; empty: no paper
    pages: Mapped[int | None]  # null: not counted
    filed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # null: stands
    withdrawn_why: Mapped[str] = mapped_column(default="")
    plan: Mapped[ExamPlan] = relationship()
    attachment: Mapped[Attachment | None] = relationship()
    filer: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class Video(Base):
    """影像资料: a recording that stays where it is, known by its path below the video folder and its hash."""

    __tablename__ = "archive_videos"
    __table_args__ = (sa.UniqueConstraint("plan_id", "path"), sa.CheckConstraint("ends_at > starts_at", name="span"))

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    sitting_room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sitting_rooms.id"))  # null: another place, see ``place``
    place: Mapped[Line]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    path: Mapped[str] = mapped_column(sa.String(500))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int] = mapped_column(sa.BigInteger)  # bytes
    registered_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    plan: Mapped[ExamPlan] = relationship()
    sitting_room: Mapped[SittingRoom | None] = relationship()
    registrar: Mapped[Account] = relationship()
    checks: Mapped[list[VideoCheck]] = relationship(back_populates="video", order_by="VideoCheck.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class Seen(enum.StrEnum):
    """What a check of a recording found."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"

    @property
    def chinese(self) -> str:
        return {"same": "一致", "changed": "内容已改变", "gone": "找不到文件"}[self.value]


class VideoCheck(Base):
    """One look at a recording: there or not, the same or not."""

    __tablename__ = "archive_video_checks"
    __append_only__ = frozenset()

    id: Mapped[Id]
    video_id: Mapped[int] = mapped_column(sa.ForeignKey("archive_videos.id"), index=True)
    found: Mapped[Seen] = mapped_column(sa.Enum(Seen, native_enum=False, length=10))
    checked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    video: Mapped[Video] = relationship(back_populates="checks")
    checker: Mapped[Account] = relationship()


class ArchiveHold(Versioned, Base):
    """封存保留: while one stands nothing of the batch is destroyed, however old it is."""

    __tablename__ = "archive_holds"
    __table_args__ = (sa.CheckConstraint("(released_at IS NULL) = (released_why = '')", name="released"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    reason: Mapped[str]
    role: Mapped[str] = mapped_column(sa.String(40))  # the office that set it; nobody below it releases it
    set_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    set_at: Mapped[datetime]
    released_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    released_at: Mapped[datetime | None]  # null: stands
    released_why: Mapped[str] = mapped_column(default="")
    plan: Mapped[ExamPlan] = relationship()
    setter: Mapped[Account] = relationship(foreign_keys=[set_by])
    releaser: Mapped[Account | None] = relationship(foreign_keys=[released_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class DestructionState(enum.StrEnum):
    """asked → done | refused."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"asked": "待另一人核准", "done": "已销毁", "refused": "未同意"}[self.value]


class Destruction(Versioned, Base):
    """销毁记录: asked for by one officer, decided by another. What was destroyed stays on record by name and hash."""

    __tablename__ = "archive_destructions"
    __table_args__ = (sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name="decided"),
                      sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"))

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("archive_packs.id"), index=True)
    reason: Mapped[str]
    state: Mapped[DestructionState] = mapped_column(sa.Enum(DestructionState, native_enum=False, length=10),
                                                    default=DestructionState.ASKED)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    destroyed: Mapped[list[Any]] = mapped_column(default=list)  # [name, SHA-256, bytes] of each file; empty until done
    pack: Mapped[ArchivePack] = relationship(back_populates="destructions")
    asker: Mapped[Account] = relationship(foreign_keys=[asked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.pack.has(ArchivePack.visible_to(viewer))
