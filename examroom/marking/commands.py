"""``examroom marking ...``"""

from __future__ import annotations

import click

from examroom.marking import chains, desk
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


@group.command()
@click.argument("sitting_ids", type=int, nargs=-1)
@click.pass_obj
def verify(installation: Installation, sitting_ids: tuple[int, ...]) -> None:
    """Walk the event chains of sittings (all that were sat, unless some are named); status 1 when one is broken."""
    with installation.database.open(None, reads_only=True) as session:
        found = chains.walk(session, sitting_ids)
        if missing := set(sitting_ids) - {sitting_id for sitting_id, _ in found}:
            raise click.ClickException(f"no such sitting: {sorted(missing)}")
    for (sitting_id, name), breaks in found.items():
        click.echo("\n     ".join((f"{'BAD ' if breaks else 'ok  '} sitting {sitting_id} {name}: {len(breaks)} breaks",
                                   *(one.sentence for one in breaks))))
    if any(found.values()):
        raise SystemExit(1)
