"""Theory scores."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.delivery.models import Sheet
from examroom.plans.models import ExamPlan, Sitting
from examroom.plans.supervised import sent_to
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base, Id, Versioned


class TheoryScore(Versioned, Base):
    """The score of one sheet, in half-points, with the earned half-points of every paper number."""

    __tablename__ = "theory_scores"

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheets.id"), unique=True)
    half_points: Mapped[int]
    earned: Mapped[dict[str, int]] = mapped_column(sa.JSON)  # paper number -> half-points
    void: Mapped[bool] = mapped_column(default=False)  # 违纪: scored, and counts as nothing
    reasons: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    marked_at: Mapped[datetime]
    sheet: Mapped[Sheet] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices only: a candidate sees a result when it is published, never a score before."""
        if not viewer.has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR):
            return sa.false()
        return cls.sheet.has(Sheet.sitting.has(Sitting.visible_to(viewer)))


class SittingReport(Base):
    """What the answers of one marked sitting show: the test, fairness, reasons to look. The newest computation only.

    People stand in it as sheet ids, never by name: names are looked up for whoever may see them.
    """

    __tablename__ = "sitting_reports"
    __unaudited__ = "computed from stored answers, and computed again when they are marked again"

    id: Mapped[Id]
    sitting_id: Mapped[int] = mapped_column(sa.ForeignKey("sittings.id"), unique=True)
    made_at: Mapped[datetime]
    n: Mapped[int]
    found: Mapped[dict[str, Any]]
    sitting: Mapped[Sitting] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The school's exam officers and the plan's own supervisors: it names people, and a suspicion is no verdict."""
        officer = viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)
        supervisor = sa.and_(viewer.reach(ExamPlan.institution_id, Role.QUALITY_SUPERVISOR, plan=ExamPlan.id),
                             sent_to(ExamPlan.id, viewer))
        return cls.sitting.has(Sitting.plan.has(sa.or_(officer, supervisor)))
