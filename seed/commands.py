"""``examroom demo``: make the demo world, say who may sign in, serve it."""

from __future__ import annotations

import subprocess
import sys
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
        folder = folder or context.obj.folder or Path("examroom-demo")
        if no_serve:
            click.echo(prepare(create_app(make_ready(Installation(folder).settings, fresh=fresh)), now=utc_now()))
            return
        # In a process of its own: the server forks, and would inherit the locks of threads that typesetting has run here.
        made = subprocess.run([sys.executable, "-m", "app", "demo", "--dir", str(folder), "--no-serve",  # noqa: S603  # our own program
                               *(["--fresh"] if fresh else [])], check=False)
        if made.returncode:
            sys.exit(made.returncode)
        announce_and_serve(create_app, make_ready(Installation(folder).settings, fresh=False), host, port)

    return demo
