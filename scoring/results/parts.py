"""The parts of every candidate of a plan, gathered from theory, practical examination and review."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import HandIn, Sheet
from examroom.marking.models import TheoryScore
from examroom.plans.models import Enrolment, ExamPlan, Seat, Sitting, SittingState
from qbank.standards.packs import pack_for
from scoring.practical import desk as practical
from scoring.practical.models import Absence, GroupMember, Part, PracticalGroup, PracticalScore
from scoring.results.case_models import Misconduct
from scoring.results.merge import PRACTICAL, REVIEW, THEORY, PartRecord, Standing, required_parts
from scoring.results.models import Credit, CreditState
from scoring.review import overview as review
from scoring.review.models import ReviewScore

PART_NAMES = {Part.PRACTICAL: PRACTICAL, Part.REVIEW: REVIEW}


@dataclass
class CandidateParts:
    """What one candidate has so far. ``missing`` says part by part what is not there and why."""

    enrolment: Enrolment
    records: list[PartRecord] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def has(self, part: str) -> bool:
        return any(record.part == part for record in self.records)


def open_sittings(session: Session, plan: ExamPlan) -> list[Sitting]:
    """The sittings that are not marked yet."""
    return list(session.scalars(sa.select(Sitting).where(Sitting.plan_id == plan.id, Sitting.state != SittingState.MARKED)
                                .order_by(Sitting.starts_at)))


def gather(session: Session, plan: ExamPlan) -> list[CandidateParts]:
    """Every candidate of ``plan`` in the order of their tickets; a handful of queries whatever their number."""
    enrolments = session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id)
                                 .options(joinedload(Enrolment.candidate)).order_by(Enrolment.ticket_number))
    found = {one.id: CandidateParts(one) for one in enrolments}
    _theory(session, plan, found)
    for score in session.scalars(sa.select(PracticalScore).join(Enrolment).where(Enrolment.plan_id == plan.id)):
        found[score.enrolment_id].records.append(
            PartRecord(PRACTICAL, half_points=score.half_points, vetoed=score.vetoed))
    for reviewed in session.scalars(sa.select(ReviewScore).join(Enrolment).where(Enrolment.plan_id == plan.id)):
        found[reviewed.enrolment_id].records.append(PartRecord(REVIEW, half_points=reviewed.half_points))
    for absence in session.scalars(sa.select(Absence).join(Enrolment).where(Enrolment.plan_id == plan.id)):
        found[absence.enrolment_id].records.append(PartRecord(PART_NAMES[absence.part], Standing.ABSENT))
    for credit in session.scalars(sa.select(Credit).join(Enrolment).where(Enrolment.plan_id == plan.id,
                                                                          Credit.state == CreditState.APPROVED)):
        found[credit.enrolment_id].records.append(credit.record)
    required = required_parts(plan.level, pack_for(session, plan.institution))
    for case in session.scalars(sa.select(Misconduct).join(Enrolment).where(Enrolment.plan_id == plan.id,
                                                                            Misconduct.state == CreditState.APPROVED)):
        found[case.enrolment_id].records.extend(case.records(required))
    _name_missing(session, plan, found)
    return list(found.values())


def _theory(session: Session, plan: ExamPlan, found: dict[int, CandidateParts]) -> None:
    """One record for every sheet that has been marked. An absence is none while a make-up sheet still waits."""
    rows = session.execute(sa.select(Sheet.enrolment_id, Sheet.handed_in_how, TheoryScore.half_points, TheoryScore.void)
                           .join(Sitting, Sheet.sitting_id == Sitting.id)
                           .outerjoin(TheoryScore, TheoryScore.sheet_id == Sheet.id)
                           .where(Sitting.plan_id == plan.id).order_by(Sitting.starts_at, Sheet.id)).all()
    waiting = {enrolment_id for enrolment_id, how, half_points, _ in rows
               if how is not HandIn.ABSENT and half_points is None}
    for enrolment_id, how, half_points, void in rows:
        records = found[enrolment_id].records
        if void:
            records.append(PartRecord(THEORY, Standing.VOID))
        elif how is HandIn.ABSENT and enrolment_id not in waiting:
            records.append(PartRecord(THEORY, Standing.ABSENT))
        elif how is not HandIn.ABSENT and half_points is not None:
            records.append(PartRecord(THEORY, half_points=half_points))


def _name_missing(session: Session, plan: ExamPlan, found: dict[int, CandidateParts]) -> None:
    unsigned = _practical_waits(session, plan)
    needed = required_parts(plan.level, pack_for(session, plan.institution))
    reviews = review.waits(session, plan) if REVIEW in needed else {}
    sittings = _waiting_sittings(session, plan)
    for key, parts in found.items():
        if not parts.has(THEORY):
            parts.missing.append("理论知识：" + (f"{sittings[key]}还没有评分" if key in sittings else "没有答卷成绩，请检查是否已编排座位"))
        if not parts.has(PRACTICAL):
            parts.missing.append("操作技能：" + unsigned.get(key, "未编入考核组"))
        if REVIEW in needed and not parts.has(REVIEW):
            parts.missing.append(f"综合评审：{reviews.get(key, '没有成绩')}")


def _waiting_sittings(session: Session, plan: ExamPlan) -> dict[int, str]:
    """Enrolment -> name of the sitting that it has a seat in and that is not marked yet."""
    rows = session.execute(sa.select(Seat.enrolment_id, Sitting.name).join(Sitting, Seat.sitting_id == Sitting.id)
                           .where(Sitting.plan_id == plan.id, Sitting.state != SittingState.MARKED))
    return {enrolment_id: name for enrolment_id, name in rows}  # noqa: C416  # a Row is no pair to the type checker


def _practical_waits(session: Session, plan: ExamPlan) -> dict[int, str]:
    """Enrolment -> what the practical score waits for, for the candidates that are in a group."""
    grouped = session.scalars(sa.select(GroupMember.enrolment_id).join(PracticalGroup).where(PracticalGroup.plan_id == plan.id))
    return dict.fromkeys(grouped, "已全部签字，待合成") | practical.waiting_for(session, plan)


def join_all(session: Session, plan: ExamPlan, *, now: datetime) -> None:
    """Join what all have signed and nobody joined yet."""
    scored = sa.select(PracticalScore.enrolment_id)
    for member in session.scalars(sa.select(GroupMember).join(PracticalGroup).where(
            PracticalGroup.plan_id == plan.id, GroupMember.enrolment_id.not_in(scored))):
        if not practical.unsigned_by(session, member):
            practical.join(session, member, now=now)
