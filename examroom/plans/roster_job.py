"""Writing a roster, off the request: a long one takes longer than a page may."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import candidates, checking
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.roster_models import RosterImport
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from qbank.kernel.refused import Refused

IMPORT_ROSTER = "plans.import_roster"
AT_ONCE = 100  # rows in one transaction: on SQLite nobody else writes meanwhile


@kind(IMPORT_ROSTER, "导入考生名单")
def import_kept_roster(work: Work) -> str:
    """Check everything first, then write in short transactions. A wrong row refuses the whole unless told to skip it."""
    cipher = work.settings.identity_cipher()
    confirmed = set(work.arguments["confirmed"])
    with work.reading() as session:
        kept = fetch(session, RosterImport, work.arguments["roster_id"], work.who)
        plan_id = kept.plan_id
        found = checking.examine(session, kept.plan, candidates.rows_of(kept, cipher), cipher, now=work.now())
        before = _enrolled(session, plan_id)
    good = [one.row for one in found if not one.problems and (not one.doubts or one.row.place in confirmed)]
    if len(good) < len(found) and not work.arguments["only_good"]:
        raise Refused("roster_errors", f"名单有 {len(found) - len(good)} 行不能导入，没有写入任何考生。请改正后重新上传，或只导入正确的行。")
    if not good:
        raise Refused("roster_errors", "名单里没有可以导入的行。")
    for start in range(0, len(good), AT_ONCE):
        with work.transaction() as session:
            plan = fetch(session, ExamPlan, plan_id, work.who)
            candidates.import_roster(session, plan, good[start:start + AT_ONCE], work.who, cipher=cipher, declared=True,
                                     confirmed=confirmed, now=work.now())
        work.progress(min(start + AT_ONCE, len(good)), len(good), "正在登记考生…")
    with work.transaction() as session:
        kept = fetch(session, RosterImport, work.arguments["roster_id"], work.who)
        candidates.end_import(kept, _enrolled(session, plan_id) - before, now=work.now())
    return f"/plans/{plan_id}/qualification"


def _enrolled(session: Session, plan_id: int) -> int:
    return session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == plan_id)) or 0
