"""Console: ``examroom review``."""

from __future__ import annotations

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import spoken
from scoring.review.overview import plan_line

group = click.Group("review", help="Comprehensive review (综合评审).")


@group.command("list")
@acting_as
@click.pass_obj
def list_panels(installation: Installation, login: str) -> None:
    """Plans at level 2 and 1 with their panels."""
    with installation.acting(login) as (session, viewer):
        for plan in session.scalars(visible(ExamPlan, viewer).where(ExamPlan.level <= 2)
                                    .order_by(ExamPlan.number)):
            line = plan_line(session, plan)
            click.echo(f"{plan.number}  {plan.title}: {line.enrolled} enrolled, {line.scored} scored, {line.absent} absent")
            if line.panel:
                names = "、".join(one.account.name + ("（主任）" if one.is_chair else "（候补）" if one.is_substitute else "") for one in line.panel.members)
                click.echo(f"    {line.panel.name}  {spoken(line.panel.starts_at)}  {names}")
