"""Doors of the kernel: sign-in and out, passwords, accounts and grants, the audit trail, jobs."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import flask
import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_user, logout_user
from itsdangerous import BadData

from qbank.kernel import accounts, audit, first_run, sign_ins, tls
from qbank.kernel.access import GRANTABLE, Role, Scope, Viewer, fetch, visible
from qbank.kernel.accounts import Account, Grant, Institution, InstitutionKind
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Base
from qbank.kernel.forms import whole_number
from qbank.kernel.institutions import describe
from qbank.kernel.jobs import Job
from qbank.kernel.paging import counted, keyset
from qbank.kernel.refused import Refused
from qbank.kernel.trail import Trail, examine
from qbank.kernel.web import carrier, db, now, paged, reading, settings, viewer, way_back

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")
KEPT_SECONDS = 12 * 3600
OF_A_SCHOOL = frozenset(GRANTABLE) - {Role.CANDIDATE, Role.ADMINISTRATOR}  # what a new account may be given at once


def safe_next(address: str) -> str:
    """An address on this site, or the home page. Browsers drop tabs and line ends: ``/<tab>/host`` is another host."""
    return address if re.fullmatch(r"/(?![/\\])[^\x00-\x20\x7f\\]*", address) else url_for("home")


def start_session(person: Viewer, *, second: bool = False) -> None:
    """Sign ``person`` in on this browser, in a fresh session (no fixation). ``second``: the second step was taken too."""
    flask.session.clear()
    flask.session.update(seen=now().timestamp(), since=now().timestamp(), secret=sign_ins.fresh())
    if second:
        flask.session["second"] = True
    login_user(person)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    form = request.form
    page = {"kept": form.get("kept", ""), "next": request.values.get("next", ""), "login": form.get("login", "").strip(),
            "locked": ""}
    if request.method == "GET":
        if first_run.current(db()) is not None:
            return redirect(url_for("setup.enter"))  # there is nobody yet who could sign in
        return render_template("accounts/sign_in.html", **page)
    try:
        account = proven_account(page["login"], form.get("password", ""), request.remote_addr or "")
    except Refused as refusal:
        return render_template("accounts/sign_in.html", **page | {"locked": refusal.sentence})
    if account is None:  # 200, so that the failed attempt is committed and counted
        return render_template("accounts/sign_in.html", **page | {"locked": "登录名或密码不正确，请重新输入。"})
    if account.totp_since is not None:
        return _half_way(account, page)
    start_session(account.viewer())
    return go_on(account, page["kept"], page["next"])


def _half_way(account: Account, page: dict[str, str]) -> Any:
    """The password was right: this browser may show the code of the person's device, and nothing else."""
    flask.session.clear()
    flask.session["half"] = [account.id, account.generation, now().timestamp()]
    return render_template("accounts/factor_check.html", kept=page["kept"], next=page["next"], problem="")


def go_on(account: Account, kept: str, address: str) -> Any:
    """Where a finished sign-in leads: to the form that was kept, or to where the person wanted to go."""
    return _continue(account, kept) or redirect(safe_next(address))


def proven_account(login: str, password: str, address: str) -> Account | None:
    """Hashing holds no lock: only the note of the attempt is written."""
    with reading() as quick:
        proven = accounts.proof(quick, login, password, address, now=now())
    return accounts.sign_in(db(), login, proven, address, now=now())


def _continue(account: Account, kept: str) -> Any:
    """The form that was sent after the sign-in had expired, to be sent again by its owner with one press."""
    try:
        form = carrier().loads(kept, max_age=KEPT_SECONDS) if kept else None
    except BadData:
        form = None
    if form is None or form["owner"] != str(account.id):
        return None
    filled = [value for _, value in form["fields"] if value]
    return render_template("accounts/continue.html", form=form, filled=filled,
                           words=[value for value in filled if not value.isascii()])  # codes of choices say nothing


@blueprint.post("/sign-out")
def sign_out() -> Any:
    sign_ins.end(db(), viewer(), flask.session.get("secret", ""), now=now())
    logout_user()
    flask.session.clear()
    flash("您已退出登录。", "success")
    return redirect(url_for("accounts.sign_in"))


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Any:
    if request.method == "GET":
        return render_template("accounts/password.html", problem="")
    account = db().get_one(Account, viewer().account_id)
    new = request.form.get("new_password", "")
    try:
        if new != request.form.get("repeat_password"):
            raise Refused("not_repeated", "两次输入的新密码不一致，请重新输入。")
        accounts.change_password(account, request.form.get("old_password", ""), new)
    except Refused as refusal:
        return render_template("accounts/password.html", problem=refusal.sentence)
    db().flush()
    start_session(account.viewer(), second=flask.session.get("second", False))
    flash("密码已修改，其他地方的登录已全部退出。", "success")
    return redirect(url_for("home"))


@blueprint.get("/")
def index() -> Any:
    query = visible(Account, viewer()).order_by(Account.id)
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(Account.name.contains(text, autoescape=True),
                                   Account.login.contains(text, autoescape=True)))
    if (role := request.args.get("role", "")) in set(Role):
        query = query.where(Account.grants.any(Grant.role == Role(role)))
    rows, total, page, pages = paged(db(), query)
    return render_template("accounts/index.html", rows=rows, total=total, page=page, pages=pages, roles=GRANTABLE)


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Any:
    schools = db().scalars(visible(Institution, viewer()).order_by(Institution.name)).all()
    if request.method == "GET":
        return render_template("accounts/new.html", schools=schools, roles=[role for role in GRANTABLE if role in OF_A_SCHOOL])
    school = _school(request.form.get("institution_id", ""))
    account = accounts.create_account(db(), request.form.get("login", ""), request.form.get("name", ""),
                                      [Scope(_role(role, OF_A_SCHOOL), school.id) for role in request.form.getlist("role")],
                                      institution=school)
    return render_template("accounts/handed_out.html", account=account, password=accounts.hand_out_password(account))


def _school(text: str) -> Institution:
    return fetch(db(), Institution, whole_number(text, "单位", 1, 10**9), viewer())


def _role(text: str, among: Collection[Role]) -> Role:
    if text not in set(among):
        raise Refused("role", "请选择要授予的角色。")
    return Role(text)


@blueprint.get("/<int:account_id>")
def show(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    schools = db().scalars(visible(Institution, viewer()).order_by(Institution.name)).all()
    return render_template("accounts/show.html", account=account, schools=schools, roles=GRANTABLE,
                           names={school.id: school.name for school in schools})


@blueprint.post("/<int:account_id>/grants")
def grant(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    form = request.form
    # A field that cannot be read must never become "not bounded".
    school = _school(form["institution_id"]) if form.get("institution_id") else None
    plan = form.get("plan_id", "").strip()
    scope = Scope(_role(form.get("role", ""), GRANTABLE), school.id if school else None, form.get("region", "").strip() or None,
                  form.get("occupation_code", "").strip() or None, whole_number(plan, "计划编号", 1, 10**9) if plan else None)
    accounts.give(db(), account, scope)
    flash(f"已授予“{scope.role.chinese}”。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))


@blueprint.post("/<int:account_id>/grants/<int:grant_id>/withdraw")
def withdraw(account_id: int, grant_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    accounts.withdraw(db(), account, grant_id)
    flash("已收回该角色，此账号需要重新登录。", "success")
    return redirect(url_for("accounts.show", account_id=account.id))


@blueprint.post("/<int:account_id>/reset")
def reset(account_id: int) -> Any:
    account = fetch(db(), Account, account_id, viewer())
    return render_template("accounts/handed_out.html", account=account, password=accounts.hand_out_password(account))


@blueprint.get("/institutions")
def institutions() -> Any:
    found = db().scalars(visible(Institution, viewer()).order_by(Institution.region, Institution.name)).all()
    return render_template("accounts/institutions.html", institutions=found)


@blueprint.route("/institutions/new", methods=["GET", "POST"])
def new_institution() -> Any:
    return _institution(Institution())


@blueprint.route("/institutions/<int:institution_id>", methods=["GET", "POST"])
def institution(institution_id: int) -> Any:
    return _institution(fetch(db(), Institution, institution_id, viewer()))


def _institution(found: Institution) -> Any:
    problem = ""
    if request.method == "POST":
        try:
            found.expect(request.form.get("row_version", type=int))
            describe(db(), found, request.form)
            flash(f"已保存“{found.name}”。", "success")
            return redirect(url_for("accounts.institutions"))
        except Refused as refusal:
            db().rollback()
            problem = refusal.sentence
    return render_template("accounts/institution.html", institution=found, kinds=InstitutionKind, problem=problem,
                           fields=request.form or vars(found))


@blueprint.get("/audit")
def trail() -> Any:
    query = visible(AuditEntry, viewer()).order_by(AuditEntry.id.desc())
    if table := request.args.get("table", "").strip():
        query = query.where(AuditEntry.table_name == table)
    if who := request.args.get("who", "").strip():
        query = query.where(AuditEntry.actor_name.contains(who, autoescape=True))
    keys, (total, capped) = keyset(db(), query, [AuditEntry.id], request.args, descending=True), counted(db(), query)
    rows = db().scalars(sa.select(AuditEntry).where(AuditEntry.id.in_(keys.found)).order_by(AuditEntry.id.desc())).all()
    return render_template("accounts/audit.html", rows=rows, total=total, capped=capped, keys=keys, tables=sorted(Base.metadata.tables),
                           found=_examined(), head=audit.head(db()))


def _examined() -> Trail | None:
    """The whole trail, walked when somebody asks, and compared with the head that was typed from paper."""
    printed = request.args.get("head", "").strip()
    return examine(db(), [printed] if printed else []) if printed or request.args.get("verify") else None


@blueprint.get("/jobs/<int:job_id>")
def job(job_id: int) -> Any:
    return render_template("accounts/job.html", job=fetch(db(), Job, job_id, viewer()), back=way_back())


@blueprint.get("/jobs/<int:job_id>/progress")
def job_progress(job_id: int) -> Any:
    found = fetch(db(), Job, job_id, viewer())
    return {"state": found.state, "done": found.done, "total": found.total, "message": found.message,
            "result": found.result_url}


@blueprint.get("/trust")
def trust() -> Any:
    """How a computer is told to trust this server's own authority (``serve --tls``)."""
    authority = settings().tls_folder / "ca.pem"
    return render_template("accounts/trust.html", fingerprint=tls.fingerprint(authority) if authority.exists() else "")


@blueprint.get("/trust/examroom.crt")
def authority() -> Any:
    """The authority's certificate: public, the key beside it never leaves its folder."""
    if not (file := settings().tls_folder / "ca.pem").exists():
        flask.abort(404)
    return flask.Response(file.read_bytes(), mimetype="application/x-x509-ca-cert",
                          headers={"Content-Disposition": "attachment; filename=examroom.crt"})
