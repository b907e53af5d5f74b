"""Doors: the seal on certificates with a specimen, and copies made in place of lost, damaged or wrong ones."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for

from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, paged, settings, viewer
from scoring.certificates import replacing, seals
from scoring.certificates.blueprint import blueprint
from scoring.certificates.models import Certificate, IssuerSeal, Replacement, ReplacementCause, ReplacementState


@blueprint.get("/seals")
def seal_list() -> Any:
    schools = _own_schools(viewer())
    return render_template("certificates/seals.html", schools=[(school, seals.seal_of(db(), school)) for school in schools],
                           megabytes=seals.MEGABYTES)


@blueprint.post("/seals")
def set_seal() -> Any:
    school = _school(request.form.get("institution_id", ""))
    seals.set_seal(db(), school, request.files.get("picture"), viewer(), now=now())
    flash(f"印章图样已更新，{school.name}以后制作的证书都用它；已制作的证书不变。", "success")
    return redirect(url_for("certificates.seal_list"))


@blueprint.get("/seals/<int:seal_id>/picture")
def seal_picture(seal_id: int) -> Response:
    found = fetch(db(), IssuerSeal, seal_id, viewer())
    return Response(attachments.path_of(db(), found.picture).read_bytes(), mimetype=found.picture.media_type)


@blueprint.post("/seals/specimen")
def specimen() -> Response:
    school = _school(request.form.get("institution_id", ""))
    return Response(seals.specimen(db(), school, settings().public_url, now=now()), mimetype="application/pdf",
                    headers={"Content-Disposition": "attachment; filename=specimen.pdf"})


@blueprint.get("/replacements")
def replacement_list() -> Any:
    query = visible(Replacement, viewer()).join(Replacement.certificate).order_by(Replacement.id.desc())
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(Certificate.number.contains(text, autoescape=True), Certificate.holder.contains(text, autoescape=True)))
    if (state := request.args.get("state", "")) in list(ReplacementState):
        query = query.where(Replacement.state == ReplacementState(state))
    rows, total, page, pages = paged(db(), query)
    return render_template("certificates/replacements.html", rows=rows, total=total, page=page, pages=pages, states=list(ReplacementState))


@blueprint.post("/<int:certificate_id>/replacements")
def replace(certificate_id: int) -> Any:
    found = fetch(db(), Certificate, certificate_id, viewer())
    cause = request.form.get("cause", "")
    if cause not in list(ReplacementCause):
        raise Refused("no_cause", "请选择补换发的原因：遗失、损坏或信息更正。")
    replacing.ask(db(), found, ReplacementCause(cause), request.form.get("why", ""), viewer(), now=now())
    flash("申请已提交，须由另一名考务人员核准后才补换发。", "success")
    return redirect(url_for("certificates.show", certificate_id=found.id))


@blueprint.post("/replacements/<int:replacement_id>/decide")
def decide_replacement(replacement_id: int) -> Any:
    found = fetch(db(), Replacement, replacement_id, viewer())
    approves = request.form.get("approves") == "yes"
    replacing.decide(db(), found, viewer(), approves, request.form.get("comment", ""), cipher=identity_cipher(), now=now())
    flash("证书已补换发，编号不变。" if approves else "已退回这份申请。", "success")
    return redirect(url_for("certificates.show", certificate_id=found.certificate_id))


def _own_schools(who: Viewer) -> list[Institution]:
    return [school for school in db().scalars(sa.select(Institution).order_by(Institution.id))
            if any(scope.role is Role.EXAM_OFFICER and scope.institution_id == school.id for scope in who.scopes)]


def _school(text: str) -> Institution:
    found = next((school for school in _own_schools(viewer()) if str(school.id) == text), None)
    if found is None:
        raise Refused("no_school", "请选择您负责的学校。")
    return found
