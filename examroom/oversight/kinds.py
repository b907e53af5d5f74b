"""Words of supervision as enums with their moves: kinds of inspection (notice 四(二)), what is inspected, states. Pure."""

from __future__ import annotations

import enum


class InspectionKind(enum.StrEnum):
    """The four ways of 四(二)."""

    DAILY = "daily"
    EVALUATION = "evaluation"
    SITE = "site"
    SPOT = "spot"

    @property
    def chinese(self) -> str:
        return {"daily": "日常检查", "evaluation": "定期评估", "site": "现场督导", "spot": "随机抽查"}[self.value]

    @property
    def unannounced(self) -> bool:
        """Whether the school hears of it only when it begins."""
        return self is InspectionKind.SPOT


class TargetKind(enum.StrEnum):
    """What a draw chooses among."""

    SCHOOL = "school"
    PLAN = "plan"
    SITTING = "sitting"

    @property
    def chinese(self) -> str:
        return {"school": "评价机构", "plan": "考务方案", "sitting": "考试场次"}[self.value]


class Severity(enum.StrEnum):
    """How grave a finding is; the rule pack says within how many working days each is put right."""

    MINOR = "minor"
    MAJOR = "major"
    GRAVE = "grave"

    @property
    def chinese(self) -> str:
        return {"minor": "一般", "major": "较重", "grave": "严重"}[self.value]


class Verdict(enum.StrEnum):
    """What an inspector found at one point of a check-list."""

    FITS = "fits"
    FAILS = "fails"
    NOT_APPLICABLE = "not_applicable"

    @property
    def chinese(self) -> str:
        return {"fits": "符合", "fails": "不符合", "not_applicable": "不涉及"}[self.value]


class InspectionState(enum.StrEnum):
    """assigned → running → submitted; assigned | running → cancelled."""

    ASSIGNED = "assigned"
    RUNNING = "running"
    SUBMITTED = "submitted"
    CANCELLED = "cancelled"

    @property
    def chinese(self) -> str:
        return {"assigned": "待检查", "running": "检查中", "submitted": "已提交", "cancelled": "已撤销"}[self.value]


INSPECTION_MOVES = {InspectionState.ASSIGNED: {InspectionState.RUNNING, InspectionState.CANCELLED},
                    InspectionState.RUNNING: {InspectionState.SUBMITTED, InspectionState.CANCELLED},
                    InspectionState.SUBMITTED: set(), InspectionState.CANCELLED: set()}


class FindingState(enum.StrEnum):
    """open → replied → closed; replied → open (the reply was not enough); open | replied → withdrawn."""

    OPEN = "open"
    REPLIED = "replied"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {"open": "待整改", "replied": "已整改，待核实", "closed": "已销号", "withdrawn": "已撤销"}[self.value]


FINDING_MOVES = {FindingState.OPEN: {FindingState.REPLIED, FindingState.WITHDRAWN},
                 FindingState.REPLIED: {FindingState.OPEN, FindingState.CLOSED, FindingState.WITHDRAWN},
                 FindingState.CLOSED: set(), FindingState.WITHDRAWN: set()}
LIVE_FINDINGS = frozenset({FindingState.OPEN, FindingState.REPLIED})


class CaseState(enum.StrEnum):
    """proposed → approved | rejected; proposed | approved → withdrawn. Approved only after the person was heard."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {"proposed": "待决定", "approved": "已认定", "rejected": "不予认定", "withdrawn": "已撤回"}[self.value]


CASE_MOVES = {CaseState.PROPOSED: {CaseState.APPROVED, CaseState.REJECTED, CaseState.WITHDRAWN},
              CaseState.APPROVED: {CaseState.WITHDRAWN}, CaseState.REJECTED: set(), CaseState.WITHDRAWN: set()}
