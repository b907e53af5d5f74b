"""The console script: serving, working, upgrading, looking over; the rooms add a group each."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import click
import sqlalchemy as sa

from qbank.kernel import backup_commands, first_run, host_keys, machine, migrations, operations, serving, tls
from qbank.kernel.commands import Installation
from qbank.kernel.doctor_commands import check
from qbank.kernel.refused import Refused
from qbank.kernel.serving import Factory
from qbank.kernel.settings import BadSetting, Settings
from qbank.kernel.times import utc_now

folder_option = click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False),
                             help="folder of the database, keys and media [EXAMROOM_DIR, ./examroom-data]")
host_option = click.option("--host", default="127.0.0.1", show_default=True)
PATIENCE = 10.0  # seconds for a server that ends
port_option = click.option("--port", default=8000, show_default=True)


def console(create_app: Factory, groups: Iterable[click.Command]) -> click.Group:
    """The command line of the applications that ``create_app`` makes."""

    @click.group()
    @folder_option
    @click.pass_context
    def examroom(context: click.Context, folder: Path | None) -> None:
        """examroom: from the question bank to the certificate."""
        context.obj = Installation(folder)

    for command in (_serve(create_app), _worker(create_app), upgrade, check, *backup_commands.COMMANDS, *groups):
        examroom.add_command(command)
    return examroom


def run(commands: click.Group) -> None:
    """Run the console script; a bad setting or a refusal ends it with its sentence, not with a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        commands()
    except BadSetting as error:
        raise SystemExit(f"examroom: {error}") from error
    except Refused as refusal:
        raise SystemExit("\n".join((refusal.sentence, *refusal.details))) from refusal


def installation_of(context: click.Context, folder: Path | None) -> Installation:
    """``--dir`` behind the command wins over ``--dir`` before it."""
    found: Installation = Installation(folder) if folder else context.obj
    return found


def announce_and_serve(create_app: Factory, settings: Settings, host: str, port: int, *, worker: bool = True,
                       certificate: tls.ServerCertificate | None = None, code: str | None = None, processes: int = 1) -> None:
    """Say the address and serve, with a worker beside the server."""
    _wait_for(host, port)
    click.echo(f"examroom: {'https' if certificate else 'http'}://{host}:{port}/")
    if certificate:
        settings = dataclasses.replace(settings, secure_cookies=True)
        click.echo(f"certificate for {', '.join(certificate.names)}; the authority that computers must trust is {certificate.authority},\n"
                   f"SHA-256 {tls.fingerprint(certificate.authority)}; how to: the page /accounts/trust")
    if code is not None:
        here = f"{'https' if certificate else 'http'}://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104  # compared, not bound
        click.echo(f"首次设置 first run: {here}/setup/  设置码 code: {code}")
    with serving.worker_beside(settings) if worker else nullcontext():
        serving.serve(create_app, settings, host, port, certificate, processes=processes)


def _wait_for(host: str, port: int) -> None:
    """Until the address is free: a server that was killed may still write what waited. Refuses one that stays taken."""
    until = time.monotonic() + PATIENCE
    while not (found := machine.free(host, port)).well:
        if time.monotonic() > until:
            raise click.ClickException(f"{found.detail}；{found.remedy}")
        time.sleep(0.1)


def _require_schema(installation: Installation) -> None:
    current, newest = migrations.revisions(installation.database.engine)
    if not migrations.fits(current):
        raise click.ClickException(f"the database is at schema {current}, the program needs {newest}: "
                                   "run `examroom upgrade` first")
    if current != newest:
        click.echo(f"the database is at schema {current}, newer than this program's {newest}: it is served as it is", err=True)


def _require_keys(installation: Installation) -> None:
    """A host with other keys than the database was made with would write what nobody else can read."""
    with installation.database.transaction(None) as session:
        host_keys.remember(session, installation.settings)  # of two hosts that start at once the first counts
        if other := host_keys.differing(session, installation.settings):
            raise click.ClickException(f"{installation.settings.folder}: {', '.join(other)}: {host_keys.REMEDY}")


def _prepare(installation: Installation) -> str | None:
    """An empty database gets its schema, one without an administrator its first run: the code that opens the wizard."""
    engine = installation.database.engine
    if not sa.inspect(engine).get_table_names():
        migrations.upgrade(engine)
    _require_schema(installation)
    _require_keys(installation)
    with installation.database.transaction(None) as session:
        return first_run.begin(session, installation.settings.secret_key, now=utc_now())


def _serve(create_app: Factory) -> click.Command:
    @click.command("serve")
    @folder_option
    @host_option
    @port_option
    @click.option("--worker/--no-worker", default=True, help="run the worker beside the server [default: yes]")
    @click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="how many share the requests: one a processor")
    @click.option("--tls", "with_tls", is_flag=True, help="serve https with a certificate of this installation's own authority")
    @click.option("--name", "names", multiple=True, help="with --tls: a name or address by which people reach this server, besides its own")
    @click.pass_context
    def serve(context: click.Context, folder: Path | None, host: str, port: int, worker: bool, processes: int, with_tls: bool,
              names: tuple[str, ...]) -> None:
        """Serve the pages (and do the background work)."""
        installation = installation_of(context, folder)
        code = _prepare(installation)
        try:
            certificate = tls.ensure(installation.settings.tls_folder, (*tls.own_names(), *names), now=utc_now()) if with_tls else None
        except ValueError as error:
            raise click.ClickException(f"--tls: {error}") from error
        installation.database.engine.dispose()  # no connection may be shared with the processes that follow
        announce_and_serve(create_app, installation.settings, host, port, worker=worker, certificate=certificate, code=code,
                           processes=processes)

    return serve


def _worker(create_app: Factory) -> click.Command:
    @click.command("worker")
    @folder_option
    @click.option("--beside", is_flag=True, hidden=True, help="end when standard input does")
    @click.pass_context
    def worker(context: click.Context, folder: Path | None, beside: bool) -> None:
        """Do queued work and what falls due, until stopped."""
        if beside:
            serving.end_with_server()
        installation = installation_of(context, folder)
        _require_schema(installation)
        _require_keys(installation)
        app = create_app(installation.settings)
        operations.begin(app, installation.settings)
        serving.work(app.extensions["examroom"]["jobs"])

    return worker


@click.command()
@folder_option
@click.pass_context
def upgrade(context: click.Context, folder: Path | None) -> None:
    """Create the schema, or bring it up to date."""
    installation = installation_of(context, folder)
    migrations.upgrade(installation.database.engine)
    current, newest = migrations.revisions(installation.database.engine)
    click.echo(f"schema {current}" + ("" if current == newest else f", made by a newer program (this one knows {newest}): left as it is"))
