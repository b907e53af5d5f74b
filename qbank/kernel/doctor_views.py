"""Doors of the doctor: what it saw, looking now, and whom it writes to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from qbank.kernel import jobs, mail, rounds
from qbank.kernel.access import visible
from qbank.kernel.mail_server import Security
from qbank.kernel.refused import Refused
from qbank.kernel.rounds import FindingRecord
from qbank.kernel.setup_views import step
from qbank.kernel.web import db, now, reading, settings, viewer

blueprint = Blueprint("doctor", __name__, url_prefix="/doctor")


@blueprint.get("/")
def show() -> Any:
    rows = db().scalars(visible(FindingRecord, viewer()).order_by(FindingRecord.well, FindingRecord.advice == "", FindingRecord.id)).all()
    return render_template("doctor/show.html", rows=rows, looked_at=max((row.looked_at for row in rows), default=None),
                           bad=sum(not row.well for row in rows))


@blueprint.post("/look")
def look() -> Any:
    job = jobs.enqueue(db(), rounds.KIND, {"thorough": True}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.route("/mail", methods=["GET", "POST"])
def mail_settings() -> Any:
    problem = ""
    if request.method == "POST":
        try:
            mail.enter(db(), settings(), request.form)
            flash("已保存。请再发一封测试邮件，收到才算设置好。", "success")
            return redirect(_here())
        except Refused as refusal:
            db().rollback()
            problem = refusal.sentence
    held = mail.entered(db())
    wizard = step(3) if "setup" in request.args else {}
    return render_template("doctor/mail.html", held=held, problem=problem, kinds=Security, given=settings().mail_server,
                           fields=request.form or (vars(held) if held else {}), **wizard)


@blueprint.post("/mail/test")
def test_mail() -> Any:
    """Sent while nothing is locked: a mail server may take its time."""
    with reading() as session:
        server = mail.server(session, settings())
    if server is None:
        raise Refused("no_mail", "还没有设置邮件服务器，请先填写并保存。")
    server.send("考评通测试邮件", "收到这封信，说明邮件通知设置好了。系统检查发现问题时会写信到这个地址，同一个问题一天只写一次。\n", now=now())
    flash(f"测试邮件已交给 {server.host}。请到 {server.recipient} 查收；没有收到时看看垃圾邮件。", "success")
    return redirect(_here())


@blueprint.post("/mail/forget")
def forget_mail() -> Any:
    mail.forget(db())
    flash("不再发邮件通知。", "success")
    return redirect(_here())


def _here() -> str:
    return url_for("doctor.mail_settings", setup=1) if "setup" in request.args else url_for("doctor.mail_settings")
