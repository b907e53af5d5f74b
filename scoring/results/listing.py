"""What the result pages list: filters, order, the state of each plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.accounts import Account, Institution
from qbank.standards.models import Standard
from scoring.results.merge import Verdict
from scoring.results.models import Result, ResultList, ResultState

SORTS: dict[str, Any] = {"ticket": Enrolment.ticket_number, "name": Account.name, "class": Enrolment.class_name,
                         "theory": Result.theory, "practical": Result.practical, "review": Result.review}
SIZE = 50


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    total: int
    number: int
    pages: int


@dataclass(frozen=True)
class PlanLine:
    """A plan with its result list (None: not merged yet) and how many of how many passed."""

    plan: ExamPlan
    list: ResultList | None
    enrolled: int
    passed: int


def page_of(session: Session, query: sa.Select[Any], number: int) -> Page:
    """One page of rows of several entities."""
    total = session.scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // SIZE))
    number = min(max(number, 1), pages)
    return Page(list(session.execute(query.limit(SIZE).offset((number - 1) * SIZE))), total, number, pages)


def plans_by(query: sa.Select[Any], arguments: Mapping[str, str]) -> sa.Select[Any]:
    """Plans with their lists by ``state`` (none: not merged), ``level`` and ``q`` (title, number, occupation, school)."""
    state = arguments.get("state", "")
    if state == "none":
        query = query.where(ResultList.id.is_(None))
    elif state == "checked":
        query = query.where(ResultList.state == ResultState.DRAFT, ResultList.checked_at.is_not(None))
    elif state in set(ResultState):
        query = query.where(ResultList.state == ResultState(state))
    if (level := arguments.get("level", "")) in {"1", "2", "3", "4", "5"}:
        query = query.where(ExamPlan.level == int(level))
    if text := arguments.get("q", "").strip():
        own = (ExamPlan.title, ExamPlan.number)
        query = query.where(sa.or_(*(column.contains(text, autoescape=True) for column in own),
                                   ExamPlan.standard.has(Standard.title.contains(text, autoescape=True)),
                                   ExamPlan.institution.has(Institution.name.contains(text, autoescape=True))))
    return query


def plan_line(session: Session, plan: ExamPlan, found: ResultList | None) -> PlanLine:
    enrolled = session.scalar(sa.select(sa.func.count()).where(Enrolment.plan_id == plan.id)) or 0
    passed = session.scalar(sa.select(sa.func.count()).where(Result.list_id == found.id, Result.passed)) if found else 0
    return PlanLine(plan, found, enrolled, passed or 0)


def filtered(result_list: ResultList, arguments: Mapping[str, str]) -> sa.Select[Result]:
    """The results of a list by ``outcome`` (a verdict), ``q`` (name, ticket, student number, class), ``sort``, ``down``."""
    query = (sa.select(Result).join(Result.enrolment).join(Enrolment.candidate).where(Result.list_id == result_list.id)
             .options(contains_eager(Result.enrolment).contains_eager(Enrolment.candidate)))
    if (outcome := arguments.get("outcome", "")) in set(Verdict):
        query = query.where(Result.verdict == Verdict(outcome))
    if text := arguments.get("q", "").strip():
        columns = (Account.name, Enrolment.ticket_number, Enrolment.student_number, Enrolment.class_name)
        query = query.where(sa.or_(*(column.contains(text, autoescape=True) for column in columns)))
    column = SORTS.get(arguments.get("sort", ""), Enrolment.ticket_number)
    order = (column.is_(None), column.desc() if arguments.get("down") else column)
    return query.order_by(*order, Enrolment.ticket_number)


def all_of(session: Session, result_list: ResultList) -> list[Result]:
    """Every result of a list in the order of the tickets, with the candidates, in one query."""
    return list(session.scalars(filtered(result_list, {})))
