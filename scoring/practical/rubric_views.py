"""Doors: rubrics (考核评分记录表): the list, the editor, copies, Excel out and in."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import selectinload

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import excel_upload, half_points, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, paged, viewer, wants_json
from qbank.standards.models import Standard, Subject, WeightTable
from scoring.practical import rubrics as rules
from scoring.practical import tasks
from scoring.practical.blueprint import blueprint
from scoring.practical.models import Rubric
from scoring.practical.rows import RowKind, RowRule, spoken, told
from scoring.practical.rubric_workbook import read_rubric, rubric_workbook
from scoring.practical.rubrics import RowDraft, drafts_of, sections_of
from scoring.practical.rule_text import SHAPES, parse

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIELDS = ("range", "kind", "text", "most", "rule")
Typed = dict[str, str]


@blueprint.get("/rubrics")
def rubrics() -> Any:
    query, text = visible(Rubric, viewer()).order_by(Rubric.id.desc()), request.args.get("q", "").strip()
    if text:
        query = query.where(Rubric.name.icontains(text, autoescape=True))
    rows, total, page, pages = paged(db(), query)
    return render_template("practical/rubrics.html", rows=rows, total=total, page=page, pages=pages, text=text)


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
        made = rules.build_rubric(db(), table, school, request.form.get("name", ""), viewer())
    except Refused as refusal:
        return render_template("practical/new_rubric.html", **page | {"problem": refusal.sentence}), 422
    return redirect(url_for("practical.rubric", rubric_id=made.id))


@blueprint.route("/rubrics/<int:rubric_id>", methods=["GET", "POST"])
def rubric(rubric_id: int) -> Any:
    """The editor. Its page saves by itself and asks for JSON; without scripts the form is sent as usual."""
    found = fetch(db(), Rubric, rubric_id, viewer())
    if request.method == "GET":
        return _page(found, found.name, _as_typed(drafts_of(found)), None)
    typed = _typed()
    try:
        found.expect(request.form.get("version", type=int))
        _save(found, request.form.get("name", ""), _read(typed))
    except Refused as refusal:
        if wants_json():
            return {"sentence": refusal.sentence, "details": list(refusal.details)}, 422
        return _page(found, request.form.get("name", ""), typed, refusal), 422
    if wants_json():
        return {"version": found.row_version, "rules": [row["rule"] for row in _as_typed(_read(typed))]}
    flash("评分表已保存，各职业功能的分值与权重一致。", "success")
    return redirect(url_for("practical.rubric", rubric_id=found.id))


@blueprint.post("/rubrics/<int:rubric_id>/copy")
def copy(rubric_id: int) -> Any:
    found = fetch(db(), Rubric, rubric_id, viewer())
    made = rules.copy_rubric(db(), found, f"{found.name[:190]}（副本）", viewer())
    flash("已复制，可以修改这份新表。", "success")
    return redirect(url_for("practical.rubric", rubric_id=made.id))


@blueprint.get("/rubrics/<int:rubric_id>/rubric.xlsx")
def rubric_file(rubric_id: int) -> Any:
    found = fetch(db(), Rubric, rubric_id, viewer())
    return send_file(BytesIO(rubric_workbook(found)), SPREADSHEET, as_attachment=True, download_name=f"{found.name}.xlsx")


@blueprint.post("/rubrics/<int:rubric_id>/upload")
def rubric_upload(rubric_id: int) -> Any:
    """Rows from Excel into the editor. Nothing is written until the editor is saved."""
    found = fetch(db(), Rubric, rubric_id, viewer())
    sections = sections_of(found.table, targets_of(found))
    try:
        _, content = excel_upload(request.files.get("file"))
        drafts = read_rubric(content, sections)
    except Refused as refusal:
        return _page(found, found.name, _as_typed(drafts_of(found)), refusal), 422
    return _page(found, found.name, _as_typed(drafts), None, uploaded=len(drafts),
                 problems=rules.findings(found.table, targets_of(found), drafts))


def targets_of(found: Rubric) -> dict[str, int] | None:
    """What the rows have to sum to: of a task's draft the present weights of its module."""
    version = rules.task_version_of(db(), found)
    return found.targets if version is None or rules.closed_because(found, version) else version.task.module.portions


def _save(found: Rubric, name: str, rows: list[RowDraft]) -> None:
    version = rules.task_version_of(db(), found)
    if version is None:
        rules.change_rubric(db(), found, name, rows, viewer())
    else:
        tasks.change_rows(db(), version, rows, viewer())


def _page(found: Rubric, name: str, typed: list[Typed], refusal: Refused | None, *, uploaded: int = 0,
          problems: Sequence[str] = ()) -> str:
    version = rules.task_version_of(db(), found)
    role = Role.ITEM_AUTHOR if version else Role.EXAM_OFFICER
    mine = on_duty(db(), viewer(), found.institution_id, role, occupation=found.table.standard.occupation.code)
    closed = rules.closed_because(found, version)
    return render_template("practical/rubric.html", rubric=found, name=name, rows=typed, refusal=refusal, version=version,
                           sections=sections_of(found.table, targets_of(found)), kinds=list(RowKind), shapes=SHAPES,
                           closed=closed, editable=mine and not closed, may_copy=mine and version is None,
                           uploaded=uploaded, problems=problems)


def _as_typed(rows: Sequence[RowDraft]) -> list[Typed]:
    return [{"range": row.range_path, "kind": row.kind.value, "text": row.text, "most": spoken(row.most) if row.most else "",
             "rule": told(RowRule(row.kind, row.most, row.detail))} for row in rows]


def _typed() -> list[Typed]:
    """The rows of the form that are not empty."""
    lists = zip(*(request.form.getlist(field) for field in FIELDS), strict=False)
    rows = [dict(zip(FIELDS, row, strict=True)) for row in lists]
    return [row for row in rows if row["text"].strip() or row["most"].strip()]


def _read(typed: Sequence[Typed]) -> list[RowDraft]:
    """The rows as typed; all that cannot be read are named together."""
    drafts: list[RowDraft] = []
    problems: list[str] = []
    for number, row in enumerate(typed, 1):
        try:
            drafts.append(_draft(row))
        except Refused as refusal:
            problems.append(f"第 {number} 行：{refusal.sentence}")
    if problems:
        raise Refused("bad_rows", "有几行读不懂，没有保存。请按下面逐条修改。", problems)
    return drafts


def _draft(row: Typed) -> RowDraft:
    if row["kind"] not in list(RowKind):
        raise Refused("bad_kind", "请选择这一行的类型。")
    kind = RowKind(row["kind"])
    if kind is RowKind.VETO:
        return RowDraft(row["text"], kind=kind)
    most = half_points(row["most"], "配分") if row["most"].strip() else 0
    return RowDraft(row["text"], row["range"], most, kind, parse(kind, row["rule"]))
