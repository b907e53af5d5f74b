"""Doors of the school: the application with its tables, materials and plan; printed, submitted, withdrawn."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from examroom.filing import annexes, application, completeness, review, rows
from examroom.filing.application_models import Application
from examroom.filing.blueprint import blueprint
from examroom.filing.duties import on_duty
from examroom.filing.form import basis
from examroom.filing.models import FiledScope
from examroom.filing.scopes import HIGHEST_LEVEL
from examroom.filing.states import WITH_SCHOOL, ApplicationKind, ApplicationState
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES, Occupation, Standard

KEY = 2**31 - 1


def found(application_id: int) -> Application:
    return fetch(db(), Application, application_id, viewer())


def editable(one: Application) -> bool:
    """Whether this person fills it in now."""
    return one.state in WITH_SCHOOL and on_duty(db(), viewer(), one.institution_id, Role.EXAM_OFFICER)


@blueprint.get("/applications")
def applications() -> Any:
    query = visible(Application, viewer()).join(Application.institution).order_by(Application.id.desc())
    text, state = request.args.get("q", "").strip(), request.args.get("state", "")
    if text:
        query = query.where(sa.or_(Institution.name.contains(text, autoescape=True), Application.number.contains(text, autoescape=True)))
    if state in set(ApplicationState):
        query = query.where(Application.state == ApplicationState(state))
    listed, total, page, pages = paged(db(), query)
    return render_template("filing/applications.html", rows=listed, total=total, page=page, pages=pages, states=list(ApplicationState))


@blueprint.route("/applications/new", methods=["GET", "POST"])
def new_application() -> Any:
    schools = db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, Role.EXAM_OFFICER), Institution.kind.in_(HIGHEST_LEVEL))
                           .order_by(Institution.name)).all()
    if request.method == "GET":
        return render_template("filing/new_application.html", schools=schools, kinds=list(ApplicationKind), refusal=None)
    try:
        school = fetch(db(), Institution, forms.whole_number(request.form.get("institution_id", ""), "学校", 1, KEY), viewer())
        kind = request.form.get("kind", "")
        if kind not in set(ApplicationKind):
            raise Refused("no_kind", "请选择申请的类别。")
        made = application.begin(db(), school, ApplicationKind(kind), viewer(), now=now())
    except Refused as refusal:
        return render_template("filing/new_application.html", schools=schools, kinds=list(ApplicationKind), refusal=refusal), 409
    flash("已建立申请。请逐项填写，随时可以保存后离开。", "success")
    return redirect(url_for("filing.application", application_id=made.id))


@blueprint.get("/applications/<int:application_id>", endpoint="application")
def show(application_id: int) -> Any:
    one = found(application_id)
    role = review.DESKS.get(one.state)
    at_desk = role is not None and on_duty(db(), viewer(), one.institution_id, role)
    return render_template("filing/application.html", application=one, annexes=annexes, missing=completeness.missing(one), basis=basis,
                           editable=editable(one), at_desk=at_desk,
                           own=on_duty(db(), viewer(), one.institution_id, Role.EXAM_OFFICER))


@blueprint.route("/applications/<int:application_id>/unit", methods=["GET", "POST"])
def unit(application_id: int) -> Any:
    one = found(application_id)
    refusal = None
    if request.method == "POST":
        try:
            one.expect(request.form.get("row_version", type=int))
            application.write_unit(db(), one, request.form, viewer(), wish=request.form.get("wish", ""))
            flash("单位信息已保存。", "success")
            return redirect(url_for("filing.rows", application_id=one.id, part="sites") if "next" in request.form
                            else url_for("filing.unit", application_id=one.id))
        except Refused as refused:
            refusal = refused
    return render_template("filing/unit.html", application=one, annexes=annexes, refusal=refusal, editable=editable(one)), 409 if refusal else 200


@blueprint.route("/applications/<int:application_id>/plan", methods=["GET", "POST"])
def plan(application_id: int) -> Any:
    """《试点工作实施方案》 in its six parts."""
    one = found(application_id)
    if request.method == "POST":
        one.expect(request.form.get("row_version", type=int))
        application.write_plan(db(), one, request.form, viewer())
        flash("实施方案已保存。", "success")
        return redirect(url_for("filing.plan", application_id=one.id))
    return render_template("filing/plan.html", application=one, annexes=annexes, editable=editable(one))


@blueprint.route("/applications/<int:application_id>/occupations", methods=["GET", "POST"])
def occupations(application_id: int) -> Any:
    one = found(application_id)
    refusal = None
    if request.method == "POST":
        try:
            one.expect(request.form.get("row_version", type=int))
            application.set_occupations(db(), one, _occupation_drafts(), viewer())
            flash("职业（工种）已保存。", "success")
            return redirect(url_for("filing.occupations", application_id=one.id))
        except Refused as refused:
            refusal = refused
    standards = db().scalars(visible(Standard, viewer()).join(Standard.occupation).order_by(Occupation.code, Standard.edition)).all()
    scopes = db().scalars(visible(FiledScope, viewer()).where(FiledScope.institution_id == one.institution_id)
                          .order_by(FiledScope.valid_until.desc())).all()
    return render_template("filing/occupations.html", application=one, standards=standards, scopes=scopes, levels=LEVEL_NAMES, refusal=refusal,
                           lines=_occupation_lines(one, refusal), editable=editable(one), highest=HIGHEST_LEVEL, annexes=annexes), 409 if refusal else 200


OCCUPATION_FIELDS = ("standard_id", "level", "major", "formerly", "industry_standard", "renews_id")


def _typed_occupations() -> list[dict[str, str]]:
    lists = zip(*(request.form.getlist(name) for name in OCCUPATION_FIELDS), strict=False)
    lines = [dict(zip(OCCUPATION_FIELDS, line, strict=True)) for line in lists]
    return [line for line in lines if line["standard_id"] or line["level"]]


def _occupation_lines(one: Application, refusal: Refused | None) -> list[dict[str, str]]:
    if refusal is not None:
        return _typed_occupations()
    return [{"standard_id": str(row.standard_id), "level": str(row.level), "major": row.major, "formerly": "1" if row.formerly else "",
             "industry_standard": row.industry_standard, "renews_id": str(row.renews_id or "")} for row in one.occupations]


def _occupation_drafts() -> list[application.OccupationDraft]:
    drafts = []
    for place, line in enumerate(_typed_occupations(), 1):
        standard = fetch(db(), Standard, forms.whole_number(line["standard_id"], f"第 {place} 行的标准", 1, KEY), viewer())
        renews = fetch(db(), FiledScope, forms.whole_number(line["renews_id"], f"第 {place} 行的原备案", 1, KEY), viewer()) if line["renews_id"] else None
        drafts.append(application.OccupationDraft(standard, forms.whole_number(line["level"], f"第 {place} 行的等级", 1, 5), line["major"],
                                                  line["formerly"] == "1", line["industry_standard"], renews))
    return drafts


@blueprint.route("/applications/<int:application_id>/rows", methods=["GET", "POST"], endpoint="rows")
def table_rows(application_id: int) -> Any:
    """One of annex 1's tables (``?part=``), typed or pasted from Excel."""
    one, part = found(application_id), rows.part_of(request.args.get("part", ""))
    refusal = None
    if request.method == "POST":
        try:
            one.expect(request.form.get("row_version", type=int))
            count = rows.write_rows(db(), one, part, _typed_rows(part), viewer(), cipher=identity_cipher())
            flash(f"“{part.short}”已保存，共 {count} 行。", "success")
            return redirect(url_for("filing.rows", application_id=one.id, part=part.key))
        except Refused as refused:
            refusal = refused
    lines = _typed_rows(part) if refusal else [{"id": str(row.id), "identity": row.identity_masked or "", **row.cells} for row in one.rows_of(part.key)]
    return render_template("filing/rows.html", application=one, annexes=annexes, part=part, lines=lines, refusal=refusal,
                           editable=editable(one)), 409 if refusal else 200


def _typed_rows(part: annexes.Part) -> list[dict[str, str]]:
    names = ("id", *(field.key for field in part.columns))
    lists = zip(*(request.form.getlist(f"row-{name}") for name in names), strict=False)
    lines = [dict(zip(names, line, strict=True)) for line in lists]
    return [line for line in lines if any(line[field.key].strip() for field in part.columns)]


@blueprint.post("/applications/<int:application_id>/rows/upload")
def upload_rows(application_id: int) -> Any:
    one, part = found(application_id), rows.part_of(request.args.get("part", ""))
    _, content = forms.excel_upload(request.files.get("file"))
    count = rows.write_rows(db(), one, part, rows.read(part, content), viewer(), cipher=identity_cipher(),
                            append=request.form.get("how") == "append")
    flash(f"已导入，“{part.short}”现在共 {count} 行。", "success")
    return redirect(url_for("filing.rows", application_id=one.id, part=part.key))


@blueprint.post("/applications/<int:application_id>/submit")
def submit(application_id: int) -> Any:
    one = found(application_id)
    one.expect(request.form.get("row_version", type=int))
    application.submit(db(), one, viewer(), pledged=request.form.get("pledged") == "1", now=now())
    flash("申请已提交市鉴定中心。", "success")
    return redirect(url_for("filing.application", application_id=one.id))


@blueprint.post("/applications/<int:application_id>/withdraw")
def withdraw(application_id: int) -> Any:
    one = found(application_id)
    application.withdraw(db(), one, viewer(), now=now())
    flash("申请已撤回。", "success")
    return redirect(url_for("filing.application", application_id=one.id))
