"""Doors: entry conditions (申报条件) of standards and levels, on a page and as a workbook."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from examroom.plans import entry, entry_workbook
from examroom.plans.blueprint import blueprint
from examroom.plans.candidate_views import excel
from examroom.plans.condition_models import EntryCondition
from examroom.plans.entry import ConditionDraft
from examroom.plans.predicate import CLASS_KINDS, GRADUATIONS, LEVELS, SCHOOL_KINDS, Predicate
from qbank.kernel import forms
from qbank.kernel.access import fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.models import LEVEL_NAMES, Standard


@blueprint.get("/conditions")
def conditions() -> Any:
    rows = db().scalars(visible(Standard, viewer()).join(Standard.occupation).order_by(Standard.title, Standard.edition.desc())).all()
    counts = {(standard, level): count for standard, level, count in db().execute(
        sa.select(EntryCondition.standard_id, EntryCondition.level, sa.func.count()).where(EntryCondition.ended_at.is_(None))
        .group_by(EntryCondition.standard_id, EntryCondition.level))}
    return render_template("plans/conditions.html", rows=rows, counts=counts, levels=sorted(LEVEL_NAMES, reverse=True))


@blueprint.route("/conditions/<int:standard_id>/<int:level>", methods=["GET", "POST"])
def conditions_of(standard_id: int, level: int) -> Any:
    standard = _standard(standard_id, level)
    if request.method == "GET":
        return _page(standard, level)
    try:
        entry.set_condition(db(), standard, level, _typed(), viewer(), now=now())
    except Refused as refusal:
        return _page(standard, level, refusal), 409
    flash("申报条件已保存。已经报名的考生仍按报名时的条文。", "success")
    return redirect(url_for("plans.conditions_of", standard_id=standard_id, level=level))


def _standard(standard_id: int, level: int) -> Standard:
    if level not in LEVEL_NAMES:
        raise Refused("level", "请选择五级到一级中的一个等级。")
    return fetch(db(), Standard, standard_id, viewer())


def _page(standard: Standard, level: int, refusal: Refused | None = None) -> str:
    rows = entry.conditions_for(db(), standard.id, level)
    ended = db().scalars(visible(EntryCondition, viewer()).where(
        EntryCondition.standard_id == standard.id, EntryCondition.level == level, EntryCondition.ended_at.is_not(None))
        .order_by(EntryCondition.ended_at.desc(), EntryCondition.number)).all()
    return render_template("plans/conditions_of.html", standard=standard, level=level, rows=rows, ended=ended, refusal=refusal,
                           editor=viewer().has(*entry.EDITORS), read=Predicate.read, levels=LEVELS, school_kinds=SCHOOL_KINDS,
                           class_kinds=CLASS_KINDS, graduations=GRADUATIONS, next_number=max((row.number for row in rows), default=0) + 1)


def _typed() -> ConditionDraft:
    form = request.form
    number = forms.whole_number(form.get("number", ""), "序号", 1, entry.MOST)
    certificate = forms.whole_number(form.get("certificate") or "0", "要求证书等级", 0, 5) or None
    years = {name: forms.whole_number(form.get(name) or "0", label, 0, 60) for name, label in (
        ("certificate_years", "取得证书年限"), ("years", "从业年限"), ("age", "年龄"))}
    return ConditionDraft(number, form.get("text", ""), Predicate(
        certificate, years["certificate_years"], years["years"], tuple(form.getlist("school_kind")), tuple(form.getlist("class_kind")),
        tuple(form.getlist("graduation")), years["age"], form.get("by_hand", "").strip()[:200]), form.get("source", ""))


@blueprint.post("/conditions/end/<int:condition_id>")
def end_condition(condition_id: int) -> Any:
    condition = fetch(db(), EntryCondition, condition_id, viewer())
    entry.end_condition(db(), condition, viewer(), now=now())
    flash(f"第 {condition.number} 条已停用。已经选用它的考生不受影响。", "success")
    return redirect(url_for("plans.conditions_of", standard_id=condition.standard_id, level=condition.level))


@blueprint.get("/conditions/<int:standard_id>/<int:level>/workbook.xlsx")
def conditions_workbook(standard_id: int, level: int) -> Any:
    standard = _standard(standard_id, level)
    title = f"{standard.label} {LEVEL_NAMES[level]} 申报条件"
    return excel(entry_workbook.written(entry.drafts_of(entry.conditions_for(db(), standard.id, level)), title), f"{title}.xlsx")


@blueprint.post("/conditions/<int:standard_id>/<int:level>/workbook")
def upload_conditions(standard_id: int, level: int) -> Any:
    standard = _standard(standard_id, level)
    try:
        _, content = forms.excel_upload(request.files.get("file"))
        changed = entry.set_conditions(db(), standard, level, entry_workbook.read(content), viewer(), now=now())
    except Refused as refusal:
        return _page(standard, level, refusal), 409
    flash(f"已按文件更新，{changed} 条有变化。" if changed else "文件与现有申报条件相同，没有变化。", "success")
    return redirect(url_for("plans.conditions_of", standard_id=standard_id, level=level))
