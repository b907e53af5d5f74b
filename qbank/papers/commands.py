"""Console: ``examroom papers``."""

from __future__ import annotations

import click
import sqlalchemy as sa

from qbank.kernel.commands import Installation
from qbank.papers.desk import verify as same
from qbank.papers.models import Paper, PaperState

group = click.Group("papers", help="Papers and their fingerprints.")


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in PaperState]), help="only papers in this state")
@click.pass_obj
def list_papers(installation: Installation, state: str | None) -> None:
    """Print every paper: id, state, seed, fingerprint, name."""
    query = sa.select(Paper).order_by(Paper.id)
    if state:
        query = query.where(Paper.state == PaperState(state))
    with installation.database.open(None, reads_only=True) as session:
        for paper in session.scalars(query):
            click.echo(f"{paper.id:6d}  {paper.state.value:<9}  {paper.seed:10d}  {(paper.fingerprint or '-')[:16]:<16}  "
                       f"{paper.name}")


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
