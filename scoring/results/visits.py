"""What people without an account may do on the public pages of results, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.refused import Refused
from scoring.results.case_models import PublicVisit, VisitKind

WINDOW = timedelta(minutes=15)
MISSES = 20  # look-ups that found nothing, from one address: a school may share one
OBJECTIONS_PER_ADDRESS = 5
OBJECTIONS_PER_LIST = 60
DAY = timedelta(days=1)


def check_look_up(session: Session, kind: VisitKind, address: str, *, now: datetime) -> None:
    """Only misses count: who knows the code is never shut out."""
    if _count(session, kind, now - WINDOW, PublicVisit.address == address[:200], sa.not_(PublicVisit.found)) >= MISSES:
        raise Refused("too_many_queries", "查询次数过多，请 15 分钟后再试。请先核对编号是否与回执或证明上的一致。")


def check_objection(session: Session, number: str, address: str, *, now: datetime) -> None:
    """A flood of objections would hide the true ones."""
    if _count(session, VisitKind.OBJECTION, now - WINDOW, PublicVisit.address == address[:200]) >= OBJECTIONS_PER_ADDRESS:
        raise Refused("too_many_objections", f"同一网络地址 15 分钟内最多提交 {OBJECTIONS_PER_ADDRESS} 条异议，请稍后再提交，或直接致电评价机构。")
    if _count(session, VisitKind.OBJECTION, now - DAY, PublicVisit.subject == number[:200]) >= OBJECTIONS_PER_LIST:
        raise Refused("too_many_objections", "今天本批次收到的异议过多，网上暂停受理。请直接致电公示页上的联系电话，或明天再提交。")


def note(session: Session, kind: VisitKind, subject: str, address: str, *, found: bool, now: datetime) -> None:
    session.add(PublicVisit(kind=kind, subject=subject[:200], address=address[:200], found=found, at=now))
    session.flush()


def _count(session: Session, kind: VisitKind, since: datetime, *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(PublicVisit).where(
        PublicVisit.kind == kind, PublicVisit.at > since, *conditions)) or 0
