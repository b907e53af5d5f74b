"""Doors: rehearsing a sitting, and Safe Exam Browser for it."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for

from examroom.delivery import seb
from examroom.delivery.models import Sheet
from examroom.invigilation import rehearsal
from examroom.invigilation.blueprint import blueprint
from examroom.invigilation.models import Rehearsal
from examroom.plans.models import Sitting, SittingState
from examroom.plans.staffing import require_officer
from qbank.kernel.access import fetch
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, settings, viewer

SHOWN = 20


@blueprint.get("/sittings/<int:sitting_id>/readiness")
def readiness(sitting_id: int) -> Any:
    sitting = _sitting(sitting_id)
    past = db().scalars(sa.select(Rehearsal).where(Rehearsal.sitting_id == sitting.id)
                        .order_by(Rehearsal.id.desc()).limit(SHOWN)).all()
    forms = db().execute(sa.select(Sheet.paper_id, sa.func.count()).where(Sheet.sitting_id == sitting.id)
                         .group_by(Sheet.paper_id)).all()
    counts = dict(forms)
    return render_template("invigilation/readiness.html", sitting=sitting, past=past, public=settings().public_url,
                           forms=[(paper.form, counts.get(paper.id, 0)) for paper in sitting.papers],
                           key=seb.config_key(seb.settings_of(settings().public_url, sitting.seb_quit_hash)))


@blueprint.post("/sittings/<int:sitting_id>/rehearse")
def rehearse(sitting_id: int) -> Any:
    sitting = _sitting(sitting_id)
    rehearsal.require_rehearsable(db(), sitting, viewer(), now=now())
    job = enqueue(db(), rehearsal.REHEARSE, {"sitting": sitting.id}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/rehearsals/<int:rehearsal_id>")
def rehearsed(rehearsal_id: int) -> Any:
    found = fetch(db(), Rehearsal, rehearsal_id, viewer())
    return render_template("invigilation/rehearsed.html", found=found, facts=rehearsal.facts(found))


@blueprint.get("/rehearsals/<int:rehearsal_id>/sheet.pdf")
def readiness_sheet(rehearsal_id: int) -> Any:
    found = fetch(db(), Rehearsal, rehearsal_id, viewer())
    return send_file(BytesIO(rehearsal.pdf(found)), mimetype="application/pdf", download_name=f"考前检查单 {found.id}.pdf")


@blueprint.post("/sittings/<int:sitting_id>/seb")
def require_seb(sitting_id: int) -> Any:
    """Demand Safe Exam Browser for a sitting, or not; with the password that ends it."""
    sitting = _sitting(sitting_id)
    if sitting.state not in {SittingState.PLANNED, SittingState.DEALT} or now() >= sitting.starts_at:
        raise Refused("already_begun", "本场次已经开始，不能再改变锁定浏览器的要求。")
    password = request.form.get("password", "")
    if 0 < len(password) < 6:
        raise Refused("password_short", "退出密码至少 6 个字符；留空表示考试中不能退出。")
    sitting.seb_required = request.form.get("required") == "yes"
    sitting.seb_quit_hash = hashlib.sha256(password.encode()).hexdigest() if password else ""
    told = "须用 Safe Exam Browser 参加，请下载配置文件，发到每台考生电脑。" if sitting.seb_required else "不要求 Safe Exam Browser。"
    flash(f"{sitting.name}{told}", "success")
    return redirect(url_for("invigilation.readiness", sitting_id=sitting.id))


@blueprint.get("/sittings/<int:sitting_id>/exam.seb")
def seb_file(sitting_id: int) -> Any:
    sitting = _sitting(sitting_id)
    content = seb.file_of(seb.settings_of(settings().public_url, sitting.seb_quit_hash))
    return send_file(BytesIO(content), mimetype="application/seb", as_attachment=True, download_name=f"考试{sitting.id}.seb")


def _sitting(sitting_id: int) -> Sitting:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    require_officer(db(), sitting.plan, viewer())
    return sitting
