"""Sealed and opened papers for tests of everything that follows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.papers import opening, sealing
from qbank.papers.contents import items_of
from qbank.papers.models import Paper

if TYPE_CHECKING:
    from tests.conftest import People


def seal_paper(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> Paper:
    """Seal a paper that a test wrote by hand: without the checks of a real one, with a real pack."""
    session.flush()
    sealing.put_away(session, paper, items_of(paper), who, now=now)
    return paper


def open_paper(session: Session, paper: Paper, people: People, *, now: datetime, family: bool = False) -> Paper:
    """Open a sealed paper as two officers of its school do."""
    school = session.get_one(Institution, paper.institution_id)
    first, second = (people(name, Role.EXAM_OFFICER, school=school) for name in ("启封甲", "启封乙"))
    opening.ask(session, paper, first, "本场考试发卷", now=now, family=family)
    opening.confirm(session, paper, second, now=now)
    return paper
