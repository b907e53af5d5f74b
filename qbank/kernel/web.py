"""What every request goes through: session, person, door, commit, headers, errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import flask
import sqlalchemy as sa
from flask import Flask, Response, flash, g, redirect, render_template, request, url_for
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from qbank.kernel import logs, sign_ins
from qbank.kernel.access import Role, Viewer, may_pass
from qbank.kernel.accounts import Account
from qbank.kernel.assets import Assets
from qbank.kernel.db import Actor, Database
from qbank.kernel.fencing import Fence, secure_name
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Jobs
from qbank.kernel.lazy_session import LazySessions
from qbank.kernel.passport import named_in
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock
from qbank.kernel.writer import NotWritten, Writer

LOG = logging.getLogger(__name__)
LARGE = 512 * 2**20  # bytes of a request at a door that is marked so
READING = {"GET", "HEAD", "OPTIONS"}
CONTENT_SECURITY_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                           "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
                           "frame-ancestors 'none'; object-src 'none'")
SAFE_HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin"}
ONLY_HTTPS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
ANONYMOUS_ACTOR = Actor(None, "未登录访问")
SENTENCES = {
    400: "提交的内容不完整或已失效，请返回上一页刷新后重试。",
    403: "您的账号没有这项权限。如需办理，请联系系统管理员。",
    404: "没有找到这个页面或记录，也可能您无权查看。请从首页重新进入。",
    405: "这个地址不能这样访问，请从页面上的按钮进入。",
    409: "其他人刚刚修改了这条记录，请刷新后重试。",
    413: "上传的文件太大，请拆分后再上传。",
    500: "系统出现错误，本次操作没有写入。请稍后重试；仍不成功请联系系统管理员。",
    503: "系统正忙，本次操作没有写入，请稍候几秒再试。",
}


def db() -> Session:
    """The session of this request; a commit happens once, after the view."""
    if "session" not in g:
        extension = flask.current_app.extensions["examroom"]
        database: Database = extension["database"]
        g.session = database.open(ANONYMOUS_ACTOR, clock=extension["clock"], reads_only=request.method in READING)
        g.session.info.update(jobs=extension["jobs"], address=request.remote_addr or "")
    session: Session = g.session
    return session


def _let_go() -> None:
    """End what the request's own session has read: in a POST that holds the write lock of SQLite, and whoever waits for
    the combined writer or for a hash would wait for himself."""
    if "session" in g:
        held: Session = g.session
        if held.new or held.dirty or held.deleted:
            raise RuntimeError("changes of this request would be lost: commit point and combined writer do not mix")
        held.rollback()


def reading() -> Session:
    """A session beside the request's own that only reads: for what takes longer than a write lock may be held."""
    _let_go()
    database: Database = flask.current_app.extensions["examroom"]["database"]
    return database.open(None, reads_only=True)


def now() -> datetime:
    """The clock of this installation; the only place in a request where time is read."""
    clock: Clock = flask.current_app.extensions["examroom"]["clock"]
    return clock()


def viewer() -> Viewer:
    """The signed-in person. Doors see to it that there is one."""
    person: Viewer = current_user._get_current_object()
    return person


def settings() -> Settings:
    found: Settings = flask.current_app.extensions["examroom"]["settings"]
    return found


def identity_cipher() -> IdentityCipher:
    return settings().identity_cipher()


def install(app: Flask, settings: Settings, database: Database, clock: Clock, doors: dict[str, frozenset[Role]]) -> None:
    """Attach the kernel to ``app``."""
    app.secret_key = settings.secret_key
    app.session_interface = LazySessions()
    headers = safe_headers(settings)
    app.config.update(
        SESSION_COOKIE_NAME=secure_name("session", secure=settings.secure_cookies), SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=settings.upload_megabytes * 1024 * 1024, WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions["examroom"] = {"settings": settings, "database": database, "clock": clock, "headers": headers,
                                  "jobs": Jobs(settings, database, clock), "writer": Writer(database, clock)}
    login_manager = LoginManager(app)
    login_manager.user_loader(_load)
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)  # nobody is remembered: it would read each session
    app.before_request(lambda: _guard(doors))  # before CSRF: an expired sign-in must not lose a filled form
    csrf = CSRFProtect(app)
    for view in app.view_functions.values():
        if hasattr(view, "proven"):
            csrf.exempt(view)
    app.after_request(_headers)
    app.after_request(_finish)  # runs first: Flask calls them in reverse order
    app.teardown_request(_close)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(NotWritten, _not_written)
    app.register_error_handler(CSRFError, _bad_token)
    app.wsgi_app = Assets(app.wsgi_app, app, headers)  # type: ignore[method-assign]  # Flask's way
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]  # Flask's way
    app.wsgi_app = Fence(app.wsgi_app, settings.folder, settings.secret_key, headers, secure=settings.secure_cookies)  # type: ignore[method-assign]  # Flask's way
    for error in (HTTPException, StaleDataError, IntegrityError, OperationalError):
        app.register_error_handler(error, _failed)
    app.register_error_handler(Exception, _failed)


def safe_headers(settings: Settings) -> dict[str, str]:
    """What every answer carries; a browser that came over https once is not to come otherwise again."""
    return SAFE_HEADERS | (ONLY_HTTPS if settings.secure_cookies else {})


def writer() -> Writer:
    """The combined writer of this process."""
    _let_go()
    found: Writer = flask.current_app.extensions["examroom"]["writer"]
    return found


def large(view: Callable[..., Any]) -> Callable[..., Any]:
    """A door for files that are larger than others may be, such as videos. Its rule says how large each may be."""
    view.large = True  # type: ignore[attr-defined]  # a mark on the function
    return view


def bare(view: Callable[..., Any]) -> Callable[..., Any]:
    """A door that knows by itself who asks: no account is read for it, and it writes through the combined writer.

    For the exam page, where a whole cohort asks at once. A POST still needs its CSRF token unless it has another proof
    that no foreign page can send (``proven``).
    """
    view.bare = True  # type: ignore[attr-defined]  # a mark on the function
    return view


def proven(view: Callable[..., Any]) -> Callable[..., Any]:
    """A bare door whose every request carries a signed token in a header: no foreign page can send that."""
    view.proven = True  # type: ignore[attr-defined]  # a mark on the function
    return bare(view)


def signed_in() -> tuple[int, int] | None:
    """Key and generation of the account that this browser's cookie names, without a query: to be compared where it counts."""
    return named_in(flask.session, now().timestamp(), settings())


def _load(key: str) -> Viewer | None:
    named = signed_in()
    account = db().get(Account, named[0]) if named else None
    if named is None or account is None or not account.active or account.generation != named[1]:
        return None
    if sign_ins.has_ended(db(), flask.session.get("secret", "")):
        return None
    person = account.viewer()
    if person.second_factor and not flask.session.get("second"):  # came in by the exam door, with nothing but a ticket
        return replace(person, scopes=tuple(scope for scope in person.scopes if scope.role is Role.CANDIDATE))
    return person


def _guard(doors: dict[str, frozenset[Role]]) -> Any:
    if request.endpoint is None:
        return None  # no such address: the 404 page
    logs.here().route = request.endpoint
    if request.endpoint.endswith("static") or hasattr(flask.current_app.view_functions[request.endpoint], "bare"):
        return None
    if signed_in() and hasattr(flask.current_app.view_functions[request.endpoint], "large"):
        request.max_content_length = LARGE  # before anything reads the body
    if any("\x00" in text for _, values in request.values.lists() for text in values):
        flask.abort(400)  # no keyboard types it, and PostgreSQL stores no text with it
    person = viewer() if current_user.is_authenticated else None
    roles = doors[request.endpoint]
    if person is not None:
        logs.here().account = person.account_id
        flask.session["seen"] = now().timestamp()
        flask.session.setdefault("since", now().timestamp())  # a cookie of an earlier release
        db().info["actor"] = person.actor
        if person.must_change_password and request.endpoint not in {"accounts.password", "accounts.sign_out"}:
            flash("请先设置自己的密码，再继续使用。", "warning")
            return redirect(url_for("accounts.password"))
        if _must_enrol(person) and request.endpoint not in {"accounts.factor_new", "accounts.password", "accounts.sign_out"}:
            flash("您的角色要求登录时使用两步验证，请先启用，再继续使用。", "warning")
            return redirect(url_for("accounts.factor_new"))
    if may_pass(person, roles):
        return None
    if person is None:
        return _ask_to_sign_in(roles)
    LOG.warning("refused door %s to account %s", request.endpoint, person.account_id)
    return flask.abort(403)


def _must_enrol(person: Viewer) -> bool:
    """Whether one of the person's roles demands a second step that there is not yet."""
    return not person.second_factor and any(scope.role in settings().totp_roles for scope in person.scopes)


def _ask_to_sign_in(roles: frozenset[Role]) -> Any:
    """A link leads to the sign-in page; a filled form is kept, signed, inside that page and offered again after it."""
    if wants_json():
        return {"code": "signed_out", "sentence": "登录已过期，请重新登录。"}, 401
    if request.method in READING:
        door = flask.current_app.config["CANDIDATE_DOOR"] if roles == {Role.CANDIDATE} else "accounts.sign_in"
        return redirect(url_for(door, next=request.full_path.rstrip("?")))
    owner = flask.session.get("_user_id", "").partition(":")[0]
    kept = carrier().dumps({"owner": owner, "path": request.full_path.rstrip("?"),
                            "fields": [(name, value) for name, value in request.form.items(multi=True)
                                       if name != "csrf_token" and "password" not in name],
                            "files": [upload.filename for upload in request.files.values() if upload.filename]}
                           ) if owner else ""
    # Without an owner (signed out in another window) nothing may be kept: the next who signs in here may be somebody else.
    locked = "" if kept else "您已退出登录，刚才提交的内容没有写入。请先登录，再重新提交。"
    return render_template("accounts/sign_in.html", kept=kept, next="" if kept else urlsplit(way_back()).path, login="", locked=locked), 401


def carrier() -> URLSafeTimedSerializer:
    """Signs a form that waits for its sender to sign in again."""
    return URLSafeTimedSerializer(settings().secret_key, salt="kept form")


def wants_json() -> bool:
    """A script asks (fetch), not a person following a link."""
    return request.is_json or request.accept_mimetypes.best == "application/json"


def _finish(response: Response) -> Response:
    """One commit: below 400 it stands, otherwise nothing was written."""
    session: Session | None = g.get("session")
    if session is None:
        return response
    if response.status_code < 400:
        session.commit()
    else:
        session.rollback()
    return response


def _headers(response: Response) -> Response:
    response.headers.update(flask.current_app.extensions["examroom"]["headers"])
    caching = response.headers.get("Cache-Control", "no-cache")  # what Flask gives to every file it sends
    if caching == "no-cache" and not (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _close(error: BaseException | None) -> None:
    session: Session | None = g.pop("session", None)
    if session is not None:
        session.close()


def _rolled_back() -> None:
    session: Session | None = g.get("session")
    if session is not None:
        session.rollback()
    flask.session.pop("_flashes", None)  # what a view said before its commit failed is not true


def _refused(refusal: Refused) -> Any:
    """A rule said no: a person goes back to where the form was with the sentence, a script gets a 409."""
    _rolled_back()
    if wants_json():
        return {"code": refusal.code, "sentence": refusal.sentence, "details": list(refusal.details)}, 409
    return render_template("refused.html", refusal=refusal, back=way_back()), 409


def _not_written(error: NotWritten) -> Any:
    """The combined writer wrote nothing: whoever asked keeps what they have and tries again."""
    return {"code": error.code, "sentence": SENTENCES[503]}, 503, {"Retry-After": "1"}


def way_back() -> str:
    referrer = request.referrer or ""
    return referrer if referrer.startswith(request.host_url) else url_for("home")


def _bad_token(error: CSRFError) -> Any:
    _rolled_back()
    sentence = "页面打开时间过长或登录状态已变化，本次提交没有写入。您填写的内容还在，返回后请再提交一次。"
    if wants_json():
        return {"code": "csrf", "sentence": sentence, "csrf": generate_csrf()}, 400  # no foreign page can read this answer
    return render_template("error.html", status=400, sentence=sentence, back=way_back()), 400


def _failed(error: Exception) -> Any:
    _rolled_back()
    status = 500
    if isinstance(error, HTTPException):
        if error.code is None or error.code < 400:
            return error
        status = error.code
    elif isinstance(error, StaleDataError):
        status = 409
    elif isinstance(error, DataError):  # a value that no column can hold, such as text with a NUL byte
        status = 400
    elif isinstance(error, OperationalError) and "locked" in str(error):
        status = 503
    if status >= 500:
        LOG.exception("request failed", exc_info=error)
        if flask.current_app.testing and status == 500:
            raise error
    sentence = SENTENCES.get(status, SENTENCES[500 if status >= 500 else 400])
    allowed = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    if wants_json():
        return {"code": f"http_{status}", "sentence": sentence}, status, allowed
    back = way_back() if status >= 500 and request.method == "POST" else ""
    return render_template("error.html", status=status, sentence=sentence, back=back, number=logs.here().name if status >= 500 else ""), status, allowed


def paged(session: Session, query: sa.Select[Any], *, size: int = 50) -> tuple[list[Any], int, int, int]:
    """One page of ``query`` (``?page=``): rows, total, page number, number of pages."""
    total = session.scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // size))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    rows = list(session.scalars(query.limit(size).offset((page - 1) * size)).unique())
    return rows, total, page, pages
