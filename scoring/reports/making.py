"""Making a report: at once, or off the request with progress; who took what stays on record."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer, fetch, visible
from qbank.kernel.jobs import Work, every, kind
from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from scoring.reports.catalogue import Asking, Kind, allowed, kind_of
from scoring.reports.models import ReportFile

KEPT_FOR = timedelta(days=1)
JOB = "reports.make"


def make(asking: Asking, wanted: Kind, form: str) -> tuple[str, bytes]:
    """(file name, content). Refuses who may not have it."""
    if not allowed(asking.session, wanted, asking.plan, asking.viewer):
        raise Refused("not_yours", f"“{wanted.title}”只提供给{wanted.readers}，您的角色不能生成。")
    ending, content = wanted.makers[form](asking)
    return f"{wanted.title}_{asking.plan.number}_{local(asking.now):%Y%m%d}.{ending}".replace("/", "／"), content


@kind(JOB, "制作报表")
def run(work: Work) -> str:
    """Arguments: plan, kind, form. Read without a lock; the file goes into one row."""
    asked = work.arguments
    wanted = kind_of(asked["kind"], asked["form"])
    with work.reading() as session:
        plan = fetch(session, ExamPlan, int(asked["plan"]), work.who)
        name, content = make(Asking(session, plan, work.who, work.now(), work.progress), wanted, asked["form"])
    with work.transaction() as session:
        keep(session, int(asked["plan"]), wanted.key, name, content, work.who, now=work.now())
    return f"/reports/plans/{asked['plan']}#files"


def keep(session: Session, plan_id: int | None, key: str, name: str, content: bytes, who: Viewer, *, now: datetime,
         content_too: bool = True) -> ReportFile:
    """Remember who took what, and for a day the file itself."""
    row = ReportFile(account_id=who.account_id, plan_id=plan_id, kind=key, file_name=name[:200], size=len(content), made_at=now,
                     content=content if content_too else None)
    session.add(row)
    session.flush()
    return row


def files_of(session: Session, plan: ExamPlan, who: Viewer) -> list[ReportFile]:
    """The person's own files of a plan that can still be fetched, newest first."""
    return list(session.scalars(visible(ReportFile, who).where(ReportFile.plan_id == plan.id, ReportFile.content.is_not(None))
                                .order_by(ReportFile.id.desc()).limit(10).options(defer(ReportFile.content))))


@every
def forget(session: Session, now: datetime) -> None:
    """The content of old files goes; who took what stays on record."""
    for row in session.scalars(sa.select(ReportFile).where(ReportFile.content.is_not(None), ReportFile.made_at < now - KEPT_FOR)):
        row.content = None
