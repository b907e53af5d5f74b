"""Doors of the first run: code, institution, administrator; then, for the administrator, mail and what comes next.

The first three are there as long as nobody is administrator; afterwards they are no pages at all.
"""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, redirect, render_template, request, url_for

from qbank.kernel import doctor, first_run, tls
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.db import Actor
from qbank.kernel.first_run import FirstRun
from qbank.kernel.refused import Refused
from qbank.kernel.views import start_session
from qbank.kernel.web import db, now, settings

blueprint = Blueprint("setup", __name__, url_prefix="/setup")
ENTERED = "first_run"  # in the browser's signed session: the code was typed here
STEPS = ("核对设置码", "单位", "系统管理员", "邮件通知", "完成")


def step(number: int) -> dict[str, Any]:
    """What the pages of the wizard show above: the steps, and which one this is."""
    return {"steps": STEPS, "step": number}


def _run() -> FirstRun:
    run = first_run.current(db())
    db().info["actor"] = Actor(None, first_run.AT_THE_DOOR)
    return run if run is not None else flask.abort(404)


def _elsewhere(run: FirstRun) -> Any:
    """Where whoever has not typed the code goes."""
    return None if flask.session.get(ENTERED) == run.id else redirect(url_for("setup.enter"))


@blueprint.route("/", methods=["GET", "POST"])
def enter() -> Any:
    run, problem = _run(), ""
    if request.method == "POST":
        try:
            if first_run.fits(db(), run, request.form.get("code", ""), request.remote_addr or "", settings().secret_key, now=now()):
                flask.session.clear()
                flask.session[ENTERED] = run.id
                return redirect(url_for("setup.institution"))
            problem = "设置码不对。它印在启动考评通的窗口里，共 12 位，不分大小写。"
        except Refused as refusal:
            problem = refusal.sentence
    return render_template("setup/enter.html", problem=problem, **step(0))  # 200: the failed attempt is committed and counted


@blueprint.route("/institution", methods=["GET", "POST"])
def institution() -> Any:
    run, problem = _run(), ""
    if (away := _elsewhere(run)) is not None:
        return away
    if request.method == "POST":
        try:
            first_run.describe_institution(db(), request.form)
            return redirect(url_for("setup.administrator"))
        except Refused as refusal:
            db().rollback()
            problem = refusal.sentence
    held = first_run.institution(db())
    return render_template("setup/institution.html", kinds=InstitutionKind, problem=problem,
                           fields=request.form or (vars(held) if held else {}), **step(1))


@blueprint.route("/administrator", methods=["GET", "POST"])
def administrator() -> Any:
    run, problem = _run(), ""
    if (away := _elsewhere(run)) is not None:
        return away
    home = first_run.institution(db())
    if home is None:
        return redirect(url_for("setup.institution"))
    if request.method == "POST":
        try:
            account = first_run.make_administrator(db(), home, request.form)
            start_session(account.viewer())
            return redirect(url_for("doctor.mail_settings", setup=1))
        except Refused as refusal:
            db().rollback()
            problem = refusal.sentence
    return render_template("setup/administrator.html", home=home, problem=problem, fields=request.form, **step(2))


@blueprint.get("/done")
def done() -> Any:
    """What the doctor says of the new installation, and what comes next."""
    authority = settings().tls_folder / "ca.pem"
    findings = doctor.examine(settings(), flask.current_app.extensions["examroom"]["database"], now=now(), thorough=False)
    return render_template("setup/done.html", findings=findings, names=doctor.NAMES, folder=settings().folder,
                           fingerprint=tls.fingerprint(authority) if authority.exists() else "", **step(4))
