"""Commands about identity numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from qbank.kernel import rotation
from qbank.kernel.access import Role, Viewer
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.refused import Refused

T = TypeVar("T")
group = click.Group("identity", help="Identity numbers: their key.")


@group.command("add-key")
@acting_as
@click.pass_obj
def add_key(installation: Installation, login: str) -> None:
    """Make the next key without using it yet: where several hosts serve, each must hold it before the first row lies under it."""
    _administrator(installation, login)
    click.echo(f"{_said(lambda: rotation.add_key(installation.settings))} waits in identity.next: copy it and codes.key to the folder of every host, "
               "then run rotate-key --keep-former on one of them")


@group.command("rotate-key")
@acting_as
@click.option("--keep-former", is_flag=True, help="several hosts: keep the former key until identity.key was copied to all; then run again without this")
@click.pass_obj
def rotate_key(installation: Installation, login: str, keep_former: bool) -> None:
    """Put every identity number under a new key while everybody works; broken off, the next run goes on.

    Printed exam codes and issued credentials stay valid: what they rest on is kept in codes.key. Make a backup afterwards.
    """
    who = _administrator(installation, login)
    made = _said(lambda: rotation.rotate(installation.database, installation.settings, who.actor, keep_former=keep_former,
                                         progress=lambda table, rows: click.echo(f"{table}: {rows} rows", err=True)))
    for table, rows in sorted(made.rows.items()):
        click.echo(f"{table}: {rows} rows under the new key")
    if made.orphans:
        click.echo(f"{made.orphans} certificates were issued under a number that was corrected since: they are found by number and name only")
    click.echo("the former key is still held: copy identity.key to every host, then run rotate-key again" if made.former_kept
               else "the former key is gone from this folder; copy codes.key where the backups of the keys are, and make a backup")


def _administrator(installation: Installation, login: str) -> Viewer:
    with installation.acting(login) as (_, viewer):
        if not viewer.has(Role.ADMINISTRATOR):
            raise click.ClickException(f"{login!r} is no administrator")
        return viewer


def _said(act: Callable[[], T]) -> T:
    try:
        return act()
    except Refused as refusal:
        raise click.ClickException("\n".join((refusal.sentence, *refusal.details))) from refusal
