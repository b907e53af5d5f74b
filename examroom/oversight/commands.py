"""Console: quality supervision."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from examroom.oversight import drawing
from examroom.oversight.models import Supervision
from qbank.kernel.commands import Installation

group = click.Group("oversight", help="Quality supervision.")


@group.command("list")
@click.option("--missing", is_flag=True, help="only those without a report")
@click.pass_obj
def list_supervisions(installation: Installation, missing: bool) -> None:
    """Print who supervises which plan, and whether the report is in."""
    query = sa.select(Supervision).order_by(Supervision.id)
    if missing:
        query = query.where(Supervision.reported_at.is_(None))
    with installation.database.open(None, reads_only=True) as session:
        for found in session.scalars(query):
            filed = f"{found.reported_at:%Y-%m-%d %H:%M}Z" if found.reported_at else "no report"
            click.echo(f"{found.plan.number}\t{found.plan.institution.name}\t{found.supervisor.name}\t{filed}\t{found.plan.title}")


@group.command()
@click.argument("record", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def replay(record: Path) -> None:
    """Draw again from the downloaded RECORD of a double random draw; needs no database and no account."""
    try:
        wrong = drawing.replay(record.read_text("utf-8"))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for line in wrong:
        click.echo(line)
    if wrong:
        raise click.ClickException("the record is not what its seed and pool give")
    click.echo("重新抽取一致：对象和督导员与记录相同。")
