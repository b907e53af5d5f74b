"""Console: ``examroom papers``."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from qbank.kernel.commands import BY_HAND, Installation
from qbank.kernel.refused import Refused
from qbank.papers import lists, packs
from qbank.papers.assembly import assemble
from qbank.papers.engine.rules import STANDARD, Equal, Overlap, Rule
from qbank.papers.excel_forms import forms_workbook
from qbank.papers.excel_pool import read_pool, template
from qbank.papers.models import Paper, PaperState
from qbank.papers.sealing import verify as same

group = click.Group("papers", help="Papers and their fingerprints.")


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in PaperState]), help="only papers in this state")
@click.pass_obj
def list_papers(installation: Installation, state: str | None) -> None:
    """Print every paper: id, state, seed (unless it is shut), fingerprint, name."""
    query = sa.select(Paper).order_by(Paper.id)
    if state:
        query = query.where(Paper.state == PaperState(state))
    with installation.database.open(None, reads_only=True) as session:
        for paper in session.scalars(query):
            state = "shut" if paper.is_shut else "opened" if paper.opened_at else paper.state.value
            click.echo(f"{paper.id:6d}  {state:<9}  {'-' if paper.seed is None else paper.seed:>19}  "
                       f"{(paper.fingerprint or '-')[:16]:<16}  {paper.name}")


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


@group.command("rotate-key")
@click.pass_obj
def rotate_key(installation: Installation) -> None:
    """Make a new installation key, wrap the key of every sealed paper and print under it, and forget the old one.

    Safe to run while the server runs, and to run again after it was interrupted: the key file holds both keys until all
    is written. Afterwards put a copy of papers.key where the backups of the keys are.
    """
    with installation.database.transaction(BY_HAND) as session:
        name, count = packs.rotate(session)
    with installation.database.open(None, reads_only=True) as session:
        for unused in packs.unused_keys(session):
            installation.settings.paper_keys.drop(unused)
    click.echo(f"{count} packs and prints are wrapped under the new key {name}; keys in the file: "
               f"{len(installation.settings.paper_keys.names())}")


@group.command("encrypt-lists")
@click.pass_obj
def encrypt_lists(installation: Installation) -> None:
    """Once after the upgrade to schema 0005: encrypt pinned and barred items that an older release wrote in clear.

    Copies of the database and audit entries made before keep them; nothing can take them out of the chained trail.
    """
    with installation.database.transaction(BY_HAND) as session:
        count = lists.encrypt_old(session)
    click.echo(f"{count} specifications held their pinned or barred items in clear; they are encrypted now")


@group.command("template")
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="the .xlsx to write")
def write_template(out: Path) -> None:
    """Write an empty pool workbook that `papers assemble` reads."""
    out.write_bytes(template())
    click.echo(f"written to {out}")


@group.command("assemble")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="the .xlsx to write")
@click.option("--forms", type=click.IntRange(1, 500), default=1, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), default=0, show_default=True)
@click.option("--overlap", type=click.IntRange(0), default=None, help="most items that two forms share  [default: as few as possible]")
@click.option("--cut", type=click.FloatRange(-4, 4), default=0.0, show_default=True, help="ability of the pass mark")
@click.option("--match/--no-match", default=True, show_default=True, help="make the forms measure alike at and beside the cut")
@click.option("--seconds", type=click.FloatRange(1, 600), default=20.0, show_default=True, help="limit of each search")
def assemble_file(file: Path, out: Path, forms: int, seed: int, overlap: int | None, cut: float, match: bool, seconds: float) -> None:
    """Assemble parallel forms from an Excel pool (sheets 试题, 范围, 题型, 互斥), without a database. See `papers template`."""
    try:
        read = read_pool(file.read_bytes(), cut=cut)
        others = [rule for rule in STANDARD if not isinstance(rule, Overlap)]
        rules: list[Rule] = [*others, Overlap(most=overlap), *([Equal()] if match else [])]
        made = assemble(read.pool, read.quotas, forms=forms, rules=rules, seed=seed, seconds=seconds)
    except Refused as refusal:
        raise click.ClickException("\n".join((refusal.sentence, *refusal.details))) from refusal
    out.write_bytes(forms_workbook(read, made, file.name, seed))
    missed = sum(not line.kept for lines in made.lines for line in lines)
    click.echo(f"{forms} forms of {len(made.forms[0])} items from {len(read.pool)}: {made.status}; {made.seconds:.1f} s; "
               f"at most {made.shared} shared; {missed} soft demands missed")
    click.echo(f"written to {out}")
