"""``examroom media``: whether every uploaded file is there, and the move of all of them from one store to another."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import IO

import click
from sqlalchemy.orm import Session

from qbank.kernel import attachments, store
from qbank.kernel.commands import Installation
from qbank.kernel.doctor import EXAMINED
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused
from qbank.kernel.store import Store
from qbank.kernel.times import utc_now

CHUNK = 2**20
SETTLED_SECONDS = 24 * 3600  # what is younger may belong to a transaction that is under way
group = click.Group("media", help="Uploaded files: where they lie, and whether they are all there.")


@group.command("verify")
@click.option("--deep", is_flag=True, help="read every file and compare it with its hash")
@click.option("--remove-orphans", is_flag=True, help="take away what no row names and is older than a day")
@click.pass_obj
def verify(installation: Installation, deep: bool, remove_orphans: bool) -> None:
    """Try the store out, and look whether it holds what the database names."""
    held_in = store.of(installation.settings)
    try:
        held_in.try_out()
    except OSError as error:
        raise click.ClickException(f"{held_in.told}: {error}") from error
    with closing(installation.database.open(None, reads_only=True)) as session:
        named, missing = attachments.named(session), attachments.missing(session)
    held = held_in.held()
    orphans = sorted(held.keys() - named)
    changed = [name for name in sorted(held) if deep and not _is_intact(held_in, name)]
    click.echo(f"{held_in.told}: {len(held)} files, {len(missing)} missing, {len(orphans)} that no row names"
               + (f", {len(changed)} changed" if deep else ""))
    for what, names in (("missing", missing), ("changed", changed)):
        for name in names:
            click.echo(f"{what} {name}", err=True)
    for name in orphans if remove_orphans else ():
        if utc_now().timestamp() - held[name] > SETTLED_SECONDS:
            held_in.remove(name)
            click.echo(f"removed {name}")
    if missing or changed:
        raise SystemExit(1)


@group.command("copy")
@click.argument("source")
@click.pass_obj
def copy(installation: Installation, source: str) -> None:
    """Copy everything from SOURCE (a folder or s3://bucket/prefix) into the store of the settings, comparing each file with its
    hash. What is there already is passed over, so it may be run again, also while people work."""
    target, came_from = store.of(installation.settings), store.of(installation.settings, source)
    if target.told == came_from.told:
        raise click.ClickException(f"{source} is the store of the settings: set EXAMROOM_MEDIA_URL first")
    wanted = sorted(came_from.held().keys() - target.held().keys())
    for name in wanted:
        with came_from.reading(name) as stream:
            _put(target, stream, name)
    click.echo(f"{len(wanted)} files copied from {came_from.told} to {target.told}")


def _put(target: Store, stream: IO[bytes], name: str) -> None:
    digest = hashlib.sha256()
    with target.coming() as (written, coming):
        while piece := stream.read(CHUNK):
            digest.update(piece)
            written.write(piece)
        if digest.hexdigest() != name:
            raise Refused("file_changed", f"文件 {name} 的内容与它的哈希不一致，没有复制。请从备份恢复这个文件后重试。")
        target.keep(written, coming, name)


def _look(session: Session) -> Finding:
    """Only reads: whether it can be written, `examroom media verify` tries out."""
    held_in = attachments.store_of(session)
    remedy = "运行 examroom media verify 查看是哪些；文件从备份恢复，对象存储则检查地址、密钥和网络"
    try:
        missing = attachments.missing(session)
    except (OSError, Refused) as error:
        return Finding("media", False, f"{held_in.told}：{error.sentence if isinstance(error, Refused) else error}", remedy)
    return Finding("media", not missing, f"{held_in.told}，缺 {len(missing)} 个文件", remedy)


EXAMINED.append(_look)


def _is_intact(held_in: Store, name: str) -> bool:
    with held_in.reading(name) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == name  # type: ignore[arg-type]  # any stream
