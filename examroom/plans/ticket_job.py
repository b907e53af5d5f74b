"""准考证 of a whole plan, off the request; the file is its maker's own and is forgotten after a day."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import listing, ticket_print
from examroom.plans.condition_models import Qualification
from examroom.plans.models import ExamPlan
from examroom.plans.qualification_models import TicketFile
from examroom.plans.staffing import require_officer
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, every, kind

PRINT_TICKETS = "plans.print_tickets"
KEPT_FOR = timedelta(days=1)


@kind(PRINT_TICKETS, "制作准考证")
def print_tickets(work: Work) -> str:
    """For everybody whom the filters show and who is accepted."""
    plan_id, filters = work.arguments["plan_id"], work.arguments["filters"] | {"state": Qualification.ACCEPTED.value}
    with work.reading() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        require_officer(session, plan, work.who)
        rows = session.scalars(listing.searched(plan, filters, work.who)).unique().all()
        work.progress(0, len(rows), "正在排版准考证…")
        content = ticket_print.draw_all(session, plan, rows, key=work.settings.code_key, cipher=work.settings.identity_cipher(),
                                        now=work.now(), progress=lambda done, total: work.progress(done, total, "正在排版准考证…"))
    with work.transaction() as session:
        session.add(TicketFile(plan_id=plan_id, account_id=work.who.account_id, count=len(rows), content=content, made_at=work.now()))
    return f"/plans/{plan_id}/tickets"


@every
def forget_tickets(session: Session, now: datetime) -> None:
    """The exam codes in it open sheets: the content goes, who printed how many stays."""
    for row in session.scalars(sa.select(TicketFile).where(TicketFile.content.is_not(None), TicketFile.made_at < now - KEPT_FOR)):
        row.content = None
