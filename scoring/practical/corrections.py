"""Corrections of signed marks: asked for with a reason, approved by a second person; the original stays and is shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical import settling
from scoring.practical.duties import may_act, require
from scoring.practical.mark_models import Correction, CorrectionState
from scoring.practical.marks import worth
from scoring.practical.models import MarkSheet, RubricRow
from scoring.practical.rows import Entry
from scoring.practical.values import Value, effective

__all__ = ["Value", "ask", "decide", "effective", "may_ask", "of_sheets"]


def ask(session: Session, sheet: MarkSheet, row: RubricRow, entry: Entry | None, reason: str, who: Viewer, *,
        now: datetime) -> Correction:
    """Ask for another entry in one row of a signed sheet: its assessor or an exam officer, with a reason."""
    plan = sheet.member.group.plan
    if sheet.assessor_id != who.account_id:
        require(session, plan, who, Role.EXAM_OFFICER)
    if sheet.signed_at is None:
        raise Refused("not_signed", "这份评分表还没有签字，可以直接修改，不用申请更正。")
    if row.rubric_id != sheet.member.group.rubric_id:
        raise Refused("other_row", "这一项不在这份评分表上，请刷新页面。")
    if len(reason.strip()) < 4:
        raise Refused("no_reason", "请写明更正的理由，例如“录入时把 18 写成 8”。")
    if entry is None:
        raise Refused("no_entry", "请填写更正后的记录；没有得分请填 0。")
    held = effective(sheet).get(row.id, Value())
    half_points, violated = worth(row, entry)
    if (entry, half_points, violated) == (held.entry, held.half_points, held.violated):
        raise Refused("nothing_new", "更正后的记录与现在的一样，没有需要更正的内容。")
    if session.scalar(sa.select(Correction.id).where(Correction.sheet_id == sheet.id, Correction.row_id == row.id,
                                                     Correction.state == CorrectionState.ASKED)):
        raise Refused("asked_already", "这一项已有一份更正申请等待批准。")
    made = Correction(sheet=sheet, row=row, before=held.as_json(), after=Value(entry, half_points, violated).as_json(),
                      reason=reason.strip(), asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def decide(session: Session, correction: Correction, who: Viewer, approves: bool, comment: str, *, now: datetime) -> None:
    """A second person approves or rejects. Approved: the score is joined again, and before and after are kept."""
    sheet = correction.sheet
    require(session, sheet.member.group.plan, who, Role.EXAM_OFFICER)
    if correction.state is not CorrectionState.ASKED:
        raise Refused("decided", "这份更正申请已经办理，请刷新页面。")
    if who.account_id in {correction.asked_by, sheet.assessor_id}:
        raise Refused("same_person", "更正须由申请人和评分人以外的另一名考务员批准。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "请写明不同意更正的理由。")
    correction.decided_by, correction.decided_at, correction.comment = who.account_id, now, comment.strip()
    correction.state = CorrectionState.APPROVED if approves else CorrectionState.REJECTED
    session.flush()
    if approves:
        correction.score_before, correction.score_after = settling.settle_again(session, sheet.member, now=now)
        session.flush()


def may_ask(session: Session, sheet: MarkSheet, who: Viewer) -> bool:
    """Whether ``who`` may ask for a correction on this sheet."""
    return sheet.signed_at is not None and (sheet.assessor_id == who.account_id
                                            or may_act(session, sheet.member.group.plan, who, Role.EXAM_OFFICER))


def of_sheets(session: Session, sheets: Iterable[MarkSheet]) -> list[Correction]:
    """The corrections of these sheets, the earliest first."""
    return list(session.scalars(sa.select(Correction).where(Correction.sheet_id.in_([one.id for one in sheets])).order_by(Correction.id)))
