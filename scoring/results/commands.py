"""Console: ``examroom results``."""

from __future__ import annotations

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from scoring.results import desk

group = click.Group("results", help="Results (成绩与结果).")


@group.command()
@click.argument("plan")
@acting_as
@click.pass_obj
def merge(installation: Installation, plan: str, login: str) -> None:
    """Merge the parts of every candidate of the plan with number PLAN."""
    with installation.acting(login) as (session, viewer):
        found = session.scalar(visible(ExamPlan, viewer).where(ExamPlan.number == plan))
        if found is None:
            raise click.ClickException(f"no plan {plan!r} that {login!r} may see")
        made = desk.merge_plan(session, found, viewer, now=utc_now())
        click.echo(f"{plan}: {len(made.results)} candidates, {sum(one.passed for one in made.results)} passed")
