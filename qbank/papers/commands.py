"""Console: ``examroom papers``."""

from __future__ import annotations

import click
import sqlalchemy as sa

from qbank.kernel.commands import Installation
from qbank.kernel.db import Actor
from qbank.papers import packs
from qbank.papers.models import Paper, PaperState
from qbank.papers.sealing import verify as same

group = click.Group("papers", help="Papers and their fingerprints.")


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in PaperState]), help="only papers in this state")
@click.pass_obj
def list_papers(installation: Installation, state: str | None) -> None:
    """Print every paper: id, state, seed (unless it is shut), fingerprint, name."""
    query = sa.select(Paper).order_by(Paper.id)
    if state:
        query = query.where(Paper.state == PaperState(state))
    with installation.database.open(None, reads_only=True) as session:
        for paper in session.scalars(query):
            state = "shut" if paper.is_shut else "opened" if paper.opened_at else paper.state.value
            click.echo(f"{paper.id:6d}  {state:<9}  {'-' if paper.seed is None else paper.seed:>19}  "
                       f"{(paper.fingerprint or '-')[:16]:<16}  {paper.name}")


@group.command()
@click.pass_obj
def verify(installation: Installation) -> None:
    """Compute the fingerprint of every sealed paper again; ends with status 1 when one does not match."""
    with installation.database.open(None, reads_only=True) as session:
        sealed = session.scalars(sa.select(Paper).where(Paper.state == PaperState.SEALED).order_by(Paper.id)).all()
        changed = [paper for paper in sealed if not same(paper)]
        for paper in changed:
            click.echo(f"CHANGED  paper {paper.id}  {paper.name}  sealed as {paper.fingerprint}")
    click.echo(f"{len(sealed)} sealed papers, {len(changed)} changed since they were sealed")
    if changed:
        raise SystemExit(1)


@group.command("rotate-key")
@click.pass_obj
def rotate_key(installation: Installation) -> None:
    """Make a new installation key, wrap the key of every sealed paper and print under it, and forget the old one.

    Safe to run while the server runs, and to run again after it was interrupted: the key file holds both keys until all
    is written. Afterwards put a copy of papers.key where the backups of the keys are.
    """
    with installation.database.transaction(Actor(None, "命令行")) as session:
        name, count = packs.rotate(session)
    with installation.database.open(None, reads_only=True) as session:
        for unused in packs.unused_keys(session):
            installation.settings.paper_keys.drop(unused)
    click.echo(f"{count} packs and prints are wrapped under the new key {name}; keys in the file: "
               f"{len(installation.settings.paper_keys.names())}")
