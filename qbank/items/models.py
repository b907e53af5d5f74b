"""Items, their immutable versions, options and reviews."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import Occupation, Point, Standard, WeightTable

BANK_ROLES = (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.PAPER_COMPOSER)


def occupation_code_of(table_id: Any) -> Any:
    """The occupation code behind a weight table's id, as a scalar subquery for ``reach``."""
    table = aliased(WeightTable)  # under a name of its own: the query around it may select weight tables itself
    return (sa.select(Occupation.code).join(Standard).join(table, table.standard_id == Standard.id)
            .where(table.id == table_id).scalar_subquery())


class ItemKind(enum.StrEnum):
    """题型."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    JUDGE = "judge"

    @property
    def chinese(self) -> str:
        return {"single": "单选题", "multiple": "多选题", "judge": "判断题"}[self.value]


class ItemState(enum.StrEnum):
    """draft → submitted → approved | returned; draft, returned, approved → retired.

    An edit makes a new version: it supersedes a draft, submitted or returned one at once, an approved one when the new
    one is approved. The moves are a table in ``qbank.items.bank``.
    """

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    RETIRED = "retired"
    SUPERSEDED = "superseded"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "submitted": "待审", "returned": "退回修改", "approved": "已入库", "retired": "已停用",
                "superseded": "已被新版本取代"}[self.value]


class RowVerdict(enum.StrEnum):
    """What the check made of a row of an uploaded workbook."""

    WRONG = "wrong"
    DUPLICATE = "duplicate"
    GOOD = "good"

    @property
    def chinese(self) -> str:
        return {"wrong": "有错误", "duplicate": "重复，跳过", "good": "可导入"}[self.value]


class BatchState(enum.StrEnum):
    """checking → previewed | refused; previewed → applied | discarded; applied → reverted."""

    CHECKING = "checking"
    PREVIEWED = "previewed"
    APPLIED = "applied"
    REVERTED = "reverted"
    DISCARDED = "discarded"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"checking": "正在检查", "previewed": "待确认", "applied": "已导入", "reverted": "已撤销",
                "discarded": "已放弃", "refused": "无法读取"}[self.value]


class Item(Base):
    """One question of a bank. What it says lives in its versions."""

    __tablename__ = "items"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)  # the theory table it serves
    table: Mapped[WeightTable] = relationship()
    versions: Mapped[list[ItemVersion]] = relationship(back_populates="item", order_by="ItemVersion.number",
                                                       cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.within_reach(viewer, *BANK_ROLES)

    @classmethod
    def within_reach(cls, viewer: Viewer, *roles: Role) -> sa.ColumnElement[bool]:
        """Items that ``viewer`` reaches in one of ``roles``: an author of one occupation may be reviewer of another."""
        return viewer.reach(cls.institution_id, *roles, occupation=occupation_code_of(cls.table_id))

    @property
    def newest(self) -> ItemVersion:
        """The version with the highest number."""
        return self.versions[-1]

    @property
    def standing(self) -> ItemVersion | None:
        """The version that papers may use; None before the first approval and after retirement."""
        return next((version for version in self.versions if version.state is ItemState.APPROVED), None)


class ItemVersion(Versioned, Base):
    """What an item says from one edit to the next. Content never changes; only the state moves."""

    __tablename__ = "item_versions"
    __table_args__ = (sa.UniqueConstraint("item_id", "number"),
                      sa.CheckConstraint("difficulty BETWEEN 1 AND 5", name="difficulty"),
                      sa.CheckConstraint("state <> 'SUBMITTED' OR submitted_at IS NOT NULL", name="submitted"),
                      sa.Index("uq_item_versions_standing", "item_id", unique=True,
                               sqlite_where=sa.text("state = 'APPROVED'"),
                               postgresql_where=sa.text("state = 'APPROVED'")))

    id: Mapped[Id]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id"), index=True)
    number: Mapped[int]
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"), index=True)
    kind: Mapped[ItemKind] = mapped_column(sa.Enum(ItemKind, native_enum=False, length=10))
    stem: Mapped[str]
    key: Mapped[str] = mapped_column(sa.String(10))  # canonical letters in order: "B", "ACD"; judge: "T" or "F"
    explanation: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")  # what the key rests on
    difficulty: Mapped[int]  # 1 易 … 5 难, the author's grade
    state: Mapped[ItemState] = mapped_column(sa.Enum(ItemState, native_enum=False, length=12), default=ItemState.DRAFT,
                                             index=True)
    content_hash: Mapped[str] = mapped_column(sa.String(64), index=True)  # over kind, stem and options: finds doubles
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")  # why this version was made
    submitted_at: Mapped[datetime | None]  # null: never sent to review
    approvals: Mapped[int] = mapped_column(default=0)  # counted here so that two reviewers at once collide (409)
    retired_reason: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batches.id"), index=True)  # null: typed in
    item: Mapped[Item] = relationship(back_populates="versions")
    point: Mapped[Point] = relationship()
    author: Mapped[Account] = relationship()
    options: Mapped[list[Option]] = relationship(back_populates="version", order_by="Option.letter",
                                                 cascade="all, delete-orphan")
    reviews: Mapped[list[Review]] = relationship(back_populates="version", order_by="Review.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.item.has(Item.visible_to(viewer))

    @property
    def spoken_key(self) -> str:
        """The key as it is read out: letters, or 正确/错误."""
        return {"T": "正确", "F": "错误"}.get(self.key, self.key)


class Option(Base):
    """One option of a version."""

    __tablename__ = "options"
    __table_args__ = (sa.UniqueConstraint("version_id", "letter"),)
    __unaudited__ = "written once with its version, which is its own history and carries the content hash"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"))
    letter: Mapped[str] = mapped_column(sa.String(1))
    text: Mapped[str]
    stays_last: Mapped[bool] = mapped_column(default=False)  # 以上都对: means what it says only at the end
    version: Mapped[ItemVersion] = relationship(back_populates="options")


class Review(Base):
    """One reviewer's verdict on one version."""

    __tablename__ = "reviews"
    __table_args__ = (sa.UniqueConstraint("version_id", "reviewer_id"),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"))
    reviewer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    approves: Mapped[bool]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    version: Mapped[ItemVersion] = relationship(back_populates="reviews")
    reviewer: Mapped[Account] = relationship()


class ImportBatch(Versioned, Base):
    """One uploaded workbook: previewed, then applied as a whole, and revertable as a whole.

    The table lives in this room because versions point to it; its rules are in ``qbank.exchange``.
    """

    __tablename__ = "import_batches"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"))
    file_name: Mapped[Line]
    file_hash: Mapped[str] = mapped_column(sa.String(64), index=True)
    uploader_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]
    state: Mapped[BatchState] = mapped_column(sa.Enum(BatchState, native_enum=False, length=10),
                                              default=BatchState.CHECKING)
    applied_at: Mapped[datetime | None]
    added: Mapped[int] = mapped_column(default=0)  # items that applying it put into the bank
    problem: Mapped[str] = mapped_column(default="")  # why the whole file was refused
    notes: Mapped[list[Any]] = mapped_column(default=list)  # sheets and columns that were not read, one sentence each
    table: Mapped[WeightTable] = relationship()
    uploader: Mapped[Account] = relationship()
    rows: Mapped[list[ImportRow]] = relationship(back_populates="batch", order_by="ImportRow.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.ITEM_AUTHOR, occupation=occupation_code_of(cls.table_id))


class ImportFile(Base):
    """The uploaded workbook while it waits to be checked; removed when the rows have been read."""

    __tablename__ = "import_files"
    __unaudited__ = "a passing copy of the upload; the batch keeps its hash"

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batches.id"), primary_key=True)
    content: Mapped[bytes]


class ImportRow(Base):
    """One row of the workbook as it was read, and what is wrong with it."""

    __tablename__ = "import_rows"
    __table_args__ = (sa.Index(None, "batch_id", "verdict"),)
    __unaudited__ = "a record of the uploaded file: written once"

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batches.id"))
    sheet_name: Mapped[Line] = mapped_column(default="")
    row_number: Mapped[int]  # as Excel numbers it
    cells: Mapped[dict[str, str]] = mapped_column(sa.JSON)  # column title -> text
    verdict: Mapped[RowVerdict] = mapped_column(sa.Enum(RowVerdict, native_enum=False, length=10))
    errors: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    duplicate_of: Mapped[str] = mapped_column(default="")  # where the same item already stands; empty: nowhere
    batch: Mapped[ImportBatch] = relationship(back_populates="rows")
