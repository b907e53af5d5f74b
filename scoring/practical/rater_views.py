"""Doors: how the assessors of a plan agree (评分质量)."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request
from werkzeug.wrappers import Response

from examroom.plans.models import ExamPlan
from qbank.kernel.access import fetch
from qbank.kernel.web import db, viewer
from qbank.statistics.blueprint import picture
from scoring.practical import rating
from scoring.practical.blueprint import blueprint


@blueprint.get("/plans/<int:plan_id>/raters")
def raters(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    return render_template("practical/raters.html", plan=plan, groups=rating.groups_of(db(), plan, viewer()),
                           models=rating.many_facets(db(), plan, viewer()), known=rating.known, least=rating.LEAST_RATINGS)


@blueprint.get("/plans/<int:plan_id>/raters/plot.svg")
def rater_plot(plan_id: int) -> Response:
    """``show``: severity or totals of ``group``, or facets of the model with that number."""
    from qbank.statistics import plots_raters  # matplotlib takes a second to load, and most processes never draw

    plan, name = fetch(db(), ExamPlan, plan_id, viewer()), request.args.get("show", "severity")
    if name == "facets":
        models = rating.many_facets(db(), plan, viewer())
        place = request.args.get("model", 0, type=int)
        if not 0 <= place < len(models):
            abort(404)
        found = models[place].found.raters
        bars = tuple(zip(models[place].names, found.values.tolist(), found.errors.tolist(), strict=True))
        return picture(plots_raters.severity(tuple(bar for bar in bars if rating.known(bar[1])), "严厉程度（logit，向右更严）"))
    key = request.args.get("group", 0, type=int)
    one = next((group for group in rating.groups_of(db(), plan, viewer()) if group.group.id == key), None)
    if one is None:
        abort(404)
    if name == "totals":
        return picture(plots_raters.totals(one.names, tuple(map(tuple, one.totals.tolist())), one.passing))
    bars = tuple(zip(one.names, one.severity.effects.tolist(), one.severity.errors.tolist(), strict=True))
    return picture(plots_raters.severity(bars, "比同组其他考评员平均多给的分（向右更宽）"))
