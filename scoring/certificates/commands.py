"""Console: certificates."""

from __future__ import annotations

import click

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from scoring.certificates import desk
from scoring.results.models import ResultList

group = click.Group("certificates", help="Certificates (证书).")


@group.command()
@click.argument("plan")
@acting_as
@click.pass_obj
def issue(installation: Installation, plan: str, login: str) -> None:
    """Make the certificates of the final result list of PLAN (its number, 计划编号)."""
    with installation.acting(login) as (session, viewer):
        result_list = session.scalar(visible(ResultList, viewer).join(ResultList.plan).where(ExamPlan.number == plan))
        if result_list is None:
            raise click.ClickException(f"no result list of a plan {plan!r} that {login!r} may see")
        made = desk.issue(session, result_list, viewer, cipher=installation.settings.identity_cipher(),
                          now=utc_now())
    click.echo(f"{made} certificates made")
