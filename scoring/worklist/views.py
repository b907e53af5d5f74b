"""Doors: the first page of everybody, and the month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, current_app, render_template, request

from examroom.plans import calendars
from examroom.plans.models import WorkingCalendar
from qbank.kernel.access import STAFF, Role, Viewer, may_pass
from qbank.kernel.accounts import Institution
from qbank.kernel.times import end_of_day, local_date, spoken
from qbank.kernel.todo import Asked, WorkList
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from scoring.worklist import month
from scoring.worklist.agenda import agenda
from scoring.worklist.clauses import CLAUSES, sorted_clauses, told

blueprint = Blueprint("worklist", __name__, url_prefix="/worklist")
DECIDERS = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.ADMINISTRATOR)
SHOWN_AT_ONCE = 50  # of each part of the list, the most urgent first; a centre's list holds what waits in all its schools


def _list(moment: datetime) -> WorkList:
    """All that the rooms of this application say."""
    return WorkList.of(current_app.config["WORK_LIST"](db(), viewer(), now=moment))


def home() -> Any:
    """What waits for the person who is signed in."""
    moment = now()
    everything = _list(moment)
    asked = Asked(request.args.get("show", ""), request.args.get("clause", ""), request.args.get("q", "").strip())
    today, tables = local_date(moment), calendars.tables(db())
    return render_template(
        "worklist/home.html", work=everything.narrowed(asked, moment), counts=everything.counts(moment), asked=asked, now=moment,
        clauses=sorted_clauses({todo.clause for todo in everything if todo.clause}), words=CLAUSES, told=told,
        until=until, shown_at_once=SHOWN_AT_ONCE, left=lambda due: month.left(local_date(due), today, tables), staff=viewer().has(*STAFF))


def until(due: datetime) -> str:
    """A moment as the offices write it; of a whole day only the day."""
    return spoken(local_date(due) if due == end_of_day(local_date(due)) else due)


@blueprint.get("/calendar")
def calendar() -> Any:
    """A month of working days with what falls on each."""
    moment = now()
    today, tables = local_date(moment), calendars.tables(db())
    shown = month.month_asked(request.args.get("month", ""), today)
    events = agenda(db(), viewer(), *month.span(shown), _list(moment), now=moment, doors=_opens(viewer()))
    weeks = month.weeks(shown, events, tables)
    needed = _needed(viewer())
    return render_template(
        "worklist/calendar.html", shown=shown, today=today, weeks=weeks, before=month.beside(shown, -1), after=month.beside(shown, 1),
        working=month.working_days(weeks), kinds=list(month.DayKind), events=list(month.EventKind), needed=needed,
        earliest=month.earliest_start(today, needed, tables) if needed else None, may_enter=viewer().has(*DECIDERS),
        source=db().scalar(sa.select(WorkingCalendar.source).where(WorkingCalendar.year == shown.year)))


def _opens(person: Viewer) -> Any:
    doors = current_app.config["DOORS"]
    return lambda endpoint: may_pass(person, doors[endpoint])


def _needed(person: Viewer) -> int | None:
    """The working days that this officer's school must leave before an exam; None for everybody else."""
    school = person.institution_for(Role.EXAM_OFFICER)
    return pack_for(db(), db().get_one(Institution, school)).plan_working_days if school else None
