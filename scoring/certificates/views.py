"""Doors: certificates (证书): making, handing out, reporting, revoking, and the public query."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, paged, settings, viewer
from scoring.certificates import desk, public, stock, taken
from scoring.certificates.blueprint import blueprint
from scoring.certificates.face import query_address
from scoring.certificates.models import Certificate, Disclosure, ReplacementCause
from scoring.certificates.signing import Seal
from scoring.results.models import Result, ResultList, ResultState

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/")
def index() -> Any:
    query = (visible(ResultList, viewer()).join(ResultList.plan).where(ResultList.state == ResultState.FINAL)
             .order_by(ExamPlan.starts_on.desc(), ResultList.id.desc()))
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(ExamPlan.title.contains(text, autoescape=True),
                                   ExamPlan.number.contains(text, autoescape=True)))
    rows, total, page, pages = paged(db(), query)
    return render_template("certificates/index.html", rows=rows, total=total, page=page, pages=pages,
                           counts=_counts([row.id for row in rows]), me_officer=viewer().has(Role.EXAM_OFFICER))


def _counts(list_ids: list[int]) -> dict[int, Any]:
    """For each list: passed results, certificates, revoked ones."""
    found = db().execute(
        sa.select(Result.list_id, sa.func.count().label("passed"), sa.func.count(Certificate.id).label("issued"),
                  sa.func.count(Certificate.revoked_at).label("revoked"))
        .outerjoin(Certificate, Certificate.result_id == Result.id)
        .where(Result.list_id.in_(list_ids), Result.passed).group_by(Result.list_id))
    return {row.list_id: row for row in found}


def final_list(list_id: int) -> ResultList:
    found = fetch(db(), ResultList, list_id, viewer())
    if found.state is not ResultState.FINAL:
        raise NotFound  # nothing is certified before the province has approved
    return found


def in_charge_of(result_list: ResultList) -> bool:
    plan = result_list.plan
    return on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)


@blueprint.get("/lists/<int:list_id>")
def batch(list_id: int) -> Any:
    found = final_list(list_id)
    query = (visible(Certificate, viewer()).join(Certificate.result).where(Result.list_id == found.id)
             .order_by(Certificate.number))
    rows, total, page, pages = paged(db(), query)
    disclosures = db().scalars(visible(Disclosure, viewer()).where(Disclosure.list_id == found.id)
                               .order_by(Disclosure.id.desc()).limit(20)).all()
    return render_template("certificates/batch.html", list=found, plan=found.plan, rows=rows, total=total, page=page,
                           pages=pages, lacking=len(desk.lacking(db(), found)), unprinted=len(stock.unprinted(db(), found)),
                           in_stock=stock.balance(db(), found.plan.institution_id).in_stock, in_charge=in_charge_of(found),
                           counts=_counts([found.id]).get(found.id), disclosures=disclosures,
                           local_only="://127.0.0.1" in settings().public_url or "://localhost" in settings().public_url,
                           address=query_address(settings().public_url))


@blueprint.post("/lists/<int:list_id>/issue")
def issue(list_id: int) -> Any:
    found = final_list(list_id)
    job = desk.ask_for(db(), found, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/lists/<int:list_id>/register")
def register(list_id: int) -> Any:
    found = final_list(list_id)
    return render_template("certificates/register.html", list=found, plan=found.plan,
                           rows=desk.certificates_of(db(), found), now=now())


@blueprint.post("/lists/<int:list_id>/pdfs")
def pdfs(list_id: int) -> Any:
    found = final_list(list_id)
    content = taken.all_pdfs(db(), found, viewer(), now=now())
    return as_file(content, f"证书_{found.plan.number}.zip", "application/zip")


@blueprint.get("/<int:certificate_id>")
def show(certificate_id: int) -> Any:
    found = fetch(db(), Certificate, certificate_id, viewer())
    return _show(found)


def _show(found: Certificate, problem: str = "", reason: str = "") -> str:
    return render_template("certificates/show.html", certificate=found, list=found.result.list, problem=problem, reason=reason,
                           in_charge=in_charge_of(found.result.list), causes=list(ReplacementCause), me=viewer().account_id,
                           blank=stock.blank_of(db(), found))


@blueprint.post("/<int:certificate_id>/pdf")
def pdf(certificate_id: int) -> Any:
    found = fetch(db(), Certificate, certificate_id, viewer())
    content = taken.one_pdf(db(), found, viewer(), now=now())
    return as_file(content, f"{found.number}_{found.holder}.pdf", "application/pdf")


@blueprint.post("/<int:certificate_id>/revoke")
def revoke(certificate_id: int) -> Any:
    found = fetch(db(), Certificate, certificate_id, viewer())
    reason = request.form.get("reason", "")
    try:
        desk.revoke(db(), found, viewer(), reason, now=now())
    except Refused as refusal:
        return _show(found, refusal.sentence, reason), 409
    flash(f"证书 {found.number} 已注销，公开查询将显示“已注销”。", "success")
    return redirect(url_for("certificates.show", certificate_id=found.id))


@blueprint.route("/query", methods=["GET", "POST"])
def query() -> Any:
    """Looked up by POST only: no identity number ever stands in an address or a log."""
    if request.method == "GET":
        asked = public.Question(number=request.args.get("number", "").strip()[:40])
        return render_template("certificates/query.html", asked=asked, found=None, problem="")
    form = request.form
    asked = public.Question.read(form.get("number", ""), form.get("name", ""), form.get("identity_number", ""))
    try:
        found = public.ask(db(), asked, request.remote_addr or "", cipher=identity_cipher(), now=now())
    except Refused as refusal:
        return render_template("certificates/query.html", asked=asked, found=None, problem=refusal.sentence), 409
    return render_template("certificates/query.html", asked=asked, found=found, problem="", now=now())


@blueprint.get("/signing-root.pem")
def root() -> Any:
    """The root that a PDF reader needs to check the signatures of this installation."""
    seal = Seal.held(db(), settings(), now=now())
    if seal is None:
        raise NotFound
    return as_file(seal.root_pem, "signing-root.pem", "application/x-pem-file")


def excel(content: bytes, name: str) -> Response:
    return as_file(content, name, SPREADSHEET)


def as_file(content: bytes, name: str, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"})
