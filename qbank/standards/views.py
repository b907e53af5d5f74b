"""Doors: occupations and standards. Those of tables, intake and rule packs are in the modules imported below."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import selectinload

from qbank.kernel.access import fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, paged, viewer
from qbank.standards import intake_views, pack_views, table_views  # noqa: F401  # their doors hang on the same blueprint
from qbank.standards.blueprint import blueprint
from qbank.standards.models import Basis, Occupation, Standard, Subject, WeightTable
from qbank.standards.sheet import lines_of, total_of
from qbank.standards.tables import (
    EDITORS,
    add_occupation,
    add_standard,
    correct_occupation,
    correct_standard,
)

__all__ = ["blueprint"]


@blueprint.get("/")
def index() -> Any:
    query = visible(Occupation, viewer()).options(selectinload(Occupation.standards).selectinload(Standard.tables))
    query = query.order_by(Occupation.code, Occupation.catalogue_edition)
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(Occupation.name.contains(text, autoescape=True),
                                   Occupation.code.contains(text, autoescape=True)))
    if edition := request.args.get("edition", ""):
        query = query.where(Occupation.catalogue_edition == edition)
    rows, total, page, pages = paged(db(), query)
    editions = db().scalars(sa.select(Occupation.catalogue_edition).distinct().order_by(Occupation.catalogue_edition))
    return render_template("standards/index.html", rows=rows, total=total, page=page, pages=pages, editions=editions.all(),
                           edits=viewer().has(*EDITORS))


@blueprint.route("/occupations/new", methods=["GET", "POST"])
def new_occupation() -> Any:
    problem = None
    if request.method == "POST":
        form = request.form
        try:
            made = add_occupation(db(), form.get("code", ""), form.get("name", ""), viewer(),
                                  catalogue_edition=form.get("catalogue_edition", ""),
                                  is_access_type="is_access_type" in form)
        except Refused as refusal:
            problem = refusal
        else:
            flash(f"已添加职业“{made.name}”。下一步：添加它的标准。", "success")
            return redirect(url_for("standards.occupation", occupation_id=made.id))
    return _page("standards/occupation_form.html", problem, occupation=None, typed=request.form)


@blueprint.get("/occupations/<int:occupation_id>")
def occupation(occupation_id: int) -> Any:
    found = fetch(db(), Occupation, occupation_id, viewer())
    tables = {table.id: total_of(lines_of(db(), table)) for standard in found.standards for table in standard.tables
              if table.subject is Subject.THEORY}
    return render_template("standards/occupation.html", occupation=found, counts=tables, edits=viewer().has(*EDITORS),
                           subjects=Subject, places=_places(found))


def _places(found: Occupation) -> dict[int, dict[Subject, dict[int, WeightTable]]]:
    """For each standard: subject, level, table."""
    return {standard.id: {subject: {table.level: table for table in standard.tables if table.subject is subject}
                          for subject in Subject} for standard in found.standards}


@blueprint.route("/occupations/<int:occupation_id>/edit", methods=["GET", "POST"])
def edit_occupation(occupation_id: int) -> Any:
    found = fetch(db(), Occupation, occupation_id, viewer())
    problem = None
    if request.method == "POST":
        try:
            found.expect(request.form.get("seen", type=int))
            correct_occupation(found, request.form.get("name", ""), viewer(),
                               is_access_type="is_access_type" in request.form)
        except Refused as refusal:
            problem = refusal
        else:
            flash("职业信息已保存。", "success")
            return redirect(url_for("standards.occupation", occupation_id=found.id))
    return _page("standards/occupation_form.html", problem, occupation=found, typed=request.form)


@blueprint.route("/occupations/<int:occupation_id>/standards/new", methods=["GET", "POST"])
def new_standard(occupation_id: int) -> Any:
    found = fetch(db(), Occupation, occupation_id, viewer())
    problem = None
    if request.method == "POST":
        try:
            made = add_standard(db(), found, viewer(), **_particulars())
        except Refused as refusal:
            problem = refusal
        else:
            flash(f"已添加“{made.title}”。下一步：录入或导入权重表。", "success")
            return redirect(url_for("standards.occupation", occupation_id=found.id))
    return _page("standards/standard_form.html", problem, occupation=found, standard=None, typed=request.form, bases=Basis)


@blueprint.route("/editions/<int:standard_id>/edit", methods=["GET", "POST"])
def edit_standard(standard_id: int) -> Any:
    found = fetch(db(), Standard, standard_id, viewer())
    problem = None
    if request.method == "POST":
        try:
            found.expect(request.form.get("seen", type=int))
            correct_standard(db(), found, viewer(), **_particulars())
        except Refused as refusal:
            problem = refusal
        else:
            flash("标准信息已保存。", "success")
            return redirect(url_for("standards.occupation", occupation_id=found.occupation_id))
    return _page("standards/standard_form.html", problem, occupation=found.occupation, standard=found, typed=request.form,
                 bases=Basis)


def _particulars() -> dict[str, Any]:
    form = request.form
    if form.get("basis") not in set(Basis):
        raise Refused("basis", "请选择认定依据：国家职业技能标准，或评价规范。")
    return {name: form.get(name, "") for name in ("edition", "title", "work_type", "document_number")} | {
        "basis": Basis(form["basis"])}


def _page(template: str, problem: Refused | None, **values: Any) -> Any:
    """A form, or the same form with what was typed and why it was refused (409: nothing is written)."""
    return render_template(template, problem=problem, **values), 409 if problem else 200
