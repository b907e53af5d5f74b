"""The practical bank: tasks in versions with what their three papers say, and the draw."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import OFFICE_ROLES, Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import WeightTable
from scoring.practical.models import Rubric
from scoring.practical.structure_models import BANK_ROLES, ContentStructure, PracticalModule, occupation_of


class TaskState(enum.StrEnum):
    """draft → submitted → approved (→ retired) | returned; a returned or approved version is changed by a new one."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    RETIRED = "retired"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "submitted": "待审", "approved": "已审定", "returned": "已退回", "retired": "已停用"}[self.value]


class PracticalTask(Versioned, Base):
    """操作技能试题: one task of one module (and, where the module offers several, of one of its units)."""

    __tablename__ = "practical_tasks"
    __table_args__ = (sa.UniqueConstraint("institution_id", "code"),)

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    module_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_modules.id"), index=True)  # follows the structure's versions
    option: Mapped[Line] = mapped_column(default="")  # one of the module's units; empty for 必考
    code: Mapped[str] = mapped_column(sa.String(40))  # 试题编号
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    table: Mapped[WeightTable] = relationship()
    module: Mapped[PracticalModule] = relationship()
    versions: Mapped[list[TaskVersion]] = relationship(back_populates="task", order_by="TaskVersion.number")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Who writes and reviews in this bank; an exam officer sees what is approved, for the papers and the draw."""
        code = occupation_of(cls.table_id)
        released = cls.versions.any(TaskVersion.state.in_([TaskState.APPROVED, TaskState.RETIRED]))
        return sa.or_(viewer.reach(cls.institution_id, *BANK_ROLES, occupation=code),
                      sa.and_(released, viewer.reach(cls.institution_id, Role.EXAM_OFFICER, occupation=code)))

    @property
    def latest(self) -> TaskVersion:
        return self.versions[-1]

    @property
    def approved(self) -> TaskVersion | None:
        """The newest version that a draw may use."""
        return next((one for one in reversed(self.versions) if one.state is TaskState.APPROVED), None)


class TaskVersion(Versioned, Base):
    """What a task says in one version: what has to be ready, what the candidate reads, how it is marked (its rubric)."""

    __tablename__ = "practical_task_versions"
    __table_args__ = (sa.UniqueConstraint("task_id", "number"),)

    id: Mapped[Id]
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_tasks.id"), index=True)
    number: Mapped[int]
    state: Mapped[TaskState] = mapped_column(sa.Enum(TaskState, native_enum=False, length=10), default=TaskState.DRAFT)
    title: Mapped[Line]
    minutes: Mapped[int]
    body: Mapped[str] = mapped_column(default="")  # 考核内容与步骤, in the markup of items
    demands: Mapped[str] = mapped_column(default="")  # 考核要求
    school_note: Mapped[str] = mapped_column(default="")  # 考场准备要求
    school_list: Mapped[list[list[str]]] = mapped_column(sa.JSON, default=list)  # 名称, 规格, 单位, 数量, 备注
    candidate_note: Mapped[str] = mapped_column(default="")
    candidate_list: Mapped[list[list[str]]] = mapped_column(sa.JSON, default=list)
    rubric_id: Mapped[int] = mapped_column(sa.ForeignKey("rubrics.id"), unique=True)
    created_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    reviewed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    reviewed_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")  # of the reviewer
    task: Mapped[PracticalTask] = relationship(back_populates="versions")
    rubric: Mapped[Rubric] = relationship()
    author: Mapped[Account] = relationship(foreign_keys=[created_by])
    reviewer: Mapped[Account | None] = relationship(foreign_keys=[reviewed_by])
    attachments: Mapped[list[TaskAttachment]] = relationship(order_by="TaskAttachment.position",
                                                             cascade="all, delete-orphan", back_populates="version")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        bank = cls.task.has(viewer.reach(PracticalTask.institution_id, *BANK_ROLES,
                                         occupation=occupation_of(PracticalTask.table_id)))
        office = cls.task.has(viewer.reach(PracticalTask.institution_id, Role.EXAM_OFFICER,
                                           occupation=occupation_of(PracticalTask.table_id)))
        return sa.or_(bank, sa.and_(cls.state.in_([TaskState.APPROVED, TaskState.RETIRED]), office))

    @property
    def label(self) -> str:
        return f"{self.task.code} {self.title}（第 {self.number} 版）"


class TaskAttachment(Base):
    """A drawing or data sheet of a task version; pictures are printed in the paper. Copies share the file."""

    __tablename__ = "practical_task_attachments"
    __table_args__ = (sa.UniqueConstraint("version_id", "position"),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_task_versions.id"))
    attachment_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    position: Mapped[int]
    caption: Mapped[Line] = mapped_column(default="")
    version: Mapped[TaskVersion] = relationship(back_populates="attachments")
    attachment: Mapped[Attachment] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.version.has(TaskVersion.visible_to(viewer))


class DrawState(enum.StrEnum):
    """current → replaced, by a draw that two persons asked for."""

    CURRENT = "current"
    REPLACED = "replaced"

    @property
    def chinese(self) -> str:
        return {"current": "有效", "replaced": "已作废，由重抽代替"}[self.value]


class UnitChoice(Base):
    """任选一项: which unit a candidate takes in a module, settled before the draw."""

    __tablename__ = "practical_unit_choices"
    __table_args__ = (sa.UniqueConstraint("enrolment_id", "module_id"),)

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"))
    module_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_modules.id"))
    option: Mapped[Line]


class PracticalDraw(Versioned, Base):
    """抽签: everything that came out of one seed for one plan. ``pool`` is what was drawn from, so that anybody can repeat it."""

    __tablename__ = "practical_draws"
    __table_args__ = (sa.UniqueConstraint("plan_id", "number"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), index=True)
    structure_id: Mapped[int] = mapped_column(sa.ForeignKey("content_structures.id"))
    number: Mapped[int]  # from 1; above 1 it replaces the one before
    state: Mapped[DrawState] = mapped_column(sa.Enum(DrawState, native_enum=False, length=10), default=DrawState.CURRENT)
    seed: Mapped[str] = mapped_column(sa.String(64))
    starts_at: Mapped[datetime]  # the first candidate's start: no new draw from then on
    pool: Mapped[str]  # JSON as drawn from: candidates, tasks of each module, stations
    fingerprint: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 over what came out
    drawn_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    drawn_at: Mapped[datetime]
    redraw_reason: Mapped[str] = mapped_column(default="")  # asked for on this draw; empty: nobody did
    redraw_asked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    redraw_asked_at: Mapped[datetime | None]
    plan: Mapped[ExamPlan] = relationship()
    structure: Mapped[ContentStructure] = relationship()
    drawer: Mapped[Account] = relationship(foreign_keys=[drawn_by])
    asker: Mapped[Account | None] = relationship(foreign_keys=[redraw_asked_by])
    lots: Mapped[list[DrawnTask]] = relationship(back_populates="draw", order_by="DrawnTask.id", cascade="all, delete-orphan")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(viewer.reach(ExamPlan.institution_id, *OFFICE_ROLES, plan=ExamPlan.id))


class DrawnTask(Base):
    """The lot of one candidate in one module: the task, and the turn and station (工位) at which it is done."""

    __tablename__ = "practical_lots"
    __table_args__ = (sa.UniqueConstraint("draw_id", "enrolment_id", "module_id"),
                      sa.UniqueConstraint("draw_id", "module_id", "turn", "station"))

    id: Mapped[Id]
    draw_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_draws.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    module_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_modules.id"))
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("practical_task_versions.id"))
    turn: Mapped[int]  # 场次 (批次), from 1
    station: Mapped[int]  # 工位号, from 1
    draw: Mapped[PracticalDraw] = relationship(back_populates="lots")
    enrolment: Mapped[Enrolment] = relationship()
    module: Mapped[PracticalModule] = relationship()
    version: Mapped[TaskVersion] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.draw.has(PracticalDraw.visible_to(viewer))
