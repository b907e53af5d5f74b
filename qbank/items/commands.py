"""Console: ``examroom items``."""

from __future__ import annotations

import click

from qbank.items import figures as item_figures
from qbank.items.listing import counts_by_table
from qbank.kernel.commands import Installation
from qbank.kernel.db import Actor
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


@group.command()
@click.pass_obj
def figures(installation: Installation) -> None:
    """Compute anew how often each item was used and its newest statistics, which the list filters by."""
    with installation.database.transaction(Actor(None, "系统：命令行")) as session:
        click.echo(f"figures of {item_figures.rebuild(session)} items computed anew")
