"""Doors: the whole bank at a glance, and the runs that its numbers come from."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from qbank.items.models import ItemVersion
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.jobs import enqueue
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for
from qbank.statistics import listing, verdicts
from qbank.statistics.blueprint import Bank, blueprint, chosen_bank, picture
from qbank.statistics.holds import shut
from qbank.statistics.models import FormStatistic, ItemStatistic, StatisticRun

MOST_POINTS = 2000  # a page that a browser still draws
RUN = "{run}"  # what the background work puts the number of its run for


@blueprint.get("/bank")
def bank() -> Any:
    chosen = chosen_bank(request.args.get("bank", ""))
    if chosen is None:
        return render_template("statistics/bank.html", bank=None)
    from qbank.statistics.plots_bank import HEIGHT, WIDTH, places

    rows = _rows(chosen)
    points = _points(rows, chosen)
    return render_template("statistics/bank.html", bank=chosen, spots=list(zip(rows, points, places(points), strict=True)),
                           width=WIDTH, height=HEIGHT, run=_newest(chosen), waiting=_waiting(chosen),
                           flags_of=lambda row: verdicts.flags(listing.numbers_of(row), chosen.limits))


@blueprint.get("/bank.svg")
def bank_plot() -> Any:
    """One plot of the bank: ``show`` is scatter or wright."""
    from qbank.statistics import plots_bank

    chosen, name = chosen_bank(request.args.get("bank", "")), request.args.get("show", "scatter")
    if chosen is None or chosen.value != request.args.get("bank", chosen.value) or name not in {"scatter", "wright"}:
        abort(404)
    if name == "scatter":
        limits = chosen.limits
        return picture(plots_bank.scatter(_points(_rows(chosen), chosen), limits.hard, limits.easy, limits.weak))
    run = _newest(chosen)
    if run is None or not run.abilities:
        abort(404)
    places = db().scalars(_current(chosen).where(ItemStatistic.b.is_not(None)).with_only_columns(ItemStatistic.b))
    return picture(plots_bank.wright(tuple((float(place), int(count)) for place, count in run.abilities),
                                     tuple(float(b) for b in places if b is not None), cut_of(run)))


@blueprint.get("/runs")
def runs() -> Any:
    chosen = chosen_bank(request.args.get("bank", ""))
    if chosen is None:
        return render_template("statistics/runs.html", bank=None)
    rows, total, page, pages = paged(db(), _runs(chosen).order_by(StatisticRun.id.desc()))
    return render_template("statistics/runs.html", bank=chosen, rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/runs/<int:run_id>")
def run(run_id: int) -> Any:
    found = fetch(db(), StatisticRun, run_id, viewer())
    anchors = found.scale.get("anchors", [])
    versions = {version.id: version for version in db().scalars(visible(ItemVersion, viewer()).where(
        ItemVersion.id.in_([one["version"] for one in anchors])))}
    minimum = pack_for(db(), db().get_one(Institution, found.institution_id)).statistics_minimum_n
    return render_template("statistics/run.html", run=found, versions=versions, minimum=minimum, bank_value=f"{found.institution_id}:{found.table_id}",
                           shut=shut(db(), [form.paper_id for form in found.forms], now=now()),
                           anchors=sorted(anchors, key=lambda one: -abs(one["distance"] or 0)), cut=cut_of(found))


@blueprint.post("/recompute")
def recompute() -> Any:
    """A new run over all marked sittings of the bank, in the background."""
    chosen = chosen_bank(request.form.get("bank", ""))
    if chosen is None or chosen.value != request.form.get("bank"):
        abort(404)
    result = url_for("statistics.run", run_id=0).replace("/0", f"/{RUN}")
    job = enqueue(db(), "marking.statistics", {"institution": chosen.school.id, "table": chosen.table.id,
                                               "occasion": f"{viewer().name}要求重新计算", "result": result,
                                               "nothing": url_for("statistics.runs", bank=chosen.value)}, viewer(), now=now())
    flash("已开始重新计算，完成后显示结果。", "success")
    return redirect(url_for("accounts.job", job_id=job.id))


def cut_of(run: StatisticRun) -> float | None:
    """The ability of the pass mark."""
    return next((float(form.figures["cut_theta"]) for form in run.forms if form.figures.get("cut_theta") is not None), None)


def forms_of(chosen: Bank) -> list[FormStatistic]:
    """The papers of the newest run."""
    newest = _newest(chosen)
    return list(newest.forms) if newest else []


def _runs(chosen: Bank) -> sa.Select[StatisticRun]:
    return visible(StatisticRun, viewer()).where(StatisticRun.institution_id == chosen.school.id,
                                                 StatisticRun.table_id == chosen.table.id)


def _newest(chosen: Bank) -> StatisticRun | None:
    return db().scalars(_runs(chosen).order_by(StatisticRun.id.desc()).limit(1)).one_or_none()


def _current(chosen: Bank) -> sa.Select[ItemStatistic]:
    return listing.current(viewer(), chosen.school.id, chosen.table.id)


def _rows(chosen: Bank) -> list[ItemStatistic]:
    """What the scatter shows: enough answers, both numbers defined."""
    return list(db().scalars(_current(chosen).where(
        ItemStatistic.n >= chosen.limits.minimum, ItemStatistic.difficulty.is_not(None), ItemStatistic.item_rest.is_not(None))
        .options(joinedload(ItemStatistic.version)).order_by(ItemStatistic.difficulty, ItemStatistic.id).limit(MOST_POINTS)))


def _waiting(chosen: Bank) -> int:
    """Items with too few answers to stand in the scatter."""
    query = _current(chosen).where(ItemStatistic.n < chosen.limits.minimum).with_only_columns(sa.func.count())
    return db().scalar(query) or 0


def _points(rows: list[ItemStatistic], chosen: Bank) -> tuple[tuple[float, float, int], ...]:
    order = list(verdicts.Flag)
    found = []
    for row in rows:
        first = next(iter(verdicts.flags(listing.numbers_of(row), chosen.limits)), None)
        found.append((row.difficulty or 0.0, row.item_rest or 0.0, 0 if first is None else order.index(first) + 1))
    return tuple(found)
