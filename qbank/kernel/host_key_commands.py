"""Commands about the keys of several hosts."""

from __future__ import annotations

import click

from qbank.kernel import host_keys
from qbank.kernel.commands import Installation

group = click.Group("keys", help="The keys that all hosts of an installation share.")


@group.command()
@click.pass_obj
def compare(installation: Installation) -> None:
    """Whether this host holds the keys that the database was made with; ends with status 1 when it does not."""
    with installation.database.open(None, reads_only=True) as session:
        if other := host_keys.differing(session, installation.settings):
            raise click.ClickException(f"{', '.join(other)}: {host_keys.REMEDY}")
    click.echo("the same keys")


@group.command()
@click.pass_obj
def accept(installation: Installation) -> None:
    """From now on the keys of this host are the right ones: after a key was changed on purpose."""
    with installation.database.transaction(None) as session:
        host_keys.remember(session, installation.settings, anew=True)
    click.echo(f"remembered: {', '.join(host_keys.marks(installation.settings))}")
