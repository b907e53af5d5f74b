"""Doors: Quality supervision (质量督导)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from examroom.filing.duties import on_duty
from examroom.oversight import desk
from examroom.oversight.models import Supervision
from examroom.plans.models import ExamPlan
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer

blueprint = Blueprint("oversight", __name__, url_prefix="/oversight")


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
    return render_template("oversight/plan.html", plan=found, sent=sent, assigns=assigns, people=people,
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
    return render_template("oversight/show.html", supervision=supervision, plan=supervision.plan, refusal=refusal,
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
