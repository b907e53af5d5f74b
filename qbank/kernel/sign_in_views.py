"""Doors: what somebody sees of the sign-ins under his name and ends, and accounts that an administrator shuts."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from qbank.kernel import sign_ins
from qbank.kernel.access import fetch
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.views import blueprint, start_session
from qbank.kernel.web import db, now, settings, viewer


@blueprint.route("/sign-ins", methods=["GET", "POST"])
def own_sign_ins() -> Any:
    """Who came in under my name, from where; everything but this browser is ended with the password."""
    problem = ""
    if request.method == "POST":
        account = db().get_one(Account, viewer().account_id)
        try:
            sign_ins.end_others(db(), account, request.form.get("password", ""), request.remote_addr or "", now=now())
            start_session(account.viewer())
            flash("其他地方的登录已全部退出。", "success")
            return redirect(url_for("accounts.own_sign_ins"))
        except Refused as refusal:
            problem = refusal.sentence
    return render_template("accounts/sign_ins.html", rows=sign_ins.recent(db(), viewer().login), problem=problem,
                           hours=settings().session_hours, idle=settings().idle_minutes)


@blueprint.post("/<int:account_id>/shut")
def shut(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    sign_ins.shut(db(), account, viewer())
    flash(f"账号“{account.login}”已停用，所有登录已退出。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))


@blueprint.post("/<int:account_id>/reopen")
def reopen(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    sign_ins.reopen(account)
    flash(f"账号“{account.login}”已重新启用。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))


@blueprint.post("/<int:account_id>/end-sign-ins")
def end_sign_ins(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    sign_ins.end_all(account)
    flash(f"账号“{account.login}”在各处的登录已全部退出。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))
