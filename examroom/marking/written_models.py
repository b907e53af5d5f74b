"""Written answers on their way to a score: who marks, what is marked, every mark that was ever given."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.delivery.models import Sheet
from examroom.plans.models import ExamPlan, Sitting
from qbank.items.answers import Step, guide_total, steps_of
from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Versioned


class Marker(Versioned, Base):
    """阅卷员 of one sitting. The chief (阅卷组长) decides what two markers leave open."""

    __tablename__ = "markers"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "account_id"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    is_chief: Mapped[bool] = mapped_column(default=False, server_default="0")
    classes: Mapped[list[Any]] = mapped_column(default=list)  # names of the classes that this person teaches: never marks them
    appointed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    appointed_at: Mapped[datetime]
    paused_reason: Mapped[str] = mapped_column(default="", server_default="")  # empty: marks; else stopped by the chief
    released_at: Mapped[datetime | None]  # null: serves
    sitting: Mapped[Sitting] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The officers of the plan; the marker."""
        own = sa.and_(sa.literal(viewer.has(Role.MARKER)), cls.account_id == viewer.account_id, cls.released_at.is_(None))
        return sa.or_(own, cls.sitting.has(Sitting.plan.has(_officers(viewer))))


class WrittenQuestion(Base):
    """One written item of a sitting, whatever number it has on its forms."""

    __tablename__ = "written_questions"
    __table_args__ = (sa.UniqueConstraint("sitting_id", "version_id", "half_points"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), index=True)
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"))
    number: Mapped[int]  # on the first form that holds it
    half_points: Mapped[int]
    signed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    signed_at: Mapped[datetime | None]  # null: the chief has not said that it is finished
    sitting: Mapped[Sitting] = relationship()
    version: Mapped[ItemVersion] = relationship()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The lines of the marking guide; one line of the whole worth where there is none that adds up."""
        guide = self.version.guide
        return steps_of(guide) if guide_total(guide) == self.half_points else (Step(self.half_points, "对照参考答案评分"),)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The markers of its sitting, and the plan's officers."""
        serves = sa.exists().where(Marker.sitting_id == cls.sitting_id, Marker.account_id == viewer.account_id,
                                   Marker.released_at.is_(None))
        return sa.or_(sa.and_(sa.literal(viewer.has(Role.MARKER)), serves),
                      cls.sitting.has(Sitting.plan.has(_officers(viewer))))


class Settled(enum.StrEnum):
    """How the points of an answer came about."""

    BLANK = "blank"
    PAIR = "pair"
    THIRD = "third"
    CHIEF = "chief"
    SEED = "seed"

    @property
    def chinese(self) -> str:
        return {"blank": "未作答，0 分", "pair": "两名阅卷员评分合成", "third": "第三评后合成", "chief": "阅卷组长裁定",
                "seed": "种子卷，阅卷组长评分"}[self.value]


class Script(Versioned, Base):
    """What one candidate wrote to one question, under a code that names nobody."""

    __tablename__ = "scripts"
    __unaudited__ = "follows from the answers and the marks, which are kept"
    __table_args__ = (sa.UniqueConstraint("question_id", "sheet_id"), sa.UniqueConstraint("question_id", "code"),
                      sa.CheckConstraint("(half_points IS NULL) = (how IS NULL)", name="settled"))

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(sa.ForeignKey("written_questions.id"))
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    number: Mapped[int]  # on the paper of the sheet
    code: Mapped[str] = mapped_column(sa.String(8))
    text: Mapped[str]
    half_points: Mapped[int | None]  # null: not settled
    how: Mapped[Settled | None] = mapped_column(sa.Enum(Settled, native_enum=False, length=10))
    settled_at: Mapped[datetime | None]
    question: Mapped[WrittenQuestion] = relationship()
    sheet: Mapped[Sheet] = relationship()
    tasks: Mapped[list[MarkingTask]] = relationship(back_populates="script", order_by="MarkingTask.id")
    marks: Mapped[list[ScriptMark]] = relationship(back_populates="script", order_by="ScriptMark.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The chief of the sitting only; a marker gets a script through a task."""
        chief = sa.exists().where(WrittenQuestion.id == cls.question_id, Marker.sitting_id == WrittenQuestion.sitting_id,
                                  Marker.account_id == viewer.account_id, Marker.is_chief, Marker.released_at.is_(None))
        return sa.and_(sa.literal(viewer.has(Role.MARKER)), chief)


class TaskKind(enum.StrEnum):
    """What a mark is for."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    SEED = "seed"

    @property
    def chinese(self) -> str:
        return {"first": "一评", "second": "二评", "third": "三评", "seed": "种子卷"}[self.value]


class MarkingTask(Base):
    """One script for one marker. The marker never sees what it is for."""

    __tablename__ = "marking_tasks"
    __unaudited__ = "its own history: a task is cancelled, never deleted or given to somebody else"
    __table_args__ = (sa.UniqueConstraint("script_id", "marker_id"), sa.Index("ix_marking_tasks_queue", "marker_id", "place"))

    id: Mapped[Id]
    script_id: Mapped[int] = mapped_column(sa.ForeignKey("scripts.id"))
    marker_id: Mapped[int] = mapped_column(sa.ForeignKey("markers.id"))
    kind: Mapped[TaskKind] = mapped_column(sa.Enum(TaskKind, native_enum=False, length=8))
    place: Mapped[int]  # in the marker's queue
    note: Mapped[str] = mapped_column(default="", server_default="")  # why it came back
    cancelled_at: Mapped[datetime | None]  # null: stands
    script: Mapped[Script] = relationship(back_populates="tasks")
    marker: Mapped[Marker] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The marker whose task it is."""
        own = cls.marker.has(sa.and_(Marker.account_id == viewer.account_id, Marker.released_at.is_(None)))
        return sa.and_(sa.literal(viewer.has(Role.MARKER)), own, cls.cancelled_at.is_(None))


class ScriptMark(Base):
    """One mark. It never changes: what is taken back stays with who took it back and why."""

    __tablename__ = "script_marks"
    __append_only__ = frozenset({"withdrawn_at", "withdrawn_by", "withdrawn_reason"})
    __table_args__ = (sa.Index("uq_script_marks_standing", "task_id", unique=True,
                               sqlite_where=sa.text("withdrawn_at IS NULL"), postgresql_where=sa.text("withdrawn_at IS NULL")),
                      sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn"))

    id: Mapped[Id]
    script_id: Mapped[int] = mapped_column(sa.ForeignKey("scripts.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(sa.ForeignKey("marking_tasks.id"))  # null: the chief's own
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    steps: Mapped[list[Any]]  # half-points of each line of the guide
    half_points: Mapped[int]
    comment: Mapped[str] = mapped_column(default="")
    seconds: Mapped[int]  # from the opening of the page to the mark, as the page said
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]  # null: stands
    withdrawn_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    withdrawn_reason: Mapped[str] = mapped_column(default="")
    script: Mapped[Script] = relationship(back_populates="marks")
    task: Mapped[MarkingTask | None] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.script.has(Script.visible_to(viewer))


def _officers(viewer: Viewer) -> sa.ColumnElement[bool]:
    return viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)
