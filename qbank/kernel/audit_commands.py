"""``examroom audit ...``: what nobody may have changed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from qbank.kernel import append_only, audit, database_role, trail
from qbank.kernel.commands import Installation
from qbank.kernel.times import utc_now
from qbank.kernel.trail import Trail

group = click.Group("audit", help="The audit trail (审计留痕).")
MOST_SHOWN = 20


@group.command()
@click.option("--from-head", "heads", multiple=True, metavar="HEX",
              help="head as printed on a room record, an evidence pack or elsewhere: the trail must go on from it")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@click.pass_obj
def verify(installation: Installation, heads: Sequence[str], as_json: bool) -> None:
    """Walk the whole chain and name the first broken link. Status 1: broken, or a head is unknown."""
    with installation.database.open(None, reads_only=True) as session:
        found = trail.examine(session, heads)
    click.echo(json.dumps(_plain(found), ensure_ascii=False) if as_json else "\n".join(_lines(found)))
    if not found.holds:
        raise SystemExit(1)


def _lines(found: Trail) -> list[str]:
    lines = [f"{'ok  ' if found.holds else 'BAD '} {found.entries} entries, head {found.head}"]
    if found.breaks:
        lines.append(f"     first broken link: {found.breaks[0].sentence}")
        lines += [f"     {one.sentence}" for one in found.breaks[1:MOST_SHOWN]]
        if more := len(found.breaks) - MOST_SHOWN:
            lines += [f"     and {more} more"] if more > 0 else []
    return lines + [f"{'ok  ' if head.untouched else 'BAD '} {head.sentence}" for head in found.heads]


def _plain(found: Trail) -> dict[str, object]:
    return {"holds": found.holds, "entries": found.entries, "head": found.head, "breaks": len(found.breaks),
            "first_break": {"entry": found.breaks[0].entry_id, "sentence": found.breaks[0].sentence} if found.breaks else None,
            "heads": [{"head": head.digest, "place": head.place, "entry": head.entry_id, "at": head.at.isoformat() if head.at else None,
                       "untouched": head.untouched} for head in found.heads]}


@group.command()
@click.pass_obj
def head(installation: Installation) -> None:
    """Print the newest head, to be written down or kept on another machine."""
    with installation.database.open(None, reads_only=True) as session:
        click.echo(f"{audit.head(session)} {utc_now():%Y-%m-%dT%H:%M:%SZ}")


@group.command()
@click.argument("name")
@click.option("--apply", "applied", is_flag=True, help="run it over EXAMROOM_DATABASE_URL, which must be the owner's address")
@click.pass_obj
def role(installation: Installation, name: str, applied: bool) -> None:
    """Print the SQL of a PostgreSQL role NAME that may not change the trail; run it after every upgrade."""
    with installation.database.engine.begin() as connection:
        wanted = database_role.statements(connection, name)
        for statement in wanted if applied else ():
            connection.exec_driver_sql(statement)
    click.echo(f"role {name}: {len(append_only.tables())} tables that it can only add to" if applied
               else "\n".join(("BEGIN;", *(f"{statement};" for statement in wanted), "COMMIT;")))
