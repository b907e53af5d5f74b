"""Console: ``examroom exchange``."""

from __future__ import annotations

from pathlib import Path

import click

from qbank.exchange import batches
from qbank.items.models import RowVerdict
from qbank.kernel.access import Role, fetch
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from qbank.standards.models import WeightTable

group = click.Group("exchange", help="Items in from Excel.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--table", "table_id", type=int, required=True, help="id of the theory weight table")
@click.option("--preview", is_flag=True, help="check the file and import nothing")
@acting_as
@click.pass_obj
def import_file(installation: Installation, file: Path, table_id: int, preview: bool, login: str) -> None:
    """Import the good rows of an Excel workbook and print what is wrong with the others."""
    with installation.acting(login) as (session, viewer):
        institution_id = viewer.institution_for(Role.ITEM_AUTHOR)
        if institution_id is None:
            raise click.ClickException(f"account {login!r} is not an item author of any institution")
        table = fetch(session, WeightTable, table_id, viewer)
        now = utc_now()
        batch = batches.upload(session, table, institution_id, file.name, file.read_bytes(), viewer, now=now)
        counts = batches.counts(session, batch)
        for row in session.scalars(batches.rows(batch, RowVerdict.WRONG)):
            click.echo(f"{row.sheet_name} 第 {row.row_number} 行：{' '.join(row.errors)}", err=True)
        summary = f"{counts[RowVerdict.WRONG]} wrong, {counts[RowVerdict.DUPLICATE]} doubles"
        if preview:
            batches.discard(session, batch, viewer, now=now)
            click.echo(f"{counts[RowVerdict.GOOD]} items can be imported, {summary}; nothing was imported")
        else:
            click.echo(f"batch {batch.id}: {batches.apply(session, batch, viewer, now=now)} items imported, {summary}")
