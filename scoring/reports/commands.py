"""Console: ``examroom reports``."""

from __future__ import annotations

from pathlib import Path

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from scoring.reports import making
from scoring.reports.catalogue import CATALOGUE, Asking, kind_of

group = click.Group("reports", help="Reports (统计报表).")


@group.command()
@click.argument("plan")
@click.argument("report", type=click.Choice(list(CATALOGUE)))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="the .pdf or .xlsx file to write")
@acting_as
@click.pass_obj
def export(installation: Installation, plan: str, report: str, out: Path, login: str) -> None:
    """Write a report of the plan with number PLAN; the ending of --out chooses the format."""
    with installation.acting(login) as (session, viewer):
        found = session.scalar(visible(ExamPlan, viewer).where(ExamPlan.number == plan))
        if found is None:
            raise click.ClickException(f"no plan {plan!r} that {login!r} may see")
        form = out.suffix.removeprefix(".")
        asking = Asking(session, found, viewer, utc_now(), lambda done, total, message: click.echo(message))
        name, content = making.make(asking, kind_of(report, form), form)
        making.keep(session, found.id, report, name, content, viewer, now=utc_now(), content_too=False)
        out.write_bytes(content)
        click.echo(f"{out}: {name}, {len(content)} bytes")
