"""One assessor's sheet for one candidate: entries, blanks, the signature that ends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import PlanState
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from scoring.practical import rows
from scoring.practical.absences import absent_from
from scoring.practical.joining import spoken_points
from scoring.practical.mark_models import Discrepancy
from scoring.practical.models import GroupMember, Mark, MarkSheet, Part, RowKind, RubricRow


def mark_sheet_for(session: Session, member: GroupMember, who: Viewer) -> MarkSheet:
    """The sheet on which ``who``, an assessor of the group or its chief after a spread, marks this candidate; made at the
    first use."""
    chief = waits_for_chief(session, member, who)
    if not chief and who.account_id not in {one.account_id for one in member.group.assessors}:
        raise Refused("not_your_group", "您不是这一组的考评员，不能评分。")
    found = session.scalar(sa.select(MarkSheet).where(MarkSheet.member_id == member.id, MarkSheet.assessor_id == who.account_id))
    if found is None:
        found = MarkSheet(member=member, assessor_id=who.account_id, is_chief=chief)
        session.add(found)
        session.flush()
    return found


def waits_for_chief(session: Session, member: GroupMember, who: Viewer) -> bool:
    """Whether this candidate's marks lie too far apart and ``who`` is the chief assessor of the group."""
    return member.group.chief_id == who.account_id and discrepancy_of(session, member) is not None


def discrepancy_of(session: Session, member: GroupMember) -> Discrepancy | None:
    """The spread that sent this candidate to the chief assessor."""
    return session.scalar(sa.select(Discrepancy).where(Discrepancy.member_id == member.id))


def enter_marks(session: Session, mark_sheet: MarkSheet, entries: Mapping[int, rows.Entry | None], who: Viewer, *,
                now: datetime) -> None:
    """Write some rows of an unsigned sheet: row id -> what was seen (:mod:`.rows`), None for blank."""
    check_open(session, mark_sheet, who, now)
    known = {row.id: row for row in mark_sheet.member.group.rubric.rows}
    held = {mark.row_id: mark for mark in mark_sheet.marks}
    for row_id, entry in entries.items():
        if row_id not in known:
            raise Refused("other_row", "提交的评分项不在这份评分表上，请刷新页面。")
        if (mark := held.get(row_id)) is None:
            mark = Mark(row=known[row_id])
            mark_sheet.marks.append(mark)
        mark.entry = entry
        mark.half_points, mark.violated = worth(known[row_id], entry)
    session.flush()


def worth(row: RubricRow, entry: rows.Entry | None) -> tuple[int | None, bool | None]:
    """(half-points, violated) of an entry; refuses one that does not belong to the row, by the row's name."""
    if entry is None:
        return None, None
    try:
        found = rows.mark_of(row.rule, entry)
    except ValueError:
        if row.kind is RowKind.VETO:
            raise Refused("not_a_verdict", f"★“{row.text}”只能回答是或否。") from None
        limit = f"0 到 {spoken_points(row.most)} 分之间" if row.kind is RowKind.POINTS else "不小于 0 的数"
        raise Refused("out_of_range", f"“{row.text}”应填写{limit}，请修改。") from None
    return (None, found) if isinstance(found, bool) else (found, None)


def check_open(session: Session, mark_sheet: MarkSheet, who: Viewer, now: datetime) -> None:
    """Only its assessor, only unsigned, only from the day of the assessment on, not for an absent candidate."""
    group = mark_sheet.member.group
    if mark_sheet.assessor_id != who.account_id:
        raise Refused("not_your_sheet", "这是另一名考评员的评分表，您不能填写。")
    if mark_sheet.signed_at is not None:
        raise Refused("signed", "这份评分表已经签字，不能再改。如有差错，请申请更正。")
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


def check_complete(mark_sheet: MarkSheet) -> None:
    """Refuse a sheet with empty rows, naming each."""
    if empty := blanks(mark_sheet):
        raise Refused("blanks", f"还有 {len(empty)} 项没有评分，不能签字。没有得分的项目请填 0。",
                      [("★ " if row.kind is RowKind.VETO else "") + row.text for row in empty])


def unsigned_by(session: Session, member: GroupMember) -> list[Account]:
    """The assessors whose signature is still missing for this candidate."""
    signed = set(session.scalars(sa.select(MarkSheet.assessor_id).where(MarkSheet.member_id == member.id,
                                                                        MarkSheet.signed_at.is_not(None))))
    return [one.account for one in member.group.assessors if one.account_id not in signed]
