"""Practical examination: groups before their assessors. Marks, scores and absences have modules of their own, named here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import drift, guard, qualification
from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.ratios import PRACTICAL
from qbank.standards.rulepack import FULL_HALF_POINTS
from scoring.practical.absences import absent_from, record_absence, withdraw_absence
from scoring.practical.bank_models import DrawnTask
from scoring.practical.calling import call_assessors, call_some
from scoring.practical.duties import require
from scoring.practical.marks import blanks, enter_marks, mark_sheet_for, unsigned_by
from scoring.practical.models import GroupAssessor, GroupMember, MarkSheet, PracticalGroup, Rubric, RubricRow
from scoring.practical.modules import drew, modules_of
from scoring.practical.rubrics import build_rubric, change_rubric, copy_rubric
from scoring.practical.settling import join, name_chief, sign, waiting_for
from scoring.practical.values import total_of

__all__ = ["absent_from", "blanks", "build_rubric", "change_rubric", "copy_rubric", "disband", "enter_marks", "form_group", "join",
           "mark_sheet_for", "name_chief", "record_absence", "replace_assessor", "sign", "total_of", "ungrouped",
           "unsigned_by", "waiting_for", "withdraw_absence"]


# Groups

def form_group(session: Session, plan: ExamPlan, rubric: Rubric, name: str, who: Viewer, *,
               assessor_ids: Sequence[int], enrolment_ids: Sequence[int], place: str = "",
               starts_at: datetime) -> PracticalGroup:
    """Candidates of ``plan`` before an odd number of assessors; freezes the rubric."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if not name.strip():
        raise Refused("no_name", "请填写考核组名称，例如“第一组”。")
    guard.require_plan_in_scope(session, plan, days=[local_date(starts_at)])
    guard.require_own(plan, rubric.institution_id, "所选评分表")
    guard.require_same(plan, rubric.table.standard, rubric.table.level, "所选评分表")
    drift.require_planned(plan, PRACTICAL, starts_at, place=place)
    enrolments = _free(session, plan, rubric, enrolment_ids)
    qualification.require_accepted(enrolments)
    assessors = call_assessors(session, plan, assessor_ids, enrolments, starts_at)
    lots = _lots(session, plan, rubric, enrolments)
    group = PracticalGroup(plan=plan, rubric=rubric, module_id=lots[enrolments[0].id].module_id if lots else None, name=name.strip()[:200],
                           place=place.strip()[:200], starts_at=starts_at)
    group.assessors = [GroupAssessor(account=account) for account in assessors]
    group.members = [GroupMember(enrolment=enrolment) for enrolment in enrolments]
    rubric.frozen = True
    session.add(group)
    session.flush()
    return group


def ungrouped(session: Session, plan: ExamPlan) -> list[Enrolment]:
    """The candidates of ``plan`` whose groups do not yet examine the whole part."""
    worth = (sa.select(sa.func.coalesce(sa.func.sum(RubricRow.most), 0)).join(PracticalGroup, PracticalGroup.rubric_id == RubricRow.rubric_id)
             .join(GroupMember, GroupMember.group_id == PracticalGroup.id).where(GroupMember.enrolment_id == Enrolment.id)
             .scalar_subquery())
    return list(session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id, worth < FULL_HALF_POINTS)
                                .order_by(Enrolment.ticket_number)))


def replace_assessor(session: Session, group: PracticalGroup, out_id: int, in_id: int, who: Viewer) -> None:
    """Put another assessor in the place of one who has marked nobody yet. The number of assessors stays."""
    require(session, group.plan, who, Role.EXAM_OFFICER)
    leaving = next((one for one in group.assessors if one.account_id == out_id), None)
    if leaving is None or in_id in {one.account_id for one in group.assessors}:
        raise Refused("not_in_group", "请选择本组的一名考评员，并换成不在本组的另一名。")
    if session.scalar(_sheets_of(group).where(MarkSheet.assessor_id == out_id).limit(1)):
        raise Refused("has_marked", f"{leaving.account.name}已经开始评分，不能更换。")
    leaving.account = call_some(session, group.plan, [in_id], [one.enrolment for one in group.members], group.starts_at)[0]
    session.flush()


def disband(session: Session, group: PracticalGroup, who: Viewer) -> None:
    """Remove a group in which nobody has been marked."""
    require(session, group.plan, who, Role.EXAM_OFFICER)
    if session.scalar(_sheets_of(group).limit(1)):
        raise Refused("has_marks", "本组已有评分，不能撤销。")
    session.delete(group)
    session.flush()


def _sheets_of(group: PracticalGroup) -> sa.Select[int]:
    return sa.select(MarkSheet.id).join(GroupMember).where(GroupMember.group_id == group.id)


def _free(session: Session, plan: ExamPlan, rubric: Rubric, enrolment_ids: Sequence[int]) -> list[Enrolment]:
    """Candidates of this plan whom other groups leave room for this rubric. Refuses others by name."""
    if not enrolment_ids:
        raise Refused("no_candidates", "请至少勾选一名考生。")
    wanted = set(enrolment_ids)
    everyone = session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id).order_by(Enrolment.ticket_number))
    found = [one for one in everyone if one.id in wanted]
    if len(found) != len(wanted):
        raise Refused("other_plan", "名单中有不属于本计划的考生，请刷新页面重新勾选。")
    held: dict[int, list[GroupMember]] = {}
    for one in session.scalars(sa.select(GroupMember).where(GroupMember.enrolment_id.in_(enrolment_ids)).order_by(GroupMember.id)):
        held.setdefault(one.enrolment_id, []).append(one)
    full = [members for members in held.values()
            if rubric.full + sum(one.group.rubric.full for one in members) > FULL_HALF_POINTS
            or rubric.id in {one.group.rubric_id for one in members}]
    if full:
        raise Refused("already_grouped", "以下考生已在其他考核组，再加上这份评分表就超过 100 分。",
                      [f"{members[0].enrolment.candidate.name}（{'、'.join(one.group.name for one in members)}）" for members in full])
    return found


def _lots(session: Session, plan: ExamPlan, rubric: Rubric, enrolments: Sequence[Enrolment]) -> dict[int, DrawnTask]:
    """Where tasks were drawn: what these candidates drew, which this rubric must mark. Empty without a draw."""
    if not modules_of(session, plan):
        if rubric.targets is not None:
            raise Refused("not_drawn", "这份评分表属于题库里的一道试题，要先为本计划抽签，再按抽中的试题编组。")
        return {}
    lots = drew(session, plan, rubric.id)
    if not lots:
        raise Refused("not_drawn", "本计划已抽签，请选用抽中试题的评分表。")
    if names := [one.candidate.name for one in enrolments if one.id not in lots]:
        raise Refused("other_task", "以下考生抽中的不是这道试题，请另行编组。", names)
    return lots
