"""What happens around a result: misconduct, rechecks, proofs of single scores, visits of the public pages."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.invigilation.models import Incident
from examroom.oversight.hearing import Heard
from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from scoring.results.merge import PARTS, PartRecord, Standing
from scoring.results.models import CreditState, Result, ResultList

PART_NAMES = ", ".join(repr(part) for part in PARTS)


class Misconduct(Heard, Versioned, Base):
    """违纪处理: makes one part of a candidate void, or all; proposed with evidence by one officer, approved by another after the
    candidate was heard."""

    __tablename__ = "misconducts"
    __table_args__ = (
        sa.CheckConstraint(f"part IS NULL OR part IN ({PART_NAMES})", name="part"),
        sa.CheckConstraint("evidence <> ''", name="evidence"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name="second_person"),
        sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name="decided"))

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    part: Mapped[str | None] = mapped_column(sa.String(8))  # null: all parts
    tier: Mapped[Line]  # as the rule pack of that day called it
    happened_on: Mapped[date]
    banned_until: Mapped[date | None]  # the last day of the exclusion; null: none
    evidence: Mapped[str]  # what was seen, by whom, and what proves it
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # null: nothing was handed in beside the text
    incident_id: Mapped[int | None] = mapped_column(sa.ForeignKey("incidents.id"))  # null: not from the record of a room
    state: Mapped[CreditState] = mapped_column(sa.Enum(CreditState, native_enum=False, length=10), default=CreditState.PROPOSED)
    proposed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    enrolment: Mapped[Enrolment] = relationship()
    file: Mapped[Attachment | None] = relationship(foreign_keys=[file_id])
    incident: Mapped[Incident | None] = relationship()
    proposer: Mapped[Account] = relationship(foreign_keys=[proposed_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    def records(self, required: tuple[str, ...]) -> list[PartRecord]:
        """What the merge is given once it is approved."""
        return [PartRecord(part, Standing.VOID, note=self.tier) for part in required if self.part in (None, part)]

    @property
    def told_part(self) -> str:
        return self.part or "全部"

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices; the candidate, once told."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), cls.told_at.is_not(None),
                      cls.enrolment.has(account_id=viewer.account_id))
        return sa.or_(own, cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer))))


class RecheckOutcome(enum.StrEnum):
    """What a recheck came to."""

    UPHELD = "upheld"
    CORRECTED = "corrected"
    DECLINED = "declined"

    @property
    def chinese(self) -> str:
        return {"upheld": "维持原成绩", "corrected": "成绩有误，予以更正", "declined": "不予受理"}[self.value]


class Recheck(Versioned, Base):
    """成绩复核: a candidate asks within the days of the rule pack; one officer looks, another one decides."""

    __tablename__ = "rechecks"
    __table_args__ = (
        sa.UniqueConstraint("result_id", "part"), sa.CheckConstraint(f"part IN ({PART_NAMES})", name="part"),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("(found = '') = (looked_by IS NULL)", name="looked"),
        sa.CheckConstraint("decided_by IS NULL OR looked_by IS NULL OR decided_by <> looked_by", name="second_person"))

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(8))
    reason: Mapped[str]
    before: Mapped[int | None]  # the half-points when it was asked for; null: there were none
    asked_at: Mapped[datetime]
    due_on: Mapped[date]  # the last working day for the answer
    found: Mapped[str] = mapped_column(default="")  # what the first officer found
    looked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: nobody looked yet
    outcome: Mapped[RecheckOutcome | None] = mapped_column(sa.Enum(RecheckOutcome, native_enum=False, length=10))
    answer: Mapped[str] = mapped_column(default="")  # what the candidate is told
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    result: Mapped[Result] = relationship()
    looker: Mapped[Account | None] = relationship(foreign_keys=[looked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @property
    def is_open(self) -> bool:
        return self.outcome is None

    @property
    def told(self) -> str:
        if self.outcome is not None:
            return self.outcome.chinese
        return "已核查，待另一名考务员决定" if self.looked_by else "待核查"

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices; the candidate who asked."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)),
                      cls.result.has(Result.enrolment.has(account_id=viewer.account_id)))
        return sa.or_(own, cls.result.has(Result.list.has(ResultList.visible_to(viewer))))


class ScoreProof(Versioned, Base):
    """单科成绩证明: that one part was passed. The fields are copied: what was issued never changes with the result."""

    __tablename__ = "score_proofs"
    __table_args__ = (sa.CheckConstraint("(revoked_at IS NULL) = (revoked_why = '')", name="revoked"),
                      sa.CheckConstraint("half_points BETWEEN 0 AND 200", name="half_points"))

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(8))
    code: Mapped[str] = mapped_column(sa.String(19), unique=True)  # 校验码, XXXX-XXXX-XXXX-XXXX
    holder: Mapped[Line]
    identity_masked: Mapped[str] = mapped_column(sa.String(18))
    occupation: Mapped[Line]
    occupation_code: Mapped[str] = mapped_column(sa.String(16))
    work_type: Mapped[Line] = mapped_column(default="")
    level: Mapped[int]
    half_points: Mapped[int]
    achieved_on: Mapped[date]
    valid_until: Mapped[date]
    plan_number: Mapped[Line]
    issuer: Mapped[Line]
    issued_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_why: Mapped[str] = mapped_column(default="")
    result: Mapped[Result] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices; the holder."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)),
                      cls.result.has(Result.enrolment.has(account_id=viewer.account_id)))
        return sa.or_(own, cls.result.has(Result.list.has(ResultList.visible_to(viewer))))
