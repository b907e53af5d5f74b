"""From rows to answers: only what ``visible_to`` gives the caller, narrowed by what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.accounts import Institution
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Base
from qbank.standards.models import Standard
from scoring.api.answers import OccupationOf, School, Step
from scoring.api.asking import Changed, Page, placed
from scoring.results.models import Objection, Result, ResultList

M = TypeVar("M", bound=Base)
OF_PLAN = (joinedload(ExamPlan.institution), joinedload(ExamPlan.standard).joinedload(Standard.occupation))


def school(one: Institution) -> School:
    return School(name=one.name, credit_code=one.credit_code, region=one.region, kind=one.kind.chinese)


def occupation(one: Standard) -> OccupationOf:
    return OccupationOf(code=one.occupation.code, name=one.occupation.name, work_type=one.work_type)


def steps(decisions: Iterable[Any]) -> list[Step]:
    return [Step(state=one.state.chinese, comment=one.comment, at=one.at) for one in decisions]


def page_of(session: Session, query: sa.Select[M], key: InstrumentedAttribute[int], asked: Page) -> list[M]:
    """The rows of a page and one more, in the order in which they were made."""
    ordered = query.where(key > placed(asked.after)).order_by(None).order_by(key).limit(asked.limit + 1)
    return list(session.scalars(ordered).unique())


def where(query: sa.Select[M], *conditions: tuple[Any, Callable[[Any, Any], Any], Any]) -> sa.Select[M]:
    """``query`` narrowed by (column, comparison, value); a value that was not asked for narrows nothing."""
    return query.where(*(compare(column, value) for column, compare, value in conditions if value is not None))


def changed(query: sa.Select[M], model: type[Base], key: InstrumentedAttribute[int], asked: Changed) -> sa.Select[M]:
    """Only rows that the audit trail has an entry for since then: no row changes without one."""
    if asked.changed_since is None:
        return query
    since = sa.select(AuditEntry.row_key).where(AuditEntry.table_name == model.__tablename__, AuditEntry.at >= asked.changed_since)
    return query.where(sa.cast(key, sa.String).in_(since))


def in_region(query: sa.Select[M], asked: Changed) -> sa.Select[M]:
    """``query`` (joined to its plan) for the schools of a region; it never widens what the token reaches."""
    if asked.region is None:
        return query
    return query.where(ExamPlan.institution.has(Institution.region.startswith(asked.region)))


def last_changes(session: Session, model: type[Base], keys: Sequence[int]) -> dict[int, datetime]:
    """When each row was last written."""
    rows = session.execute(
        sa.select(AuditEntry.row_key, sa.func.max(AuditEntry.at)).where(
            AuditEntry.table_name == model.__tablename__, AuditEntry.row_key.in_([str(key) for key in keys])).group_by(AuditEntry.row_key))
    return {int(key): at for key, at in rows}


def enrolled(session: Session, plans: Sequence[ExamPlan]) -> dict[int, int]:
    """How many candidates each plan has."""
    rows = session.execute(sa.select(Enrolment.plan_id, sa.func.count()).where(Enrolment.plan_id.in_([one.id for one in plans]))
                           .group_by(Enrolment.plan_id))
    return dict(rows.all())


def outcomes(session: Session, lists: Sequence[ResultList]) -> dict[int, tuple[int, int, int]]:
    """Candidates, passed, objections of each list."""
    keys = [one.id for one in lists]
    counted = session.execute(sa.select(Result.list_id, sa.func.count(), sa.func.count(sa.case((Result.passed, 1))))
                              .where(Result.list_id.in_(keys)).group_by(Result.list_id))
    raised = session.execute(sa.select(Objection.list_id, sa.func.count()).where(Objection.list_id.in_(keys)).group_by(Objection.list_id))
    objections = dict(raised.all())
    return {list_id: (candidates, passed, objections.get(list_id, 0)) for list_id, candidates, passed in counted}


def with_plan(query: sa.Select[M], plan: Any) -> sa.Select[M]:
    """Load the plan with its school and occupation along; ``plan`` is the loader that leads to it."""
    return query.options(plan.joinedload(ExamPlan.institution), plan.joinedload(ExamPlan.standard).joinedload(Standard.occupation))


def plan_parts() -> tuple[Any, ...]:
    return (*OF_PLAN, selectinload(ExamPlan.sittings), selectinload(ExamPlan.decisions))
