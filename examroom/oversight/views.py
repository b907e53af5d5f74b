"""Doors: Quality supervision (质量督导)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload

from examroom.filing.duties import on_duty
from examroom.oversight import (  # noqa: F401  # doors register
    desk,
    draw_views,
    finding_views,
    inspection_views,
    list_views,
    live_views,
    printed,
    public_views,
    staff_views,
)
from examroom.oversight.blueprint import blueprint
from examroom.oversight.inspection_models import Inspection, InspectionMember
from examroom.oversight.models import Supervision
from examroom.plans.models import ExamPlan
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer


@blueprint.get("/")
def index() -> Any:
    """A supervisor's own plans; for the offices all supervisions, and those whose report is missing."""
    query = visible(Supervision, viewer()).join(Supervision.plan).join(ExamPlan.institution).options(
        joinedload(Supervision.plan).joinedload(ExamPlan.institution), joinedload(Supervision.supervisor))
    if request.args.get("report") == "missing":
        query = query.where(Supervision.reported_at.is_(None))
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(Institution.name.contains(text, autoescape=True), ExamPlan.title.contains(text, autoescape=True)))
    rows, total, page, pages = paged(db(), query.order_by(ExamPlan.starts_on.desc(), Supervision.id.desc()))
    return render_template("oversight/index.html", rows=rows, total=total, page=page, pages=pages, today=local_date(now()))


@blueprint.route("/plans/<int:plan_id>", methods=["GET", "POST"])
def plan(plan_id: int) -> Any:
    """The city centre sends a supervisor to one plan."""
    found = fetch(db(), ExamPlan, plan_id, viewer())
    if request.method == "POST":
        chosen = forms.whole_number(request.form.get("supervisor_id", ""), "质量督导员", 1, 2**31 - 1)
        supervision = desk.assign(db(), found, chosen, viewer(), now=now())
        flash(f"已派遣{supervision.supervisor.name}。", "success")
        return redirect(url_for("oversight.plan", plan_id=found.id))
    sent = db().scalars(visible(Supervision, viewer()).where(Supervision.plan_id == found.id).order_by(Supervision.id)).all()
    assigns = on_duty(db(), viewer(), found.institution_id, Role.CITY_OFFICER, plan_id=found.id)
    there = {supervision.supervisor_id for supervision in sent}
    people = [account for account in desk.eligible(db(), found) if account.id not in there] if assigns else []
    inspections = db().scalars(visible(Inspection, viewer()).where(Inspection.plan_id == found.id).order_by(Inspection.id)).all()
    return render_template("oversight/plan.html", plan=found, sent=sent, inspections=inspections, assigns=assigns, people=people,
                           at_the_school=found.state in desk.AT_THE_SCHOOL)


@blueprint.post("/<int:supervision_id>/withdraw")
def withdraw(supervision_id: int) -> Any:
    supervision = fetch(db(), Supervision, supervision_id, viewer())
    plan_id = supervision.plan_id
    desk.withdraw(db(), supervision, viewer())
    flash("已撤回派遣。", "success")
    return redirect(url_for("oversight.plan", plan_id=plan_id))


@blueprint.get("/<int:supervision_id>")
def show(supervision_id: int) -> Any:
    return _page(fetch(db(), Supervision, supervision_id, viewer()))


def _page(supervision: Supervision, refusal: Refused | None = None) -> str:
    mine = Inspection.members.any(InspectionMember.account_id == supervision.supervisor_id)
    held = db().scalars(visible(Inspection, viewer()).where(Inspection.plan_id == supervision.plan_id, mine).order_by(Inspection.id)).all()
    return render_template("oversight/show.html", supervision=supervision, plan=supervision.plan, refusal=refusal, inspections=held,
                           own=supervision.supervisor_id == viewer().account_id, today=local_date(now()),
                           sees_plan=db().scalar(visible(ExamPlan, viewer()).where(ExamPlan.id == supervision.plan_id)) is not None)


@blueprint.post("/<int:supervision_id>")
def report(supervision_id: int) -> Any:
    supervision = fetch(db(), Supervision, supervision_id, viewer())
    try:
        desk.report(db(), supervision, request.form.get("report", ""), viewer(), now=now())
    except Refused as refusal:
        return _page(supervision, refusal), 409
    flash("督导报告已提交。", "success")
    return redirect(url_for("oversight.show", supervision_id=supervision.id))


@blueprint.get("/<int:supervision_id>/report.pdf")
def report_pdf(supervision_id: int) -> Any:
    """质量督导报告, with the inspections it rests on."""
    supervision = fetch(db(), Supervision, supervision_id, viewer())
    content = printed.report_pdf(db(), supervision, made_at=now())
    return send_file(BytesIO(content), "application/pdf", download_name=f"质量督导报告_{supervision.plan.number}.pdf")
