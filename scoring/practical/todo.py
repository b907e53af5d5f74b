"""What waits for an assessor, a chief assessor and the officer who keeps the register."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.times import local_date
from qbank.kernel.todo import Todo
from qbank.standards.packs import pack_for
from scoring.practical import register
from scoring.practical.mark_models import Correction, CorrectionState, Discrepancy
from scoring.practical.models import PracticalGroup
from scoring.practical.overview import own_groups


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Groups in which this assessor has not signed for every candidate; spreads, corrections, certificates that run out."""
    own = [Todo("评分并签字：操作技能考核", "practical.group", {"group_id": own.group.id},
                f"{own.group.plan.title} {own.group.name}：还有 {own.left} 名考生没有签字（共 {own.candidates} 名）",
                own.group.starts_at)
           for own in own_groups(session, viewer) if own.left > 0]
    return [*own, *_spreads(session, viewer), *_corrections(session, viewer), *_certificates(session, viewer, now)]


def _spreads(session: Session, viewer: Viewer) -> list[Todo]:
    """For the chief: candidates to mark; for the officer: groups without a chief."""
    found: dict[PracticalGroup, int] = {}
    for one in session.scalars(visible(Discrepancy, viewer).where(Discrepancy.decided_at.is_(None))):
        found[one.member.group] = found.get(one.member.group, 0) + 1
    made = []
    for group, number in found.items():
        if group.chief_id == viewer.account_id:
            made.append(Todo("考评组长评定", "practical.mark", {"group_id": group.id}, f"{group.plan.title} {group.name}：{number} 名考生的评分相差过大"))
        elif group.chief_id is None and viewer.has(Role.EXAM_OFFICER):
            made.append(Todo("指定考评组长", "practical.group", {"group_id": group.id}, f"{group.plan.title} {group.name}：{number} 名考生的评分相差过大"))
    return made


def _corrections(session: Session, viewer: Viewer) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    waiting = session.scalars(visible(Correction, viewer).where(Correction.state == CorrectionState.ASKED,
                                                                Correction.asked_by != viewer.account_id).order_by(Correction.id))
    return [Todo("批准评分更正", "practical.sheet", {"sheet_id": one.sheet_id},
                 f"{one.sheet.member.enrolment.candidate.name}：{one.asker.name}申请更正“{one.row.text}”") for one in waiting]


def _certificates(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER, Role.PRACTICAL_ASSESSOR):
        return []
    today = local_date(now)
    soon = [one for one in register.expiring(session, viewer, today, 3650)
            if (one.expires_on - today).days <= pack_for(session, one.institution).assessor_expiry_days]
    if not soon:
        return []
    names = "、".join(dict.fromkeys(f"{one.account.name}（{one.expires_on}）" for one in soon[:5]))
    more = f"等 {len(soon)} 份" if len(soon) > 5 else ""
    return [Todo("考评员证到期", "practical.assessors", {"show": "expiring"}, f"已过期或即将到期：{names}{more}。到期后不能再安排考评。")]
