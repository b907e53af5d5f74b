"""``examroom room ...``: a second machine that takes over within a minute (SQLite)."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import click

from qbank.kernel import standby, standby_feed
from qbank.kernel.commands import Installation
from qbank.kernel.refused import Refused
from qbank.kernel.standby import DATABASE, TOKEN, Copy, Primary, promote

EVERY_SECONDS = 1.0
SAY_SECONDS = 30.0
group = click.Group("room", help="A second machine for the exam room's server.")
folder_option = click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)


@group.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="folder of the installation")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104  # the other machine asks
@click.option("--port", default=8010, show_default=True)
@click.pass_obj
def feed(installation: Installation, folder: Path | None, host: str, port: int) -> None:
    """On the server: let a standby copy the database. Runs beside `examroom serve`."""
    settings = Installation(folder or installation.folder).settings
    if not settings.database_url.startswith("sqlite"):
        raise click.ClickException("PostgreSQL has a standby of its own (streaming replication): see the README")
    if not (settings.folder / DATABASE).exists():
        raise click.ClickException(f"no {DATABASE} in {settings.folder}")
    made = standby_feed.Feed(settings.folder)
    with standby_feed.server(made, host, port) as server:
        click.echo(f"feed on port {port}; copy {settings.folder / TOKEN} into the standby's folder", err=True)
        server.serve_forever()


@group.command(name="standby")
@click.argument("address")
@folder_option
@click.option("--once", is_flag=True, help="copy once and end")
def follow(address: str, folder: Path, once: bool) -> None:
    """On the second machine: keep a copy of the server whose feed is at ADDRESS (http://10.0.0.2:8010)."""
    primary = _primary(address, folder)
    if (folder / DATABASE).exists():
        raise click.ClickException(f"{folder} holds a database of its own: it has taken over, or is no standby")
    with closing(Copy(folder)) as copy:
        (folder / "standby.primary.log").write_text(address)
        said = last = 0.0
        while True:
            began = time.monotonic()
            try:
                told = copy.follow(primary)
                last = began
                if not said:
                    click.echo(f"copied {told['size'] / 1e6:.1f} MB; following {address}")
                    said = began
            except (OSError, Refused) as error:
                if began - said > SAY_SECONDS or not said:
                    click.echo(f"no copy since {began - last:.0f} s: {error}\nto take over: examroom room promote --dir {folder}", err=True)
                    said = began
            if once:
                return
            time.sleep(max(EVERY_SECONDS, 5 * (time.monotonic() - began)) if last == began else EVERY_SECONDS)


@group.command(name="promote")
@folder_option
@click.option("--primary", "address", help="address of the primary's feed [where the copy came from]")
@click.option("--force", is_flag=True, help="take over from a primary that still answers: it stops taking answers first")
def take_over(folder: Path, address: str | None, force: bool) -> None:
    """On the second machine: make the copy the room's server. Then run `examroom serve --dir ...` here."""
    kept = folder / "standby.primary.log"
    address = address or (kept.read_text() if kept.exists() else None)
    began = time.monotonic()
    epoch = promote(folder, _primary(address, folder, seconds=3) if address else None, force=force)
    click.echo(f"epoch {epoch}, {time.monotonic() - began:.1f} s; now run: examroom serve --dir {folder}")


def _primary(address: str, folder: Path, *, seconds: float = 10) -> Primary:
    if not (folder / TOKEN).exists():
        raise click.ClickException(f"copy {TOKEN} from the server's folder into {folder} first")
    return Primary(address, standby.token_of(folder), seconds)
