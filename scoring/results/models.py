"""Results of a plan, from the merge to the province's approval."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.standards.models import RulePackVersion
from scoring.results.merge import PARTS, PartRecord, Source, Verdict


class ResultState(enum.StrEnum):
    """draft → noticed → submitted → city_checked → final; submitted | city_checked → returned → draft; noticed → draft."""

    DRAFT = "draft"
    NOTICED = "noticed"
    SUBMITTED = "submitted"
    CITY_CHECKED = "city_checked"
    FINAL = "final"
    RETURNED = "returned"

    @property
    def chinese(self) -> str:
        return {"draft": "未公示", "noticed": "公示中", "submitted": "待市初审", "city_checked": "市已初审，待省审核",
                "final": "省已审核", "returned": "已退回"}[self.value]


class ResultList(Versioned, Base):
    """认定结果 of one plan. Publishing a changed list restarts the days of the public notice."""

    __tablename__ = "result_lists"
    __table_args__ = (
        sa.CheckConstraint("(state IN ('DRAFT', 'RETURNED')) = (noticed_at IS NULL)", name="noticed"),
        sa.CheckConstraint("(noticed_at IS NULL) = (notice_ends_at IS NULL)", name="notice_ends"),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("exam_plans.id"), unique=True)
    state: Mapped[ResultState] = mapped_column(sa.Enum(ResultState, native_enum=False, length=12),
                                               default=ResultState.DRAFT)
    rule_pack: Mapped[str]  # JSON of the rule pack it was merged by
    pack_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rule_pack_versions.id"))  # null: the built-in defaults
    merged_at: Mapped[datetime]
    merged_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: merged before this was kept
    checked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: nobody checked this merge yet
    checked_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]  # null: not on public notice, candidates do not see it
    notice_ends_at: Mapped[datetime | None]  # the first moment after the last day of the notice, in China
    plan: Mapped[ExamPlan] = relationship()
    pack_version: Mapped[RulePackVersion | None] = relationship()
    merger: Mapped[Account | None] = relationship(foreign_keys=[merged_by])
    checker: Mapped[Account | None] = relationship(foreign_keys=[checked_by])
    results: Mapped[list[Result]] = relationship(back_populates="list", order_by="Result.id", cascade="all, delete-orphan")
    decisions: Mapped[list[ResultDecision]] = relationship(order_by="ResultDecision.id", back_populates="list")
    objections: Mapped[list[Objection]] = relationship(order_by="Objection.id", back_populates="list")

    @property
    def told(self) -> str:
        """The state in words; a draft that was checked is said to be."""
        if self.state is ResultState.DRAFT:
            return "已核对，未公示" if self.checked_at else "已合成，待核对"
        return self.state.chinese

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.plan.has(ExamPlan.visible_to(viewer))


class Result(Base):
    """One candidate's result with its parts and the reasons."""

    __tablename__ = "results"
    __table_args__ = (sa.CheckConstraint("NOT passed OR (theory IS NOT NULL AND theory >= 120 AND practical IS NOT NULL "
                                         "AND practical >= 120 AND (review IS NULL OR review >= 120))", name="passed"),)

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), unique=True)
    theory: Mapped[int | None]  # half-points; null: no score
    practical: Mapped[int | None]
    review: Mapped[int | None]  # null also where the level needs none
    passed: Mapped[bool]
    verdict: Mapped[Verdict] = mapped_column(sa.Enum(Verdict, native_enum=False, length=10), server_default="FAILED")
    label: Mapped[Line] = mapped_column(default="", server_default="")  # what the pack calls the verdict; empty: see ``told``
    reasons: Mapped[list[str]] = mapped_column(sa.JSON)
    # Part -> source, half-points and note of the record that counted; empty in lists merged before sources were kept.
    counted: Mapped[dict[str, Any]] = mapped_column(sa.JSON, server_default="{}")
    pack_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rule_pack_versions.id"))  # null: the built-in defaults
    list: Mapped[ResultList] = relationship(back_populates="results")
    enrolment: Mapped[Enrolment] = relationship()
    pack_version: Mapped[RulePackVersion | None] = relationship()

    @property
    def told(self) -> str:
        """The outcome in the words of the rule pack it was computed under."""
        return self.label or self.verdict.chinese

    @property
    def is_complete(self) -> bool:
        """Whether no part is still to come; an incomplete list is never posted."""
        return self.verdict is not Verdict.INCOMPLETE

    def source_of(self, part: str) -> Source:
        """Where the score of ``part`` came from."""
        return Source(self.counted.get(part, {}).get("source", Source.EXAM))

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The offices; the candidate from the public notice on."""
        own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), cls.enrolment.has(account_id=viewer.account_id),
                      cls.list.has(ResultList.noticed_at.is_not(None)))
        return sa.or_(own, cls.list.has(ResultList.visible_to(viewer)))


class CreditState(enum.StrEnum):
    """proposed → approved | rejected; proposed | approved → withdrawn."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {"proposed": "待审批", "approved": "已认可", "rejected": "未认可", "withdrawn": "已撤回"}[self.value]


class Credit(Versioned, Base):
    """成绩认可: a score that a candidate brings along for one part: a substitution, a competition, or one carried over."""

    __tablename__ = "credits"
    __table_args__ = (
        sa.CheckConstraint("half_points BETWEEN 0 AND 200", name="half_points"),
        sa.CheckConstraint(f"part IN ({', '.join(repr(part) for part in PARTS)})", name="part"),
        sa.CheckConstraint("(source = 'CARRIED') = (origin_id IS NOT NULL)", name="origin"),
        sa.CheckConstraint("source = 'CARRIED' OR evidence_id IS NOT NULL", name="evidence"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name="second_person"),
        sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name="decided"))

    id: Mapped[Id]
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(8))  # one of PARTS
    source: Mapped[Source] = mapped_column(sa.Enum(Source, native_enum=False, length=12))
    half_points: Mapped[int]
    basis: Mapped[str]  # which examination or competition, or which plan it was earned in
    achieved_on: Mapped[date]
    valid_until: Mapped[date | None]  # null: without an end
    evidence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))  # null: carried over from our own list
    origin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("results.id"))  # null: not carried over
    state: Mapped[CreditState] = mapped_column(sa.Enum(CreditState, native_enum=False, length=10),
                                               default=CreditState.PROPOSED)
    proposed_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    enrolment: Mapped[Enrolment] = relationship()
    evidence: Mapped[Attachment | None] = relationship()
    origin: Mapped[Result | None] = relationship()
    proposer: Mapped[Account] = relationship(foreign_keys=[proposed_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @property
    def record(self) -> PartRecord:
        """What the merge is given once it is approved."""
        until = f"，有效期至 {self.valid_until:%Y-%m-%d}" if self.valid_until else ""
        return PartRecord(self.part, half_points=self.half_points, source=self.source,
                          note=f"{self.basis}，{self.achieved_on:%Y-%m-%d}{until}")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.enrolment.has(Enrolment.plan.has(ExamPlan.visible_to(viewer)))


class ResultDecision(Base):
    """One step of the audit of a result list."""

    __tablename__ = "result_decisions"
    __append_only__ = frozenset()

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    decided_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    state: Mapped[ResultState] = mapped_column(sa.Enum(ResultState, native_enum=False, length=12))  # what it became
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    officer: Mapped[Account] = relationship()
    list: Mapped[ResultList] = relationship(back_populates="decisions")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.list.has(ResultList.visible_to(viewer))


class Objection(Base):
    """异议 raised while the public notice runs."""

    __tablename__ = "objections"
    __table_args__ = (sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name="answered"),)

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    text: Mapped[str]
    raised_by: Mapped[str]  # name and telephone as given
    recorded_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: sent in on the public page
    receipt: Mapped[str | None] = mapped_column(sa.String(16), unique=True)  # 回执编号; null: written down by an officer
    at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not answered, or before this was kept
    list: Mapped[ResultList] = relationship(back_populates="objections")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.list.has(ResultList.visible_to(viewer))
