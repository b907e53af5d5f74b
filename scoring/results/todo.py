"""What waits for the officer, the city centre and the province centre."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan, PlanState, Sitting, SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.institutions import centre_above
from qbank.kernel.times import end_of_day, local_date, spoken
from qbank.kernel.todo import Todo
from scoring.results.case_models import Misconduct, Recheck
from scoring.results.desk import outdated
from scoring.results.models import Credit, CreditState, Result, ResultList, ResultState
from scoring.results.notice import last_day
from scoring.results.parts import gather

MERGING, NOTICE, CHECKING = "五（三）", "四（二）", "四（三）"


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Plans ready to merge, lists to check, post, correct, submit or decide, objections and rechecks to answer, credits and
    cases of misconduct that wait for a second person."""
    return [*_to_merge(session, viewer), *_at_school(session, viewer, now), *_at_offices(session, viewer),
            *_second_person(session, viewer), *_misconduct(session, viewer, now), *_to_recheck(session, viewer)]


def _reached(viewer: Viewer, role: Role) -> sa.ColumnElement[bool]:
    return viewer.reach(ExamPlan.institution_id, role, plan=ExamPlan.id)


def _todo(title: str, plan: ExamPlan, detail: str, due: datetime | None = None, *, clause: str, waits_for: str = "") -> Todo:
    return Todo(title, "results.show", {"plan_id": plan.id}, f"{plan.title}（{plan.number}）{detail}", due, clause, waits_for)


def _to_merge(session: Session, viewer: Viewer) -> Iterator[Todo]:
    if not viewer.has(Role.EXAM_OFFICER):
        return
    merged = sa.select(ResultList.plan_id)
    unmarked = sa.select(Sitting.plan_id).where(Sitting.state != SittingState.MARKED)
    marked = sa.select(Sitting.plan_id).where(Sitting.state == SittingState.MARKED)
    plans = session.scalars(sa.select(ExamPlan).where(
        _reached(viewer, Role.EXAM_OFFICER), ExamPlan.state == PlanState.APPROVED, ExamPlan.id.not_in(merged),
        ExamPlan.id.not_in(unmarked), ExamPlan.id.in_(marked)).order_by(ExamPlan.starts_on))
    for plan in plans:
        missing = sum(bool(one.missing) for one in gather(session, plan))
        if missing:
            yield _todo("补齐成绩", plan, f"：理论已评分，还有 {missing} 名考生成绩不全", clause=MERGING)
        else:
            yield _todo("合成成绩", plan, "：各部分成绩已齐", clause=MERGING)


def _at_school(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    lists = session.scalars(sa.select(ResultList).join(ResultList.plan).where(
        _reached(viewer, Role.EXAM_OFFICER), ResultList.state.in_((ResultState.DRAFT, ResultState.RETURNED,
                                                                   ResultState.NOTICED))).order_by(ResultList.id))
    for one in lists:
        if one.state is ResultState.DRAFT:
            yield from _draft(session, one, viewer)
        elif one.state is ResultState.RETURNED:
            yield _todo("更正退回的结果", one.plan, f"：{one.decisions[-1].comment}", clause=CHECKING)
        else:
            yield from _on_notice(one, now)


def _draft(session: Session, one: ResultList, viewer: Viewer) -> Iterator[Todo]:
    """What a merged list that is not posted yet waits for."""
    candidates = gather(session, one.plan)
    if missing := sum(bool(parts.missing) for parts in candidates):
        yield _todo("补齐成绩", one.plan, f"：已合成，还有 {missing} 名考生成绩不全", clause=MERGING)
    elif outdated(session, one, candidates):
        yield _todo("重新合成成绩", one.plan, "：合成以后成绩又有变化", clause=MERGING)
    elif one.checked_at:
        yield _todo("公示成绩", one.plan, "：已由另一名考务员核对", clause=NOTICE)
    elif one.merged_by != viewer.account_id:
        yield _todo("核对成绩", one.plan, "：成绩已合成，核对后才能公示", clause=MERGING)
    else:
        yield _todo("等待核对成绩", one.plan, "：成绩由您合成，须由另一人核对后公示", clause=MERGING, waits_for="另一名考务员")


def _second_person(session: Session, viewer: Viewer) -> Iterator[Todo]:
    """Credits that a colleague put forward and this officer may decide; those that this officer put forward and a colleague decides."""
    mine = Credit.proposed_by == viewer.account_id
    rows = session.execute(
        sa.select(ExamPlan, sa.func.count(sa.case((~mine, 1))), sa.func.count(sa.case((mine, 1)))).select_from(Credit)
        .join(Credit.enrolment).join(Enrolment.plan).where(_reached(viewer, Role.EXAM_OFFICER), Credit.state == CreditState.PROPOSED)
        .group_by(ExamPlan.id).order_by(ExamPlan.id))
    for plan, theirs, own in rows:
        what, here = f"{plan.title}（{plan.number}）", {"plan_id": plan.id}
        if theirs:
            yield Todo("审批成绩认可", "results.credits_of", here, f"{what}：{theirs} 项等待您决定", clause=MERGING)
        if own:
            yield Todo("等待审批成绩认可", "results.credits_of", here, f"{what}：您提出的 {own} 项", clause=MERGING, waits_for="另一名考务员")


def _misconduct(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    """A case: to be told, to be answered by the candidate within the term, to be decided by the second officer."""
    own = sa.and_(sa.literal(viewer.has(Role.CANDIDATE)), Enrolment.account_id == viewer.account_id, Misconduct.told_at.is_not(None))
    rows = session.scalars(sa.select(Misconduct).join(Misconduct.enrolment).join(Enrolment.plan).where(
        Misconduct.state == CreditState.PROPOSED, sa.or_(own, _reached(viewer, Role.EXAM_OFFICER))).order_by(Misconduct.id))
    for one in rows:
        title, due, waits_for = _next_of(one, viewer, local_date(now))
        if title:
            yield Todo(title, "results.misconduct", {"misconduct_id": one.id},
                       f"{one.enrolment.candidate.name}（{one.enrolment.plan.title}）：{one.heard_words(local_date(now))}", due, NOTICE, waits_for)


def _next_of(case: Misconduct, viewer: Viewer, today: date) -> tuple[str, datetime | None, str]:
    term = end_of_day(case.term_ends_on) if case.term_ends_on else None
    heard, colleague = case.is_heard(today), "" if case.proposed_by != viewer.account_id else "另一名考务员"
    if case.enrolment.account_id == viewer.account_id:
        return ("", None, "") if heard else ("对拟作出的违纪处理陈述申辩", term, "")
    if case.told_at is None:
        return "告知考生拟作出的违纪处理", None, ""
    return ("决定违纪处理", None, colleague) if heard else ("等待考生陈述申辩", term, case.enrolment.candidate.name)


def _to_recheck(session: Session, viewer: Viewer) -> Iterator[Todo]:
    """Open rechecks by their last day; those that this officer looked at wait for another."""
    rows = session.scalars(sa.select(Recheck).join(Recheck.result).join(Result.list).join(ResultList.plan).where(
        _reached(viewer, Role.EXAM_OFFICER), Recheck.outcome.is_(None))
        .order_by(Recheck.due_on, Recheck.id))
    for one in rows:
        mine = one.looked_by == viewer.account_id
        title = "等待决定成绩复核" if mine else "决定成绩复核" if one.looked_by else "核查成绩复核"
        yield Todo(title, "results.recheck", {"recheck_id": one.id},
                   f"{one.result.enrolment.candidate.name} {one.part}（{one.result.list.plan.number}）", end_of_day(one.due_on), "五（六）",
                   "另一名考务员" if mine else "")


def _on_notice(one: ResultList, now: datetime) -> Iterator[Todo]:
    unanswered = sum(objection.answered_at is None for objection in one.objections)
    if unanswered:
        yield _todo("答复异议", one.plan, f"：{unanswered} 条异议等待答复", one.notice_ends_at, clause=NOTICE)
    elif one.notice_ends_at is not None and now >= one.notice_ends_at:
        yield _todo("提交市初审", one.plan, f"：公示已于 {spoken(last_day(one.notice_ends_at))} 期满", clause=CHECKING)
    elif one.notice_ends_at is not None:
        yield _todo("结果公示中", one.plan, "：期满无异议即可提交市初审", one.notice_ends_at - timedelta(minutes=1), clause=NOTICE, waits_for="公示期满")


def _at_offices(session: Session, viewer: Viewer) -> Iterator[Todo]:
    for state, role, title in ((ResultState.SUBMITTED, Role.CITY_OFFICER, "初审认定结果"),
                               (ResultState.CITY_CHECKED, Role.PROVINCE_OFFICER, "审核认定结果")):
        lists = session.scalars(sa.select(ResultList).join(ResultList.plan).where(
            _reached(viewer, role), ResultList.state == state).order_by(ResultList.id))
        for one in lists:
            yield _todo(title, one.plan, f"：{one.plan.institution.name}", clause=CHECKING)
    yield from _on_their_way(session, viewer)


def _on_their_way(session: Session, viewer: Viewer) -> Iterator[Todo]:
    """Lists that an office above has: its name, for the school, and for the city once the province has it."""
    for state, kind, waiting in ((ResultState.SUBMITTED, InstitutionKind.CITY_CENTRE, (Role.EXAM_OFFICER,)),
                                 (ResultState.CITY_CHECKED, InstitutionKind.PROVINCE_CENTRE, (Role.EXAM_OFFICER, Role.CITY_OFFICER))):
        reached = viewer.reach(ExamPlan.institution_id, *waiting, plan=ExamPlan.id)
        for one in session.scalars(sa.select(ResultList).join(ResultList.plan).where(reached, ResultList.state == state).order_by(ResultList.id)):
            yield _todo("认定结果审核中", one.plan, f"：{state.chinese}", clause=CHECKING, waits_for=centre_above(session, one.plan.institution, kind))
