"""Console: ``examroom results``."""

from __future__ import annotations

from pathlib import Path

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from scoring.results import desk

group = click.Group("results", help="Results (成绩与结果).")


@group.command()
@click.argument("plan")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="the .xlsx file to write")
@acting_as
@click.pass_obj
def export(installation: Installation, plan: str, out: Path, login: str) -> None:
    """Write the result list of the plan with number PLAN as an Excel workbook."""
    with installation.acting(login) as (session, viewer):
        found = session.scalar(visible(ExamPlan, viewer).where(ExamPlan.number == plan))
        if found is None:
            raise click.ClickException(f"no plan {plan!r} that {login!r} may see")
        result_list = desk.list_of(session, found)
        if result_list is None:
            raise click.ClickException(f"the plan {plan!r} has no merged results yet")
        out.write_bytes(desk.workbook(result_list))
        click.echo(f"{out}: {len(result_list.results)} candidates, {result_list.state.value}")
