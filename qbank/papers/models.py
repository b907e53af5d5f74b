"""Specifications and papers."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, aliased, attributes, mapped_column, relationship

from qbank.items.models import ItemVersion, occupation_code_of
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.kernel.refused import Refused
from qbank.standards.models import Range, WeightTable


class PaperState(enum.StrEnum):
    """draft → sealed; draft → discarded. A sealed paper never changes."""

    DRAFT = "draft"
    SEALED = "sealed"
    DISCARDED = "discarded"

    @property
    def chinese(self) -> str:
        return {"draft": "待封存", "sealed": "已封存", "discarded": "已作废"}[self.value]


class Specification(Versioned, Base):
    """组卷方案: the form of a paper, how many items each range gives to each part, and the rules of choosing them.

    A version that papers were made from never changes: revising it makes the next ``number`` of the same line.
    """

    __tablename__ = "specifications"
    __table_args__ = (sa.UniqueConstraint("root_id", "number"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(sa.ForeignKey("specifications.id"), index=True)  # null: the first of its line
    number: Mapped[int] = mapped_column(default=1, server_default="1")  # of the version, from 1
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why this version differs from the one before
    name: Mapped[Line]
    minutes: Mapped[int]
    instructions: Mapped[str] = mapped_column(default="", server_default="")  # what the candidate reads first; empty: the rule pack's
    calculator: Mapped[bool] = mapped_column(default=False, server_default="0")  # the exam page offers one
    # As qbank.papers.rules writes them, without what is pinned or barred: those items are encrypted, see qbank.papers.lists.
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    weights: Mapped[dict[str, int]] = mapped_column(sa.JSON)  # leaf range path -> half-per-cent, when it was derived
    within_bank: Mapped[bool]  # false: the bank could not serve these quotas when they were derived
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    table: Mapped[WeightTable] = relationship()
    parts: Mapped[list[SpecificationPart]] = relationship(order_by="SpecificationPart.position",
                                                          cascade="all, delete-orphan")
    quotas: Mapped[list[Quota]] = relationship(cascade="all, delete-orphan")

    @property
    def line(self) -> int:
        """What all versions of this specification have in common."""
        return self.root_id or self.id

    @property
    def label(self) -> str:
        return self.name if self.number == 1 else f"{self.name}（第 {self.number} 版）"

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.PAPER_COMPOSER, occupation=occupation_code_of(cls.table_id))


class SpecificationPart(Base):
    """One part: so many items of a kind at so many half-points each."""

    __tablename__ = "specification_parts"
    __table_args__ = (sa.UniqueConstraint("specification_id", "position"),
                      sa.CheckConstraint("count > 0 AND half_points > 0", name="positive"))

    id: Mapped[Id]
    specification_id: Mapped[int] = mapped_column(sa.ForeignKey("specifications.id"))
    position: Mapped[int]  # from 0
    kind: Mapped[ItemKind] = mapped_column(sa.Enum(ItemKind, native_enum=False, length=10))
    count: Mapped[int]
    half_points: Mapped[int]  # per item


class Quota(Base):
    """How many items of one part come from one leaf range; derived from the weights and kept with them."""

    __tablename__ = "quotas"
    __table_args__ = (sa.UniqueConstraint("specification_id", "range_id", "position"),)
    __unaudited__ = "derived from the specification, written with it"

    id: Mapped[Id]
    specification_id: Mapped[int] = mapped_column(sa.ForeignKey("specifications.id"))
    range_id: Mapped[int] = mapped_column(sa.ForeignKey("ranges.id"))
    position: Mapped[int]
    count: Mapped[int]
    range: Mapped[Range] = relationship()


class PaperFamily(Base):
    """一次组卷: forms made together by one call, with what the solver says of them. Its report names no item."""

    __tablename__ = "paper_families"

    id: Mapped[Id]
    specification_id: Mapped[int] = mapped_column(sa.ForeignKey("specifications.id"), index=True)
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    name: Mapped[Line]
    seed: Mapped[int | None] = mapped_column(sa.BigInteger, info={"secret": True})  # null: sealed
    forms: Mapped[int]
    is_pool: Mapped[bool] = mapped_column(default=False, server_default="0")  # a form per candidate is drawn from it
    breaks: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # sentences; any: may be looked at, never sealed
    report: Mapped[dict[str, Any]] = mapped_column(info={"secret": True})  # status, bound, gap, seconds, costs of soft rules, bank
    composer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    specification: Mapped[Specification] = relationship()
    composer: Mapped[Account] = relationship()
    papers: Mapped[list[Paper]] = relationship(back_populates="family", order_by="Paper.form")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        made_by = aliased(Specification)
        table_id = sa.select(made_by.table_id).where(made_by.id == cls.specification_id).scalar_subquery()
        return viewer.reach(cls.institution_id, Role.PAPER_COMPOSER, occupation=occupation_code_of(table_id))


class Paper(Versioned, Base):
    """试卷: the sealed master. ``fingerprint`` = SHA-256 over its canonical form."""

    __tablename__ = "papers"
    __table_args__ = (sa.CheckConstraint("(state = 'SEALED') = (fingerprint IS NOT NULL AND sealed_at IS NOT NULL "
                                         "AND sealed_by IS NOT NULL)", name="sealed"),)

    id: Mapped[Id]
    specification_id: Mapped[int] = mapped_column(sa.ForeignKey("specifications.id"), index=True)
    family_id: Mapped[int | None] = mapped_column(sa.ForeignKey("paper_families.id"), index=True)  # null: made before there were any
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    name: Mapped[Line]
    form: Mapped[str] = mapped_column(sa.String(4))  # which of the forms made together: A..Z, beyond 26 forms 001, 002, …
    state: Mapped[PaperState] = mapped_column(sa.Enum(PaperState, native_enum=False, length=10), default=PaperState.DRAFT)
    seed: Mapped[int | None] = mapped_column(sa.BigInteger, info={"secret": True})  # null while the paper is shut
    composer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    sealed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null until sealed
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64))  # null until sealed
    salt: Mapped[str | None] = mapped_column(sa.String(64))  # part of what the fingerprint covers; null until opened
    opened_at: Mapped[datetime | None]  # null: a draft, or sealed and shut: then its items are in its pack only
    compliance: Mapped[dict[str, Any]] = mapped_column(sa.JSON, info={"secret": True})  # target and actual, as assembled
    specification: Mapped[Specification] = relationship()
    family: Mapped[PaperFamily | None] = relationship(back_populates="papers")
    composer: Mapped[Account] = relationship(foreign_keys="Paper.composer_id")
    sealer: Mapped[Account | None] = relationship(foreign_keys="Paper.sealed_by")
    items: Mapped[list[PaperItem]] = relationship(back_populates="paper", order_by="PaperItem.number",
                                                  cascade="all, delete-orphan")

    @property
    def is_shut(self) -> bool:
        """Sealed and not opened: nobody sees its items, and the database does not hold them in clear."""
        return self.state is PaperState.SEALED and self.opened_at is None

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        made_by = aliased(Specification)  # under a name of its own, like the weight table in occupation_code_of
        table_id = sa.select(made_by.table_id).where(made_by.id == cls.specification_id).scalar_subquery()
        return viewer.reach(cls.institution_id, Role.PAPER_COMPOSER, occupation=occupation_code_of(table_id))


class PaperItem(Base):
    """One item of a paper, numbered continuously from 1 across the parts."""

    __tablename__ = "paper_items"
    __table_args__ = (sa.UniqueConstraint("paper_id", "number"), sa.UniqueConstraint("paper_id", "version_id"))
    __unaudited__ = "written once with its paper and covered by the fingerprint"

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"))
    number: Mapped[int]
    position: Mapped[int]  # of the part, from 0
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"), index=True)
    half_points: Mapped[int]
    locked: Mapped[bool] = mapped_column(default=False, server_default="0")  # kept when the rest is chosen anew
    paper: Mapped[Paper] = relationship(back_populates="items")
    version: Mapped[ItemVersion] = relationship()


class PaperChange(Base):
    """One change of a draft by hand: items swapped or chosen anew. What it was is forgotten when the paper is sealed.

    The audit trail says who changed how many numbers and why, never which items.
    """

    __tablename__ = "paper_changes"

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    numbers: Mapped[list[Any]] = mapped_column(info={"secret": True})  # [[number, version before, version after], …]
    action: Mapped[str] = mapped_column(sa.String(10))  # swap | undo | resolve
    reason: Mapped[str] = mapped_column(default="")
    undone: Mapped[bool] = mapped_column(default=False)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    account: Mapped[Account] = relationship()


class PaperUse(Base):
    """A paper was dealt to the candidates of a sitting. The rooms above say so; ``sitting_id`` is a key of theirs."""

    __tablename__ = "paper_uses"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "paper_id"),)

    id: Mapped[Id]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    sitting_id: Mapped[int]
    at: Mapped[datetime]  # when it was first dealt there


def _frozen(paper: Paper) -> bool:
    """Whether the paper was sealed before the changes that wait to be written."""
    history = attributes.get_history(paper, "state")
    return next(iter(history.deleted or history.unchanged or ()), None) is PaperState.SEALED


@event.listens_for(Session, "before_flush")
def _refuse_changes(session: Session, context: Any, instances: Any) -> None:
    """A sealed paper never changes, whoever asks and whatever the rule forgot."""
    ours = (Paper, PaperItem, Specification, SpecificationPart, Quota)
    touched = {thing for thing in (*session.new, *session.deleted) if isinstance(thing, ours)}
    touched |= {thing for thing in session.dirty if isinstance(thing, ours) and session.is_modified(thing)}
    papers = {thing for thing in touched if isinstance(thing, Paper)}
    papers |= {session.get_one(Paper, thing.paper_id) for thing in touched
               if isinstance(thing, PaperItem) and thing.paper_id is not None}
    specifications = {thing.id if isinstance(thing, Specification) else thing.specification_id for thing in touched
                      if isinstance(thing, Specification | SpecificationPart | Quota)}
    papers = {paper for paper in papers if paper.id not in session.info.get("opening", ())}  # qbank.papers.opening alone says so
    if any(_frozen(paper) for paper in papers) or (specifications and _has_sealed(session, specifications)):
        raise Refused("sealed", "试卷已封存，内容不能再改。需要不同的试卷请重新组卷。")


def _has_sealed(session: Session, specification_ids: set[int]) -> bool:
    sealed = sa.select(Paper.id).where(Paper.specification_id.in_(specification_ids), Paper.state == PaperState.SEALED)
    return session.scalar(sealed.limit(1)) is not None
