"""Doors: the volumes of a batch: check-list, filing of scans and of places on paper, covers and contents as PDF."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch
from qbank.kernel.attachments import download as attached
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from scoring.archive import desk, filed, volumes
from scoring.archive.blueprint import blueprint
from scoring.archive.checklist import documents, missing
from scoring.archive.models import FiledDocument
from scoring.results.models import ResultList, ResultState


@blueprint.get("/plans/<int:plan_id>")
def checklist(plan_id: int) -> Any:
    return _page(fetch(db(), ExamPlan, plan_id, viewer()))


def _page(plan: ExamPlan, **shown: Any) -> str:
    listed = documents(db(), plan)
    state = db().scalar(sa.select(ResultList.state).where(ResultList.plan_id == plan.id))
    return render_template("archive/checklist.html", **({"problem": "", "typed": {}} | shown), plan=plan, documents=listed,
                           lacking=len(missing(listed)), unfiled=sum(one.present is None for one in listed),
                           final=state is ResultState.FINAL, pack=desk.pack_of(db(), plan), waiting=desk.papers_in_use(db(), plan, now=now()),
                           in_charge=on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id),
                           filed=filed.standing(db(), plan), lines=filed.LINES, volumes=filed.VOLUMES)


@blueprint.get("/plans/<int:plan_id>/covers.pdf")
def covers(plan_id: int) -> Response:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    content = volumes.covers(db(), plan, now=now(), pack=desk.pack_of(db(), plan))
    return send_file(BytesIO(content), "application/pdf", download_name=f"案卷封面和目录_{plan.number}.pdf")


@blueprint.post("/plans/<int:plan_id>/documents")
def file_document(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        pages = whole_number(form["pages"], "页数", 1, 10_000) if form.get("pages", "").strip() else None
        filed.file_document(db(), plan, form.get("line", ""), viewer(), title=form.get("title", ""), upload=request.files.get("file"),
                            place=form.get("place", ""), pages=pages, now=now())
    except Refused as refusal:
        return _page(plan, problem=refusal.sentence, typed=form), 409
    flash("已登记归档材料。")
    return redirect(url_for("archive.checklist", plan_id=plan.id))


@blueprint.post("/documents/<int:document_id>/withdraw")
def withdraw_document(document_id: int) -> Any:
    found = fetch(db(), FiledDocument, document_id, viewer())
    filed.withdraw(db(), found, viewer(), request.form.get("reason", ""), now=now())
    flash("已撤回，记录保留。")
    return redirect(url_for("archive.checklist", plan_id=found.plan_id))


@blueprint.post("/documents/<int:document_id>/scan")
def scan(document_id: int) -> Any:
    """A scan: while the batch is at work as any file of it; once it is packed with a reason, on record."""
    found = fetch(db(), FiledDocument, document_id, viewer())
    if found.attachment is None or found.withdrawn_at is not None:
        raise NotFound
    if packed := desk.pack_of(db(), found.plan):
        desk.take_out(db(), packed, viewer(), request.form.get("reason", ""), document=found, now=now())
    return attached(db(), found.attachment)
