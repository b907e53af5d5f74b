"""What changes scores after an exam: keys that were checked, items that proved wrong, answers that came in as a file."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.delivery.models import Sheet
from examroom.plans.models import ExamPlan, RoomInvigilator, Seat, Sitting, SittingRoom
from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, Versioned

APPROVERS = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)


class KeyCheck(Base):
    """Somebody looked at a key that the answers of a sitting made suspect, and answers for it by name."""

    __tablename__ = "key_checks"
    __append_only__ = frozenset()
    __table_args__ = (sa.UniqueConstraint("sitting_id", "version_id"),)

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"))
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"))
    comment: Mapped[str]
    checked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    checker: Mapped[Account] = relationship()


class Remedy(enum.StrEnum):
    """What is done for the candidates about an item that proved wrong."""

    NEW_KEY = "new_key"
    SEVERAL_KEYS = "several_keys"
    FULL_MARKS = "full_marks"
    REMOVED = "removed"

    @property
    def chinese(self) -> str:
        return {"new_key": "更正答案", "several_keys": "几种答案都算对", "full_marks": "全体考生得满分", "removed": "删除该题"}[self.value]


class CaseState(enum.StrEnum):
    """reported → previewed → approved → done; reported | previewed → withdrawn."""

    REPORTED = "reported"
    PREVIEWED = "previewed"
    APPROVED = "approved"
    DONE = "done"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {"reported": "待提出办法", "previewed": "待两人批准", "approved": "正在重新评分", "done": "已重新评分", "withdrawn": "已撤销"}[self.value]


class ItemCase(Versioned, Base):
    """问题试题: an item version that proved wrong after it was sat, what is done about it, and what that changes."""

    __tablename__ = "item_cases"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"), index=True)
    reason: Mapped[str]
    reported_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    reported_at: Mapped[datetime]
    state: Mapped[CaseState] = mapped_column(sa.Enum(CaseState, native_enum=False, length=10), default=CaseState.REPORTED)
    remedy: Mapped[Remedy | None] = mapped_column(sa.Enum(Remedy, native_enum=False, length=14))  # null until proposed
    keys: Mapped[list[Any]] = mapped_column(default=list)  # accepted instead of the sealed key
    rescaled: Mapped[bool | None]  # of a removed item: what the rule pack said when it was proposed; null: not removed
    proposed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    preview: Mapped[list[Any]] = mapped_column(default=list)  # [sheet id, score before, score after] of every score that changes
    scored: Mapped[int] = mapped_column(default=0)  # scores that the preview looked at
    previewed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    version: Mapped[ItemVersion] = relationship()
    reporter: Mapped[Account] = relationship(foreign_keys=[reported_by])
    proposer: Mapped[Account | None] = relationship(foreign_keys=[proposed_by])
    approvals: Mapped[list[CaseApproval]] = relationship(back_populates="case", order_by="CaseApproval.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *APPROVERS)


class CaseApproval(Base):
    """One person's approval of one preview. A new proposal needs new approvals."""

    __tablename__ = "case_approvals"
    __append_only__ = frozenset()

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("item_cases.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    approves: Mapped[bool]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    previewed_at: Mapped[datetime]  # of the preview that this person saw
    case: Mapped[ItemCase] = relationship(back_populates="approvals")
    account: Mapped[Account] = relationship()


class ScoreChange(Base):
    """Both scores of a sheet that was marked again: before and after, and because of what."""

    __tablename__ = "score_changes"
    __append_only__ = frozenset()
    __table_args__ = (sa.UniqueConstraint("case_id", "sheet_id"),)

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item_cases.id"))  # null: an answer file, or marked again by hand
    because: Mapped[str]
    before: Mapped[int]  # half-points
    after: Mapped[int]
    earned_before: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    sheet: Mapped[Sheet] = relationship()


class FileState(enum.StrEnum):
    """uploaded → taken | rejected."""

    UPLOADED = "uploaded"
    TAKEN = "taken"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"uploaded": "待另一人核准", "taken": "已计入", "rejected": "不予计入"}[self.value]


class AnswerFile(Versioned, Base):
    """答案文件: what a candidate's browser held when its server was gone, as an invigilator brought it in."""

    __tablename__ = "answer_files"
    __table_args__ = (sa.UniqueConstraint("sheet_id", "digest"),
                      sa.CheckConstraint("(state = 'UPLOADED') = (decided_at IS NULL)", name="decided"))

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), index=True)
    file_name: Mapped[Line]
    digest: Mapped[str] = mapped_column(sa.String(64))
    # Secret: the candidate's answers.
    events: Mapped[list[Any]] = mapped_column(info={"secret": True})  # [sequence, shown number, shown answer, flagged]
    page_generation: Mapped[int] = mapped_column(sa.BigInteger)
    proven: Mapped[bool]  # made by a page that this server opened
    made_at: Mapped[Line]  # as the candidate's computer said; for people only
    uploaded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]
    state: Mapped[FileState] = mapped_column(sa.Enum(FileState, native_enum=False, length=10), default=FileState.UPLOADED)
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    outcome: Mapped[list[Any]] = mapped_column(default=list)  # sentences: what was taken and what was not
    sheet: Mapped[Sheet] = relationship()
    uploader: Mapped[Account] = relationship(foreign_keys=[uploaded_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The invigilators of the room and the plan's officers; never a candidate."""
        officer = viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)
        watches = SittingRoom.invigilators.any(RoomInvigilator.account_id == viewer.account_id)
        invigilator = sa.and_(sa.literal(viewer.has(Role.INVIGILATOR)), Sheet.seat.has(Seat.sitting_room.has(watches)))
        return cls.sheet.has(sa.or_(invigilator, Sheet.sitting.has(Sitting.plan.has(officer))))
