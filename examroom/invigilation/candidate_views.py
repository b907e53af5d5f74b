"""Doors: photos of candidates and how much time each gets, set by the exam officer before the exam."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import NotFound

from examroom.delivery import ledger
from examroom.invigilation.blueprint import blueprint
from examroom.plans import photo_job, photos
from examroom.plans.models import CandidatePhoto, Enrolment, ExamPlan
from examroom.plans.staffing import require_officer
from qbank.kernel import jobs
from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, large, now, paged, viewer


@blueprint.get("/plans/<int:plan_id>/candidates")
def candidates(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    require_officer(db(), plan, viewer())
    query = visible(Enrolment, viewer()).where(Enrolment.plan_id == plan.id)
    if request.args.get("photo") == "none":
        query = query.where(Enrolment.photo_id.is_(None))
    if request.args.get("time") == "more":
        query = query.where(Enrolment.time_percent != 100)
    rows, total, page, pages = paged(db(), query.order_by(Enrolment.ticket_number).options(joinedload(Enrolment.candidate)))
    return render_template("invigilation/candidates.html", plan=plan, rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/enrolments/<int:enrolment_id>/photo")
def enrolment_photo(enrolment_id: int) -> Any:
    enrolment = _enrolment(enrolment_id)
    if enrolment.photo_id is None:
        raise NotFound
    kept = db().get_one(CandidatePhoto, enrolment.photo_id)
    return send_file(BytesIO(kept.content), mimetype=kept.media_type)


@blueprint.post("/enrolments/<int:enrolment_id>/photo")
def keep_photo(enrolment_id: int) -> Any:
    enrolment = _enrolment(enrolment_id)
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Refused("no_file", "请选择照片文件（JPG 或 PNG）。")
    photos.keep(db(), enrolment, upload.read(), viewer(), now=now())
    flash(f"{enrolment.candidate.name}的照片已保存。", "success")
    return redirect(url_for("invigilation.candidates", plan_id=enrolment.plan_id))


@blueprint.post("/enrolments/<int:enrolment_id>/time")
def keep_profile(enrolment_id: int) -> Any:
    enrolment = _enrolment(enrolment_id)
    percent = whole_number(request.form.get("percent", ""), "考试时间的比例", *ledger.PERCENT)
    ledger.set_profile(db(), enrolment, percent, request.form.get("reason", "")[:500], viewer(), now=now())
    flash(f"{enrolment.candidate.name}的考试时间按规定时间的 {percent}% 计算。", "success")
    return redirect(url_for("invigilation.candidates", plan_id=enrolment.plan_id))


@blueprint.post("/plans/<int:plan_id>/photos")
@large
def keep_photos(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    require_officer(db(), plan, viewer())
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Refused("no_file", "请选择 ZIP 压缩包，里面的照片以证件号码、学号或准考证号命名。")
    aside = photo_job.put_aside(db(), upload.read(photos.MOST_BYTES + 1))
    job = jobs.enqueue(db(), photo_job.KEEP_PHOTOS, {"plan_id": plan.id, **aside}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


def _enrolment(enrolment_id: int) -> Enrolment:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    require_officer(db(), enrolment.plan, viewer())
    return enrolment
