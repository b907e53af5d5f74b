"""Doors: the draw of a plan: what it needs, holding it, the sheet, drawing anew."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import moment, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from scoring.practical import draw as rules
from scoring.practical.bank_models import PracticalDraw, UnitChoice
from scoring.practical.blueprint import blueprint
from scoring.practical.duties import may_act
from scoring.practical.modules import current_draw
from scoring.practical.papers_print import print_draw
from scoring.practical.structure_models import PracticalModule


@blueprint.route("/plans/<int:plan_id>/draw", methods=["GET", "POST"])
def draw(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    if request.method == "GET":
        return _page(plan, None)
    try:
        structure = rules.structure_for(db(), plan)
        stations = {one.id: whole_number(request.form.get(f"stations-{one.id}", ""), f"“{one.name}”工位数", 1, rules.MOST_STATIONS)
                    for one in (structure.modules if structure else ())}
        made = rules.draw(db(), plan, viewer(), stations=stations, now=now(),
                          starts_at=moment(request.form.get("starts_at", ""), "考核开始时间"))
    except Refused as refusal:
        return _page(plan, refusal), 422
    flash(f"抽签完成：{len(plan.enrolments)} 名考生，{len(made.structure.modules)} 个模块。", "success")
    return redirect(url_for("practical.draw", plan_id=plan.id))


def _page(plan: ExamPlan, refusal: Refused | None) -> str:
    structure, held = rules.structure_for(db(), plan), current_draw(db(), plan)
    past = db().scalars(visible(PracticalDraw, viewer()).where(PracticalDraw.plan_id == plan.id).order_by(PracticalDraw.number.desc())).all()
    keys = [one.id for one in structure.modules] if structure else []
    choices = db().scalars(sa.select(UnitChoice).where(UnitChoice.module_id.in_(keys)))
    return render_template(
        "practical/draw.html", plan=plan, structure=structure, draw=held, past=past, refusal=refusal, form=request.form,
        lacking=rules.lacking(db(), plan, structure) if structure and held is None else [],
        choices={(one.enrolment_id, one.module_id): one.option for one in choices},
        in_charge=may_act(db(), plan, viewer(), Role.EXAM_OFFICER), before_start=bool(held and now() < held.starts_at),
        repeats=rules.repeats(held) if held else True, late=_late(plan, held))


def _late(plan: ExamPlan, held: PracticalDraw | None) -> list[str]:
    """Candidates who were enrolled after the draw."""
    drawn = {one.enrolment_id for one in held.lots} if held else set()
    return [one.candidate.name for one in plan.enrolments if held and one.id not in drawn]


@blueprint.post("/plans/<int:plan_id>/units")
def choose_unit(plan_id: int) -> Any:
    """任选一项: the unit of the ticked candidates."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    module = fetch(db(), PracticalModule, request.form.get("module", 0, type=int), viewer())
    number = rules.choose_unit(db(), plan, module, request.form.getlist("enrolment", type=int), request.form.get("option", ""), viewer())
    flash(f"已为 {number} 名考生选定考核单元。", "success")
    return redirect(url_for("practical.draw", plan_id=plan.id))


@blueprint.post("/draws/<int:draw_id>/redraw")
def redraw(draw_id: int) -> Any:
    """Ask for a new draw, take the request back, or, as the second person, agree to it."""
    found, act = fetch(db(), PracticalDraw, draw_id, viewer()), request.form.get("act", "")
    if act == "ask":
        rules.ask_redraw(db(), found, request.form.get("reason", ""), viewer(), now=now())
        flash("已申请重抽，等另一名考务员同意。", "success")
    elif act == "decline":
        rules.decline_redraw(db(), found, viewer(), now=now())
        flash("重抽申请已撤销，原抽签结果继续有效。", "success")
    elif act == "agree":
        made = rules.redraw(db(), found, viewer(), now=now())
        flash(f"已重新抽签（第 {made.number} 次），原结果作废并留存。", "success")
    else:
        raise NotFound
    return redirect(url_for("practical.draw", plan_id=found.plan_id))


@blueprint.get("/draws/<int:draw_id>/sheet.pdf")
def draw_sheet(draw_id: int) -> Any:
    found = fetch(db(), PracticalDraw, draw_id, viewer())
    return send_file(BytesIO(print_draw(db(), found, made_at=now())), "application/pdf",
                     download_name=f"{found.plan.number}_抽签结果_第{found.number}次.pdf")
