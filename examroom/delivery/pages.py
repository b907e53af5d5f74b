"""Which browser may write on a sheet: one live page, handed over on the same computer or by an invigilator."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import ExamPage, PageState, Sheet
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused

SUPERSEDED = "这份答卷已在另一台电脑上打开，本页只能查看，不再保存作答。如果不是您本人操作，请立即举手告诉监考员。"
WAITING = "这份答卷正在另一台电脑上使用。请举手，由监考员同意后才能在这台电脑上继续。"


def open_page(session: Session, sheet: Sheet, machine: str, address: str, *, now: datetime) -> tuple[ExamPage, str]:
    """A page for the sheet, started if need be, and its token (stored only as a hash).

    Live at once when no other computer holds the sheet, else waiting for an invigilator. ``machine`` is the random
    mark that the browser keeps for itself; an empty one is nobody's.
    """
    sheets.start(session, sheet, now=now)  # locks the sheet: two openings queue here
    mark = _hash(machine or secrets.token_hex(16))
    held = live_page(session, sheet)
    state = PageState.WAITING if held is not None and held.machine_hash != mark else PageState.LIVE
    if held is not None and state is PageState.LIVE:
        held.state = PageState.ENDED
    for page in _waiting(session, sheet, mark):
        page.state = PageState.ENDED
    session.flush()  # the page before must be ended first: the index allows one live page
    token = secrets.token_urlsafe(24)
    page = ExamPage(sheet=sheet, token_hash=_hash(token), machine_hash=mark, address=address, opened_at=now, state=state)
    session.add(page)
    session.flush()
    return page, token


def live_page(session: Session, sheet: Sheet) -> ExamPage | None:
    return session.scalar(sa.select(ExamPage).where(ExamPage.sheet_id == sheet.id, ExamPage.state == PageState.LIVE))


def page_of(session: Session, sheet: Sheet, token: str) -> ExamPage | None:
    """The page that carries ``token``; None for a token that is not this sheet's."""
    found = session.scalar(sa.select(ExamPage).where(ExamPage.token_hash == _hash(token)))
    return found if found is not None and found.sheet_id == sheet.id else None


def require_live(session: Session, sheet: Sheet, token: str) -> ExamPage:
    """The live page, or a refusal that says why this page may not write."""
    page = page_of(session, sheet, token)
    if page is None or page.state is PageState.ENDED:
        raise Refused("superseded", SUPERSEDED)
    if page.state is PageState.WAITING:
        raise Refused("waiting", WAITING)
    return page


def admit(session: Session, page: ExamPage, who: Viewer) -> None:
    """Let a waiting page take the sheet over; the page before it becomes read-only at once."""
    sheets.lock(session, page.sheet)
    session.refresh(page)
    if page.state is not PageState.WAITING:
        raise Refused("page_not_waiting", "这次换机申请已经处理或已失效，请刷新监控页面。")
    held = live_page(session, page.sheet)
    if held is not None:
        held.state = PageState.ENDED
        session.flush()
    page.state, page.admitted_by = PageState.LIVE, who.account_id
    session.flush()


def _waiting(session: Session, sheet: Sheet, mark: str) -> list[ExamPage]:
    return list(session.scalars(sa.select(ExamPage).where(
        ExamPage.sheet_id == sheet.id, ExamPage.machine_hash == mark, ExamPage.state == PageState.WAITING)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
