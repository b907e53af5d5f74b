"""Tokens of other programs, and when they were used."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.db import Base, Id, Line, Versioned

MANAGERS = (Role.CITY_OFFICER, Role.PROVINCE_OFFICER)  # beside administrators: within their region


class Reads(enum.StrEnum):
    """What a token may be given to read."""

    PLANS = "plans"
    RESULTS = "results"
    CERTIFICATES = "certificates"
    CANDIDATES = "candidates"

    @property
    def chinese(self) -> str:
        return {"plans": "考务方案", "results": "认定结果（汇总）", "certificates": "证书（不含个人信息）",
                "candidates": "个人信息（姓名、证件号掩码、单人成绩）"}[self.value]


class ApiToken(Versioned, Base):
    """One program's right to read, bounded by a region or a school, until a day. Only the hash of the token is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (sa.CheckConstraint("(region IS NULL) <> (institution_id IS NULL)", name="bound"),
                      sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason = '')", name="revoked"))

    id: Mapped[Id]
    name: Mapped[Line]  # of the platform, as the office calls it
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, info={"secret": True})
    hint: Mapped[str] = mapped_column(sa.String(12))  # its first characters, to tell tokens apart
    reads: Mapped[list[str]] = mapped_column(sa.JSON)
    region: Mapped[str | None] = mapped_column(sa.String(6))  # null: bound to a school
    institution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("institutions.id"))  # null: bound to a region
    issued_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not revoked
    revoke_reason: Mapped[Line] = mapped_column(default="")
    institution: Mapped[Institution | None] = relationship()
    issuer: Mapped[Account] = relationship(foreign_keys=[issued_by])
    uses: Mapped[list[TokenUse]] = relationship(order_by="TokenUse.id.desc()", back_populates="token")

    @property
    def grant(self) -> Scope:
        """The grant of an officer who would see the same."""
        if self.institution_id is not None:
            return Scope(Role.EXAM_OFFICER, institution_id=self.institution_id)
        role = Role.PROVINCE_OFFICER if len(self.region or "") == 2 else Role.CITY_OFFICER
        return Scope(role, region=self.region)

    @property
    def told_reads(self) -> list[str]:
        return [Reads(one).chinese for one in self.reads]

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        if viewer.has(Role.ADMINISTRATOR):
            return sa.true()
        regions = [cls.region.startswith(scope.region or "") for scope in viewer.scopes if scope.role in MANAGERS
                   and (scope.institution_id, scope.occupation_code, scope.plan_id) == (None, None, None)]
        return sa.or_(sa.false(), viewer.reach(cls.institution_id, *MANAGERS), *regions)


class TokenUse(Base):
    """One stretch of use without a longer pause: from, to, how often. Written every few minutes, never by a request itself."""

    __tablename__ = "api_token_uses"
    __unaudited__ = "counters; the begin of each stretch is noted in the trail"

    id: Mapped[Id]
    token_id: Mapped[int] = mapped_column(sa.ForeignKey("api_tokens.id"), index=True)
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]
    requests: Mapped[int]
    refused: Mapped[int]
    address: Mapped[Line]  # where the newest request came from
    token: Mapped[ApiToken] = relationship(back_populates="uses")
