"""Console: ``examroom stats``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pandas as pd

from qbank.kernel.access import visible
from qbank.kernel.accounts import Institution
from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.export import workbook
from qbank.standards.packs import pack_for
from qbank.statistics.abilities import ability
from qbank.statistics.analysis import item_analysis
from qbank.statistics.calibration_workbook import tables
from qbank.statistics.irt import MODELS, calibrate
from qbank.statistics.item_fit import infit_outfit, s_x2
from qbank.statistics.listing import numbers_of
from qbank.statistics.models import ItemStatistic
from qbank.statistics.response_files import read_responses
from qbank.statistics.verdicts import Thresholds, flags

group = click.Group("stats", help="Item statistics.")


@group.command()
@acting_as
@click.pass_obj
def suspects(installation: Installation, login: str) -> None:
    """Print the items whose numbers ask for a look: a suspected wrong key, a leak, too hard, too easy, misfit."""
    with installation.acting(login) as (session, who):
        for statistic in session.scalars(visible(ItemStatistic, who).where(ItemStatistic.current).order_by(ItemStatistic.item_rest)):
            item = statistic.version.item
            limits = Thresholds.of(pack_for(session, session.get_one(Institution, item.institution_id)))
            if found := flags(numbers_of(statistic), limits):
                click.echo(f"item {item.id:6d}  n {statistic.n:5d}  p {shown(statistic.difficulty)}  "
                           f"r {shown(statistic.item_rest)}  {'、'.join(flag.chinese for flag in found)}")


def shown(number: float | None) -> str:
    """Two decimals, or a dash for what is not defined."""
    return "    -" if number is None else f"{number:5.2f}"


@group.command("calibrate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", type=click.Choice(MODELS), default="2PL", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="the .xlsx to write")
@click.option("--priors/--no-priors", default=None, help="weak default priors  [default: only for 3PL]")
@click.option("--blank", type=click.Choice(["auto", "omitted", "not-presented"]), default="auto", show_default=True,
              help="what an empty cell means")
def calibrate_file(file: Path, model: str, out: Path, priors: bool | None, blank: str) -> None:
    """Calibrate a response file of another program: items as columns, persons as rows, 0/1/blank or raw answers with a row
    that begins with "key" or 答案. Needs no database."""
    found: dict[str, Any] = {}
    wanted = "default" if (model == "3PL" if priors is None else priors) else None

    def read() -> None:
        found["file"] = read_responses(file.read_bytes(), file.name, blank=blank)

    def fit() -> None:
        found["calibration"] = calibrate(found["file"].responses, model, priors=wanted)

    def score() -> None:
        found["theta"], found["se"] = ability(found["calibration"], found["file"].responses)

    def judge() -> None:
        calibration, responses = found["calibration"], found["file"].responses
        misfit, squares = s_x2(calibration, responses, estimated=PARAMETERS[model]), infit_outfit(calibration, responses, found["theta"])
        found["fit"] = pd.DataFrame({"S-X²": misfit.statistic, "自由度": misfit.degrees, "p": misfit.p, "RMSEA": misfit.rmsea,
                                     "infit": squares.infit, "outfit": squares.outfit, "infit t": squares.infit_t,
                                     "outfit t": squares.outfit_t}, index=pd.Index(responses.items))

    def analyse() -> None:
        found["analysis"] = item_analysis(found["file"].responses, key=found["file"].key)

    def write() -> None:
        calibration, persons = found["calibration"], found["file"].persons
        out.write_bytes(workbook(tables(calibration, found["analysis"], found["fit"], persons, found["theta"], found["se"], file.name)))

    stages: list[tuple[str, Callable[[], None]]] = [
        ("reading", read), ("calibrating", fit), ("scoring persons", score), ("judging the fit", judge),
        ("classical numbers", analyse), ("writing", write)]
    with click.progressbar(stages, label="stats calibrate", item_show_func=lambda one: one[0] if one else "") as bar:
        for _, act in bar:
            act()
    _say(found["calibration"], found["analysis"].persons, out)


PARAMETERS = {"Rasch": 1, "1PL": 1, "2PL": 2, "3PL": 3}


def _say(calibration: Any, persons: int, out: Path) -> None:
    click.echo(f"{persons} persons, {calibration.n_items} items, {calibration.model}: log likelihood {calibration.log_likelihood:.4f}, "
               f"gradient {calibration.gradient_norm:.2g}, {calibration.iterations} iterations, {calibration.nodes} nodes")
    for warning in calibration.warnings:
        click.echo(f"warning: {warning}", err=True)
    for place, reason in calibration.reasons.items():
        click.echo(f"item {(calibration.items or ())[place] if calibration.items else place + 1}: {reason}", err=True)
    if not calibration.converged:
        raise click.ClickException(f"the calibration did not converge; {out} holds what was reached, do not use its parameters")
    click.echo(f"written to {out}")
