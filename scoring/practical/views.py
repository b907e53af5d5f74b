"""Doors: practical examination (操作技能考核) for officers: rubrics and groups. Marking: :mod:`.marking_views`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import selectinload

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import half_points, moment, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.views import safe_next
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Standard, Subject, WeightTable
from qbank.standards.packs import pack_for
from scoring.practical import desk, marking_views, modules, overview  # noqa: F401  # marking_views: its doors hang on the blueprint
from scoring.practical.blueprint import blueprint
from scoring.practical.duties import may_act, qualified
from scoring.practical.models import MarkSheet, Part, PracticalGroup, PracticalScore, RowKind, Rubric
from scoring.practical.rubrics import RowDraft, drafts_of, sections


@blueprint.get("/")
def index() -> Any:
    """The groups of an assessor; for the offices the plans with their groups."""
    person = viewer()
    query = visible(ExamPlan, person).order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())
    plans, total, page, pages = paged(db(), query, size=20)
    return render_template("practical/index.html", own=overview.own_groups(db(), person), total=total, page=page, pages=pages,
                           plans=[overview.plan_line(db(), plan) for plan in plans],
                           is_officer=person.has(Role.EXAM_OFFICER))


@blueprint.get("/rubrics")
def rubrics() -> Any:
    query = visible(Rubric, viewer()).order_by(Rubric.id.desc())
    rows, total, page, pages = paged(db(), query)
    return render_template("practical/rubrics.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.route("/rubrics/new", methods=["GET", "POST"])
def new_rubric() -> Any:
    tables = db().scalars(visible(WeightTable, viewer()).join(WeightTable.standard).where(WeightTable.subject == Subject.SKILL)
                          .options(selectinload(WeightTable.ranges)).order_by(Standard.title, WeightTable.level.desc())).all()
    schools = db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, Role.EXAM_OFFICER))
                           .order_by(Institution.name)).all()
    page = {"tables": tables, "schools": schools, "problem": ""}
    if request.method == "GET":
        return render_template("practical/new_rubric.html", **page)
    try:
        table = fetch(db(), WeightTable, whole_number(request.form.get("table_id", ""), "权重表", 1, 2**31 - 1), viewer())
        school = whole_number(request.form.get("institution_id", ""), "单位", 1, 2**31 - 1)
        made = desk.build_rubric(db(), table, school, request.form.get("name", ""), viewer())
    except Refused as refusal:
        return render_template("practical/new_rubric.html", **page | {"problem": refusal.sentence}), 422
    return redirect(url_for("practical.rubric", rubric_id=made.id))


@blueprint.route("/rubrics/<int:rubric_id>", methods=["GET", "POST"])
def rubric(rubric_id: int) -> Any:
    found = fetch(db(), Rubric, rubric_id, viewer())
    if request.method == "GET":
        return _rubric_page(found, found.name, _as_typed(drafts_of(found)), None)
    typed = _typed_rows()
    try:
        found.expect(request.form.get("version", type=int))
        desk.change_rubric(db(), found, request.form.get("name", ""), _read_rows(typed), viewer())
    except Refused as refusal:
        return _rubric_page(found, request.form.get("name", ""), typed, refusal), 422
    flash("评分表已保存，各职业功能的分值与权重一致。", "success")
    return redirect(url_for("practical.rubric", rubric_id=found.id))


def _rubric_page(found: Rubric, name: str, typed: list[dict[str, str]], refusal: Refused | None) -> str:
    return render_template("practical/rubric.html", rubric=found, name=name, rows=typed, refusal=refusal,
                           sections=sections(found.table))


def _as_typed(rows: list[RowDraft]) -> list[dict[str, str]]:
    return [{"range": "★" if row.kind is RowKind.VETO else row.range_path, "text": row.text,
             "most": f"{row.most / 2:g}" if row.most else ""} for row in rows]


def _typed_rows() -> list[dict[str, str]]:
    """The rows of the form that are not empty."""
    form = request.form
    typed = zip(form.getlist("range"), form.getlist("text"), form.getlist("most"), strict=False)
    return [{"range": place, "text": text, "most": most} for place, text, most in typed if text.strip() or most.strip()]


def _read_rows(typed: list[dict[str, str]]) -> list[RowDraft]:
    drafts = []
    for number, row in enumerate(typed, 1):
        veto = row["range"] == "★"
        most = half_points(row["most"], f"第 {number} 行分值") if row["most"].strip() else 0
        drafts.append(RowDraft(row["text"], "" if veto else row["range"], most, RowKind.VETO if veto else RowKind.POINTS))
    return drafts


@blueprint.post("/rubrics/<int:rubric_id>/copy")
def copy(rubric_id: int) -> Any:
    found = fetch(db(), Rubric, rubric_id, viewer())
    made = desk.copy_rubric(db(), found, f"{found.name[:190]}（副本）", viewer())
    flash("已复制，可以修改这份新表。", "success")
    return redirect(url_for("practical.rubric", rubric_id=made.id))


@blueprint.route("/plans/<int:plan_id>/groups/new", methods=["GET", "POST"])
def new_group(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    refusal = None
    if request.method == "POST":
        try:
            form = request.form
            chosen = fetch(db(), Rubric, whole_number(form.get("rubric_id", ""), "评分表", 1, 2**31 - 1), viewer())
            made = desk.form_group(db(), plan, chosen, form.get("name", ""), viewer(), place=form.get("place", ""),
                                   assessor_ids=form.getlist("assessor", type=int),
                                   enrolment_ids=form.getlist("enrolment", type=int),
                                   starts_at=moment(form.get("starts_at", ""), "开始时间"))
        except Refused as refused:
            refusal = refused
        else:
            flash(f"已编成“{made.name}”，共 {len(made.members)} 名考生、{len(made.assessors)} 名考评员。", "success")
            return redirect(url_for("practical.group", group_id=made.id))
    page = render_template("practical/new_group.html", plan=plan, refusal=refusal, form=request.form,
                           rubrics=overview.rubrics_for(db(), plan, viewer()), waiting=desk.ungrouped(db(), plan),
                           assessors=qualified(db(), plan, Role.PRACTICAL_ASSESSOR),
                           pack=pack_for(db(), plan.institution))
    return page, 422 if refusal else 200


@blueprint.get("/groups/<int:group_id>")
def group(group_id: int) -> Any:
    found = fetch(db(), PracticalGroup, group_id, viewer())
    scores = {one.enrolment_id: one for one in db().scalars(visible(PracticalScore, viewer()).where(
        PracticalScore.enrolment_id.in_([member.enrolment_id for member in found.members])))}
    in_charge = may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER)
    pack = pack_for(db(), found.plan.institution)
    return render_template(
        "practical/group.html", group=found, scores=scores, in_charge=in_charge, progress=overview.progress(db(), found),
        mine=viewer().account_id in {one.account_id for one in found.assessors},
        absent=desk.absent_from(db(), found.plan, Part.PRACTICAL),
        note=desk.ratio_note(pack, len(found.assessors), len(found.members)),
        others=qualified(db(), found.plan, Role.PRACTICAL_ASSESSOR) if in_charge else [])


@blueprint.post("/groups/<int:group_id>/replace")
def replace(group_id: int) -> Any:
    found = fetch(db(), PracticalGroup, group_id, viewer())
    desk.replace_assessor(db(), found, request.form.get("out", 0, type=int), request.form.get("in", 0, type=int), viewer())
    flash("考评员已更换。", "success")
    return redirect(url_for("practical.group", group_id=found.id))


@blueprint.post("/groups/<int:group_id>/disband")
def disband(group_id: int) -> Any:
    desk.disband(db(), fetch(db(), PracticalGroup, group_id, viewer()), viewer())
    flash("考核组已撤销，考生可以重新编组。", "success")
    return redirect(url_for("practical.index"))


@blueprint.post("/enrolments/<int:enrolment_id>/absence")
def absence(enrolment_id: int) -> Any:
    """Record an absence, or take it back (``withdraw``)."""
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    if request.form.get("withdraw"):
        desk.withdraw_absence(db(), enrolment, Part.PRACTICAL, viewer())
        flash(f"已撤销{enrolment.candidate.name}的操作技能缺考登记。", "success")
    else:
        desk.record_absence(db(), enrolment, Part.PRACTICAL, viewer(), reason=request.form.get("reason", ""), now=now())
        flash(f"已登记{enrolment.candidate.name}操作技能缺考。", "success")
    return redirect(safe_next(request.form.get("next", "")))


@blueprint.get("/sheets/<int:sheet_id>")
def sheet(sheet_id: int) -> Any:
    """One signed 评分记录表, for reading and printing; another's only when all have signed."""
    found = fetch(db(), MarkSheet, sheet_id, viewer())
    return render_template("practical/sheet.html", sheet=found, marks={mark.row_id: mark for mark in found.marks},
                           total=desk.total_of(found))
