"""Doors of the second step: at the sign-in, on a person's own page, and its reset by two persons."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer

from qbank.kernel import factor_resets, second_factor
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Account
from qbank.kernel.factor_resets import FactorReset
from qbank.kernel.printing import qr_code
from qbank.kernel.refused import Refused
from qbank.kernel.second_factor import Drawn, Proof
from qbank.kernel.views import blueprint, go_on, proven_account, start_session
from qbank.kernel.web import db, now, paged, reading, settings, viewer

HALF_SECONDS = 300  # between the password and the code
OFFER_SECONDS = 1800
WRONG = second_factor.WRONG.sentence


@blueprint.route("/second-factor/check", methods=["GET", "POST"])
def factor_check() -> Any:
    """The second step of a sign-in whose password was right."""
    account = _half()
    if account is None:
        flask.session.pop("half", None)
        flash("请先输入登录名和密码（密码通过后，验证码要在 5 分钟内输入）。", "warning")
        return redirect(url_for("accounts.sign_in"))
    kept, following = request.form.get("kept", ""), request.values.get("next", "")
    problem = ""
    if request.method == "POST":
        try:
            problem = "" if _passes(account, _proof(account)) else WRONG
        except Refused as refusal:
            problem = refusal.sentence
        if not problem:
            start_session(account.viewer(), second=True)
            return go_on(account, kept, following)
    return render_template("accounts/factor_check.html", kept=kept, next=following, problem=problem)


def _half() -> Account | None:
    """Who has given the right password in this browser a moment ago."""
    key, generation, at = flask.session.get("half", (0, 0, 0.0))
    account = db().get(Account, key) if key else None
    if account is None or not account.active or account.generation != generation or account.totp_since is None:
        return None
    return account if now().timestamp() - at <= HALF_SECONDS else None


def _proof(account: Account) -> Proof:
    """What the typed code fits. Hashing holds no lock."""
    with reading() as quick:
        held = quick.get_one(Account, account.id)
        return second_factor.proof(quick, held, request.form.get("code", ""), request.remote_addr or "", _key(), now=now())


def _passes(account: Account, proven: Proof) -> bool:
    """Whether it counts. Who was proven is who the trail names."""
    db().info["actor"] = account.viewer().actor
    return second_factor.accept(db(), account, proven, request.remote_addr or "", now=now())


@blueprint.get("/second-factor")
def factor() -> Any:
    return _own()


def _own(problem: str = "") -> Any:
    account = db().get_one(Account, viewer().account_id)
    return render_template("accounts/factor.html", account=account, left=second_factor.left(db(), account), problem=problem,
                           demanded=any(scope.role in settings().totp_roles for scope in viewer().scopes))


@blueprint.route("/second-factor/new", methods=["GET", "POST"])
def factor_new() -> Any:
    account = db().get_one(Account, viewer().account_id)
    if account.totp_since is not None:
        return redirect(url_for("accounts.factor"))
    secret = _offered() or second_factor.fresh_secret()
    if request.method == "GET":
        return _offer(account, secret)
    try:
        if not _offered():
            raise Refused("offer_expired", "页面打开太久，二维码已失效。请扫描下面的新二维码。")
        held = _proven_person()
        with reading():
            codes = second_factor.draw()
        second_factor.enrol(db(), held, secret, request.form.get("code", ""), codes, _key(), now=now())
    except Refused as refusal:
        return _offer(account, secret, refusal.sentence)
    start_session(held.viewer(), second=True)
    return render_template("accounts/factor_codes.html", codes=[code.text for code in codes], account=held)


def _key() -> bytes:
    return second_factor.sealing_key(settings().code_key)


def _proven_person() -> Account:
    """Who is signed in, once more by password."""
    account = proven_account(viewer().login, request.form.get("password", ""), request.remote_addr or "")
    if account is None or account.id != viewer().account_id:
        raise Refused("wrong_password", "密码不正确，请重新输入。")
    return account


def _offered() -> str:
    """The secret that this page offered this person before; empty for none, or one too old."""
    try:
        owner, secret = _offers().loads(request.form.get("offer", ""), max_age=OFFER_SECONDS)
    except (BadData, ValueError, TypeError):
        return ""
    return str(secret) if owner == viewer().account_id else ""


def _offers() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="second factor")


def _offer(account: Account, secret: str, problem: str = "") -> Any:
    drawn = qr_code(second_factor.address_of(account, secret))
    return render_template("accounts/factor_new.html", account=account, qr=drawn, problem=problem,
                           secret=" ".join(secret[at:at + 4] for at in range(0, len(secret), 4)),
                           offer=_offers().dumps([viewer().account_id, secret]))


@blueprint.post("/second-factor/codes")
def factor_codes() -> Any:
    """Ten new recovery codes instead of the old ones."""
    try:
        account, codes = _proven_twice(draws=True)
        second_factor.replace_codes(db(), account, codes)
    except Refused as refusal:
        return _own(refusal.sentence)
    return render_template("accounts/factor_codes.html", codes=[code.text for code in codes], account=account)


@blueprint.post("/second-factor/off")
def factor_off() -> Any:
    try:
        account, _ = _proven_twice()
    except Refused as refusal:
        return _own(refusal.sentence)
    second_factor.turn_off(db(), account)
    start_session(account.viewer())
    flash("两步验证已关闭，其他地方的登录已全部退出。", "success")
    return redirect(url_for("accounts.factor"))


def _proven_twice(*, draws: bool = False) -> tuple[Account, list[Drawn]]:
    """Who is signed in, once more by password and code; with new recovery codes, hashed before anything is written."""
    account = _proven_person()
    proven = _proof(account)
    with reading():
        codes = second_factor.draw() if draws and proven else []
    if not _passes(account, proven):
        raise Refused("wrong_code", WRONG)
    return account, codes


@blueprint.post("/<int:account_id>/second-factor/reset")
def ask_factor_reset(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    factor_resets.ask(db(), account, request.form.get("reason", ""), viewer(), now=now())
    flash("已申请重置，等待另一位系统管理员或该单位的考务员核准。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))


@blueprint.get("/second-factor/resets", endpoint="factor_resets")
def factor_resets_page() -> Any:
    rows, total, page, pages = paged(db(), visible(FactorReset, viewer()).order_by(FactorReset.id.desc()))
    return render_template("accounts/factor_resets.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.post("/second-factor/resets/<int:reset_id>")
def decide_factor_reset(reset_id: int) -> Any:
    reset = fetch(db(), FactorReset, reset_id, viewer())
    agrees = request.form.get("agrees") == "1"
    factor_resets.decide(db(), reset, agrees, request.form.get("comment", ""), viewer(), now=now())
    flash(f"已重置{reset.account.name}的两步验证，请通知本人重新登录并启用。" if agrees else "已退回申请。", "success")
    return redirect(url_for("accounts.factor_resets"))
