"""``examroom delivery ...``"""

from __future__ import annotations

import click

from examroom.delivery import sheets
from examroom.plans.models import Sitting
from qbank.kernel.access import fetch
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now

group = click.Group("delivery", help="Sheets of candidates.")


@group.command()
@click.argument("sitting_id", type=int)
@click.option("--seed", help="deal from this seed instead of a random one")
@acting_as
@click.pass_obj
def deal(installation: Installation, sitting_id: int, seed: str | None, login: str) -> None:
    """Deal the sheets of a sitting before its start."""
    with installation.acting(login) as (session, viewer):
        count = sheets.deal(session, fetch(session, Sitting, sitting_id, viewer), viewer, now=utc_now(), seed=seed)
    click.echo(f"{count} sheets dealt")
