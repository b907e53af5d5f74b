"""Doors: misconduct (违纪处理) of the candidates of a plan."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import Role, fetch
from qbank.kernel.forms import day
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from scoring.practical.duties import may_act
from scoring.results import credits, desk, misconduct
from scoring.results.blueprint import blueprint
from scoring.results.case_models import Misconduct
from scoring.results.credit_views import candidate_of
from scoring.results.merge import required_parts
from scoring.results.route import OFF_NOTICE

TYPED = ("ticket", "tier", "part", "happened_on", "evidence")


@blueprint.get("/plans/<int:plan_id>/misconduct")
def misconduct_of(plan_id: int) -> Any:
    return _page(fetch(db(), ExamPlan, plan_id, viewer()))


@blueprint.post("/plans/<int:plan_id>/misconduct")
def propose_misconduct(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        made = misconduct.propose(db(), candidate_of(plan), form.get("tier", ""), form.get("part") or None, viewer(),
                                  happened_on=day(form.get("happened_on", ""), "发生日期"), evidence=form.get("evidence", ""),
                                  file=request.files.get("file"), now=now())
    except Refused as refusal:
        db().rollback()
        return _page(plan, refusal), 409
    flash(f"已提出对 {made.enrolment.candidate.name} 的违纪处理，等待另一名考务员决定。", "success")
    return redirect(url_for("results.misconduct_of", plan_id=plan.id))


@blueprint.post("/misconduct/<int:misconduct_id>/decide")
def decide_misconduct(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    if request.form.get("decision") not in {"approve", "reject"}:
        raise Refused("no_decision", "请选择“认定”或“不予认定”。")
    found.expect(request.form.get("version", type=int))
    misconduct.decide(db(), found, request.form["decision"] == "approve", request.form.get("comment", ""), viewer(), now=now())
    flash("已决定。重新合成后计入结果。", "success")
    return redirect(url_for("results.misconduct_of", plan_id=found.enrolment.plan_id))


@blueprint.post("/misconduct/<int:misconduct_id>/withdraw")
def withdraw_misconduct(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    misconduct.withdraw(db(), found, request.form.get("comment", ""), viewer(), now=now())
    flash("已撤回，记录保留。", "success")
    return redirect(url_for("results.misconduct_of", plan_id=found.enrolment.plan_id))


@blueprint.get("/misconduct/<int:misconduct_id>/file")
def misconduct_file(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    if found.file is None:
        raise NotFound
    return attachments.download(db(), found.file)


def _page(plan: ExamPlan, refusal: Refused | None = None) -> str:
    found, pack = desk.list_of(db(), plan), pack_for(db(), plan.institution)
    in_charge = may_act(db(), plan, viewer(), Role.EXAM_OFFICER) and (found is None or found.state in OFF_NOTICE)
    return render_template("results/misconduct_of.html", plan=plan, list=found, rows=misconduct.of_plan(db(), plan), tiers=pack.tiers,
                           in_charge=in_charge, live=credits.LIVE, parts_of_level=required_parts(plan.level, pack), refusal=refusal,
                           typed={name: request.form.get(name, "") for name in TYPED}, me=viewer().account_id)
