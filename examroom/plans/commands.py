"""Console: exam plans."""

from __future__ import annotations

import click
import sqlalchemy as sa

from examroom.plans import calendar, calendars
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.commands import Installation, acting_as
from qbank.standards.models import LEVEL_NAMES

group = click.Group("plans", help="Exam plans and the working calendar.")


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in PlanState]), help="only plans in this state")
@click.pass_obj
def list_plans(installation: Installation, state: str | None) -> None:
    """Print the plans, newest first exam day on top."""
    query = sa.select(ExamPlan).order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())
    if state:
        query = query.where(ExamPlan.state == PlanState(state))
    with installation.database.open(None, reads_only=True) as session:
        for plan in session.scalars(query):
            click.echo(f"{plan.number}\t{plan.starts_on}\t{plan.institution.name}\t{plan.standard.label}\t"
                       f"{LEVEL_NAMES[plan.level]}\t{plan.state.chinese}\t{plan.title}")


@group.command("calendar")
@acting_as
@click.argument("year", type=int)
@click.option("--holidays", required=True, help="days off, e.g. 2027-01-01,2027-02-05至2027-02-11")
@click.option("--workdays", default="", help="weekend days at work (调休)")
@click.option("--source", required=True, help="title and number of the office's notice")
@click.pass_obj
def store_calendar(installation: Installation, login: str, year: int, holidays: str, workdays: str, source: str) -> None:
    """Store the working-day table of a year that the calendar library lacks."""
    with installation.acting(login) as (session, who):
        calendars.store_year(session, year, calendar.read_days(holidays, year, "放假日期"),
                             calendar.read_days(workdays, year, "调休上班日期"), source, who)
    click.echo(f"{year}: stored")
