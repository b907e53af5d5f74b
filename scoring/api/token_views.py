"""Doors: tokens of the API, kept by administrators and the offices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, settings, viewer
from scoring.api import tokens as rules
from scoring.api.models import MANAGERS, ApiToken, Reads, TokenUse
from scoring.api.operations import blueprint


@blueprint.get("/tokens")
def tokens() -> Any:
    return _list()


def _list(problem: str = "") -> str:
    query = visible(ApiToken, viewer()).options(joinedload(ApiToken.institution), joinedload(ApiToken.issuer)).order_by(ApiToken.id.desc())
    rows, total, page, pages = paged(db(), query)
    used = dict(db().execute(sa.select(TokenUse.token_id, sa.func.max(TokenUse.last_at)).where(
        TokenUse.token_id.in_([one.id for one in rows])).group_by(TokenUse.token_id)).all())
    return render_template("api/tokens.html", rows=rows, total=total, page=page, pages=pages, used=used, now=now(), problem=problem,
                           schools=_schools(), reads=list(Reads), days=rules.DAYS)


def _schools() -> Any:
    """Those that a token of this person may be bound to."""
    person = viewer()
    reach = sa.true() if person.has(Role.ADMINISTRATOR) else person.reach(Institution.id, *MANAGERS)
    return db().scalars(visible(Institution, person).where(reach).order_by(Institution.name)).all()


@blueprint.post("/tokens")
def issue() -> Any:
    form = request.form
    try:
        school = form.get("institution_id", "").strip()
        found = fetch(db(), Institution, whole_number(school, "学校", 1, 2**31 - 1), viewer()) if school else None
        token, secret = rules.issue(db(), form.get("name", ""), form.getlist("reads"), viewer(), region=form.get("region", "").strip(),
                                    institution_id=found.id if found else None, now=now(),
                                    days=whole_number(form.get("days", ""), "有效期", 1, 365))
    except Refused as refusal:
        db().rollback()
        return _list(refusal.sentence)
    return render_template("api/handed_out.html", token=token, secret=secret, address=settings().public_url)


@blueprint.get("/tokens/<int:token_id>")
def show_token(token_id: int) -> Any:
    return _show(fetch(db(), ApiToken, token_id, viewer()))


def _show(token: ApiToken, problem: str = "") -> str:
    return render_template("api/token.html", token=token, uses=token.uses[:50], now=now(), problem=problem)


@blueprint.post("/tokens/<int:token_id>/revoke")
def revoke(token_id: int) -> Any:
    token = fetch(db(), ApiToken, token_id, viewer())
    try:
        rules.revoke(db(), token, request.form.get("reason", ""), viewer(), now=now())
    except Refused as refusal:
        return _show(token, refusal.sentence)
    flash(f"“{token.name}”的令牌已吊销，立即失效。", "success")
    return redirect(url_for("api.tokens"))
