"""The order in which the candidates come, by draw: from here on the panel knows them by number only."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from examroom.plans import qualification
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from scoring.practical import desk as practical
from scoring.practical.models import Part
from scoring.review.models import OrderDraw, ReviewCase, ReviewPanel
from scoring.review.panels import check_not_closed, may_lead


def place(seed: str, ticket_number: str) -> str:
    """What the candidates are ordered by; anybody can repeat the draw with it."""
    return hashlib.sha256(f"{seed}|{ticket_number}".encode()).hexdigest()


def draw(session: Session, panel: ReviewPanel, who: Viewer, *, now: datetime, seed: str | None = None) -> list[ReviewCase]:
    """Number all accepted candidates who have no number. What is drawn stays; who was accepted later is drawn behind the others.

    Refused before every seat's member has declared: nothing may be shown to them before that.
    """
    check_not_closed(panel)
    if not may_lead(session, panel, who):
        raise Refused("not_chair", "评审顺序由主任委员或考务员抽签。")
    if names := [one.account.name for one in panel.regular if one.declared_at is None]:
        raise Refused("not_declared", f"{'、'.join(names)}还没有申报利害关系。全体评审专家申报后才能抽签。")
    drawn = {case.enrolment_id for case in panel.cases}
    absent = practical.absent_from(session, panel.plan, Part.REVIEW)
    waiting = [one for one in qualification.accepted(panel.plan.enrolments) if one.id not in drawn and one.id not in absent]
    if not waiting:
        raise Refused("all_drawn", "所有考生都已抽签，顺序不能重抽。" if drawn else "本计划还没有资格审核通过的考生，不能抽签。")
    made = OrderDraw(panel_id=panel.id, seed=(seed or secrets.token_hex(8))[:40], drawn_by=who.account_id, at=now)
    panel.draws.append(made)
    session.flush()
    ordered = sorted(waiting, key=lambda one: place(made.seed, one.ticket_number))
    last = max((case.number for case in panel.cases), default=0)
    cases = [ReviewCase(panel=panel, enrolment=one, draw_id=made.id, number=last + number) for number, one in enumerate(ordered, 1)]
    session.add_all(cases)
    session.flush()
    return cases
