"""Console: the directory of filed scope."""

from __future__ import annotations

from datetime import datetime

import click
import sqlalchemy as sa

from examroom.filing import scopes
from examroom.filing.models import FiledScope
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
