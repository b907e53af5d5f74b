"""Occupations, standards, weight tables and the range tree with its points."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import STAFF, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned

LEVEL_NAMES = {5: "五级/初级工", 4: "四级/中级工", 3: "三级/高级工", 2: "二级/技师", 1: "一级/高级技师"}


class Subject(enum.StrEnum):
    """What a weight table weighs."""

    THEORY = "theory"
    SKILL = "skill"

    @property
    def chinese(self) -> str:
        return {"theory": "理论知识", "skill": "技能要求"}[self.value]


class Basis(enum.StrEnum):
    """What an occupation is examined by (notice, part 二(二))."""

    NATIONAL_STANDARD = "national_standard"
    EVALUATION_SPECIFICATION = "evaluation_specification"

    @property
    def chinese(self) -> str:
        return {"national_standard": "国家职业技能标准", "evaluation_specification": "评价规范"}[self.value]


class Importance(enum.StrEnum):
    """重要程度: core, general, auxiliary."""

    X = "X"
    Y = "Y"
    Z = "Z"


def staff_only(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Standards are public documents: every member of staff sees them, candidates have no business there."""
    return sa.true() if viewer.has(*STAFF) else sa.false()


class Occupation(Versioned, Base):
    """职业(工种) of one edition of the classification (职业分类大典): a code alone does not identify it."""

    __tablename__ = "occupations"
    __table_args__ = (sa.UniqueConstraint("code", "catalogue_edition"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(16))  # 6-31-01-03 or 6-30-05-01-014
    catalogue_edition: Mapped[str] = mapped_column(sa.String(8))  # 2015 | 2022
    name: Mapped[Line]
    is_access_type: Mapped[bool] = mapped_column(default=False)  # 准入类: never examined here (notice 二(一))
    standards: Mapped[list[Standard]] = relationship(back_populates="occupation", order_by="Standard.edition")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)


class Standard(Versioned, Base):
    """One edition of a standard for one occupation and work type (工种/方向; empty = the whole occupation)."""

    __tablename__ = "standards"
    __table_args__ = (sa.UniqueConstraint("occupation_id", "edition", "work_type"),)

    id: Mapped[Id]
    occupation_id: Mapped[int] = mapped_column(sa.ForeignKey("occupations.id"))
    edition: Mapped[str] = mapped_column(sa.String(8))
    work_type: Mapped[Line] = mapped_column(default="")
    title: Mapped[Line]
    document_number: Mapped[Line] = mapped_column(default="")
    basis: Mapped[Basis] = mapped_column(sa.Enum(Basis, native_enum=False, length=30), default=Basis.NATIONAL_STANDARD)
    occupation: Mapped[Occupation] = relationship(back_populates="standards")
    tables: Mapped[list[WeightTable]] = relationship(back_populates="standard")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)

    @property
    def label(self) -> str:
        work_type = f"（{self.work_type}）" if self.work_type else ""
        return f"{self.occupation.name}{work_type} {self.occupation.code} {self.edition}年版"


class WeightTable(Versioned, Base):
    """权重表 of one level and subject. Blueprint key: (standard edition, code, work type, level, subject)."""

    __tablename__ = "weight_tables"
    __table_args__ = (sa.UniqueConstraint("standard_id", "level", "subject"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"))

    id: Mapped[Id]
    standard_id: Mapped[int] = mapped_column(sa.ForeignKey("standards.id"))
    level: Mapped[int]
    subject: Mapped[Subject] = mapped_column(sa.Enum(Subject, native_enum=False, length=10))
    is_sample: Mapped[bool] = mapped_column(default=False)  # 示例: not taken from the official document; shown everywhere
    source: Mapped[str] = mapped_column(default="")  # document and page that the numbers were read from
    standard: Mapped[Standard] = relationship(back_populates="tables")
    ranges: Mapped[list[Range]] = relationship(back_populates="table", cascade="all, delete-orphan",
                                               order_by="Range.path")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)

    @property
    def label(self) -> str:
        sample = "〔示例〕" if self.is_sample else ""
        return f"{self.standard.label} {LEVEL_NAMES[self.level]} {self.subject.chinese}{sample}"


class Range(Base):
    """鉴定范围: a node of the tree. Its place is kept as segments; ``path`` joins them with dashes and is never parsed.

    In a skill table there is one flat row per 职业功能. Only leaves carry points; a parent weighs what its children do.
    """

    __tablename__ = "ranges"
    __table_args__ = (sa.UniqueConstraint("table_id", "path"), sa.CheckConstraint("weight >= 0", name="weight"))

    id: Mapped[Id]
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ranges.id"), index=True)  # null: first level
    segment: Mapped[str] = mapped_column(sa.String(8))
    path: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[Line]
    weight: Mapped[int]  # in half-percent: 200 is the whole table
    table: Mapped[WeightTable] = relationship(back_populates="ranges")
    parent: Mapped[Range | None] = relationship(remote_side="Range.id", back_populates="children")
    children: Mapped[list[Range]] = relationship(back_populates="parent", order_by="Range.segment")
    points: Mapped[list[Point]] = relationship(back_populates="range", cascade="all, delete-orphan",
                                               order_by="Point.segment")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)


class Point(Base):
    """鉴定点: the smallest piece that can be examined."""

    __tablename__ = "points"
    __table_args__ = (sa.UniqueConstraint("range_id", "segment"),)

    id: Mapped[Id]
    range_id: Mapped[int] = mapped_column(sa.ForeignKey("ranges.id"), index=True)
    segment: Mapped[str] = mapped_column(sa.String(8))  # 001
    name: Mapped[Line]
    importance: Mapped[Importance] = mapped_column(sa.Enum(Importance, native_enum=False, length=1))
    range: Mapped[Range] = relationship(back_populates="points")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)

    @property
    def label(self) -> str:
        return f"{self.range.path}-{self.segment} {self.name}"


class StoredRulePack(Versioned, Base):
    """规则包: the settings of one region that differ from the defaults of :class:`RulePack`, as they are now."""

    __tablename__ = "rule_packs"

    id: Mapped[Id]
    region: Mapped[str] = mapped_column(sa.String(6), unique=True)  # a prefix of the region code
    name: Mapped[Line]
    values: Mapped[str] = mapped_column(default="{}")  # JSON object: field of RulePack -> value
    versions: Mapped[list[RulePackVersion]] = relationship(back_populates="pack", order_by="RulePackVersion.number")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)


class RulePackVersion(Base):
    """What a rule pack said from one change to the next: who changed it and why. Results name the version they follow."""

    __tablename__ = "rule_pack_versions"
    __append_only__ = frozenset()
    __table_args__ = (sa.UniqueConstraint("pack_id", "number"), sa.CheckConstraint("reason <> ''", name="reason"))

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("rule_packs.id"), index=True)
    number: Mapped[int]  # from 1
    name: Mapped[Line]
    values: Mapped[str]  # as in StoredRulePack
    reason: Mapped[str]
    changed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: from before versions were kept
    at: Mapped[datetime]
    pack: Mapped[StoredRulePack] = relationship(back_populates="versions")
    author: Mapped[Account | None] = relationship()

    @property
    def label(self) -> str:
        return f"{self.name} 第 {self.number} 版"

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return staff_only(viewer)
