"""Doors of the assessor: one candidate's mark page, its autosave and its signature."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch
from qbank.kernel.forms import half_points
from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from qbank.kernel.web import db, now, viewer
from scoring.practical import desk, overview
from scoring.practical.blueprint import blueprint
from scoring.practical.models import GroupMember, MarkSheet, RowKind, RubricRow


def own_member(member_id: int) -> GroupMember:
    """The candidate, if the viewer is an assessor of the group; for everybody else there is no such page."""
    member = fetch(db(), GroupMember, member_id, viewer())
    if viewer().account_id not in {one.account_id for one in member.group.assessors}:
        raise NotFound
    return member


@blueprint.route("/members/<int:member_id>", methods=["GET", "POST"])
def mark(member_id: int) -> Any:
    member = own_member(member_id)
    if request.method == "GET":
        return _page(member, overview.own_sheet(db(), member, viewer()))
    typed = {row.id: request.form.get(f"row-{row.id}", "") for row in member.group.rubric.rows}
    values, problems = _read(member.group.rubric.rows, typed)
    if problems:
        return _page(member, overview.own_sheet(db(), member, viewer()), typed=typed, problems=problems), 422
    found = desk.mark_sheet_for(db(), member, viewer())
    desk.enter_marks(db(), found, values, viewer(), now=now())
    if request.form.get("act") != "sign":
        flash("草稿已保存。", "success")
        return redirect(url_for("practical.mark", member_id=member.id))
    try:
        desk.sign(db(), found, viewer(), now=now())
    except Refused as refusal:  # 200: the marks typed so far are kept as a draft
        return _page(member, found, refusal=refusal)
    flash(f"{member.enrolment.candidate.name}的评分表已签字。", "success")
    return redirect(url_for("practical.group", group_id=member.group_id))


@blueprint.post("/members/<int:member_id>/draft")
def draft(member_id: int) -> Any:
    """Save the rows that changed (JSON ``{"marks": {row id: typed text}}``); called by the page while it is typed on."""
    member = own_member(member_id)
    sent = request.get_json(silent=True)
    marks = sent.get("marks") if isinstance(sent, dict) else None
    rows = {str(row.id): row for row in member.group.rubric.rows}
    if not isinstance(marks, dict) or not all(key in rows and isinstance(text, str) for key, text in marks.items()):
        raise Refused("other_row", "提交的评分项不在这份评分表上，请刷新页面。")
    changed = [rows[key] for key in marks]
    values, problems = _read(changed, {row.id: marks[str(row.id)] for row in changed})
    found = desk.mark_sheet_for(db(), member, viewer())
    desk.enter_marks(db(), found, values, viewer(), now=now())
    return {"saved_at": f"{local(now()):%H:%M:%S}", "problems": {str(key): text for key, text in problems.items()},
            "left": len(desk.blanks(found))}


def _read(rows: list[RubricRow], typed: dict[int, str]) -> tuple[dict[int, int | bool | None], dict[int, str]]:
    """What was typed as marks; rows that cannot be read are in the second dictionary with the sentence to show."""
    values: dict[int, int | bool | None] = {}
    problems: dict[int, str] = {}
    for row in rows:
        text = typed[row.id].strip()
        if not text:
            values[row.id] = None
        elif row.kind is RowKind.VETO:
            if text not in {"yes", "no"}:
                problems[row.id] = "请回答是或否。"
            else:
                values[row.id] = text == "yes"
        else:
            try:
                value = half_points(text, "得分")
                if not 0 <= value <= row.most:
                    raise Refused("out_of_range", f"应在 0 到 {row.most / 2:g} 分之间，现在是“{text[:20]}”。")
                values[row.id] = value
            except Refused as refusal:
                problems[row.id] = refusal.sentence
    return values, problems


def _page(member: GroupMember, sheet: MarkSheet | None, *, typed: dict[int, str] | None = None,
          problems: dict[int, str] | None = None, refusal: Refused | None = None) -> str:
    blank = {row.id for row in desk.blanks(sheet)} if sheet and refusal else set()
    if typed is None:
        typed = {} if sheet is None else {one.row_id: _shown(one.half_points, one.violated) for one in sheet.marks}
    rows = member.group.rubric.rows
    values, _ = _read(rows, {row.id: typed.get(row.id, "") for row in rows})
    total = sum(value for value in values.values() if value is not None and not isinstance(value, bool))
    return render_template("practical/mark.html", member=member, group=member.group, sheet=sheet, typed=typed,
                           problems=problems or {}, refusal=refusal, blank=blank, total=total,
                           neighbours=overview.neighbours(db(), member, viewer()))


def _shown(points: int | None, violated: bool | None) -> str:
    if violated is not None:
        return "yes" if violated else "no"
    return "" if points is None else f"{points / 2:g}"
