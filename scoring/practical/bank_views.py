"""Doors: the task bank's list and the 考核内容结构表."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import aliased
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import half_points, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, paged, viewer
from qbank.standards.models import Standard, Subject, WeightTable
from scoring.practical import structure as rules
from scoring.practical.bank_models import PracticalTask, TaskState, TaskVersion
from scoring.practical.blueprint import blueprint
from scoring.practical.draw import usable
from scoring.practical.rubrics import sections
from scoring.practical.structure import ModuleDraft
from scoring.practical.structure_models import ContentStructure, Form, Mode, StructureState

LARGEST = 2**31 - 1


@blueprint.get("/bank")
def bank() -> Any:
    """All tasks that one may see, searched and filtered by table and by the state of the latest version."""
    args, text = request.args, request.args.get("q", "").strip()
    query = visible(PracticalTask, viewer()).order_by(PracticalTask.code)
    later = aliased(TaskVersion)
    newest = sa.select(sa.func.max(later.number)).where(later.task_id == PracticalTask.id).correlate(PracticalTask).scalar_subquery()
    if text:
        named = PracticalTask.versions.any(TaskVersion.title.icontains(text, autoescape=True))
        query = query.where(sa.or_(PracticalTask.code.icontains(text, autoescape=True), named))
    if (state := args.get("state", "")) in list(TaskState):
        query = query.where(PracticalTask.versions.any(sa.and_(TaskVersion.number == newest, TaskVersion.state == TaskState(state))))
    if table := args.get("table", type=int):
        query = query.where(PracticalTask.table_id == max(0, min(table, LARGEST)))
    rows, total, page, pages = paged(db(), query)
    author = viewer().has(Role.ITEM_AUTHOR)
    return render_template("practical/bank.html", rows=[(one, _shown(one)) for one in rows], total=total, page=page, pages=pages,
                           text=text, state=state, table=table, states=list(TaskState), author=author,
                           structures=db().scalars(visible(ContentStructure, viewer()).where(
                               ContentStructure.state == StructureState.IN_FORCE).order_by(ContentStructure.id)).all())


def _shown(task: PracticalTask) -> TaskVersion:
    """The newest version that this person may see."""
    return db().scalars(visible(TaskVersion, viewer()).where(TaskVersion.task_id == task.id)
                        .order_by(TaskVersion.number.desc())).first() or task.latest


@blueprint.route("/structures", methods=["GET", "POST"])
def structures() -> Any:
    """The structures, and beginning one for a table: from the table's 职业功能, or the next version of the one in force."""
    if request.method == "POST":
        table = fetch(db(), WeightTable, whole_number(request.form.get("table_id", ""), "权重表", 1, LARGEST), viewer())
        school = whole_number(request.form.get("institution_id", ""), "单位", 1, LARGEST)
        made = rules.draft_structure(db(), table, school, viewer())
        return redirect(url_for("practical.structure", structure_id=made.id))
    query = visible(ContentStructure, viewer()).order_by(ContentStructure.table_id, ContentStructure.number.desc())
    rows, total, page, pages = paged(db(), query)
    tables = db().scalars(visible(WeightTable, viewer()).join(WeightTable.standard).where(WeightTable.subject == Subject.SKILL)
                          .order_by(Standard.title, WeightTable.level.desc())).all()
    schools = db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, *rules.WRITERS)).order_by(Institution.name)).all()
    return render_template("practical/structures.html", rows=rows, total=total, page=page, pages=pages, tables=tables, schools=schools)


@blueprint.route("/structures/<int:structure_id>", methods=["GET", "POST"])
def structure(structure_id: int) -> Any:
    found = fetch(db(), ContentStructure, structure_id, viewer())
    if request.method == "GET":
        return _page(found, _as_typed(found), None)
    typed = _typed(found)
    try:
        found.expect(request.form.get("version", type=int))
        rules.change_structure(db(), found, [_draft(number, row, found) for number, row in enumerate(typed, 1)],
                               request.form.get("source", ""), viewer())
    except Refused as refusal:
        return _page(found, typed, refusal), 422
    flash("结构表已保存，各模块的比重与权重表一致。", "success")
    return redirect(url_for("practical.structure", structure_id=found.id))


@blueprint.post("/structures/<int:structure_id>/act")
def structure_act(structure_id: int) -> Any:
    """Put a draft in force, throw it away, or begin the version after the one in force."""
    found, act = fetch(db(), ContentStructure, structure_id, viewer()), request.form.get("act", "")
    if act == "discard":
        rules.discard_structure(db(), found, viewer())
        flash("草稿已删除。", "success")
        return redirect(url_for("practical.structures"))
    if act == "next":
        made = rules.draft_structure(db(), found.table, found.institution_id, viewer())
        return redirect(url_for("practical.structure", structure_id=made.id))
    if act != "in-force":
        raise NotFound
    rules.put_in_force(db(), found, viewer())
    flash(f"第 {found.number} 版已启用，今后的试题和抽签都按这一版。", "success")
    return redirect(url_for("practical.structure", structure_id=found.id))


def _page(found: ContentStructure, typed: list[dict[str, Any]], refusal: Refused | None) -> str:
    code = found.table.standard.occupation.code
    duty = on_duty(db(), viewer(), found.institution_id, *rules.WRITERS, occupation=code)
    counts = {module.id: {unit: len(held) for unit, held in usable(db(), module).items()} for module in found.modules}
    return render_template("practical/structure.html", structure=found, modules=typed, refusal=refusal, sections=sections(found.table),
                           modes=list(Mode), forms=list(Form), counts=counts, duty=duty,
                           officer=on_duty(db(), viewer(), found.institution_id, Role.EXAM_OFFICER, occupation=code),
                           editable=duty and found.state is StructureState.DRAFT)


def _as_typed(found: ContentStructure) -> list[dict[str, Any]]:
    return [{"id": one.id, "name": one.name, "mode": one.mode.value, "options": "、".join(one.options), "minutes": str(one.minutes),
             "form": one.form.value, "previous": str(one.previous_id or ""), "choice": one.choice, "units": one.options or [""],
             "portions": {path: f"{weight / 2:g}" for path, weight in one.portions.items()}} for one in found.modules]


def _typed(found: ContentStructure) -> list[dict[str, Any]]:
    form, names = request.form, ("name", "mode", "options", "minutes", "form", "previous")
    lists = zip(*(form.getlist(name) for name in names), strict=False)
    rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in lists]
    for place, row in enumerate(rows):
        held = {one.path: form.getlist(f"portion-{one.path}") for one in sections(found.table)}
        row["portions"] = {path: values[place] for path, values in held.items() if place < len(values)}
    return [row for row in rows if row["name"].strip() or any(value.strip() for value in row["portions"].values())]


def _draft(number: int, row: dict[str, Any], found: ContentStructure) -> ModuleDraft:
    if row["mode"] not in list(Mode) or row["form"] not in list(Form):
        raise Refused("bad_choice", f"请选择模块 {number} 的选考方式和考核形式。")
    portions = {path: half_points(text, f"模块 {number} 比重") for path, text in row["portions"].items() if text.strip()}
    options = tuple(one.strip() for one in row["options"].replace("，", "、").replace(",", "、").split("、") if one.strip())
    before = {one.previous_id for one in found.modules}
    previous = int(row["previous"]) if row["previous"].isdecimal() and int(row["previous"]) in before else None
    return ModuleDraft(row["name"], {path: value for path, value in portions.items() if value}, previous_id=previous,
                       minutes=whole_number(row["minutes"], f"模块 {number} 考试时间", 1, rules.MOST_MINUTES),
                       mode=Mode(row["mode"]), options=options, form=Form(row["form"]))
