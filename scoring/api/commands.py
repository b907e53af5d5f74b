"""Console: the API."""

from __future__ import annotations

import json

import click

from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import spoken, utc_now
from scoring.api import openapi, tokens
from scoring.api.models import Reads

group = click.Group("api", help="The JSON API for supervision platforms.")


@group.command("document")
def document() -> None:
    """Print the OpenAPI document."""
    import scoring.api.views  # noqa: F401  # the operations are registered where they stand

    click.echo(json.dumps(openapi.document(), ensure_ascii=False, indent=2))


@group.command("issue")
@click.argument("name")
@click.argument("region")
@click.option("--reads", multiple=True, type=click.Choice([one.value for one in Reads]), required=True, help="what it may read; several times")
@click.option("--days", type=click.Choice([str(days) for days in tokens.DAYS]), default="365", help="for how long")
@acting_as
@click.pass_obj
def issue(installation: Installation, name: str, region: str, reads: tuple[str, ...], days: str, login: str) -> None:
    """Issue a token for a region and print it, once."""
    with installation.acting(login) as (session, viewer):
        token, secret = tokens.issue(session, name, reads, viewer, region=region, days=int(days), now=utc_now())
        click.echo(f"{secret}  {token.name}  {spoken(token.expires_at)}")
