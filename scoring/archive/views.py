"""Doors: the archive (归档): check-list, packing, retention clock, taking out, verifying."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from scoring.archive import desk
from scoring.archive.checklist import documents, missing
from scoring.archive.container import manifest_of
from scoring.archive.models import ArchivePack
from scoring.archive.retention import remaining
from scoring.results.models import ResultList, ResultState

blueprint = Blueprint("archive", __name__, url_prefix="/archive")


@blueprint.get("/")
def index() -> Any:
    waiting = db().scalars(unpacked().order_by(ExamPlan.starts_on)).all()
    rows, total, page, pages = paged(db(), visible(ArchivePack, viewer()).order_by(ArchivePack.keep_until, ArchivePack.id))
    today = local_date(now())
    return render_template("archive/index.html", rows=rows, total=total, page=page, pages=pages, waiting=waiting,
                           left={row.id: remaining(row.keep_until, today) for row in rows})


def unpacked() -> sa.Select[ExamPlan]:
    """The plans with final results that are not packed."""
    return visible(ExamPlan, viewer()).where(
        ExamPlan.id.in_(sa.select(ResultList.plan_id).where(ResultList.state == ResultState.FINAL)),
        ExamPlan.id.not_in(sa.select(ArchivePack.plan_id)))


def _in_charge(plan: ExamPlan) -> bool:
    return on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)


@blueprint.get("/plans/<int:plan_id>")
def checklist(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    listed = documents(db(), plan)
    state = db().scalar(sa.select(ResultList.state).where(ResultList.plan_id == plan.id))
    return render_template("archive/checklist.html", plan=plan, documents=listed, lacking=len(missing(listed)),
                           final=state is ResultState.FINAL, pack=desk.pack_of(db(), plan), in_charge=_in_charge(plan),
                           waiting=desk.papers_in_use(db(), plan))


@blueprint.post("/plans/<int:plan_id>/pack")
def pack(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    job = desk.ask_for(db(), plan, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/<int:pack_id>")
def show(pack_id: int) -> Any:
    return _page(fetch(db(), ArchivePack, pack_id, viewer()))


@blueprint.get("/<int:pack_id>/verify")
def verify(pack_id: int) -> Any:
    found = fetch(db(), ArchivePack, pack_id, viewer())
    return _page(found, findings=desk.verify(db(), found))


@blueprint.post("/<int:pack_id>/download")
def download(pack_id: int) -> Any:
    found = fetch(db(), ArchivePack, pack_id, viewer())
    reason = request.form.get("reason", "")
    try:
        content = desk.take_out(db(), found, viewer(), reason, now=now())
    except Refused as refusal:
        return _page(found, problem=refusal.sentence, reason=reason), 409
    return Response(content, mimetype="application/zip", headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'归档卷_{found.plan.number}.zip')}"})


def _page(found: ArchivePack, **shown: Any) -> str:
    try:
        files = manifest_of(found.file)["files"]
    except ValueError:
        files = {}
    return render_template("archive/show.html", **({"findings": None, "problem": "", "reason": ""} | shown), pack=found,
                           files=files, left=remaining(found.keep_until, local_date(now())),
                           in_charge=_in_charge(found.plan))
