"""What falls on the days of a month for a person: exams, notice days, what is due, what runs out. Only what they may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session, selectinload

from examroom.filing.models import FiledScope
from examroom.plans.models import ExamPlan, Sitting
from qbank.kernel.access import Viewer, visible
from qbank.kernel.times import SHANGHAI, local, local_date
from qbank.kernel.todo import Todo
from qbank.standards.models import LEVEL_NAMES
from scoring.practical.models import PracticalGroup
from scoring.results.models import ResultList
from scoring.results.notice import last_day
from scoring.review.models import ReviewPanel
from scoring.worklist.month import Event, EventKind


def agenda(session: Session, viewer: Viewer, first: date, last: date, todos: Iterable[Todo], *, now: datetime,
           doors: Any) -> list[Event]:
    """Everything from ``first`` through ``last``; ``doors(endpoint)`` says whether the viewer may open a page."""
    found = [*_exams(session, viewer, first, last), *_notices(session, viewer, first, last),
             *_expiries(session, viewer, first, last), *_deadlines(todos, first, last, now)]
    return [event for event in found if doors(event.endpoint)]


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time(), SHANGHAI), datetime.combine(last + timedelta(days=1), time(), SHANGHAI)


def _exams(session: Session, viewer: Viewer, first: date, last: date) -> Iterator[Event]:
    begin, end = _moments(first, last)
    for sitting in session.scalars(visible(Sitting, viewer).where(Sitting.starts_at >= begin, Sitting.starts_at < end).options(selectinload(Sitting.plan))):
        yield Event(local_date(sitting.starts_at), EventKind.EXAM,
                    f"{local(sitting.starts_at):%H:%M} 理论考试：{sitting.plan.title} {sitting.name}", "plans.sitting", {"sitting_id": sitting.id})
    for group in session.scalars(visible(PracticalGroup, viewer).where(PracticalGroup.starts_at >= begin, PracticalGroup.starts_at < end)
                                 .options(selectinload(PracticalGroup.plan))):
        yield Event(local_date(group.starts_at), EventKind.EXAM,
                    f"{local(group.starts_at):%H:%M} 操作技能考核：{group.plan.title} {group.name}", "practical.group", {"group_id": group.id})
    for panel in session.scalars(visible(ReviewPanel, viewer).where(ReviewPanel.starts_at >= begin, ReviewPanel.starts_at < end)
                                 .options(selectinload(ReviewPanel.plan))):
        yield Event(local_date(panel.starts_at), EventKind.EXAM,
                    f"{local(panel.starts_at):%H:%M} 综合评审：{panel.plan.title}", "review.panel", {"panel_id": panel.id})
    without = visible(ExamPlan, viewer).where(ExamPlan.starts_on.between(first, last), ~ExamPlan.sittings.any())
    for plan in session.scalars(without):
        yield Event(plan.starts_on, EventKind.EXAM, f"首考日：{plan.title}（{plan.state.chinese}，还没有场次）", "plans.show", {"plan_id": plan.id})


def _notices(session: Session, viewer: Viewer, first: date, last: date) -> Iterator[Event]:
    begin, end = _moments(first, last)
    posted = visible(ResultList, viewer).where(ResultList.noticed_at < end, ResultList.notice_ends_at >= begin)
    for one in session.scalars(posted):
        if one.noticed_at is None or one.notice_ends_at is None:
            continue
        ends_on = last_day(one.notice_ends_at)
        day = max(first, local_date(one.noticed_at))
        while day <= min(last, ends_on):
            word = "公示最后一日" if day == ends_on else "公示中"
            yield Event(day, EventKind.NOTICE, f"{word}：{one.plan.title}", "results.show", {"plan_id": one.plan_id})
            day += timedelta(days=1)


def _expiries(session: Session, viewer: Viewer, first: date, last: date) -> Iterator[Event]:
    for scope in session.scalars(visible(FiledScope, viewer).where(FiledScope.valid_until.between(first, last))):
        yield Event(scope.valid_until, EventKind.EXPIRY,
                    f"备案到期：{scope.institution.name} {scope.standard.label} {LEVEL_NAMES[scope.level]}", "filing.index")


def _deadlines(todos: Iterable[Todo], first: date, last: date, now: datetime) -> Iterator[Event]:
    for todo in todos:
        if todo.due is not None and first <= local_date(todo.due) <= last:
            whose = f"（等待{todo.waits_for}）" if todo.waits_for else ""
            yield Event(local_date(todo.due), EventKind.DEADLINE, f"{todo.title}{whose}", todo.endpoint, todo.values, todo.is_overdue(now))
