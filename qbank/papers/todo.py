"""What waits for a composer, and for the second person of an opening."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import occupation_code_of
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.opening import OPENERS
from qbank.papers.sealed import PaperOpening

MOST = 5  # more drafts than this are one line


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Draft papers of this composer that wait to be checked and sealed, or given up; openings that want a second person."""
    return [*_drafts(session, viewer), *_openings(session, viewer, now)]


def _drafts(session: Session, viewer: Viewer) -> list[Todo]:
    if not viewer.has(Role.PAPER_COMPOSER):
        return []
    drafts = visible(Paper, viewer).where(Paper.state == PaperState.DRAFT, Paper.composer_id == viewer.account_id)
    count = session.scalar(sa.select(sa.func.count()).select_from(drafts.subquery())) or 0
    if count > MOST:
        return [Todo(f"核对并封存试卷（{count} 套）", "papers.index", {"state": "draft"}, "不用的请作废", clause="五（三）")]
    return [Todo(f"核对并封存试卷：{paper.name}", "papers.show", {"paper_id": paper.id}, "核对合规性报告后封存，不用的请作废",
                 clause="五（三）") for paper in session.scalars(drafts.order_by(Paper.id))]


def _openings(session: Session, viewer: Viewer, now: datetime) -> list[Todo]:
    """Requests to open a paper whose window is not over: who asked waits, whoever may agree is asked."""
    reach = viewer.reach(Paper.institution_id, *OPENERS, occupation=occupation_code_of(Specification.table_id))
    asked = session.scalars(
        sa.select(PaperOpening).join(PaperOpening.paper).join(Specification, Specification.id == Paper.specification_id)
        .where(PaperOpening.opened_at.is_(None), PaperOpening.valid_until > now, reach).order_by(PaperOpening.valid_until))
    return [_opening(one, any(person.account_id == viewer.account_id for person in one.persons)) for one in asked]


def _opening(one: PaperOpening, agreed: bool) -> Todo:
    title = f"{'等待第二人确认启封' if agreed else '确认启封试卷'}：{one.paper.name}"
    return Todo(title, "papers.open_page", {"paper_id": one.paper_id}, f"{one.persons[0].account.name}申请：{one.reason[:60]}", one.valid_until,
                clause="五（三）", waits_for="另一名启封人" if agreed else "")
