"""``examroom demo``: make the demo world, say who may sign in, serve it."""

from __future__ import annotations

from pathlib import Path

import click

from qbank.kernel.commands import Installation
from qbank.kernel.console import announce_and_serve, folder_option, host_option, port_option
from qbank.kernel.serving import Factory
from qbank.kernel.times import utc_now
from seed.world import make_ready, prepare


def demo_command(create_app: Factory) -> click.Command:
    """The command for applications made by ``create_app``."""

    @click.command("demo")
    @folder_option
    @click.option("--fresh", is_flag=True, help="start over: the demo's own folder is emptied first")
    @click.option("--no-serve", is_flag=True, help="only make the demo world")
    @host_option
    @port_option
    @click.pass_context
    def demo(context: click.Context, folder: Path | None, fresh: bool, no_serve: bool, host: str, port: int) -> None:
        """Make a small believable world, print its accounts, and serve it."""
        installation = Installation(folder or context.obj.folder or Path("examroom-demo"))
        settings = make_ready(installation.settings, fresh=fresh)
        app = create_app(settings)
        click.echo(prepare(app, now=utc_now()))
        if not no_serve:
            app.extensions["examroom"]["database"].engine.dispose()
            announce_and_serve(create_app, settings, host, port)

    return demo
