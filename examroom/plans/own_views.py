"""Doors: a candidate's own application: how it stands, what is missing, his proofs, his 准考证."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import NotFound

from examroom.plans import qualification
from examroom.plans.blueprint import blueprint
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, PlanState
from examroom.plans.predicate import meets
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from qbank.kernel import attachments, forms
from qbank.kernel.access import LARGEST_KEY, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer


@blueprint.get("/own")
def own() -> Any:
    return _page()


def _page(refusal: Refused | None = None) -> str:
    rows = db().scalars(visible(Enrolment, viewer()).where(Enrolment.account_id == viewer().account_id)
                        .order_by(Enrolment.id.desc()).options(joinedload(Enrolment.plan))).all()
    proofs, checks = qualification.proofs_of(db(), rows), qualification.checks_of(db(), rows)
    return render_template("plans/own.html", rows=rows, proofs=proofs, checks=checks, refusal=refusal, states=Qualification, meets=meets,
                           findings={row.id: qualification.findings(row) for row in rows},
                           lacks={row.id: _missing(row, proofs[row.id], checks.get(row.id)) for row in rows},
                           options={row.id: qualification.options_of(db(), row.plan) for row in rows}, approved=PlanState.APPROVED)


def _missing(row: Enrolment, proofs: Any, check: QualificationCheck | None) -> list[str]:
    """What the candidate, or the school for him, still has to bring."""
    if row.qualification is Qualification.ACCEPTED:
        return [] if row.photo_id else ["没有照片，请把证件照交给学校考务员。"]
    returned = [f"学校退回：{check.reason}"] if check and row.qualification is Qualification.RETURNED else []
    return returned + qualification.lacks(row, proofs) + ([] if row.photo_id else ["没有照片，请把证件照交给学校考务员。"])


def _enrolment(enrolment_id: int) -> Enrolment:
    found = fetch(db(), Enrolment, enrolment_id, viewer())
    if found.account_id != viewer().account_id:
        raise NotFound
    return found


@blueprint.get("/own/proofs/<int:proof_id>")
def own_proof_file(proof_id: int) -> Any:
    """What he brought himself; a list of a whole class is not his."""
    found = fetch(db(), EntryProof, proof_id, viewer())
    if found.attachment.uploaded_by != viewer().account_id:
        raise NotFound
    return attachments.download(db(), found.attachment)


@blueprint.post("/own/<int:enrolment_id>/condition")
def own_condition(enrolment_id: int) -> Any:
    enrolment = _enrolment(enrolment_id)
    try:
        key = forms.whole_number(request.form.get("condition_id", ""), "申报条件", 1, LARGEST_KEY)
        condition = next((one for one in qualification.options_of(db(), enrolment.plan) if one.id == key), None)
        if condition is None:
            raise Refused("condition", "请从本职业和等级的申报条件中选一条。")
        qualification.choose(db(), enrolment, condition, viewer(), now=now())
    except Refused as refusal:
        return _page(refusal), 409
    flash("申报条件已保存，等待学校审核。", "success")
    return redirect(url_for("plans.own"))


@blueprint.post("/own/<int:enrolment_id>/proofs")
def own_proof(enrolment_id: int) -> Any:
    enrolment = _enrolment(enrolment_id)
    try:
        qualification.attach(db(), [enrolment], request.files.get("file"), request.form.get("title", ""), viewer(), now=now())
    except Refused as refusal:
        return _page(refusal), 409
    flash("证明材料已上传，等待学校审核。", "success")
    return redirect(url_for("plans.own"))


