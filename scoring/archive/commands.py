"""Console: the archive."""

from __future__ import annotations

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.times import utc_now
from scoring.archive import desk
from scoring.archive.models import ArchivePack

group = click.Group("archive", help="Evidence packs (归档).")


@group.command()
@click.argument("plan", required=False)
@click.pass_obj
def verify(installation: Installation, plan: str | None) -> None:
    """Check every pack, or the one of PLAN (its number), against its hashes and the audit trail."""
    with installation.database.open(None, reads_only=True) as session:
        query = sa.select(ArchivePack).join(ArchivePack.plan).order_by(ArchivePack.id)
        packs = session.scalars(query.where(ExamPlan.number == plan) if plan else query).all()
        if plan and not packs:
            raise click.ClickException(f"no pack of a plan {plan!r}")
        if sum(not _said(session, found) for found in packs):  # says all of them, not only the first bad one
            raise SystemExit(1)


def _said(session: Session, found: ArchivePack) -> bool:
    findings = desk.verify(session, found)
    click.echo(f"{'BAD ' if findings else 'ok  '} {found.plan.number} {found.sha256[:16]} {found.keep_until}")
    for finding in findings:
        click.echo(f"     {finding}")
    return not findings


@group.command()
@click.argument("plan")
@acting_as
@click.pass_obj
def pack(installation: Installation, plan: str, login: str) -> None:
    """Pack the evidence of PLAN (its number)."""
    with installation.acting(login) as (session, viewer):
        found = session.scalar(visible(ExamPlan, viewer).where(ExamPlan.number == plan))
        if found is None:
            raise click.ClickException(f"no plan {plan!r} that {login!r} may see")
        made = desk.pack(session, found, viewer, now=utc_now())
    click.echo(f"packed {plan}: {made.size} bytes, sha256 {made.sha256}, kept until {made.keep_until}")
