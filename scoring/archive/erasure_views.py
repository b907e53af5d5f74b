"""Doors: personal data: what goes after its time (到期删除), and a copy of what is held about one person (个人信息副本)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.times import local_date
from qbank.kernel.web import db, identity_cipher, now, paged, viewer
from scoring.archive import erasing, person
from scoring.archive.blueprint import blueprint
from scoring.archive.erasure_models import Erasure, PersonExport

MOST_SHOWN = 200  # names of a list


@blueprint.get("/erasures")
def erasures() -> Any:
    schools = [one for one in db().scalars(visible(Institution, viewer()).order_by(Institution.id)) if on_duty(db(), viewer(), one.id, Role.EXAM_OFFICER)]
    rows, total, page, pages = paged(db(), visible(Erasure, viewer()).order_by(Erasure.id.desc()))
    return render_template("archive/erasures.html", due=[(one, erasing.due(db(), one, local_date(now()))) for one in schools],
                           asked=erasing.waiting(db(), [one.id for one in schools]), most=MOST_SHOWN, names=_names(rows),
                           rows=rows, total=total, page=page, pages=pages)


def _names(rows: Sequence[Erasure]) -> dict[int, str]:
    """Account → name, of everybody whom the rows show."""
    keys = {key for one in rows for key in [*one.people[:MOST_SHOWN], *(kept for kept, _ in one.kept[:MOST_SHOWN])]}
    return dict(db().execute(sa.select(Account.id, Account.name).where(Account.id.in_(keys))).all())


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


@blueprint.get("/people/<int:account_id>")
def person_copy(account_id: int) -> Any:
    found = fetch(db(), Account, account_id, viewer())
    person.require_keeper(db(), found, viewer())
    taken = db().scalars(visible(PersonExport, viewer()).where(PersonExport.account_id == found.id).order_by(PersonExport.id.desc())).all()
    return render_template("archive/person.html", person=found, taken=taken)


@blueprint.post("/people/<int:account_id>")
def take_person_copy(account_id: int) -> Any:
    found, form = fetch(db(), Account, account_id, viewer()), request.form.get("form", "")
    content = person.copy_for(db(), found, viewer(), request.form.get("reason", ""), form, cipher=identity_cipher(), now=now())
    kind = "application/json" if form == "json" else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(content, mimetype=kind, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'个人信息副本_{found.id}.{form}')}"})
