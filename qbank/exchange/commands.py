"""Console: ``examroom exchange``."""

from __future__ import annotations

import io
from pathlib import Path

import click

from qbank.exchange import batches, exporting
from qbank.exchange.blueprint import place_of
from qbank.exchange.readers import FORMATS
from qbank.exchange.workbooks import spoken_errors
from qbank.exchange.writers import write
from qbank.items.states import BatchState, RowVerdict
from qbank.kernel.access import Role, fetch
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from qbank.standards.models import WeightTable

group = click.Group("exchange", help="Items in from files of many formats, and out again.")
READABLE = click.Choice([one.name for one in FORMATS.values() if one.reads])
WRITABLE = click.Choice([one.name for one in FORMATS.values() if one.writes])


@group.command("formats")
def formats() -> None:
    """The formats that can be read and written."""
    for one in FORMATS.values():
        ways = " ".join(way for way, can in (("in", one.readable), ("out", one.writable)) if can)
        click.echo(f"{one.name:8}  {ways or '-':6}  {one.extension:6}  {one.chinese}：{one.about}")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--table", "table_id", type=int, required=True, help="id of the theory weight table")
@click.option("--format", "format_name", type=READABLE, default=None, help="found out from the content when not given")
@click.option("--preview", is_flag=True, help="check the file and import nothing")
@acting_as
@click.pass_obj
def import_file(installation: Installation, file: Path, table_id: int, format_name: str | None, preview: bool,
                login: str) -> None:
    """Import the good items of a file and print what is wrong with the others."""
    with installation.acting(login) as (session, viewer):
        institution_id = viewer.institution_for(Role.ITEM_AUTHOR)
        if institution_id is None:
            raise click.ClickException(f"account {login!r} is not an item author of any institution")
        table = fetch(session, WeightTable, table_id, viewer)
        now = utc_now()
        batch = batches.upload(session, table, institution_id, file.name, file.read_bytes(), viewer, now=now,
                               format=format_name or "")
        if batch.state is BatchState.MAPPING:
            click.echo(f"batch {batch.id}: the columns have to be named first, on the page /exchange/{batch.id}/columns")
            return
        counts = batches.counts(session, batch)
        for row in session.scalars(batches.rows(batch, RowVerdict.WRONG, RowVerdict.UNMATCHED)):
            click.echo(f"{place_of(row)}：{' '.join(sentence for _, sentence in spoken_errors(row))}", err=True)
        summary = (f"{counts[RowVerdict.WRONG]} wrong, {counts[RowVerdict.DUPLICATE]} doubles, "
                   f"{counts[RowVerdict.UNMATCHED]} without a point")
        if preview:
            batches.discard(session, batch, viewer, now=now)
            click.echo(f"{counts[RowVerdict.GOOD]} items can be imported, {summary}; nothing was imported")
        else:
            click.echo(f"batch {batch.id}: {batches.apply(session, batch, viewer, now=now)} items imported, {summary}")


@group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--table", "table_id", type=int, required=True, help="id of the theory weight table")
@click.option("--format", "format_name", type=WRITABLE, required=True)
@acting_as
@click.pass_obj
def export_file(installation: Installation, file: Path, table_id: int, format_name: str, login: str) -> None:
    """Write the items of a bank to FILE and print what the format could not carry."""
    with installation.acting(login) as (session, viewer):
        institution_id = viewer.institution_for(Role.ITEM_AUTHOR, Role.PAPER_COMPOSER)
        if institution_id is None:
            raise click.ClickException(f"account {login!r} is not an author or composer of any institution")
        table = fetch(session, WeightTable, table_id, viewer)
        wish = exporting.Wish(institution_id, table.id, {}, format_name)
        stream = io.BytesIO()
        drafts, hidden = exporting.gathered(session, wish, viewer)
        report = write(drafts, stream, format_name)
        exporting.keep(session, wish, file.name, stream.getvalue(), report, viewer, now=utc_now(), content_too=False)
        file.write_bytes(stream.getvalue())
        for loss in (*hidden, *report.losses):
            click.echo(f"{loss.place} {loss.field}：{loss.sentence}", err=True)
        click.echo(f"{report.written} items written to {file}, {len(report.losses) + len(hidden)} losses")
