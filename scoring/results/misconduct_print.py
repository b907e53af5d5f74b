"""The letters of a case of misconduct: 告知书 before, 决定书 after the decision."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.packs import pack_for
from scoring.results.case_models import Misconduct
from scoring.results.models import CreditState

TEMPLATE = Path(__file__).with_name("misconduct.typ")


def letter(session: Session, case: Misconduct, *, made_at: datetime) -> tuple[str, bytes]:
    """Its name and the PDF, to be handed to the candidate and signed for."""
    if case.told_at is None or case.state in {CreditState.REJECTED, CreditState.WITHDRAWN}:
        raise Refused("no_letter", "没有告知或没有认定的违纪处理，没有可以打印的文书。")
    final = case.state is CreditState.APPROVED
    enrolment, plan = case.enrolment, case.enrolment.plan
    tier = next((one.told for one in pack_for(session, plan.institution).tiers if one.name == case.tier), case.tier)
    measure = tier + f"（{case.told_part}）" + (f"，禁考至 {spoken(case.banned_until)}（含当日）" if case.banned_until else "")
    name = "违纪处理决定书" if final else "违纪处理告知书"
    return name, typeset(TEMPLATE.read_text(encoding="utf-8"), {
        "title": name, "final": "1" if final else "", "number": f"{plan.number}-{case.id}", "holder": enrolment.candidate.name,
        "identity": enrolment.candidate.identity_masked or "", "ticket": enrolment.ticket_number, "institution": plan.institution.name,
        "plan": f"{plan.title}（{plan.number}）", "occupation": f"{plan.standard.label} {LEVEL_NAMES[plan.level]}", "day": spoken(case.happened_on),
        "evidence": case.evidence, "measure": measure, "term": spoken(case.term_ends_on), "contact": plan.contact,
        "heard": case.heard_words(local_date(case.decided_at or made_at)), "statement": case.statement, "comment": case.comment,
        "date": spoken(local_date((case.decided_at if final else case.told_at) or made_at))}, made_at=made_at)
