"""Doors of weight tables: look, print, type weights and points, levels side by side."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, redirect, render_template, request, url_for

from qbank.kernel.access import fetch
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, viewer
from qbank.standards import entries, workbooks
from qbank.standards.blueprint import blueprint, excel
from qbank.standards.models import LEVEL_NAMES, Range, Standard, Subject, WeightTable
from qbank.standards.sheet import abreast, lines_of, print_rows, total_of, warnings_of
from qbank.standards.tables import (
    EDITORS,
    PointDraft,
    RangeDraft,
    drafts_of,
    load_tree,
    points_in_order,
    remove_table,
    set_points,
    set_table,
)
from qbank.standards.weights import percent

STARTING_ROWS = [entries.TreeRow(1, "A", workbooks.GENERAL, ""), entries.TreeRow(2, "A", "职业道德", ""),
                 entries.TreeRow(2, "B", "基础知识", ""), entries.TreeRow(1, "B", workbooks.SPECIAL, "")]
blueprint.add_app_template_filter(percent, "percent")


@blueprint.get("/tables/<int:table_id>")
def table(table_id: int) -> Any:
    found = fetch(db(), WeightTable, table_id, viewer())
    lines = lines_of(db(), found)
    return render_template("standards/table.html", table=found, lines=lines, counts=total_of(lines),
                           warnings=warnings_of(found, lines), edits=viewer().has(*EDITORS),
                           total=sum(line.range.weight for line in lines if line.depth == 1))


@blueprint.get("/tables/<int:table_id>/print")
def print_table(table_id: int) -> Any:
    found = fetch(db(), WeightTable, table_id, viewer())
    lines = lines_of(db(), found)
    return render_template("standards/print.html", table=found, rows=list(print_rows(lines)), counts=total_of(lines),
                           deepest=max((line.depth for line in lines), default=1))


@blueprint.get("/tables/<int:table_id>/workbook")
def table_workbook(table_id: int) -> Any:
    found = fetch(db(), WeightTable, table_id, viewer())
    load_tree(db(), found)
    notes = ["示例：不是官方文本，仅供演示。"] if found.is_sample else []
    if found.subject is Subject.SKILL:
        rows = [(1, draft.name, {found.level: draft.weight}) for draft in drafts_of(found)]
        return excel(workbooks.comparison(found.label, rows, [found.level], notes=notes), found.label)
    return excel(workbooks.points_sheet(found.label, drafts_of(found), notes), found.label)


@blueprint.route("/editions/<int:standard_id>/theory/<int:level>/new", methods=["GET", "POST"])
def new_table(standard_id: int, level: int) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    if level not in LEVEL_NAMES:
        flask.abort(404)
    for held in standard.tables:
        if held.level == level and held.subject is Subject.THEORY:
            return redirect(url_for("standards.edit_table", table_id=held.id))
    if request.method == "GET":
        return _tree_page(standard, level, None, entries.TreeEntry(STARTING_ROWS))
    return _write_tree(standard, level, None)


@blueprint.route("/tables/<int:table_id>/edit", methods=["GET", "POST"])
def edit_table(table_id: int) -> Any:
    found = fetch(db(), WeightTable, table_id, viewer())
    if found.subject is Subject.SKILL:
        return redirect(url_for("standards.skills", standard_id=found.standard_id))
    lines = lines_of(db(), found)
    if request.method == "GET":
        return _tree_page(found.standard, found.level, found, entries.TreeEntry(entries.tree_of(lines)))
    return _write_tree(found.standard, found.level, found)


def _write_tree(standard: Standard, level: int, held: WeightTable | None) -> Any:
    entry = entries.read_tree(request.form, drafts_of(held) if held else [], level)
    is_sample, source = "is_sample" in request.form, request.form.get("source", "").strip()
    if not is_sample and not source:
        entry.problems.append("请填写来源（标准名称、页码），或勾选“示例”。")
    if not entry.refused:
        try:
            if held:
                held.expect(request.form.get("seen", type=int))
            made = set_table(db(), standard, level, Subject.THEORY, entry.drafts, viewer(), is_sample=is_sample, source=source)
        except Refused as refusal:
            entry.problems += [refusal.sentence, *refusal.details]
        else:
            flash("比重已保存，合计 100。", "success")
            return redirect(url_for("standards.table", table_id=made.id))
    return _tree_page(standard, level, held, entry), 409


def _tree_page(standard: Standard, level: int, held: WeightTable | None, entry: entries.TreeEntry) -> str:
    typed = request.form if request.method == "POST" else None
    return render_template(
        "standards/edit_table.html", standard=standard, level=level, table=held, entry=entry,
        seen=typed.get("seen", "") if typed else held.row_version if held else "",
        is_sample="is_sample" in typed if typed is not None else bool(held and held.is_sample),
        source=typed.get("source", "") if typed is not None else held.source if held else "")


@blueprint.post("/tables/<int:table_id>/remove")
def remove(table_id: int) -> Any:
    found = fetch(db(), WeightTable, table_id, viewer())
    label, occupation_id = found.label, found.standard.occupation_id
    remove_table(db(), found, viewer())
    flash(f"已删除“{label}”。", "success")
    return redirect(url_for("standards.occupation", occupation_id=occupation_id))


@blueprint.route("/ranges/<int:range_id>/points", methods=["GET", "POST"])
def points(range_id: int) -> Any:
    leaf = fetch(db(), Range, range_id, viewer())
    held = {point.segment for point in leaf.points}
    rows = [entries.PointRow(PointDraft(p.segment, p.name, p.importance.value), True) for p in points_in_order(leaf)]
    problem = None
    if request.method == "POST":
        rows = entries.read_points(request.form, leaf.path, held)
        try:
            leaf.table.expect(request.form.get("seen", type=int))
            set_points(db(), leaf, [row.draft for row in rows if not row.remove], viewer())
        except Refused as refusal:
            problem = refusal
        else:
            flash(f"“{leaf.name}”的鉴定点已保存，共 {len(leaf.points)} 个。", "success")
            return redirect(url_for("standards.table", table_id=leaf.table_id, _anchor=f"range-{leaf.id}"))
    taken = held | {row.draft.segment for row in rows}
    return render_template("standards/points.html", leaf=leaf, table=leaf.table, rows=rows, problem=problem,
                           blanks=entries.blank_points(taken),
                           seen=request.form.get("seen", leaf.table.row_version)), 409 if problem else 200


@blueprint.route("/editions/<int:standard_id>/skills", methods=["GET", "POST"])
def skills(standard_id: int) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    found = abreast(db(), standard, Subject.SKILL)
    if request.method == "GET":
        return _grid_page(standard, found.tables, entries.grid_of(found))
    held = {level: drafts_of(held) for level, held in found.tables.items()}
    grid = entries.read_grid(request.form, held)
    try:
        entries.refuse_columns(grid)
        written = [level for level in grid.drafts if _write_column(standard, level, grid, found.tables.get(level), held)]
    except Refused as refusal:
        return _grid_page(standard, found.tables, grid, refusal), 409
    flash(f"已保存 {len(written)} 个等级的技能要求权重。" if written else "没有改动，未写入任何内容。", "success")
    return redirect(url_for("standards.compare", standard_id=standard.id, subject="skill"))


def _write_column(standard: Standard, level: int, grid: entries.Grid, held: WeightTable | None,
                  drafts: dict[int, list[RangeDraft]]) -> bool:
    """Write one level unless it is as it was. Returns whether it was written."""
    is_sample, source = level in grid.samples, grid.sources[level]
    if held and entries.same(grid.drafts[level], drafts[level]) and (held.is_sample, held.source) == (is_sample, source):
        return False
    if held:
        held.expect(request.form.get(f"seen-{level}", 0, type=int))  # no mark: made after this page was drawn
    set_table(db(), standard, level, Subject.SKILL, grid.drafts[level], viewer(), is_sample=is_sample, source=source)
    return True


def _grid_page(standard: Standard, tables: dict[int, WeightTable], grid: entries.Grid, problem: Refused | None = None) -> str:
    seen = {level: request.form.get(f"seen-{level}", held.row_version) for level, held in tables.items()}
    return render_template("standards/skills.html", standard=standard, tables=tables, grid=grid, levels=entries.LEVELS,
                           problem=problem, seen=seen)


@blueprint.get("/editions/<int:standard_id>/compare/<subject>")
def compare(standard_id: int, subject: str) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    return render_template("standards/compare.html", standard=standard, subject=_subject(subject),
                           found=abreast(db(), standard, _subject(subject)), edits=viewer().has(*EDITORS))


@blueprint.get("/editions/<int:standard_id>/compare/<subject>/workbook")
def compare_workbook(standard_id: int, subject: str) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    found = abreast(db(), standard, _subject(subject))
    if not found.tables:
        raise Refused("no_tables", f"这份标准还没有{_subject(subject).chinese}权重表，没有可导出的内容。请先录入或导入。")
    samples = [LEVEL_NAMES[level] for level in found.levels if found.tables[level].is_sample]
    notes = [f"示例（不是官方文本，仅供演示）：{'、'.join(samples)}"] if samples else []
    title = f"{standard.label} {_subject(subject).chinese}权重表"
    return excel(workbooks.comparison(title, found.rows, found.levels, notes=notes), title)


def _subject(text: str) -> Subject:
    if text not in set(Subject):
        flask.abort(404)
    return Subject(text)
