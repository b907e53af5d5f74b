"""Console: the directory of filed scope."""

from __future__ import annotations

from datetime import datetime

import click
import sqlalchemy as sa

from examroom.filing import completeness, scopes
from examroom.filing.application_models import Application
from examroom.filing.models import FiledScope
from examroom.filing.states import OPEN, WITH_SCHOOL
from qbank.kernel.commands import Installation
from qbank.kernel.times import local_date, utc_now
from qbank.standards.models import LEVEL_NAMES

group = click.Group("filing", help="Filed scope of schools.")


@group.command("scopes")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="day to look at (default: today in China)")
@click.option("--search", default="", help="part of a school's or occupation's name")
@click.pass_obj
def list_scopes(installation: Installation, on: datetime | None, search: str) -> None:
    """Print what may be examined on a day, one line each."""
    day = on.date() if on else local_date(utc_now())
    with installation.database.open(None, reads_only=True) as session:
        for scope in session.scalars(scopes.searched(sa.select(FiledScope), search, "", "valid", day)):
            click.echo(f"{scope.institution.name}\t{scope.standard.label}\t{LEVEL_NAMES[scope.level]}\t"
                       f"{scope.valid_from}..{scope.valid_until}")


@group.command("applications")
@click.option("--open", "only_open", is_flag=True, help="only those that are not decided")
@click.pass_obj
def list_applications(installation: Installation, only_open: bool) -> None:
    """Print the applications, one line each: number, school, kind, state, what is missing."""
    with installation.database.open(None, reads_only=True) as session:
        query = sa.select(Application).order_by(Application.id)
        for one in session.scalars(query.where(Application.state.in_(OPEN)) if only_open else query):
            lacking = f"缺 {len(completeness.missing(one))} 项" if one.state in WITH_SCHOOL else ""
            click.echo(f"{one.number}\t{one.institution.name}\t{one.kind.chinese}\t{one.state.chinese}\t{lacking}")
