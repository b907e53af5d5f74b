"""``examroom marking ...``"""

from __future__ import annotations

import click

from examroom.marking import desk
from qbank.kernel.commands import Installation
from qbank.kernel.db import Actor
from qbank.kernel.times import utc_now

group = click.Group("marking", help="Theory scores.")


@group.command("close-due")
@click.pass_obj
def close_due(installation: Installation) -> None:
    """Hand in what is due, close and mark complete sittings; what the worker does every few seconds."""
    with installation.database.transaction(Actor(None, "系统：定时任务")) as session:
        desk.close_due(session, utc_now())
    click.echo("done")
