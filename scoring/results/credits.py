"""Scores that a candidate brings along (成绩认可): a substitution, a competition, a score carried over.

Each is proposed with its evidence by one officer and approved by another; what was published stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload
from werkzeug.datastructures import FileStorage

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import FULL_HALF_POINTS, RulePack
from scoring.practical.duties import require
from scoring.results.merge import PARTS, THEORY, Source, least_of, required_parts
from scoring.results.models import Credit, CreditState, Result, ResultList, ResultState
from scoring.results.route import OFF_NOTICE

LIVE = frozenset({CreditState.PROPOSED, CreditState.APPROVED})
MOVES = {CreditState.PROPOSED: {CreditState.APPROVED, CreditState.REJECTED, CreditState.WITHDRAWN},
         CreditState.APPROVED: {CreditState.WITHDRAWN}, CreditState.REJECTED: set(), CreditState.WITHDRAWN: set()}
LONGEST_BASIS = 200


@dataclass(frozen=True)
class Carriable:
    """A part that ``enrolment`` passed in an earlier plan of the same standard and level, and may bring along."""

    enrolment: Enrolment
    part: str
    half_points: int
    origin: Result
    achieved_on: date
    valid_until: date


def propose(session: Session, enrolment: Enrolment, part: str, source: Source, half_points: int, who: Viewer, *, basis: str,
            achieved_on: date, evidence: FileStorage | None, now: datetime) -> Credit:
    """Put forward a score earned elsewhere, with its evidence. It counts once somebody else approves."""
    plan = enrolment.plan
    require(session, plan, who, Role.EXAM_OFFICER)
    check_open(session, plan)
    pack = pack_for(session, plan.institution)
    _check_source(part, source, plan, pack)
    if not 0 <= half_points <= FULL_HALF_POINTS:
        raise Refused("score_range", "成绩应在 0 到 100 分之间，以 0.5 分为单位（百分制）。其他计分方式请先折算。")
    basis = " ".join(basis.split())
    if not 0 < len(basis) <= LONGEST_BASIS:
        raise Refused("no_basis", f"请写明成绩的来源，例如“2026 年春季《电工基础》期末考试”，不超过 {LONGEST_BASIS} 字。")
    if achieved_on > local_date(now):
        raise Refused("future", "取得成绩的日期不能晚于今天，请核对。")
    if source is Source.SUBSTITUTE and pack.substitution_years and years_later(achieved_on, pack.substitution_years) < plan.starts_on:
        raise Refused("too_old", f"规则包规定替代理论的成绩须在 {pack.substitution_years} 年内取得，{spoken(achieved_on)} 的成绩已过期。")
    _check_single(session, enrolment, part)
    return _added(session, Credit(
        enrolment=enrolment, part=part, source=source, half_points=half_points, basis=basis, achieved_on=achieved_on,
        evidence=attachments.keep(session, evidence, who, now=now), state=CreditState.PROPOSED, proposed_by=who.account_id,
        proposed_at=now))


def carry_over(session: Session, enrolment: Enrolment, part: str, who: Viewer, *, now: datetime) -> Credit:
    """Put forward the score of a part that was passed before and is still valid."""
    require(session, enrolment.plan, who, Role.EXAM_OFFICER)
    check_open(session, enrolment.plan)
    _check_single(session, enrolment, part)
    found = next((one for one in carriable(session, enrolment.plan) if one.enrolment is enrolment and one.part == part), None)
    if found is None:
        raise Refused("nothing_to_carry", f"{enrolment.candidate.name}没有仍在有效期内的{part}合格成绩可以保留。")
    return _added(session, Credit(
        enrolment=enrolment, part=part, source=Source.CARRIED, half_points=found.half_points,
        basis=f"认定计划 {found.origin.list.plan.number}", achieved_on=found.achieved_on, valid_until=found.valid_until,
        origin=found.origin, state=CreditState.PROPOSED, proposed_by=who.account_id, proposed_at=now))


def carriable(session: Session, plan: ExamPlan) -> list[Carriable]:
    """What candidates of ``plan`` passed before and may bring along: of approved lists of the same standard and level,
    not older than the pack allows, not taken into more make-ups than it allows, nothing that they hold already."""
    pack = pack_for(session, plan.institution)
    enrolments = {one.account_id: one for one in session.scalars(
        sa.select(Enrolment).where(Enrolment.plan_id == plan.id).options(joinedload(Enrolment.candidate)))}
    rows = session.scalars(
        sa.select(Result).join(Result.list).join(ResultList.plan).join(Result.enrolment)
        .where(ExamPlan.institution_id == plan.institution_id, ExamPlan.standard_id == plan.standard_id,
               ExamPlan.level == plan.level, ExamPlan.id != plan.id, ResultList.state == ResultState.FINAL,
               Result.passed.is_(False), Enrolment.account_id.in_(enrolments))
        .options(joinedload(Result.enrolment), joinedload(Result.list).joinedload(ResultList.plan))
        .order_by(ExamPlan.starts_on.desc(), Result.id.desc())).all()
    taken = times_carried(session, [row.id for row in rows])
    held = {(one.enrolment_id, one.part) for one in of_plan(session, plan) if one.state in LIVE}
    found: dict[tuple[int, str], Carriable] = {}
    for result in rows:
        enrolment = enrolments[result.enrolment.account_id]
        for part in required_parts(plan.level, pack):
            line = _line(result, enrolment, part, pack, plan)
            if line and (enrolment.id, part) not in held and taken.get((result.id, part), 0) < pack.make_up_attempts:
                found.setdefault((enrolment.id, part), line)
    return sorted(found.values(), key=lambda one: (one.enrolment.ticket_number, PARTS.index(one.part)))


def decide(session: Session, credit: Credit, approves: bool, comment: str, who: Viewer, *, now: datetime) -> None:
    """Approve or reject what somebody else put forward."""
    plan = credit.enrolment.plan
    require(session, plan, who, Role.EXAM_OFFICER)
    check_open(session, plan)
    if credit.proposed_by == who.account_id:
        raise Refused("same_person", "成绩认可须由另一名考务员审批，不能审批自己提出的。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "不予认可时请写明原因。")
    _move(credit, CreditState.APPROVED if approves else CreditState.REJECTED, comment, who, now)
    session.flush()


def withdraw(session: Session, credit: Credit, reason: str, who: Viewer, *, now: datetime) -> None:
    """Take a credit back as long as the list is not posted. The reason stays on record."""
    require(session, credit.enrolment.plan, who, Role.EXAM_OFFICER)
    check_open(session, credit.enrolment.plan)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤回的原因。")
    _move(credit, CreditState.WITHDRAWN, reason, who, now)
    session.flush()


def of_plan(session: Session, plan: ExamPlan) -> Sequence[Credit]:
    """Every credit of a plan, newest first."""
    return session.scalars(sa.select(Credit).join(Credit.enrolment).where(Enrolment.plan_id == plan.id)
                           .options(joinedload(Credit.enrolment).joinedload(Enrolment.candidate),
                                    joinedload(Credit.evidence)).order_by(Credit.id.desc())).all()


def _move(credit: Credit, to: CreditState, comment: str, who: Viewer, now: datetime) -> None:
    if to not in MOVES[credit.state]:
        raise Refused("wrong_state", f"这条成绩认可现在是“{credit.state.chinese}”，不能变为“{to.chinese}”。请刷新页面。")
    credit.state, credit.comment, credit.decided_by, credit.decided_at = to, comment.strip(), who.account_id, now


def check_open(session: Session, plan: ExamPlan) -> None:
    """Refuse once the list is posted: what it says stands until it is withdrawn."""
    state = session.scalar(sa.select(ResultList.state).where(ResultList.plan_id == plan.id))
    if state is not None and state not in OFF_NOTICE:
        raise Refused("posted", f"本计划的结果现在是“{state.chinese}”，不能再改动成绩认可和违纪处理。需要更正时请先撤回公示。")


def _check_source(part: str, source: Source, plan: ExamPlan, pack: RulePack) -> None:
    if part not in required_parts(plan.level, pack):
        raise Refused("no_such_part", "本等级没有这一部分的考核，请重新选择。")
    if source is Source.SUBSTITUTE:
        if part != THEORY:
            raise Refused("theory_only", "只有理论知识成绩可以用专业（科目）考试或专项能力考核成绩替代（通知五（三））。")
        if not pack.theory_substitution:
            raise Refused("not_allowed", "本省规则包没有开放理论成绩替代。")
    elif source is not Source.COMPETITION:
        raise Refused("wrong_source", "请选择“成绩替代”或“竞赛成绩”。")
    elif not pack.competition_scores:
        raise Refused("not_allowed", "本省规则包没有开放竞赛成绩认可。")


def _check_single(session: Session, enrolment: Enrolment, part: str) -> None:
    live = session.scalar(sa.select(Credit).where(Credit.enrolment_id == enrolment.id, Credit.part == part,
                                                  Credit.state.in_(LIVE)))
    if live is not None:
        raise Refused("already", f"{enrolment.candidate.name}的{part}已有一条“{live.source.chinese}”（{live.state.chinese}），请先撤回它。")


def _line(result: Result, enrolment: Enrolment, part: str, pack: RulePack, plan: ExamPlan) -> Carriable | None:
    """The part of an earlier result, when it passed by itself in an examination and is still valid."""
    score = passed_alone(result, part, pack)
    if score is None:
        return None
    achieved = result.list.plan.starts_on
    until = years_later(achieved, pack.make_up_years)
    return Carriable(enrolment, part, score, result, achieved, until) if achieved <= plan.starts_on <= until else None


def passed_alone(result: Result, part: str, pack: RulePack) -> int | None:
    """The half-points of ``part`` when it was passed in this very examination; None otherwise."""
    held = result.counted.get(part, {})
    score: int | None = held.get("half_points")
    passed = held.get("source") == Source.EXAM and score is not None and score >= least_of(part, pack) and not held.get("vetoed")
    return score if passed else None


def years_later(day: date, years: int) -> date:
    """The same day ``years`` later; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def times_carried(session: Session, result_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    rows = session.execute(sa.select(Credit.origin_id, Credit.part, sa.func.count())
                           .where(Credit.origin_id.in_(result_ids), Credit.state.in_(LIVE))
                           .group_by(Credit.origin_id, Credit.part))
    return {(origin_id, part): count for origin_id, part, count in rows if origin_id is not None}


def _added(session: Session, credit: Credit) -> Credit:
    session.add(credit)
    session.flush()
    return credit
