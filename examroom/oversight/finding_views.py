"""Doors: findings (问题), the school's replies, closing."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from examroom.oversight import findings, inspections
from examroom.oversight.blueprint import TOP, blueprint, chosen, uploads
from examroom.oversight.inspection_models import Finding, Inspection
from examroom.oversight.kinds import Severity
from examroom.oversight.regions import CENTRES
from qbank.kernel.access import Role, fetch
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, viewer

TYPED = ("severity", "text", "demand", "point_id")


@blueprint.get("/inspections/<int:inspection_id>/findings/new")
def new_finding(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    inspections.require_running(found, viewer())
    point = next((one for one in found.template.points if str(one.id) == request.args.get("point", "")), None)
    return _form(found, {"point_id": str(point.id) if point else "", "severity": point.severity.value if point else ""})


@blueprint.post("/inspections/<int:inspection_id>/findings/new")
def record_finding(inspection_id: int) -> Any:
    found, form = fetch(db(), Inspection, inspection_id, viewer()), request.form
    try:
        made = findings.record(db(), found, viewer(), severity=chosen(Severity, form.get("severity", ""), "轻重"), text=form.get("text", ""),
                               files=uploads(), point_id=whole_number(form["point_id"], "检查要点", 1, TOP) if form.get("point_id") else None,
                               demand=form.get("demand", ""), now=now())
    except Refused as refusal:
        db().rollback()
        return _form(found, {name: form.get(name, "") for name in TYPED}, refusal), 409
    flash(f"问题已记录，{len(made.files)} 个证据文件已保存。", "success")
    return redirect(url_for("oversight.check", inspection_id=found.id))


def _form(found: Inspection, typed: dict[str, str], refusal: Refused | None = None) -> str:
    return render_template("oversight/new_finding.html", inspection=found, typed=typed, refusal=refusal, severities=Severity)


@blueprint.get("/findings/<int:finding_id>")
def finding(finding_id: int) -> Any:
    return _page(fetch(db(), Finding, finding_id, viewer()))


def _page(found: Finding, refusal: Refused | None = None) -> str:
    inspection, person = found.inspection, viewer()
    return render_template("oversight/finding.html", finding=found, inspection=inspection, refusal=refusal, today=local_date(now()),
                           replies=on_duty(db(), person, inspection.institution_id, Role.EXAM_OFFICER, plan_id=inspection.plan_id),
                           judges=findings.may_judge(db(), found, person), member=inspections.is_member(inspection, person),
                           centre=person.has(*CENTRES))


@blueprint.post("/findings/<int:finding_id>/reply")
def reply_finding(finding_id: int) -> Any:
    found = fetch(db(), Finding, finding_id, viewer())
    try:
        findings.reply(db(), found, request.form.get("text", ""), uploads(), viewer(), now=now())
    except Refused as refusal:
        db().rollback()
        return _page(found, refusal), 409
    flash("整改情况已提交，等待督导员核实。", "success")
    return redirect(url_for("oversight.finding", finding_id=found.id))


@blueprint.post("/findings/<int:finding_id>/judge")
def judge_finding(finding_id: int) -> Any:
    found = fetch(db(), Finding, finding_id, viewer())
    if request.form.get("decision") not in {"close", "return"}:
        raise Refused("no_decision", "请选择“核实销号”或“退回整改”。")
    found.expect(request.form.get("version", type=int))
    findings.judge(db(), found, request.form["decision"] == "close", request.form.get("comment", ""), viewer(), now=now())
    flash("已办理。", "success")
    return redirect(url_for("oversight.finding", finding_id=found.id))


@blueprint.post("/findings/<int:finding_id>/withdraw")
def withdraw_finding(finding_id: int) -> Any:
    found = fetch(db(), Finding, finding_id, viewer())
    findings.withdraw(db(), found, request.form.get("reason", ""), viewer(), now=now())
    flash("已撤销，记录保留。", "success")
    return redirect(url_for("oversight.inspection", inspection_id=found.inspection_id))
