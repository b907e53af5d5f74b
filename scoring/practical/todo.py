"""What waits for an assessor, a chief assessor and the officer who keeps the register."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Account
from qbank.kernel.times import end_of_day, local_date
from qbank.kernel.todo import Todo
from qbank.standards.packs import pack_for
from scoring.practical import register
from scoring.practical.mark_models import Correction, CorrectionState, Discrepancy
from scoring.practical.models import Absence, GroupAssessor, GroupMember, MarkSheet, Part, PracticalGroup
from scoring.practical.overview import own_groups

CLAUSE = "五（三）"


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Groups in which this assessor has not signed for every candidate; spreads, corrections, certificates that run out."""
    own = [Todo("评分并签字：操作技能考核", "practical.group", {"group_id": own.group.id},
                f"{own.group.plan.title} {own.group.name}：还有 {own.left} 名考生没有签字（共 {own.candidates} 名）",
                end_of_day(local_date(own.group.starts_at)), CLAUSE)
           for own in own_groups(session, viewer) if own.left > 0]
    return [*own, *_unsigned(session, viewer, now), *_spreads(session, viewer), *_corrections(session, viewer),
            *_certificates(session, viewer, now)]


def _unsigned(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """For the officer: groups that have begun and in which assessors have not signed for everybody."""
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    duty = PracticalGroup.plan_id.in_(sa.select(ExamPlan.id).where(viewer.reach(ExamPlan.institution_id, Role.EXAM_OFFICER, plan=ExamPlan.id)))
    absent = sa.select(Absence.enrolment_id).where(Absence.part == Part.PRACTICAL)
    signed = sa.exists().where(MarkSheet.member_id == GroupMember.id, MarkSheet.assessor_id == GroupAssessor.account_id,
                               MarkSheet.signed_at.is_not(None))
    rows = session.execute(
        sa.select(PracticalGroup, Account.name).join(GroupAssessor, GroupAssessor.group_id == PracticalGroup.id)
        .join(Account, Account.id == GroupAssessor.account_id).join(GroupMember, GroupMember.group_id == PracticalGroup.id)
        .where(duty, PracticalGroup.starts_at < now, GroupMember.enrolment_id.not_in(absent), ~signed)
        .distinct().order_by(PracticalGroup.id, Account.name))
    names: dict[PracticalGroup, list[str]] = {}
    for group, name in rows:
        names.setdefault(group, []).append(name)
    return [Todo(f"考评员正在评分：{group.name}", "practical.group", {"group_id": group.id}, group.plan.title, end_of_day(local_date(group.starts_at)),
                 CLAUSE, f"考评员 {'、'.join(found)}") for group, found in names.items()]


def _spreads(session: Session, viewer: Viewer) -> list[Todo]:
    """For the chief: candidates to mark; for the officer: groups without a chief."""
    found: dict[PracticalGroup, int] = {}
    for one in session.scalars(visible(Discrepancy, viewer).where(Discrepancy.decided_at.is_(None))):
        found[one.member.group] = found.get(one.member.group, 0) + 1
    made = []
    for group, number in found.items():
        what, here = f"{group.plan.title} {group.name}：{number} 名考生的评分相差过大", {"group_id": group.id}
        if group.chief_id == viewer.account_id:
            made.append(Todo("考评组长评定", "practical.mark", here, what, clause=CLAUSE))
        elif viewer.has(Role.EXAM_OFFICER) and group.chief is not None:
            made.append(Todo("等待考评组长评定", "practical.group", here, what, clause=CLAUSE, waits_for=f"考评组长 {group.chief.name}"))
        elif viewer.has(Role.EXAM_OFFICER):
            made.append(Todo("指定考评组长", "practical.group", here, what, clause=CLAUSE))
    return made


def _corrections(session: Session, viewer: Viewer) -> list[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return []
    waiting = session.scalars(visible(Correction, viewer).where(Correction.state == CorrectionState.ASKED)
                              .order_by(Correction.id))
    return [_correction(one, one.asked_by == viewer.account_id) for one in waiting]


def _correction(one: Correction, mine: bool) -> Todo:
    return Todo("等待批准评分更正" if mine else "批准评分更正", "practical.sheet", {"sheet_id": one.sheet_id},
                f"{one.sheet.member.enrolment.candidate.name}：{one.asker.name}申请更正“{one.row.text}”", clause=CLAUSE,
                waits_for="另一名考务员" if mine else "")


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
    return [Todo("考评员证到期", "practical.assessors", {"show": "expiring"}, f"已过期或即将到期：{names}{more}。到期后不能再安排考评。",
                 end_of_day(min(one.expires_on for one in soon)), "一（三）", alarm=True)]
