"""What waits for the officer, the city centre and the province centre."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan, PlanState, Sitting, SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import spoken
from qbank.kernel.todo import Todo
from scoring.results.case_models import Misconduct, Recheck
from scoring.results.desk import outdated
from scoring.results.models import Credit, CreditState, Result, ResultList, ResultState
from scoring.results.notice import last_day
from scoring.results.parts import gather
from scoring.results.rechecks import end_of


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Plans ready to merge, lists to check, post, correct, submit or decide, objections and rechecks to answer, credits and
    cases of misconduct that wait for a second person."""
    return [*_to_merge(session, viewer), *_at_school(session, viewer, now), *_at_offices(session, viewer),
            *_second_person(session, viewer), *_to_recheck(session, viewer)]


def _reached(viewer: Viewer, role: Role) -> sa.ColumnElement[bool]:
    return viewer.reach(ExamPlan.institution_id, role, plan=ExamPlan.id)


def _todo(title: str, plan: ExamPlan, detail: str, due: datetime | None = None) -> Todo:
    return Todo(title, "results.show", {"plan_id": plan.id}, f"{plan.title}（{plan.number}）{detail}", due)


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
            yield _todo("补齐成绩", plan, f"：理论已评分，还有 {missing} 名考生成绩不全")
        else:
            yield _todo("合成成绩", plan, "：各部分成绩已齐")


def _at_school(session: Session, viewer: Viewer, now: datetime) -> Iterator[Todo]:
    lists = session.scalars(sa.select(ResultList).join(ResultList.plan).where(
        _reached(viewer, Role.EXAM_OFFICER), ResultList.state.in_((ResultState.DRAFT, ResultState.RETURNED,
                                                                   ResultState.NOTICED))).order_by(ResultList.id))
    for one in lists:
        if one.state is ResultState.DRAFT:
            yield from _draft(session, one, viewer)
        elif one.state is ResultState.RETURNED:
            yield _todo("更正退回的结果", one.plan, f"：{one.decisions[-1].comment}")
        else:
            yield from _on_notice(one, now)


def _draft(session: Session, one: ResultList, viewer: Viewer) -> Iterator[Todo]:
    """What a merged list that is not posted yet waits for."""
    candidates = gather(session, one.plan)
    if missing := sum(bool(parts.missing) for parts in candidates):
        yield _todo("补齐成绩", one.plan, f"：已合成，还有 {missing} 名考生成绩不全")
    elif outdated(session, one, candidates):
        yield _todo("重新合成成绩", one.plan, "：合成以后成绩又有变化")
    elif one.checked_at:
        yield _todo("公示成绩", one.plan, "：已由另一名考务员核对")
    elif one.merged_by != viewer.account_id:
        yield _todo("核对成绩", one.plan, "：成绩已合成，核对后才能公示")


def _second_person(session: Session, viewer: Viewer) -> Iterator[Todo]:
    """What a colleague put forward and this officer may decide."""
    for model, title, endpoint in ((Credit, "审批成绩认可", "results.credits_of"), (Misconduct, "决定违纪处理", "results.misconduct_of")):
        rows = session.execute(sa.select(ExamPlan, sa.func.count()).select_from(model).join(model.enrolment).join(Enrolment.plan)
                               .where(_reached(viewer, Role.EXAM_OFFICER), model.state == CreditState.PROPOSED,
                                      model.proposed_by != viewer.account_id).group_by(ExamPlan.id).order_by(ExamPlan.id))
        for plan, count in rows:
            yield Todo(title, endpoint, {"plan_id": plan.id}, f"{plan.title}（{plan.number}）：{count} 项等待您决定")


def _to_recheck(session: Session, viewer: Viewer) -> Iterator[Todo]:
    """Open rechecks by their last day; not those that this officer looked at and another has to decide."""
    rows = session.scalars(sa.select(Recheck).join(Recheck.result).join(Result.list).join(ResultList.plan).where(
        _reached(viewer, Role.EXAM_OFFICER), Recheck.outcome.is_(None),
        sa.or_(Recheck.looked_by.is_(None), Recheck.looked_by != viewer.account_id)).order_by(Recheck.due_on, Recheck.id))
    for one in rows:
        yield Todo("决定成绩复核" if one.looked_by else "核查成绩复核", "results.recheck", {"recheck_id": one.id},
                   f"{one.result.enrolment.candidate.name} {one.part}（{one.result.list.plan.number}）", end_of(one.due_on))


def _on_notice(one: ResultList, now: datetime) -> Iterator[Todo]:
    unanswered = sum(objection.answered_at is None for objection in one.objections)
    if unanswered:
        yield _todo("答复异议", one.plan, f"：{unanswered} 条异议等待答复", one.notice_ends_at)
    elif one.notice_ends_at is not None and now >= one.notice_ends_at:
        yield _todo("提交市初审", one.plan, f"：公示已于 {spoken(last_day(one.notice_ends_at))} 期满")


def _at_offices(session: Session, viewer: Viewer) -> Iterator[Todo]:
    for state, role, title in ((ResultState.SUBMITTED, Role.CITY_OFFICER, "初审认定结果"),
                               (ResultState.CITY_CHECKED, Role.PROVINCE_OFFICER, "审核认定结果")):
        lists = session.scalars(sa.select(ResultList).join(ResultList.plan).where(
            _reached(viewer, role), ResultList.state == state).order_by(ResultList.id))
        for one in lists:
            yield _todo(title, one.plan, f"：{one.plan.institution.name}")
