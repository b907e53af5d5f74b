"""Practical examination: groups before their assessors, marks, signatures, joined scores, absences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack
from scoring.practical.duties import call_on, check_number, require
from scoring.practical.joining import AssessorMarks, join_marks, spoken_points
from scoring.practical.models import (
    Absence,
    GroupAssessor,
    GroupMember,
    Mark,
    MarkSheet,
    Part,
    PracticalGroup,
    PracticalScore,
    RowKind,
    Rubric,
    RubricRow,
)
from scoring.practical.rubrics import build_rubric, change_rubric, copy_rubric

__all__ = ["absent_from", "build_rubric", "change_rubric", "copy_rubric", "disband", "enter_marks", "form_group", "join",
           "mark_sheet_for", "ratio_note", "record_absence", "replace_assessor", "sign", "total_of", "ungrouped",
           "unsigned_by", "withdraw_absence"]


# Groups

def form_group(session: Session, plan: ExamPlan, rubric: Rubric, name: str, who: Viewer, *,
               assessor_ids: Sequence[int], enrolment_ids: Sequence[int], place: str = "",
               starts_at: datetime) -> PracticalGroup:
    """Candidates of ``plan`` before an odd number of assessors; freezes the rubric."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if not name.strip():
        raise Refused("no_name", "请填写考核组名称，例如“第一组”。")
    if (rubric.institution_id, rubric.table.standard_id, rubric.table.level) != (plan.institution_id, plan.standard_id,
                                                                                plan.level):
        raise Refused("other_rubric", "这份评分表不是本计划的职业标准和等级，请选用或新建对应的评分表。")
    pack = pack_for(session, plan.institution)
    check_number(len(assessor_ids), pack.least_assessors, pack.assessors_odd, "考评员人数")
    assessors = call_on(session, plan, Role.PRACTICAL_ASSESSOR, assessor_ids)
    enrolments = _free(session, plan, enrolment_ids)
    group = PracticalGroup(plan=plan, rubric=rubric, name=name.strip()[:200], place=place.strip()[:200], starts_at=starts_at)
    group.assessors = [GroupAssessor(account=account) for account in assessors]
    group.members = [GroupMember(enrolment=enrolment) for enrolment in enrolments]
    rubric.frozen = True
    session.add(group)
    session.flush()
    return group


def ratio_note(pack: RulePack, assessors: int, candidates: int) -> str:
    """What is to be said of assessors : candidates; empty when the ratio is kept. A note: candidates may go in turns."""
    at_once = assessors * pack.candidates_per_assessor
    if candidates <= at_once:
        return ""
    return (f"考评员与考生配比为 1:{pack.candidates_per_assessor}：{assessors} 名考评员同时最多考核 {at_once} 名考生，"
            f"本组有 {candidates} 名，请分批入场或增设考核组。")


def ungrouped(session: Session, plan: ExamPlan) -> list[Enrolment]:
    """The candidates of ``plan`` who are in no group yet."""
    grouped = sa.select(GroupMember.enrolment_id)
    return list(session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id, Enrolment.id.not_in(grouped))
                                .order_by(Enrolment.ticket_number)))


def replace_assessor(session: Session, group: PracticalGroup, out_id: int, in_id: int, who: Viewer) -> None:
    """Put another assessor in the place of one who has marked nobody yet. The number of assessors stays."""
    require(session, group.plan, who, Role.EXAM_OFFICER)
    leaving = next((one for one in group.assessors if one.account_id == out_id), None)
    if leaving is None or in_id in {one.account_id for one in group.assessors}:
        raise Refused("not_in_group", "请选择本组的一名考评员，并换成不在本组的另一名。")
    if session.scalar(_sheets_of(group).where(MarkSheet.assessor_id == out_id).limit(1)):
        raise Refused("has_marked", f"{leaving.account.name}已经开始评分，不能更换。")
    leaving.account = call_on(session, group.plan, Role.PRACTICAL_ASSESSOR, [in_id])[0]
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


def _free(session: Session, plan: ExamPlan, enrolment_ids: Sequence[int]) -> list[Enrolment]:
    """Candidates of this plan who are in no group. Refuses others by name."""
    if not enrolment_ids:
        raise Refused("no_candidates", "请至少勾选一名考生。")
    wanted = set(enrolment_ids)
    everyone = session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id).order_by(Enrolment.ticket_number))
    found = [one for one in everyone if one.id in wanted]
    if len(found) != len(wanted):
        raise Refused("other_plan", "名单中有不属于本计划的考生，请刷新页面重新勾选。")
    taken = session.scalars(sa.select(GroupMember).where(GroupMember.enrolment_id.in_(enrolment_ids))).all()
    if taken:
        raise Refused("already_grouped", "以下考生已在其他考核组，一名考生只能编入一组。",
                      [f"{one.enrolment.candidate.name}（{one.group.name}）" for one in taken])
    return found


# Marks

def mark_sheet_for(session: Session, member: GroupMember, who: Viewer) -> MarkSheet:
    """The sheet on which ``who``, an assessor of the group, marks this candidate; made at the first use."""
    if who.account_id not in {one.account_id for one in member.group.assessors}:
        raise Refused("not_your_group", "您不是这一组的考评员，不能评分。")
    found = session.scalar(sa.select(MarkSheet).where(MarkSheet.member_id == member.id,
                                                      MarkSheet.assessor_id == who.account_id))
    if found is None:
        found = MarkSheet(member=member, assessor_id=who.account_id)
        session.add(found)
        session.flush()
    return found


def enter_marks(session: Session, mark_sheet: MarkSheet, marks: Mapping[int, int | bool | None], who: Viewer, *,
                now: datetime) -> None:
    """Write some rows of an unsigned sheet: row id -> half-points, for a ★ row whether violated, None for blank."""
    _check_open(session, mark_sheet, who, now)
    rows = {row.id: row for row in mark_sheet.member.group.rubric.rows}
    held = {mark.row_id: mark for mark in mark_sheet.marks}
    for row_id, value in marks.items():
        if row_id not in rows:
            raise Refused("other_row", "提交的评分项不在这份评分表上，请刷新页面。")
        if (mark := held.get(row_id)) is None:
            mark = Mark(row=rows[row_id])
            mark_sheet.marks.append(mark)
        _write(mark, rows[row_id], value)
    session.flush()


def _write(mark: Mark, row: RubricRow, value: int | bool | None) -> None:
    if row.kind is RowKind.VETO:
        if value is not None and not isinstance(value, bool):
            raise Refused("not_a_verdict", f"★“{row.text}”只能回答是或否。")
        mark.violated = value
        return
    if isinstance(value, bool) or (value is not None and not 0 <= value <= row.most):
        raise Refused("out_of_range", f"“{row.text}”应在 0 到 {spoken_points(row.most)} 分之间，请修改。")
    mark.half_points = value


def _check_open(session: Session, mark_sheet: MarkSheet, who: Viewer, now: datetime) -> None:
    """Only its assessor, only unsigned, only from the day of the assessment on, not for an absent candidate."""
    group = mark_sheet.member.group
    if mark_sheet.assessor_id != who.account_id:
        raise Refused("not_your_sheet", "这是另一名考评员的评分表，您不能填写。")
    if mark_sheet.signed_at is not None:
        raise Refused("signed", "这份评分表已经签字，不能再改。")
    if group.plan.state is not PlanState.APPROVED:
        raise Refused("plan_not_approved", "考务方案还没有批准，不能评分。")
    if local_date(now) < local_date(group.starts_at):
        raise Refused("too_early", f"本组考核在 {spoken(group.starts_at)} 开始，当天起才能评分。")
    if mark_sheet.member.enrolment_id in absent_from(session, group.plan, Part.PRACTICAL):
        raise Refused("is_absent", "这名考生已登记缺考。如登记有误，请考务员先撤销缺考登记。")


def blanks(mark_sheet: MarkSheet) -> list[RubricRow]:
    """The rows that are not marked yet. A zero is a mark."""
    done = {mark.row_id for mark in mark_sheet.marks if mark.half_points is not None or mark.violated is not None}
    return [row for row in mark_sheet.member.group.rubric.rows if row.id not in done]


def total_of(mark_sheet: MarkSheet) -> int:
    """The half-points on a sheet so far."""
    return sum(mark.half_points or 0 for mark in mark_sheet.marks)


def sign(session: Session, mark_sheet: MarkSheet, who: Viewer, *, now: datetime) -> None:
    """Sign a complete sheet, for good. The last signature joins the score."""
    _check_open(session, mark_sheet, who, now)
    if empty := blanks(mark_sheet):
        raise Refused("blanks", f"还有 {len(empty)} 项没有评分，不能签字。没有得分的项目请填 0。",
                      [("★ " if row.kind is RowKind.VETO else "") + row.text for row in empty])
    mark_sheet.signed_at = now
    # Two last assessors may sign at the same moment: the second waits here and then sees the first one's signature.
    session.execute(sa.select(GroupMember.id).where(GroupMember.id == mark_sheet.member_id).with_for_update())
    session.flush()
    if not unsigned_by(session, mark_sheet.member):
        join(session, mark_sheet.member, now=now)


def unsigned_by(session: Session, member: GroupMember) -> list[Account]:
    """The assessors whose signature is still missing for this candidate."""
    signed = set(session.scalars(sa.select(MarkSheet.assessor_id).where(MarkSheet.member_id == member.id,
                                                                        MarkSheet.signed_at.is_not(None))))
    return [one.account for one in member.group.assessors if one.account_id not in signed]


def join(session: Session, member: GroupMember, *, now: datetime) -> PracticalScore:
    """The joined score, once every assessor has signed; the same one when asked again."""
    found = session.scalar(sa.select(PracticalScore).where(PracticalScore.enrolment_id == member.enrolment_id))
    if found is not None:
        return found
    if missing := unsigned_by(session, member):
        raise Refused("not_all_signed", f"{member.enrolment.candidate.name}的操作技能还缺 "
                                        f"{'、'.join(account.name for account in missing)}的签字，不能合成。")
    rows = member.group.rubric.rows
    vetoes = [row for row in rows if row.kind is RowKind.VETO]
    sheets = session.scalars(sa.select(MarkSheet).where(MarkSheet.member_id == member.id).order_by(MarkSheet.id)).all()
    joined = join_marks([_as_numbers(sheet, vetoes) for sheet in sheets], [row.text for row in vetoes])
    score = PracticalScore(enrolment=member.enrolment, half_points=joined.half_points, vetoed=joined.vetoed,
                           reasons=list(joined.reasons), joined_at=now)
    session.add(score)
    session.flush()
    return score


def _as_numbers(sheet: MarkSheet, vetoes: Sequence[RubricRow]) -> AssessorMarks:
    verdicts = {mark.row_id: bool(mark.violated) for mark in sheet.marks}
    return AssessorMarks(sheet.assessor.name, total_of(sheet), tuple(verdicts[row.id] for row in vetoes))


# Absences

def record_absence(session: Session, enrolment: Enrolment, part: Part, who: Viewer, *, reason: str = "",
                   now: datetime) -> Absence:
    """Record that a candidate did not appear for ``part``. Refused when there are marks of that part."""
    require(session, enrolment.plan, who, Role.EXAM_OFFICER)
    marked = (sa.select(Mark.id).join(MarkSheet).join(GroupMember)
              .where(GroupMember.enrolment_id == enrolment.id,
                     sa.or_(Mark.half_points.is_not(None), Mark.violated.is_not(None))))
    if part is Part.PRACTICAL and session.scalar(marked.limit(1)):
        raise Refused("has_marks", f"{enrolment.candidate.name}的{part.chinese}已有评分，不能登记缺考。")
    found = _absence(session, enrolment, part)
    if found is None:
        found = Absence(enrolment=enrolment, part=part, reason=reason.strip(), recorded_by=who.account_id, at=now)
        session.add(found)
        session.flush()
    return found


def withdraw_absence(session: Session, enrolment: Enrolment, part: Part, who: Viewer) -> None:
    """Take back an absence that was recorded by mistake."""
    require(session, enrolment.plan, who, Role.EXAM_OFFICER)
    if found := _absence(session, enrolment, part):
        session.delete(found)
        session.flush()


def absent_from(session: Session, plan: ExamPlan, part: Part) -> set[int]:
    """The enrolments of ``plan`` recorded as absent from ``part``."""
    return set(session.scalars(sa.select(Absence.enrolment_id).join(Enrolment)
                               .where(Enrolment.plan_id == plan.id, Absence.part == part)))


def _absence(session: Session, enrolment: Enrolment, part: Part) -> Absence | None:
    return session.scalar(sa.select(Absence).where(Absence.enrolment_id == enrolment.id, Absence.part == part))
