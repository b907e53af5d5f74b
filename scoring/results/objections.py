"""Objections (异议) while the public notice runs: from anybody on the public page, or written down by an officer."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical.duties import require
from scoring.results import visits
from scoring.results.models import Objection, ResultList, ResultState

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is read as another
LONGEST = 2000
LONGEST_NAME = 60


def record_objection(session: Session, result_list: ResultList, raised_by: str, text: str, who: Viewer, *,
                     now: datetime) -> Objection:
    """Write down an objection that came in by telephone or letter while the list is on notice."""
    require(session, result_list.plan, who, Role.EXAM_OFFICER)
    if result_list.state is not ResultState.NOTICED:
        raise Refused("wrong_state", "结果不在公示中，不能登记异议。")
    return _added(session, result_list, raised_by, text, who.account_id, now)


def raise_publicly(session: Session, result_list: ResultList, *, name: str, telephone: str, text: str, address: str,
                   now: datetime) -> Objection:
    """Take an objection in from somebody without an account: within limits, while the days run, with a receipt."""
    if result_list.state is not ResultState.NOTICED or result_list.notice_ends_at is None or now >= result_list.notice_ends_at:
        raise Refused("notice_over", "公示已经结束，网上不再受理异议。请直接联系评价机构。")
    number = result_list.plan.number
    visits.check_objection(session, number, address, now=now)
    name, telephone = " ".join(name.split()), "".join(telephone.split())
    if not 2 <= len(name) <= LONGEST_NAME:
        raise Refused("objection_incomplete", "请填写您的真实姓名（实名反映，学校负责保密）。")
    if not 7 <= sum(letter.isdigit() for letter in telephone) <= 15 or len(telephone) > 20:
        raise Refused("objection_incomplete", "请填写能联系到您的电话号码。")
    found = _added(session, result_list, f"{name} {telephone}", text, None, now)
    visits.note(session, visits.VisitKind.OBJECTION, number, address, found=True, now=now)
    return found


def look_up(session: Session, receipt: str, address: str, *, now: datetime) -> Objection | None:
    """The objection with this receipt, for whoever holds the receipt; misses are counted."""
    visits.check_look_up(session, visits.VisitKind.RECEIPT, address, now=now)
    asked = "".join(letter for letter in receipt.upper() if letter.isalnum())[:16]
    found = session.scalar(sa.select(Objection).where(Objection.receipt == asked)) if asked else None
    visits.note(session, visits.VisitKind.RECEIPT, asked, address, found=found is not None, now=now)
    return found


def answer(session: Session, objection: Objection, text: str, who: Viewer, *, now: datetime) -> None:
    """Answer an objection, once."""
    require(session, objection.list.plan, who, Role.EXAM_OFFICER)
    if objection.answered_at is not None:
        raise Refused("answered", "这条异议已经答复，不能再改。")
    if not text.strip():
        raise Refused("no_answer", "请填写答复内容：核查情况和处理结论。")
    objection.answer, objection.answered_at, objection.answered_by = text.strip(), now, who.account_id
    session.flush()


def _added(session: Session, result_list: ResultList, raised_by: str, text: str, recorded_by: int | None,
           now: datetime) -> Objection:
    if not raised_by.strip() or not text.strip():
        raise Refused("objection_incomplete", "请填写异议人（姓名和电话）和异议内容。")
    if len(text) > LONGEST:
        raise Refused("objection_long", f"异议内容不超过 {LONGEST} 字，现在是 {len(text)} 字。")
    made = Objection(list=result_list, raised_by=raised_by.strip(), text=text.strip(), recorded_by=recorded_by, at=now,
                     receipt="".join(secrets.choice(LETTERS) for _ in range(12)))
    session.add(made)
    session.flush()
    return made
