"""Doors: Filed scope of institutions (备案)."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for

from examroom.filing import scopes
from examroom.filing.models import FiledScope
from examroom.filing.scopes import HIGHEST_LEVEL
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES, Occupation, Standard

blueprint = Blueprint("filing", __name__, url_prefix="/filing")


def _today() -> date:
    return local_date(now())


@blueprint.get("/directory")
def directory() -> Any:
    """评价机构目录: open to everybody; only what is valid today."""
    query = scopes.searched(sa.select(FiledScope), request.args.get("q", "").strip(), request.args.get("level", ""),
                            "valid", _today())
    rows, total, page, pages = paged(db(), query)
    return render_template("filing/directory.html", rows=rows, total=total, page=page, pages=pages, today=_today(),
                           levels=LEVEL_NAMES)


@blueprint.get("/")
def index() -> Any:
    query = scopes.searched(visible(FiledScope, viewer()), request.args.get("q", "").strip(),
                            request.args.get("level", ""), request.args.get("standing", ""), _today())
    rows, total, page, pages = paged(db(), query)
    return render_template("filing/index.html", rows=rows, total=total, page=page, pages=pages, today=_today(),
                           levels=LEVEL_NAMES, may_publish=viewer().has(Role.PROVINCE_OFFICER))


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Any:
    if request.method == "GET":
        return _form()
    form = request.form
    try:
        school = fetch(db(), Institution, forms.whole_number(form.get("institution_id", ""), "学校", 1, 2**31 - 1), viewer())
        standard = fetch(db(), Standard, forms.whole_number(form.get("standard_id", ""), "标准", 1, 2**31 - 1), viewer())
        until = form.get("valid_until", "").strip()
        scopes.publish_scope(db(), school, standard, forms.whole_number(form.get("level", ""), "等级", 1, 5), viewer(),
                             valid_from=forms.day(form.get("valid_from", ""), "有效期起"),
                             valid_until=forms.day(until, "有效期止") if until else None)
    except Refused as refusal:
        return _form(refusal), 409
    flash("备案范围已公布，公开目录同时更新。", "success")
    return redirect(url_for("filing.index"))


def _form(refusal: Refused | None = None) -> str:
    schools = db().scalars(visible(Institution, viewer()).where(Institution.kind.in_(HIGHEST_LEVEL))
                           .order_by(Institution.name)).all()
    standards = db().scalars(visible(Standard, viewer()).join(Standard.occupation)
                             .order_by(Occupation.code, Standard.edition)).all()
    return render_template("filing/new.html", schools=schools, standards=standards, refusal=refusal, levels=LEVEL_NAMES,
                           today=_today(), highest=HIGHEST_LEVEL)


@blueprint.post("/<int:scope_id>/end")
def end(scope_id: int) -> Any:
    scope = fetch(db(), FiledScope, scope_id, viewer())
    scope.expect(request.form.get("row_version", type=int))
    scopes.end_scope(db(), scope, viewer(), last_day=forms.day(request.form.get("last_day", ""), "终止日期"),
                     reason=request.form.get("reason", ""))
    flash("已提前终止这项备案。", "success")
    return redirect(url_for("filing.index"))
