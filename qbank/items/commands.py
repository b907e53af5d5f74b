"""Console: ``examroom items``."""

from __future__ import annotations

import click

from qbank.items.listing import counts_by_table
from qbank.kernel.commands import Installation
from qbank.standards.models import WeightTable

group = click.Group("items", help="The item bank.")


@group.command()
@click.pass_obj
def count(installation: Installation) -> None:
    """Print how many item versions each bank holds, by state."""
    with installation.database.open(None, reads_only=True) as session:
        found = counts_by_table(session)
        for table_id, state, number in found:
            click.echo(f"{number:6d}  {state.value:<10}  table {table_id}: {session.get_one(WeightTable, table_id).label}")
    if not found:
        click.echo("the bank is empty: import a workbook with `examroom exchange import`")
