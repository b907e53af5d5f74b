"""``examroom invigilation ...``"""

from __future__ import annotations

import click

from examroom.invigilation import rooms
from examroom.plans.models import SittingRoom
from qbank.kernel.access import fetch
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now

group = click.Group("invigilation", help="Rooms during an exam.")


@group.command("open")
@click.argument("room_id", type=int)
@acting_as
@click.pass_obj
def open_room(installation: Installation, room_id: int, login: str) -> None:
    """Open a room of a sitting as one of its invigilators."""
    with installation.acting(login) as (session, viewer):
        rooms.open_room(session, fetch(session, SittingRoom, room_id, viewer), viewer, now=utc_now())
    click.echo("opened")
