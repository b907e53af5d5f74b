"""The double random draw and what keeps somebody out of it."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.oversight.inspection_models import CheckTemplate
from examroom.oversight.kinds import InspectionKind, TargetKind
from examroom.oversight.regions import CENTRES, governed
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned


class Recusal(Base):
    """回避: a supervisor who must not inspect a school, as declared by him or by the office."""

    __tablename__ = "oversight_recusals"
    __table_args__ = (sa.CheckConstraint("reason <> ''", name="reason"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"))
    reason: Mapped[Line]  # kin, former service, another interest
    declared_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    declared_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # null: it holds
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    institution: Mapped[Institution] = relationship()
    declarer: Mapped[Account] = relationship(foreign_keys=[declared_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Whoever it binds, and the centres above the school."""
        own = sa.and_(sa.literal(viewer.has(Role.QUALITY_SUPERVISOR)), cls.account_id == viewer.account_id)
        return sa.or_(own, viewer.reach(cls.institution_id, *CENTRES))


class InspectionDraw(Versioned, Base):
    """双随机抽取: one draw with its frozen pool. It is never held again; a cancelled one stays readable."""

    __tablename__ = "inspection_draws"
    __table_args__ = (sa.CheckConstraint("(cancelled_at IS NULL) = (cancel_reason = '')", name="cancelled"),
                      sa.CheckConstraint("last_day >= first_day", name="days"))

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(40), unique=True)
    region: Mapped[str] = mapped_column(sa.String(6))  # of the centre that drew
    title: Mapped[Line]
    kind: Mapped[InspectionKind] = mapped_column(sa.Enum(InspectionKind, native_enum=False, length=10))
    target_kind: Mapped[TargetKind] = mapped_column(sa.Enum(TargetKind, native_enum=False, length=10))
    first_day: Mapped[date]
    last_day: Mapped[date]  # inspected until then
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("check_templates.id"))
    pool: Mapped[str]  # JSON of drawing.Pool
    pool_sha256: Mapped[str] = mapped_column(sa.String(64))
    seed: Mapped[str] = mapped_column(sa.String(120))
    outcome_sha256: Mapped[str] = mapped_column(sa.String(64))
    witness: Mapped[Line]  # who watched, and may have given a part of the seed
    drawn_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    drawn_at: Mapped[datetime]
    cancelled_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(default="")
    published_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not public yet
    published_at: Mapped[datetime | None]
    template: Mapped[CheckTemplate] = relationship()
    drawer: Mapped[Account] = relationship(foreign_keys=[drawn_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The centre that drew and those above it: a draw names schools that must not know yet."""
        return governed(cls.region, viewer)

    @property
    def told(self) -> str:
        return "已作废" if self.cancelled_at else "已公开" if self.published_at else "已抽取"
