"""Console: ``examroom practical``."""

from __future__ import annotations

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import spoken
from scoring.practical.overview import plan_line

group = click.Group("practical", help="Practical examination (操作技能考核).")


@group.command("list")
@acting_as
@click.pass_obj
def list_groups(installation: Installation, login: str) -> None:
    """Plans with their groups, and how many candidates are grouped and scored."""
    with installation.acting(login) as (session, viewer):
        for plan in session.scalars(visible(ExamPlan, viewer).order_by(ExamPlan.number)):
            line = plan_line(session, plan)
            click.echo(f"{plan.number}  {plan.title}: {line.enrolled} enrolled, {line.grouped} grouped, "
                       f"{line.scored} scored, {line.absent} absent")
            for one in line.groups:
                click.echo(f"    {one.name}  {spoken(one.starts_at)}  {one.place}  rubric: {one.rubric.name}")
