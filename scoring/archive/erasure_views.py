"""Doors: personal data that goes after its time (到期删除)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from scoring.archive import erasing
from scoring.archive.blueprint import blueprint
from scoring.archive.erasure_models import Erasure


@blueprint.get("/erasures")
def erasures() -> Any:
    schools = [one for one in db().scalars(visible(Institution, viewer()).order_by(Institution.id)) if on_duty(db(), viewer(), one.id, Role.EXAM_OFFICER)]
    rows, total, page, pages = paged(db(), visible(Erasure, viewer()).order_by(Erasure.id.desc()))
    return render_template("archive/erasures.html", due=[(one, erasing.due(db(), one, local_date(now()))) for one in schools],
                           rows=rows, total=total, page=page, pages=pages)


@blueprint.post("/erasures/institutions/<int:institution_id>")
def ask_erasure(institution_id: int) -> Any:
    school = fetch(db(), Institution, institution_id, viewer())
    made = erasing.ask(db(), school, viewer(), request.form.get("reason", ""), now=now())
    flash(f"已提出 {len(made.people)} 名考生的到期删除申请，请另一名考务员核准。")
    return redirect(url_for("archive.erasures"))


@blueprint.post("/erasures/<int:erasure_id>")
def decide_erasure(erasure_id: int) -> Any:
    found = fetch(db(), Erasure, erasure_id, viewer())
    job = erasing.decide(db(), found, viewer(), request.form.get("approves") == "1", request.form.get("comment", ""), now=now())
    if job:
        return redirect(url_for("accounts.job", job_id=job.id))
    flash("已记录不同意删除。")
    return redirect(url_for("archive.erasures"))
