"""``examroom backup``, ``backup-key``, ``backup-verify``, ``restore`` and ``move``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from qbank.kernel import backup as backups
from qbank.kernel import moving, restoring
from qbank.kernel.commands import Installation
from qbank.kernel.db import Database
from qbank.kernel.sealed_stream import KEY_BYTES, Secret
from qbank.kernel.settings import BadSetting, database_url
from qbank.kernel.times import utc_now

KEY = "EXAMROOM_BACKUP_KEY"
PASSPHRASE = "EXAMROOM_BACKUP_PASSPHRASE"  # noqa: S105  # the name of a variable
folder_option = click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="folder of the installation")
key_option = click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False),
                          help=f"key that seals the backup, made by `examroom backup-key` [{KEY}; else the passphrase {PASSPHRASE}]")


def _secret(key_file: Path | None) -> Secret:
    if key_file or os.environ.get(KEY):
        return Secret.of_file(key_file or Path(os.environ[KEY]))
    if passphrase := os.environ.get(PASSPHRASE, ""):
        return Secret.spoken(passphrase)
    if os.isatty(0):
        return Secret.spoken(click.prompt("passphrase of the backup", hide_input=True))
    raise click.ClickException(f"a backup is always sealed: give --key-file, or set {KEY} or {PASSPHRASE}")


def _installation(context: click.Context, folder: Path | None) -> Installation:
    found: Installation = Installation(folder) if folder else context.obj
    return found


@click.command("backup-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_key(file: Path) -> None:
    """Make a key for backups in FILE. Keep copies of it away from this machine: without it no backup opens."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise click.ClickException(f"{file} exists; a key is never written over") from error
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_bytes(KEY_BYTES).hex() + "\n")
    click.echo(f"{file}: keep copies away from this machine and from the backups")


@click.command()
@folder_option
@key_option
@click.option("--to", "target", type=click.Path(path_type=Path, file_okay=False), help="where to [backups in the installation's folder]")
@click.option("--keep", type=click.IntRange(min=1), help="delete all but this many newest backups there")
@click.option("--without-media", is_flag=True, help="leave uploaded files out: for a bucket that keeps versions of its own")
@click.pass_context
def backup(context: click.Context, folder: Path | None, key_file: Path | None, target: Path | None, keep: int | None, without_media: bool) -> None:
    """Back up database, keys and uploaded files into one sealed file, and read it back. Also while a sitting runs."""
    installation = _installation(context, folder)
    made = backups.make(installation.settings, installation.database, _secret(key_file), now=utc_now(), folder=target,
                        media=not without_media)
    click.echo(f"{made.file}: {made.files} files, {made.size / 1e6:.1f} MB, audit trail of {made.rows} entries, read back and verified")
    for old in backups.prune(installation.settings, keep, target) if keep else []:
        click.echo(f"deleted {old.name}")


@click.command("backup-verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@key_option
def backup_verify(file: Path, key_file: Path | None) -> None:
    """Open FILE to its end and compare every file in it with its hash."""
    with file.open("rb") as stream:
        click.echo(f"{len(backups.verify(stream, _secret(key_file)))} files, all as they were written down")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="an empty folder, or one to be made")
@click.option("--database", "address", default="", help="an empty PostgreSQL database, for a backup of PostgreSQL")
@key_option
def restore(file: Path, folder: Path, address: str, key_file: Path | None) -> None:
    """Bring the backup FILE back into an empty folder (and an empty database)."""
    found = restoring.restore(file, _secret(key_file), folder.absolute(), _address(address) if address else "")
    click.echo(f"{folder}: as it was at {found['at']}, schema {found['schema']}, audit trail head {found['head'][:16] or '(older schema)'}")
    for sentence in found["breaks"]:
        click.echo(f"BREAK {sentence}", err=True)
    if os.environ.get("EXAMROOM_MEDIA_URL"):
        click.echo(f"uploaded files lie in {folder / backups.MEDIA}: examroom --dir {folder} media copy {folder / backups.MEDIA}")
    click.echo(f"next: examroom --dir {folder} upgrade && examroom --dir {folder} check && examroom --dir {folder} serve")
    if found["breaks"]:
        raise SystemExit(1)


@click.command()
@folder_option
@click.option("--to", "address", required=True, help="an empty PostgreSQL database: postgresql://user:password@host/name")
@click.pass_context
def move(context: click.Context, folder: Path | None, address: str) -> None:
    """Copy the SQLite database to PostgreSQL and compare every table. Stop the server first."""
    source, target = _installation(context, folder).database, Database(_address(address))
    try:
        moved = moving.move(source.engine, target.engine)
    finally:
        target.engine.dispose()
    for one in moved:
        click.echo(f"{one.table:32} {one.rows:>10}  {one.sha256}  equal")
    click.echo(f"{len(moved)} tables, {sum(one.rows for one in moved)} rows, all equal. Now set EXAMROOM_DATABASE_URL; the folder with keys "
               "and files stays in use; put the SQLite file away.")


def _address(text: str) -> str:
    try:
        return database_url(text)
    except ValueError as error:
        raise BadSetting(f"database address: {error}") from error


COMMANDS = (backup_key, backup, backup_verify, restore, move)
