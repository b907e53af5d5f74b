"""Doors: what keeps a pack and how it ends (封存保留、销毁), and the recordings (影像资料)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan, SittingRoom
from qbank.kernel.access import Role, fetch
from qbank.kernel.forms import moment, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, settings, viewer
from scoring.archive import desk, keeping
from scoring.archive import videos as recordings
from scoring.archive.blueprint import blueprint
from scoring.archive.models import ArchiveHold, ArchivePack, Destruction
from scoring.archive.videos import Recording


def _back(plan: ExamPlan) -> Any:
    pack = desk.pack_of(db(), plan)
    return redirect(url_for("archive.show", pack_id=pack.id) if pack else url_for("archive.checklist", plan_id=plan.id))


@blueprint.post("/plans/<int:plan_id>/hold")
def hold(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    keeping.hold(db(), plan, viewer(), request.form.get("reason", ""), now=now())
    flash("已封存保留，解除以前不能销毁。")
    return _back(plan)


@blueprint.post("/holds/<int:hold_id>/release")
def release(hold_id: int) -> Any:
    found = fetch(db(), ArchiveHold, hold_id, viewer())
    keeping.release(db(), found, viewer(), request.form.get("reason", ""), now=now())
    flash("已解除封存保留。")
    return _back(found.plan)


@blueprint.post("/<int:pack_id>/destruction")
def ask_destruction(pack_id: int) -> Any:
    found = fetch(db(), ArchivePack, pack_id, viewer())
    keeping.ask(db(), found, viewer(), request.form.get("reason", ""), now=now())
    flash("已提出销毁申请，请另一名考务员核准。")
    return redirect(url_for("archive.show", pack_id=found.id))


@blueprint.post("/destructions/<int:destruction_id>")
def decide_destruction(destruction_id: int) -> Any:
    found = fetch(db(), Destruction, destruction_id, viewer())
    approves = request.form.get("approves") == "1"
    keeping.decide(db(), found, viewer(), approves, request.form.get("comment", ""), now=now())
    flash("已销毁，销毁记录长期保留。" if approves else "已记录不同意销毁。")
    return redirect(url_for("archive.show", pack_id=found.pack_id))


@blueprint.get("/plans/<int:plan_id>/videos")
def videos(plan_id: int) -> Any:
    return _videos(fetch(db(), ExamPlan, plan_id, viewer()))


def _videos(plan: ExamPlan, **shown: Any) -> str:
    return render_template("archive/videos.html", **({"problem": "", "typed": {}} | shown), plan=plan, videos=recordings.videos_of(db(), plan),
                           rooms=[room for sitting in plan.sittings for room in sitting.rooms],
                           in_charge=on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id))


@blueprint.post("/plans/<int:plan_id>/videos")
def register_video(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        room = fetch(db(), SittingRoom, whole_number(form["room"], "考场", 1, 2**31 - 1), viewer()) if form.get("room", "").strip() else None
        place = form.get("place", "").strip() or (f"{room.sitting.name} {room.room.name}" if room else "")
        size = whole_number(form["size"], "字节数", 0, 2**62) if form.get("size", "").strip() else 0
        told = Recording(place, moment(form.get("starts_at", ""), "开始时间"), moment(form.get("ends_at", ""), "结束时间"),
                         form.get("path", ""), form.get("sha256", ""), size)
        if not told.sha256.strip():
            job = recordings.ask_register(db(), plan, told, viewer(), settings().videos, room=room, now=now())
            return redirect(url_for("accounts.job", job_id=job.id))
        recordings.register(db(), plan, told, viewer(), room=room, now=now())
    except Refused as refusal:
        return _videos(plan, problem=refusal.sentence, typed=form), 409
    flash("已登记录像。")
    return redirect(url_for("archive.videos", plan_id=plan.id))


@blueprint.post("/plans/<int:plan_id>/videos/check")
def check_videos(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    job = recordings.ask_check(db(), plan, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))
