"""Doors of the register: certificates, their import, what runs out, declared relations."""

from __future__ import annotations

import io
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for

from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.forms import day, excel_upload, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Occupation
from qbank.standards.packs import pack_for
from scoring.practical import register, register_import
from scoring.practical.blueprint import blueprint
from scoring.practical.register_models import Assessor

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def schools() -> list[Institution]:
    """The schools whose register the viewer keeps."""
    return list(db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, Role.EXAM_OFFICER)).order_by(Institution.name)))


def _school() -> Institution:
    key = whole_number(request.form.get("institution_id", ""), "单位", 1, 2**31 - 1)
    found = next((one for one in schools() if one.id == key), None)
    if found is None:
        raise Refused("other_school", "请选择您负责的学校。")
    return found


@blueprint.get("/assessors")
def assessors() -> Any:
    return _page()


def _page(refusal: Refused | None = None) -> Any:
    own, today = schools(), local_date(now())
    days = max([pack_for(db(), one).assessor_expiry_days for one in own], default=90)
    soon = register.expiring(db(), viewer(), today, days)
    query = visible(Assessor, viewer()).join(Assessor.account).order_by(Account.name, Assessor.id)
    if request.args.get("show") == "expiring":
        query = query.where(Assessor.id.in_([one.id for one in soon]))
    rows, total, page, pages = paged(db(), query)
    ties = db().scalars(visible(Tie, viewer()).order_by(Tie.id.desc())).all()
    shown = render_template("practical/assessors.html", rows=rows, total=total, page=page, pages=pages, schools=own, soon={one.id for one in soon},
                            days=days, today=today, ties=ties, kinds=list(TieKind), refusal=refusal, form=request.form,
                            occupations=db().scalars(visible(Occupation, viewer()).order_by(Occupation.code)).all(), people=_people(own))
    return shown, 422 if refusal else 200


def _people(own: list[Institution]) -> list[Account]:
    """Assessors by their grants, for the form."""
    keys = [one.id for one in own]
    return list(db().scalars(sa.select(Account).where(Account.active, Account.grants.any(sa.and_(
        Grant.role == Role.PRACTICAL_ASSESSOR, sa.or_(Grant.institution_id.is_(None), Grant.institution_id.in_(keys))))).order_by(Account.name)))


def _certificate() -> dict[str, Any]:
    form = request.form
    return {"certificate_number": form.get("certificate_number", ""), "levels": form.getlist("level", type=int),
            "senior": form.get("senior") == "1", "expires_on": day(form.get("expires_on", ""), "有效期至")}


def _person(own: list[Institution]) -> Account:
    key = request.form.get("account", 0, type=int)
    found = next((one for one in _people(own) if one.id == key), None)
    if found is None:
        raise Refused("no_account", "请选择一名考评员。名单里没有的人，请先请系统管理员建账号并授予考评员角色。")
    return found


@blueprint.post("/assessors/new")
def new_assessor() -> Any:
    try:
        school = _school()
        account = _person([school])
        occupation = fetch(db(), Occupation, request.form.get("occupation", 0, type=int), viewer())
        register.add_assessor(db(), school, account, viewer(), occupation=occupation, **_certificate())
    except Refused as refusal:
        return _page(refusal)
    flash(f"已登记{account.name}的考评员证。", "success")
    return redirect(url_for("practical.assessors"))


@blueprint.route("/assessors/<int:assessor_id>", methods=["GET", "POST"])
def assessor(assessor_id: int) -> Any:
    found, refusal = fetch(db(), Assessor, assessor_id, viewer()), None
    if request.method == "POST":
        try:
            found.expect(request.form.get("version", type=int))
            if request.form.get("act") == "strike":
                register.strike_off(db(), found, viewer())
            else:
                register.renew(db(), found, viewer(), **_certificate())
            flash("考评员名册已更新。", "success")
            return redirect(url_for("practical.assessors"))
        except Refused as refused:
            refusal = refused
    mine = found.institution_id in {one.id for one in schools()}
    return render_template("practical/assessor.html", one=found, refusal=refusal, mine=mine), 422 if refusal else 200


@blueprint.get("/assessors/template.xlsx")
def assessor_template() -> Any:
    return send_file(io.BytesIO(register_import.template()), mimetype=XLSX, as_attachment=True, download_name="考评员名册模板.xlsx")


@blueprint.post("/assessors/import")
def import_assessors() -> Any:
    school = _school()
    _, content = excel_upload(request.files.get("file"))
    new, renewed = register_import.load(db(), school, content, viewer())
    flash(f"名册已导入：新登记 {new} 人，更新 {renewed} 人。", "success")
    return redirect(url_for("practical.assessors"))


@blueprint.post("/ties")
def declare_tie() -> Any:
    """A class taught, or kin among the candidates; an assessor declares his own."""
    form, own = request.form, schools()
    if own:
        school = _school()
        account = _person([school])
    else:
        account = db().get_one(Account, viewer().account_id)
        if account.institution is None:
            raise Refused("no_school", "您的账号不属于任何学校，请联系考务员登记回避关系。")
        school = account.institution
    kind = TieKind.RELATIVE if form.get("kind") == TieKind.RELATIVE.value else TieKind.TEACHER
    register.declare(db(), school, account, kind, viewer(), class_name=form.get("class_name", ""), note=form.get("note", ""),
                     candidate=register.candidate_of(db(), school, form.get("candidate", "")), now=now())
    flash(f"已登记{account.name}的回避关系，编组和抽取时自动避开。", "success")
    return redirect(url_for("practical.assessors"))


@blueprint.post("/ties/<int:tie_id>")
def take_back_tie(tie_id: int) -> Any:
    register.take_back(db(), fetch(db(), Tie, tie_id, viewer()), viewer())
    flash("回避关系已撤销。", "success")
    return redirect(url_for("practical.assessors"))
