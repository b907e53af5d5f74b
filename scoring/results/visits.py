"""What people without an account may do on the public pages of results, and how often."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from qbank.kernel import visits
from qbank.kernel.refused import Refused
from qbank.kernel.visits import Limit

WINDOW = timedelta(minutes=15)
MISSES = 20  # look-ups that found nothing, from one address: a school may share one
OBJECTIONS_PER_ADDRESS = 5
OBJECTIONS_PER_LIST = 60
DAY = timedelta(days=1)


class VisitKind(enum.StrEnum):
    """What somebody without an account did on a public page."""

    OBJECTION = "objection"
    RECEIPT = "receipt"
    PROOF = "proof"


def check_look_up(session: Session, kind: VisitKind, address: str, *, now: datetime) -> None:
    """Only misses count: who knows the code is never shut out."""
    refusal = Refused("too_many_queries", "查询次数过多，请 15 分钟后再试。请先核对编号是否与回执或证明上的一致。")
    visits.check(session, kind, "", address, [Limit(MISSES, WINDOW, by_address=True, misses=True)], refusal, now=now)


def check_objection(session: Session, number: str, address: str, *, now: datetime) -> None:
    """A flood of objections would hide the true ones."""
    for limit, sentence in (
            (Limit(OBJECTIONS_PER_ADDRESS, WINDOW, by_address=True),
             f"同一网络地址 15 分钟内最多提交 {OBJECTIONS_PER_ADDRESS} 条异议，请稍后再提交，或直接致电评价机构。"),
            (Limit(OBJECTIONS_PER_LIST, DAY, by_subject=True),
             "今天本批次收到的异议过多，网上暂停受理。请直接致电公示页上的联系电话，或明天再提交。")):
        visits.check(session, VisitKind.OBJECTION, number, address, [limit], Refused("too_many_objections", sentence), now=now)


def note(session: Session, kind: VisitKind, subject: str, address: str, *, found: bool, now: datetime) -> None:
    visits.note(session, kind, subject, address, found=found, now=now)
