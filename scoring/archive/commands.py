"""Console: the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import visible
from qbank.kernel.accounts import Account
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.refused import Refused
from qbank.kernel.times import utc_now
from scoring.archive import desk, person, verifier
from scoring.archive.models import ArchivePack
from scoring.archive.signature import key_names

group = click.Group("archive", help="Evidence packs (归档).")


@group.command()
@click.argument("pack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, help="thumbprint of the school's key as printed on the volume's cover, or its keys.json")
@click.option("--head", "heads", multiple=True, help="head of the audit trail as printed on a signed form")
def verify(pack: Path, keys: Sequence[str], heads: Sequence[str]) -> None:
    """Check the file PACK by itself: no database, no installation. Names every file, sheet and entry that is not as it was."""
    with pack.open("rb") as stream:
        report = verifier.examine(stream, keys=list(_thumbprints(keys)), heads=heads)
    click.echo("\n".join(verifier.told(report)))
    if report.findings:
        raise SystemExit(1)


def _thumbprints(keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        if not Path(key).is_file():
            yield key
            continue
        try:
            yield from (verifier.thumbprint(one) for one in json.loads(Path(key).read_bytes())["keys"])
        except (ValueError, KeyError, TypeError) as error:
            raise click.ClickException(f"{key} is no key set (keys.json): {error}") from error


@group.command()
@click.argument("plan", required=False)
@click.pass_obj
def check(installation: Installation, plan: str | None) -> None:
    """Check every kept pack, or the one of PLAN (its number), by itself and against what the audit trail knows of it."""
    with installation.database.open(None, reads_only=True) as session:
        names = key_names(session, installation.settings, now=utc_now())
        query = sa.select(ArchivePack).join(ArchivePack.plan).where(ArchivePack.destroyed_at.is_(None)).order_by(ArchivePack.id)
        packs = session.scalars(query.where(ExamPlan.number == plan) if plan else query).all()
        if plan and not packs:
            raise click.ClickException(f"no pack of a plan {plan!r}")
        if sum(not _said(session, found, names) for found in packs):  # says all of them, not only the first bad one
            raise SystemExit(1)


def _said(session: Session, found: ArchivePack, names: Sequence[str]) -> bool:
    try:
        findings = desk.verify(session, found, keys=names)
    except Refused as refusal:
        findings = [refusal.sentence]
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
    click.echo(f"packed {plan}: {made.size} bytes, sha256 {made.sha256}, kept until {made.keep_until}, signed by {made.signed_by}")


@group.command("person")
@click.argument("ticket")
@acting_as
@click.option("--reason", required=True, help="why the copy is taken; kept on record")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.xlsx to read, FILE.json for machines")
@click.pass_obj
def person_copy(installation: Installation, ticket: str, login: str, reason: str, out: Path) -> None:
    """Write everything that is held about one person: the one with this TICKET number, or with this login."""
    with installation.acting(login) as (session, viewer):
        enrolled = sa.select(Enrolment.account_id).where(Enrolment.ticket_number == ticket)
        found = session.scalar(visible(Account, viewer).where(sa.or_(Account.login == ticket, Account.id.in_(enrolled))))
        if found is None:
            raise click.ClickException(f"no person {ticket!r} that {login!r} may see")
        content = person.copy_for(session, found, viewer, reason, out.suffix.removeprefix("."), cipher=installation.settings.identity_cipher(), now=utc_now())
        out.write_bytes(content)
    click.echo(f"{out}: {len(content)} bytes; it holds the identity number in full")
