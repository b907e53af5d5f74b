"""考核内容结构表: of which modules the practical part of one occupation and level consists."""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import Occupation, Standard, WeightTable

BANK_ROLES = (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
STRUCTURE_ROLES = (*BANK_ROLES, Role.EXAM_OFFICER)


class StructureState(enum.StrEnum):
    """draft → in_force → replaced."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    REPLACED = "replaced"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "in_force": "在用", "replaced": "已被新版代替"}[self.value]


class Mode(enum.StrEnum):
    """选考方式 of a module: everybody the same unit, one chosen beforehand, or one drawn by lot."""

    REQUIRED = "required"
    CHOSEN = "chosen"
    DRAWN = "drawn"

    @property
    def chinese(self) -> str:
        return {"required": "必考", "chosen": "任选一项", "drawn": "抽考"}[self.value]


class Form(enum.StrEnum):
    """考核形式."""

    ON_SITE = "on_site"
    SIMULATED = "simulated"
    WRITTEN = "written"
    COMPUTER = "computer"
    ORAL = "oral"

    @property
    def chinese(self) -> str:
        return {"on_site": "现场操作", "simulated": "模拟操作", "written": "笔试", "computer": "机考", "oral": "口试"}[self.value]


def occupation_of(table_id: Any) -> Any:
    """The occupation code of a weight table, as a scalar for ``Viewer.reach``."""
    return (sa.select(Occupation.code).join(Standard, Standard.occupation_id == Occupation.id)
            .join(WeightTable, WeightTable.standard_id == Standard.id).where(WeightTable.id == table_id)
            .correlate_except(Occupation, Standard, WeightTable).scalar_subquery())


class ContentStructure(Versioned, Base):
    """One version of the structure of a school for one skill weight table. Once in force it never changes."""

    __tablename__ = "content_structures"
    __table_args__ = (sa.UniqueConstraint("institution_id", "table_id", "number"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    number: Mapped[int]  # from 1 up
    state: Mapped[StructureState] = mapped_column(sa.Enum(StructureState, native_enum=False, length=10),
                                                  default=StructureState.DRAFT)
    source: Mapped[Line] = mapped_column(default="")  # where it was read from, or who decided it
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    table: Mapped[WeightTable] = relationship()
    institution: Mapped[Institution] = relationship()
    author: Mapped[Account] = relationship()
    modules: Mapped[list[PracticalModule]] = relationship(order_by="PracticalModule.position", cascade="all, delete-orphan",
                                                          back_populates="structure")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *STRUCTURE_ROLES, occupation=occupation_of(cls.table_id))

    @property
    def label(self) -> str:
        return f"{self.table.label} 考核内容结构表 第 {self.number} 版"


class PracticalModule(Base):
    """One module (考核模块). ``portions`` says which 职业功能 it examines and with how much of their weight."""

    __tablename__ = "practical_modules"
    __table_args__ = (sa.UniqueConstraint("structure_id", "position"), sa.CheckConstraint("weight > 0", name="weight"))

    id: Mapped[Id]
    structure_id: Mapped[int] = mapped_column(sa.ForeignKey("content_structures.id"))
    position: Mapped[int]  # from 1
    name: Mapped[Line]
    mode: Mapped[Mode] = mapped_column(sa.Enum(Mode, native_enum=False, length=10))
    options: Mapped[list[str]] = mapped_column(sa.JSON)  # the N units of 任选 or 抽考 N 选一; empty for 必考
    weight: Mapped[int]  # half-percent; all modules together 200
    minutes: Mapped[int]
    form: Mapped[Form] = mapped_column(sa.Enum(Form, native_enum=False, length=10))
    portions: Mapped[dict[str, int]] = mapped_column(sa.JSON)  # path of a 职业功能 -> half-percent; their sum is the weight
    previous_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practical_modules.id"))  # the same module of the version before
    structure: Mapped[ContentStructure] = relationship(back_populates="modules")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.structure.has(ContentStructure.visible_to(viewer))

    @property
    def choice(self) -> str:
        """``抽考三选一``."""
        if self.mode is Mode.DRAWN:
            return f"抽考{NUMERALS[len(self.options)]}选一"
        return self.mode.chinese


NUMERALS = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
