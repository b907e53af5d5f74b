"""Doors: misconduct (违纪处理) of the candidates of a plan."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from examroom.invigilation.models import Incident
from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import Role, fetch
from qbank.kernel.forms import day, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from scoring.practical.duties import may_act
from scoring.results import credits, desk, misconduct
from scoring.results.blueprint import blueprint
from scoring.results.case_models import Misconduct
from scoring.results.credit_views import candidate_of
from scoring.results.merge import required_parts
from scoring.results.misconduct_print import letter
from scoring.results.route import OFF_NOTICE

TOP = 2**31 - 1
TYPED = ("ticket", "tier", "part", "happened_on", "evidence", "incident_id")


@blueprint.get("/plans/<int:plan_id>/misconduct")
def misconduct_of(plan_id: int) -> Any:
    return _page(fetch(db(), ExamPlan, plan_id, viewer()))


@blueprint.post("/plans/<int:plan_id>/misconduct")
def propose_misconduct(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        named = form.get("incident_id")
        incident = fetch(db(), Incident, whole_number(named, "考场情况记录", 1, TOP), viewer()) if named else None
        made = misconduct.propose(db(), candidate_of(plan), form.get("tier", ""), form.get("part") or None, viewer(),
                                  happened_on=day(form.get("happened_on", ""), "发生日期"), evidence=form.get("evidence", ""),
                                  file=request.files.get("file"), incident=incident, now=now())
    except Refused as refusal:
        db().rollback()
        return _page(plan, refusal), 409
    flash(f"已提出对 {made.enrolment.candidate.name} 的违纪处理。请告知考生，听取陈述申辩后由另一名考务员决定。", "success")
    return redirect(url_for("results.misconduct", misconduct_id=made.id))


@blueprint.get("/misconduct/<int:misconduct_id>", endpoint="misconduct")
def one_case(misconduct_id: int) -> Any:
    """One case: what is held against the candidate, the statement, the decision; also for the candidate."""
    return _case_page(fetch(db(), Misconduct, misconduct_id, viewer()))


def _case_page(case: Misconduct, refusal: Refused | None = None) -> str:
    plan, person = case.enrolment.plan, viewer()
    found, own = desk.list_of(db(), plan), case.enrolment.account_id == person.account_id
    charge = not own and may_act(db(), plan, person, Role.EXAM_OFFICER) and (found is None or found.state in OFF_NOTICE)
    return render_template("results/misconduct.html", case=case, plan=plan, own=own, charge=charge, refusal=refusal, live=credits.LIVE,
                           tier=next((one for one in pack_for(db(), plan.institution).tiers if one.name == case.tier), None),
                           today=local_date(now()), me=person.account_id)


@blueprint.post("/misconduct/<int:misconduct_id>/tell")
def tell_misconduct(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    misconduct.tell(db(), found, viewer(), now=now())
    flash("已告知，考生登录后能看到，陈述申辩期限开始计算。请同时把告知书送达本人签收。", "success")
    return redirect(url_for("results.misconduct", misconduct_id=found.id))


@blueprint.post("/misconduct/<int:misconduct_id>/statement")
def misconduct_statement(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    try:
        misconduct.state(db(), found, request.form.get("statement", ""), viewer(), file=request.files.get("file"), now=now())
    except Refused as refusal:
        db().rollback()
        return _case_page(found, refusal), 409
    flash("陈述申辩已提交。", "success")
    return redirect(url_for("results.misconduct", misconduct_id=found.id))


@blueprint.get("/misconduct/<int:misconduct_id>/letter.pdf")
def misconduct_letter(misconduct_id: int) -> Any:
    """告知书 while it is open, 决定书 once it is decided."""
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    name, content = letter(db(), found, made_at=now())
    return send_file(BytesIO(content), "application/pdf", download_name=f"{name}_{found.enrolment.ticket_number}.pdf")


@blueprint.post("/misconduct/<int:misconduct_id>/decide")
def decide_misconduct(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    if request.form.get("decision") not in {"approve", "reject"}:
        raise Refused("no_decision", "请选择“认定”或“不予认定”。")
    found.expect(request.form.get("version", type=int))
    misconduct.decide(db(), found, request.form["decision"] == "approve", request.form.get("comment", ""), viewer(), now=now())
    flash("已决定。重新合成后计入结果。", "success")
    return redirect(url_for("results.misconduct", misconduct_id=found.id))


@blueprint.post("/misconduct/<int:misconduct_id>/withdraw")
def withdraw_misconduct(misconduct_id: int) -> Any:
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    misconduct.withdraw(db(), found, request.form.get("comment", ""), viewer(), now=now())
    flash("已撤回，记录保留。", "success")
    return redirect(url_for("results.misconduct", misconduct_id=found.id))


@blueprint.get("/misconduct/<int:misconduct_id>/file")
def misconduct_file(misconduct_id: int) -> Any:
    """The evidence, or with ``of=statement`` what came with the statement."""
    found = fetch(db(), Misconduct, misconduct_id, viewer())
    kept = found.statement_file if request.args.get("of") == "statement" else found.file
    if kept is None:
        raise NotFound
    return attachments.download(db(), kept)


def _page(plan: ExamPlan, refusal: Refused | None = None) -> str:
    found, pack = desk.list_of(db(), plan), pack_for(db(), plan.institution)
    in_charge = may_act(db(), plan, viewer(), Role.EXAM_OFFICER) and (found is None or found.state in OFF_NOTICE)
    return render_template("results/misconduct_of.html", plan=plan, list=found, rows=misconduct.of_plan(db(), plan), tiers=pack.tiers,
                           in_charge=in_charge, incidents=misconduct.unproposed(db(), plan) if in_charge else [],
                           parts_of_level=required_parts(plan.level, pack), refusal=refusal,
                           typed={name: request.values.get(name, "") for name in TYPED}, today=local_date(now()))
