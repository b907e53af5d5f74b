"""What an examination cost, and that nothing is earned by it (notice 五(五))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.fee_models import CostEntry, FeeEntry, FeeKind
from examroom.plans.models import ExamPlan
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Viewer, visible
from qbank.kernel.refused import Refused

CATEGORIES = ("考务人员劳务", "命题与试卷", "材料耗材", "场地和设备", "证书工本", "其他")


@dataclass(frozen=True)
class Balance:
    """Income against costs, in fen. ``surplus`` above zero is to be explained: no profit may be made."""

    plan: ExamPlan
    income: int
    costs: int

    @property
    def surplus(self) -> int:
        return self.income - self.costs


def enter_cost(session: Session, plan: ExamPlan, category: str, fen: int, who: Viewer, *, note: str, now: datetime) -> CostEntry:
    """One cost of a plan."""
    require_officer(session, plan, who)
    if category not in CATEGORIES:
        raise Refused("category", f"请选择支出类别：{'、'.join(CATEGORIES)}。")
    if fen <= 0 or len(note.strip()) < 2:
        raise Refused("cost", "请填写支出金额和说明（例如“考评员 3 人 2 天”）。")
    made = CostEntry(plan_id=plan.id, category=category, fen=fen, note=note.strip()[:200], entered_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def cancel_cost(session: Session, cost: CostEntry, who: Viewer, *, now: datetime) -> None:
    """Strike a wrong entry out; it stays readable."""
    require_officer(session, cost.plan, who)
    if cost.cancelled_at is not None:
        raise Refused("cancelled", "这笔支出已经作废。")
    cost.cancelled_at, cost.cancelled_by = now, who.account_id


def costs_of(session: Session, plan: ExamPlan) -> list[CostEntry]:
    return list(session.scalars(sa.select(CostEntry).where(CostEntry.plan_id == plan.id).order_by(CostEntry.id)
                                .options(joinedload(CostEntry.clerk))))


def balances(session: Session, viewer: Viewer, year: int) -> list[Balance]:
    """The plans of a year that the viewer sees and in which money moved, by first day."""
    of_year = visible(ExamPlan, viewer).where(ExamPlan.starts_on.between(date(year, 1, 1), date(year, 12, 31)))
    found = _balances(session, of_year.with_only_columns(ExamPlan.id))
    plans = session.scalars(sa.select(ExamPlan).where(ExamPlan.id.in_(found)).order_by(ExamPlan.starts_on, ExamPlan.id))
    return [Balance(plan, *found[plan.id]) for plan in plans if any(found[plan.id])]


def balance_of(session: Session, plan: ExamPlan) -> Balance:
    """Payments less refunds, against the costs that stand."""
    return Balance(plan, *_balances(session, sa.select(sa.literal(plan.id))).get(plan.id, (0, 0)))


def _balances(session: Session, plans: sa.Select[int]) -> dict[int, tuple[int, int]]:
    """Plan id → income and costs, for those of ``plans`` in which money moved."""
    sign = sa.case((FeeEntry.kind == FeeKind.PAYMENT, FeeEntry.fen), (FeeEntry.kind == FeeKind.REFUND, -FeeEntry.fen), else_=0)
    income = {key: int(fen) for key, fen in session.execute(
        sa.select(FeeEntry.plan_id, sa.func.sum(sign)).where(FeeEntry.plan_id.in_(plans)).group_by(FeeEntry.plan_id))}
    costs = {key: int(fen) for key, fen in session.execute(sa.select(CostEntry.plan_id, sa.func.sum(CostEntry.fen)).where(
        CostEntry.plan_id.in_(plans), CostEntry.cancelled_at.is_(None)).group_by(CostEntry.plan_id))}
    return {key: (income.get(key, 0), costs.get(key, 0)) for key in income.keys() | costs.keys()}
