"""Declarations of interest: each member says with whom he has ties before anything is shown to him."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from scoring.review.models import Cause, PanelMember
from scoring.review.panels import check_not_closed, vacate

STATEMENT = "本人已核对考生名单。除下列考生外，与其他考生没有师生、亲属、同事管理等可能影响公正评审的关系。"


def declare(session: Session, member: PanelMember, who: Viewer, interests: Mapping[int, str], *, now: datetime) -> None:
    """Declare, once: enrolment id → the tie. For these candidates the member's seat falls empty."""
    if member.account_id != who.account_id:
        raise Refused("not_yours", "只能由评审专家本人申报利害关系。")
    check_not_closed(member.panel)
    if member.declared_at is not None:
        raise Refused("declared", "您已经申报过。如发现新的利害关系，请在该考生的评分页申请回避。")
    known = {one.id for one in member.panel.plan.enrolments}
    if not interests.keys() <= known:
        raise Refused("other_plan", "名单中有不属于本计划的考生，请刷新页面后重新申报。")
    gone = {one.enrolment_id for one in member.vacancies}
    for enrolment_id, reason in interests.items():
        if enrolment_id not in gone:
            vacate(session, member.panel, member, enrolment_id, Cause.INTEREST, who, reason=reason, now=now)
    member.declared_at = now
    session.flush()
