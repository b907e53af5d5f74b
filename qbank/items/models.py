"""Items, their immutable versions, options, shared materials, pictures, reviews, and pairs that must not meet."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from qbank.items.states import (
    STANDING,
    BatchState,
    ItemKind,
    ItemState,
    PairKind,
    Purpose,
    RowVerdict,
    Verdict,
)
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


class Item(Base):
    """One question of a bank. What it says lives in its versions."""

    __tablename__ = "items"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)  # the theory table it serves
    purpose: Mapped[Purpose] = mapped_column(sa.Enum(Purpose, native_enum=False, length=10), default=Purpose.EXAM,
                                             server_default="EXAM")
    purpose_reason: Mapped[str] = mapped_column(default="", server_default="")  # why it was released for practice
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
        return next((version for version in self.versions if version.state in STANDING), None)


class Picture(Base):
    """A picture of stems, options or explanations, named by the hash of its content: ``![caption](media:HASH)``."""

    __tablename__ = "pictures"
    __table_args__ = (sa.UniqueConstraint("institution_id", "sha256"),)
    __unaudited__ = "named by the hash of its content: it cannot change"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)  # over ``content``, after cleaning
    media_type: Mapped[str] = mapped_column(sa.String(20))  # image/png, image/jpeg, image/svg+xml
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes]
    uploader_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The school's people of the bank, of whatever occupation: a picture belongs to none, and its name cannot be guessed."""
        unbound = tuple(dataclasses.replace(scope, occupation_code=None) for scope in viewer.scopes)
        return dataclasses.replace(viewer, scopes=unbound).reach(cls.institution_id, *BANK_ROLES)


class Stimulus(Base):
    """The shared material of a set of items (共用题干), immutable: a change makes a new row of the same ``root_id``."""

    __tablename__ = "stimuli"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stimuli.id"), index=True)  # null: the first of its line
    text: Mapped[str]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *BANK_ROLES, occupation=occupation_code_of(cls.table_id))

    @property
    def line(self) -> int:
        """What all rows of one material share: items of one line are one set."""
        return self.root_id or self.id


class ItemVersion(Versioned, Base):
    """What an item says from one edit to the next. Content never changes; only the state moves."""

    __tablename__ = "item_versions"
    __table_args__ = (sa.UniqueConstraint("item_id", "number"),
                      sa.CheckConstraint("difficulty BETWEEN 1 AND 5", name="difficulty"),
                      sa.CheckConstraint("state <> 'SUBMITTED' OR submitted_at IS NOT NULL", name="submitted"),
                      sa.Index("ix_item_versions_listed", "item_id", "state", "point_id", "kind", "difficulty", "author_id"),
                      sa.Index("uq_item_versions_standing", "item_id", unique=True,
                               sqlite_where=sa.text("state IN ('APPROVED', 'IN_USE')"),
                               postgresql_where=sa.text("state IN ('APPROVED', 'IN_USE')")))

    id: Mapped[Id]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id"), index=True)
    number: Mapped[int]
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"), index=True)
    kind: Mapped[ItemKind] = mapped_column(sa.Enum(ItemKind, native_enum=False, length=10))
    stem: Mapped[str]
    key: Mapped[str]  # letters in order ("B", "ACD"), "T" or "F"; fill: one line per blank; written: the model answer
    guide: Mapped[str] = mapped_column(default="", server_default="")  # written kinds: one line per step, "2|切断电源"
    stimulus_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stimuli.id"), index=True)  # null: stands alone
    explanation: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")  # the document that the key rests on
    source_page: Mapped[str] = mapped_column(default="", server_default="")
    source_author: Mapped[str] = mapped_column(default="", server_default="")  # who says so there
    difficulty: Mapped[int]  # 1 易 … 5 难, the author's grade
    state: Mapped[ItemState] = mapped_column(sa.Enum(ItemState, native_enum=False, length=12), default=ItemState.DRAFT,
                                             index=True)
    content_hash: Mapped[str] = mapped_column(sa.String(64), index=True)  # over kind, stem and options: finds doubles
    words: Mapped[str] = mapped_column(default="", server_default="")  # stem and options as they are searched
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")  # why this version was made
    submitted_at: Mapped[datetime | None]  # null: never sent to review
    review_due: Mapped[date | None]  # null: never sent to review
    approvals: Mapped[int] = mapped_column(default=0)  # counted here so that two reviewers at once collide (409)
    state_reason: Mapped[str] = mapped_column(default="")  # why it was suspended, resumed or retired
    used_at: Mapped[datetime | None]  # when the first paper that holds it was sealed; null: in no sealed paper
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batches.id"), index=True)  # null: typed in
    item: Mapped[Item] = relationship(back_populates="versions")
    point: Mapped[Point] = relationship()
    author: Mapped[Account] = relationship()
    stimulus: Mapped[Stimulus | None] = relationship()
    options: Mapped[list[Option]] = relationship(back_populates="version", order_by="Option.letter",
                                                 cascade="all, delete-orphan")
    reviews: Mapped[list[Review]] = relationship(back_populates="version", order_by="Review.id",
                                                 cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.item.has(Item.visible_to(viewer))

    @property
    def spoken_key(self) -> str:
        """The key as it is read out: letters, 正确/错误, or the answer's own text."""
        return {"T": "正确", "F": "错误"}.get(self.key, self.key) if self.kind is ItemKind.JUDGE else self.key


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
    reviewer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    verdict: Mapped[Verdict] = mapped_column(sa.Enum(Verdict, native_enum=False, length=10))
    comment: Mapped[str] = mapped_column(default="")
    estimate: Mapped[int | None]  # Angoff: of 100 just-qualified candidates, how many answer right; null: not asked
    at: Mapped[datetime]
    reply: Mapped[str] = mapped_column(default="", server_default="")  # the author's, to the comment
    replied_at: Mapped[datetime | None]  # null: no reply
    version: Mapped[ItemVersion] = relationship(back_populates="reviews")
    reviewer: Mapped[Account] = relationship()

    @property
    def approves(self) -> bool:
        return self.verdict is Verdict.ACCEPT

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.version.has(ItemVersion.visible_to(viewer))


class SecondKey(Base):
    """The answer that a reviewer gave before the key was shown (盲答)."""

    __tablename__ = "second_keys"
    __table_args__ = (sa.UniqueConstraint("version_id", "reviewer_id"),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id", ondelete="CASCADE"))
    reviewer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    answer: Mapped[str]
    agrees: Mapped[bool | None]  # null: a written answer, which nobody compares by machine
    at: Mapped[datetime]
    version: Mapped[ItemVersion] = relationship()
    reviewer: Mapped[Account] = relationship()


class ReviewTask(Base):
    """Somebody asked this reviewer to look at this version by a certain day."""

    __tablename__ = "review_tasks"
    __table_args__ = (sa.UniqueConstraint("version_id", "reviewer_id"),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id", ondelete="CASCADE"))
    reviewer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    due: Mapped[date]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    version: Mapped[ItemVersion] = relationship()
    reviewer: Mapped[Account] = relationship(foreign_keys=reviewer_id)
    asked_by: Mapped[Account] = relationship(foreign_keys=asked_by_id)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.version.has(ItemVersion.visible_to(viewer))


class ItemPair(Base):
    """What somebody decided about two items of one bank. Enemies and similar items never meet on one form."""

    __tablename__ = "item_pairs"
    __table_args__ = (sa.UniqueConstraint("first_id", "second_id"),
                      sa.CheckConstraint("first_id < second_id", name="order"))

    id: Mapped[Id]
    first_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id", ondelete="CASCADE"), index=True)
    kind: Mapped[PairKind] = mapped_column(sa.Enum(PairKind, native_enum=False, length=10))
    reason: Mapped[str] = mapped_column(default="")
    decided_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime]
    first: Mapped[Item] = relationship(foreign_keys=first_id)
    second: Mapped[Item] = relationship(foreign_keys=second_id)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.first.has(Item.visible_to(viewer))


class Likeness(Base):
    """Two items of one bank that read alike, as the last search through the bank found them; nobody decided anything."""

    __tablename__ = "likenesses"
    __table_args__ = (sa.UniqueConstraint("first_id", "second_id"), sa.CheckConstraint("first_id < second_id", name="order"))
    __unaudited__ = "computed from the items; searching again reproduces it"

    id: Mapped[Id]
    first_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id", ondelete="CASCADE"), index=True)
    score: Mapped[float]  # 0 to 1, of the two stems
    found_at: Mapped[datetime]
    first: Mapped[Item] = relationship(foreign_keys=first_id)
    second: Mapped[Item] = relationship(foreign_keys=second_id)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.first.has(Item.visible_to(viewer))


class BulkRun(Base):
    """What somebody did with many versions at once, as it was done: to show it, and to take it back where that is possible."""

    __tablename__ = "bulk_runs"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    action: Mapped[str] = mapped_column(sa.String(20))  # a key of qbank.items.bulk.ACTIONS
    reason: Mapped[str] = mapped_column(default="")
    point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("points.id"))  # null: nothing was moved
    at: Mapped[datetime]
    changes: Mapped[list[Any]]  # [version before, version after, point before] each
    refused: Mapped[list[Any]]  # a sentence each
    undone_at: Mapped[datetime | None]  # null: it stands
    point: Mapped[Point | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.account_id == viewer.account_id


class ItemFigures(Base):
    """What the rooms above know of an item, for the list's filters: statistics of its newest measured version, use."""

    __tablename__ = "item_figures"
    __unaudited__ = "computed from sealed papers and stored responses; recomputing reproduces it"

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id", ondelete="CASCADE"), primary_key=True)
    uses: Mapped[int] = mapped_column(default=0)  # sealed papers that one of its versions is in
    last_used_at: Mapped[datetime | None]  # null: in no sealed paper
    measured_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item_versions.id", ondelete="SET NULL"))  # null: none
    answered: Mapped[int] = mapped_column(default=0)  # persons behind the two numbers of that version
    difficulty: Mapped[float | None]  # share correct; null: not measured
    discrimination: Mapped[float | None]  # item-rest correlation; null: not measured


class ImportBatch(Versioned, Base):
    """One uploaded file: previewed, then applied as a whole, and revertable as a whole.

    The table lives in this room because versions point to it; its rules are in ``qbank.exchange``.
    """

    __tablename__ = "import_batches"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"))
    file_name: Mapped[Line]
    file_hash: Mapped[str] = mapped_column(sa.String(64), index=True)
    format: Mapped[str] = mapped_column(sa.String(20), default="excel", server_default="excel")  # of qbank.exchange
    purpose: Mapped[Purpose] = mapped_column(sa.Enum(Purpose, native_enum=False, length=10), default=Purpose.EXAM,
                                             server_default="EXAM")  # which bank its items go into
    uploader_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]
    state: Mapped[BatchState] = mapped_column(sa.Enum(BatchState, native_enum=False, length=10),
                                              default=BatchState.CHECKING)
    applied_at: Mapped[datetime | None]  # while applying or reverting: the moment of the newest slice
    applied_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not applied
    added: Mapped[int] = mapped_column(default=0)  # items that applying it put into the bank
    layout: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # sheets with a foreign head, see sheets.py
    problem: Mapped[str] = mapped_column(default="")  # why the whole file was refused
    notes: Mapped[list[Any]] = mapped_column(default=list)  # sheets and columns that were not read, one sentence each
    table: Mapped[WeightTable] = relationship()
    uploader: Mapped[Account] = relationship(foreign_keys=uploader_id)
    rows: Mapped[list[ImportRow]] = relationship(back_populates="batch", order_by="ImportRow.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The bank's authors; those who review here too see only their own batches: the rows hold keys."""
        code = occupation_code_of(cls.table_id)
        return sa.and_(viewer.reach(cls.institution_id, Role.ITEM_AUTHOR, occupation=code),
                       sa.or_(cls.uploader_id == viewer.account_id,
                              sa.not_(viewer.reach(cls.institution_id, Role.ITEM_REVIEWER, occupation=code))))


class ImportFile(Base):
    """The uploaded file while it waits to be checked; removed when the rows have been read."""

    __tablename__ = "import_files"
    __unaudited__ = "a passing copy of the upload; the batch keeps its hash"

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batches.id"), primary_key=True)
    content: Mapped[bytes]


class ImportRow(Base):
    """One item of the file as it was read or mended in the preview, and what is wrong with it."""

    __tablename__ = "import_rows"
    __table_args__ = (sa.Index(None, "batch_id", "verdict"),
                      sa.Index("ix_import_rows_content", "batch_id", "content_hash"))
    __unaudited__ = "a record of the uploaded file and of what was mended before it went into the bank"

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batches.id"))
    sheet_name: Mapped[Line] = mapped_column(default="")
    row_number: Mapped[int]  # as Excel numbers it; for other formats the paragraph, line or place in the file
    place: Mapped[Line] = mapped_column(default="", server_default="")  # "第 12 段"; empty: a row of a worksheet
    mended: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # changed in the preview
    cells: Mapped[dict[str, str]] = mapped_column(sa.JSON)  # column title -> text
    verdict: Mapped[RowVerdict] = mapped_column(sa.Enum(RowVerdict, native_enum=False, length=10))
    errors: Mapped[list[Any]] = mapped_column(default=list)  # [column title or "", sentence]
    problems: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # the reader's, until the row is mended
    content_hash: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")  # finds doubles in the file
    earlier: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # what it said before each mending
    duplicate_of: Mapped[str] = mapped_column(default="")  # where the same item already stands; empty: nowhere
    alike: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # near-duplicates: item, row, how alike
    batch: Mapped[ImportBatch] = relationship(back_populates="rows")


class ColumnMapping(Base):
    """How a school's own layout reads in our columns, remembered by the titles of the foreign workbook."""

    __tablename__ = "column_mappings"
    __table_args__ = (sa.UniqueConstraint("institution_id", "titles_hash"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    titles_hash: Mapped[str] = mapped_column(sa.String(64))
    columns: Mapped[dict[str, Any]]  # foreign title -> our title, "" for not read
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    made_at: Mapped[datetime]
