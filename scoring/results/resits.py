"""Resit lists (补考名单): who may resit which part until when, and taking them over into the next plan with what they passed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans import barred, candidates
from examroom.plans.again import enrol_again
from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack
from scoring.practical.duties import require
from scoring.results import credits
from scoring.results.merge import Standing, required_parts
from scoring.results.models import Result, ResultList, ResultState


@dataclass(frozen=True)
class Resit:
    """What one candidate who did not pass has to do again. ``hindered`` says why there is no resit; empty: there is one."""

    result: Result
    retake: tuple[str, ...]
    kept: tuple[tuple[str, int], ...]  # part and half-points that stay valid
    until: date  # the last day on which a plan may begin
    attempts: int  # how often still
    hindered: str = ""

    @property
    def open(self) -> bool:
        return not self.hindered


def of_list(session: Session, result_list: ResultList, *, now: datetime) -> list[Resit]:
    """Everybody of a final list who did not pass, by ticket; a handful of queries whatever their number."""
    if result_list.state is not ResultState.FINAL:
        return []
    plan = result_list.plan
    pack = pack_for(session, plan.institution)
    rows = session.scalars(sa.select(Result).join(Result.enrolment).where(Result.list_id == result_list.id, Result.passed.is_(False))
                           .options(joinedload(Result.enrolment).joinedload(Enrolment.candidate))
                           .order_by(Enrolment.ticket_number)).all()
    taken = credits.times_carried(session, [row.id for row in rows])
    hashes = [row.enrolment.candidate.identity_hash or "" for row in rows]
    bans = barred.candidates(session, hashes, local_date(now))
    until = credits.years_later(plan.starts_on, pack.make_up_years)
    return [_resit(row, plan.level, pack, taken, until, bans, local_date(now)) for row in rows]


def next_plans(session: Session, result_list: ResultList) -> list[ExamPlan]:
    """The plans of the same school, standard and level that still take candidates and that nobody has merged."""
    old = result_list.plan
    merged = sa.select(ResultList.plan_id)
    plans = session.scalars(sa.select(ExamPlan).where(
        ExamPlan.institution_id == old.institution_id, ExamPlan.standard_id == old.standard_id, ExamPlan.level == old.level,
        ExamPlan.id != old.id, ExamPlan.starts_on >= old.starts_on,
        ExamPlan.id.not_in(merged)).order_by(ExamPlan.starts_on))
    return [plan for plan in plans if candidates.is_open(session, plan)]


def take_over(session: Session, result_list: ResultList, plan: ExamPlan, result_ids: Collection[int], who: Viewer, *, now: datetime) -> int:
    """Enrol chosen candidates in ``plan`` and put forward what they passed as carried over; a second officer approves that."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if plan not in next_plans(session, result_list):
        raise Refused("other_plan", "请选择本校同一标准、同一等级、还能增加考生的方案。")
    chosen = [one for one in of_list(session, result_list, now=now) if one.result.id in set(result_ids)]
    if not chosen:
        raise Refused("nobody", "请先勾选要补考的考生。")
    if hindered := [one for one in chosen if not one.open]:
        raise Refused("no_resit", "勾选的考生中有人不能补考，没有写入任何人。",
                      [f"{one.result.enrolment.candidate.name}：{one.hindered}" for one in hindered])
    if late := [one for one in chosen if one.until < plan.starts_on]:
        raise Refused("too_late", f"方案 {plan.starts_on:%Y-%m-%d} 开考时，下列考生的合格成绩已过有效期。",
                      [one.result.enrolment.candidate.name for one in late])
    enrolled = {one.account_id: one for one in plan.enrolments}
    for one in chosen:
        enrolment = enrolled.get(one.result.enrolment.account_id) or enrol_again(session, plan, one.result.enrolment, who, now=now)
        for part, _ in one.kept:
            credits.carry_over(session, enrolment, part, who, now=now)
    return len(chosen)


def _resit(result: Result, level: int, pack: RulePack, taken: dict[tuple[int, str], int], until: date, bans: dict[str, str],
           today: date) -> Resit:
    parts = required_parts(level, pack)
    scores = {part: score for part in parts if (score := credits.passed_alone(result, part, pack)) is not None}
    retake = tuple(part for part in parts if part not in scores)
    attempts = max(0, pack.make_up_attempts - max((taken.get((result.id, part), 0) for part in scores), default=0))
    hindered = bans.get(result.enrolment.candidate.identity_hash or "", "") or _hindered(result, retake, pack)
    if not hindered and not scores:
        hindered = "没有合格的部分可以保留，须重新报名参加全部考核。"
    if not hindered and not attempts:
        hindered = f"已用完 {pack.make_up_attempts} 次补考机会，须重新报名参加全部考核。"
    if not hindered and until < today:
        hindered = "合格成绩已过有效期，须重新报名参加全部考核。"
    return Resit(result, retake, tuple(scores.items()), until, attempts, hindered)


def _hindered(result: Result, retake: tuple[str, ...], pack: RulePack) -> str:
    standings = {part: result.counted.get(part, {}).get("standing") for part in retake}
    if Standing.VOID in standings.values() and not pack.resit_after_void:
        return "有部分成绩因违纪无效，规则包规定不得补考。"
    if Standing.ABSENT in standings.values() and not pack.resit_after_absence:
        return "有部分缺考，规则包规定不得补考。"
    return ""
