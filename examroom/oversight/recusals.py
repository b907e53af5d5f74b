"""Stepping aside (回避): a supervisor is kept from a school, by himself or by the centre."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty, require_duty
from examroom.oversight import pools
from examroom.oversight.draw_models import Recusal
from examroom.oversight.regions import CENTRES
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused


def declare(session: Session, account_id: int, school: Institution, reason: str, who: Viewer, *, now: datetime) -> Recusal:
    """Declare for oneself, or as the school's centre for somebody."""
    oneself = account_id == who.account_id and who.has(Role.QUALITY_SUPERVISOR)
    if not oneself:
        require_duty(session, who, school.id, *CENTRES)
    if account_id not in {one.id for one in pools.supervisors(session)}:
        raise Refused("not_eligible", "请从名单中选择质量督导员。")
    if not 2 <= len(reason.strip()) <= 200:
        raise Refused("no_reason", "请写明回避的原因（不超过 200 字），例如“配偶在该校任教”。")
    held = sa.select(Recusal.id).where(Recusal.account_id == account_id, Recusal.institution_id == school.id, Recusal.ended_at.is_(None))
    if session.scalar(held):
        raise Refused("declared", "已登记对该校回避，不需要重复登记。")
    made = Recusal(account_id=account_id, institution=school, reason=reason.strip(), declared_by=who.account_id, declared_at=now)
    session.add(made)
    session.flush()
    return made


def end(session: Session, recusal: Recusal, who: Viewer, *, now: datetime) -> None:
    """The reason is gone. What the centre declared only the centre ends."""
    own = recusal.declared_by == who.account_id
    if not own and not on_duty(session, who, recusal.institution_id, *CENTRES):
        raise Refused("not_your_duty", "这项回避是鉴定中心登记的，请联系鉴定中心解除。")
    if recusal.ended_at is not None:
        raise Refused("ended", "这项回避已经解除。")
    recusal.ended_at = now
    session.flush()
