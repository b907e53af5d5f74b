"""Who may act for a plan, and whom a plan may call on as assessor or panel member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty, require_duty
from examroom.plans import barred, guard
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Grant
from qbank.kernel.refused import Refused


def may_act(session: Session, plan: ExamPlan, who: Viewer, *roles: Role) -> bool:
    """Whether a grant of ``roles`` reaches this very plan; seeing it by another role is not enough."""
    return on_duty(session, who, plan.institution_id, *roles, plan_id=plan.id)


def require(session: Session, plan: ExamPlan, who: Viewer, *roles: Role) -> None:
    """Refuse somebody whose grants of ``roles`` do not reach this plan."""
    require_duty(session, who, plan.institution_id, *roles, plan_id=plan.id)


def qualified(session: Session, plan: ExamPlan, role: Role) -> list[Account]:
    """The active accounts whose grant of ``role`` reaches this plan, by name."""
    return list(session.scalars(sa.select(Account).where(Account.active, Account.grants.any(_reaches(plan, role)))
                                .order_by(Account.name, Account.id)))


def call_on(session: Session, plan: ExamPlan, role: Role, account_ids: Sequence[int]) -> list[Account]:
    """These accounts for a duty in this plan. Refuses who does not hold ``role`` for it or sits in it as a candidate."""
    if len(set(account_ids)) != len(account_ids):
        raise Refused("named_twice", f"同一名{role.chinese}被选了两次，请检查名单。")
    found = {account.id: account for account in qualified(session, plan, role)}
    if len(found.keys() & set(account_ids)) != len(account_ids):
        raise Refused("not_qualified", f"名单中有人没有本计划的{role.chinese}角色或账号已停用。请先请系统管理员授予角色，再安排。")
    called = [found[key] for key in account_ids]
    if examined := guard.examined_among(session, plan, account_ids):
        raise Refused("is_candidate", f"{'、'.join(one.name for one in examined)}是本计划的考生，不能担任{role.chinese}，请回避并另选他人（{guard.SCOPE}）。")
    if kept_away := barred.staff(session, account_ids, plan.starts_on):
        raise Refused("barred_staff", "所选人员中有人在停止参与认定的期限内，请另选他人。", [f"{found[key].name}{why}" for key, why in kept_away.items()])
    return called


def check_number(number: int, least: int, odd: bool, what: str) -> None:
    """Refuse too few, or an even number where the rule pack asks for an odd one."""
    if number < least or (odd and number % 2 == 0):
        shape = f"不少于 {least} 人的单数" if odd else f"不少于 {least} 人"
        raise Refused("wrong_number", f"{what}应为{shape}，现在选了 {number} 人。")


def _reaches(plan: ExamPlan, role: Role) -> sa.ColumnElement[bool]:
    """The grants of ``role`` whose every bound holds this plan."""
    bounds: list[tuple[Any, Any]] = [(Grant.institution_id, plan.institution_id), (Grant.plan_id, plan.id),
                                     (Grant.occupation_code, plan.standard.occupation.code)]
    within = sa.or_(Grant.region.is_(None), sa.literal(plan.institution.region).startswith(Grant.region))
    return sa.and_(Grant.role == role, within, *(sa.or_(column.is_(None), column == value) for column, value in bounds))
