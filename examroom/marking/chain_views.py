"""Doors: whether the records of answers of a sitting hold together (核验作答记录)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.marking import chains
from examroom.marking.blueprint import blueprint
from examroom.plans.models import Sitting
from qbank.kernel.access import fetch
from qbank.kernel.web import db, now, viewer


@blueprint.get("/sittings/<int:sitting_id>/records")
def records(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    found = chains.look(db(), sitting)
    return render_template("marking/records.html", sitting=sitting, found=found, shown=chains.SHOWN, persons=chains.PERSONS,
                           may=sitting.state in chains.SAT and viewer().account_id not in {one.account_id for one in found.acknowledged})


@blueprint.post("/sittings/<int:sitting_id>/records")
def acknowledge_records(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    chains.acknowledge(db(), sitting, request.form.get("comment", ""), viewer(), now=now())
    flash("已登记您的结论。", "success")
    return redirect(url_for("marking.records", sitting_id=sitting.id))
