"""From signed sheets to the practical score: the mean, a chief assessor where marks lie too far apart, several modules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.plans.models import ExamPlan
from qbank.kernel import audit
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import FULL_HALF_POINTS
from scoring.practical import calling
from scoring.practical.duties import require
from scoring.practical.joining import (
    AssessorMarks,
    JoinRules,
    ModuleMarks,
    join_modules,
    spoken_points,
    spread_of,
    too_far,
)
from scoring.practical.mark_models import Discrepancy
from scoring.practical.marks import check_complete, check_open, discrepancy_of, unsigned_by
from scoring.practical.models import GroupAssessor, GroupMember, MarkSheet, PracticalGroup, PracticalScore, RowKind
from scoring.practical.values import Value, effective_of


def sign(session: Session, mark_sheet: MarkSheet, who: Viewer, *, now: datetime, reason: str = "") -> None:
    """Sign a complete sheet, for good. The last signature joins the score; the chief's comes with a reason."""
    check_open(session, mark_sheet, who, now)
    check_complete(mark_sheet)
    if mark_sheet.is_chief:
        _decide(session, mark_sheet, reason, now)
    mark_sheet.signed_at, mark_sheet.audit_head = now, audit.head(session)
    # Two last assessors may sign at the same moment: the second waits here and then sees the first one's signature.
    session.execute(sa.select(GroupMember.id).where(GroupMember.id == mark_sheet.member_id).with_for_update())
    session.flush()
    if not unsigned_by(session, mark_sheet.member):
        join(session, mark_sheet.member, now=now)


def _decide(session: Session, sheet: MarkSheet, reason: str, now: datetime) -> None:
    found = discrepancy_of(session, sheet.member)
    if found is None or len(reason.strip()) < 4:
        raise Refused("no_reason", "考评组长评定须写明理由：与各考评员的评分有何不同，依据是什么。")
    found.reason, found.decided_at = reason.strip(), now


def join(session: Session, member: GroupMember, *, now: datetime) -> PracticalScore | None:
    """The joined score, once every assessor of every module has signed and no chief is waited for; the same one when asked
    again. None: not yet, :func:`waiting_for` says why."""
    found = score_of(session, member)
    if found is not None:
        return found
    if missing := unsigned_by(session, member):
        raise Refused("not_all_signed", f"{member.enrolment.candidate.name}的操作技能还缺 "
                                        f"{'、'.join(account.name for account in missing)}的签字，不能合成。")
    rules = JoinRules.of(pack_for(session, member.group.plan.institution))
    check_spread(session, member, rules, now=now)
    members = members_of(session, member)
    if waits(session, members) or sum(one.group.rubric.full for one in members) < FULL_HALF_POINTS:
        return None
    joined = join_modules([_module(session, one, len(members) > 1) for one in members], rules)
    score = PracticalScore(enrolment=member.enrolment, half_points=joined.half_points, vetoed=joined.vetoed,
                           reasons=list(joined.reasons), joined_at=now)
    session.add(score)
    session.flush()
    return score


def settle_again(session: Session, member: GroupMember, *, now: datetime) -> tuple[int | None, int | None]:
    """Join anew after a correction; the score before and after. Marks that now lie too far apart go to the chief."""
    held = score_of(session, member)
    before = held.half_points if held else None
    if held is not None:
        session.delete(held)
        session.flush()
    if unsigned_by(session, member):
        return before, None
    made = join(session, member, now=now)
    return before, made.half_points if made else None


def score_of(session: Session, member: GroupMember) -> PracticalScore | None:
    return session.scalar(sa.select(PracticalScore).where(PracticalScore.enrolment_id == member.enrolment_id))


def members_of(session: Session, member: GroupMember) -> Sequence[GroupMember]:
    """The candidate in all groups of the plan: one for each module."""
    return session.scalars(sa.select(GroupMember).where(GroupMember.enrolment_id == member.enrolment_id).order_by(GroupMember.id)).all()


def check_spread(session: Session, member: GroupMember, rules: JoinRules, *, now: datetime) -> None:
    """Send the candidate to the chief assessor when the totals lie too far apart; once is for good."""
    totals = [marks.total for marks in sheets_of(session, member)]
    if discrepancy_of(session, member) is None and too_far(totals, member.group.rubric.full, rules):
        session.add(Discrepancy(member=member, spread=spread_of(totals), allowed=rules.spread * member.group.rubric.full // FULL_HALF_POINTS,
                                found_at=now))
        session.flush()


def waits(session: Session, members: Sequence[GroupMember]) -> dict[int, str]:
    """Member id -> what is still missing in the group for that candidate; who misses nothing is left out."""
    keys = [member.id for member in members]
    signed = {(member_id, assessor_id) for member_id, assessor_id in session.execute(
        sa.select(MarkSheet.member_id, MarkSheet.assessor_id).where(MarkSheet.member_id.in_(keys), MarkSheet.signed_at.is_not(None)))}
    spreads = {found.member_id: found.spread for found in session.scalars(
        sa.select(Discrepancy).where(Discrepancy.member_id.in_(keys), Discrepancy.decided_at.is_(None)))}
    said = {}
    for member in members:
        if missing := [one.account.name for one in member.group.assessors if (member.id, one.account_id) not in signed]:
            said[member.id] = f"{member.group.name}等待{'、'.join(missing)}签字"
        elif member.id in spreads:
            chief = member.group.chief.name if member.group.chief else "（尚未指定）"
            said[member.id] = f"考评员评分相差 {spoken_points(spreads[member.id])} 分，等待考评组长{chief}评定"
    return said


def waiting_for(session: Session, plan: ExamPlan) -> dict[int, str]:
    """Enrolment id -> what the practical score of a grouped candidate still waits for. Scored candidates are left out."""
    scored = sa.select(PracticalScore.enrolment_id)
    everybody = session.scalars(sa.select(GroupMember).join(GroupMember.group).where(
        PracticalGroup.plan_id == plan.id, GroupMember.enrolment_id.not_in(scored)).order_by(GroupMember.id)
        .options(selectinload(GroupMember.group).selectinload(PracticalGroup.assessors).selectinload(GroupAssessor.account))).all()
    lacking = waits(session, everybody)
    found: dict[int, list[GroupMember]] = {}
    for member in everybody:
        found.setdefault(member.enrolment_id, []).append(member)
    said = {}
    for enrolment_id, members in found.items():
        sentences = [lacking[one.id] for one in members if one.id in lacking]
        if sum(one.group.rubric.full for one in members) < FULL_HALF_POINTS:
            sentences.append("还有考核模块没有编组")
        if sentences:
            said[enrolment_id] = "；".join(sentences)
    return said


def sheets_of(session: Session, member: GroupMember, *, chief: bool = False) -> list[AssessorMarks]:
    """The signed sheets of the assessors (or of the chief) as numbers, with approved corrections."""
    sheets = session.scalars(sa.select(MarkSheet).where(MarkSheet.member_id == member.id, MarkSheet.is_chief == chief,
                                                        MarkSheet.signed_at.is_not(None)).order_by(MarkSheet.id)).all()
    held = effective_of(session, sheets)
    vetoes = [row.id for row in member.group.rubric.rows if row.kind is RowKind.VETO]
    return [AssessorMarks(sheet.assessor.name, sum(one.half_points or 0 for one in held[sheet.id].values()),
                          tuple(bool(held[sheet.id].get(key, Value()).violated) for key in vetoes)) for sheet in sheets]


def _module(session: Session, member: GroupMember, named: bool) -> ModuleMarks:
    found = discrepancy_of(session, member)
    chief = next(iter(sheets_of(session, member, chief=True)), None) if found else None
    vetoes = tuple(row.text for row in member.group.rubric.rows if row.kind is RowKind.VETO)
    return ModuleMarks(tuple(sheets_of(session, member)), vetoes, member.group.rubric.name if named else "", chief,
                       found.reason if found else "")


def name_chief(session: Session, group: PracticalGroup, account_id: int, who: Viewer) -> None:
    """Name the chief assessor of a group: a senior assessor who is none of its assessors and whom no rule forbids."""
    require(session, group.plan, who, Role.EXAM_OFFICER)
    if account_id in {one.account_id for one in group.assessors}:
        raise Refused("chief_is_assessor", "考评组长评定时要独立于本组的评分，不能由本组的考评员担任，请另选一名高级考评员。")
    if group.chief_id != account_id and group.chief_id is not None and session.scalar(
            sa.select(MarkSheet.id).join(GroupMember).where(GroupMember.group_id == group.id, MarkSheet.is_chief).limit(1)):
        raise Refused("has_marked", f"{group.chief.name if group.chief else ''}已经作为考评组长评分，不能更换。")
    group.chief = calling.call_some(session, group.plan, [account_id], [one.enrolment for one in group.members], group.starts_at,
                                    senior=True)[0]
    session.flush()
