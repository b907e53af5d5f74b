"""Doors: Exam plans, enrolment, rooms, seats (考务). This module: plans, their route, and the working calendar."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from examroom.filing.duties import on_duty
from examroom.filing.models import FiledScope
from examroom.plans import (  # noqa: F401
    amending,
    arrangement,
    arrangement_views,
    arranging,
    calendar,
    calendars,
    candidate_views,
    desk,
    entry_views,
    fee_views,
    following,
    models,
    own_views,
    qualification_views,
    roster_views,
    route,
    sitting_views,
    steps,
    ticket_views,
    tie_views,
)
from examroom.plans.blueprint import blueprint
from examroom.plans.models import ExamPlan, PlanDecision, PlanState, WorkingCalendar
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Standard

__all__ = ["blueprint"]
TOP = 2**31 - 1


@blueprint.get("/")
def index() -> Any:
    query = visible(ExamPlan, viewer()).order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())
    query = query.join(ExamPlan.institution).options(joinedload(ExamPlan.institution), joinedload(ExamPlan.standard))
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(ExamPlan.title.contains(text, autoescape=True), Institution.name.contains(text, autoescape=True),
                                   ExamPlan.number.contains(text, autoescape=True)))
    if (state := request.args.get("state", "")) in set(PlanState):
        query = query.where(ExamPlan.state == PlanState(state))
    rows, total, page, pages = paged(db(), query)
    return render_template("plans/index.html", rows=rows, total=total, page=page, pages=pages, states=PlanState)


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Any:
    if request.method == "GET":
        return _form(None)
    form = request.form
    try:
        scope = fetch(db(), FiledScope, forms.whole_number(form.get("scope_id", ""), "职业和等级", 1, TOP), viewer())
        plan = desk.draft_plan(db(), scope.institution, scope.standard, scope.level, form.get("title", ""), viewer(),
                               starts_on=forms.day(form.get("starts_on", ""), "首考日"), contact=form.get("contact", ""),
                               measures=form.get("measures", ""), now=now())
    except Refused as refusal:
        return _form(None, refusal), 409
    latest = desk.deadline(db(), plan).latest
    if latest is not None and latest < local_date(now()):
        flash("方案草稿已保存，但最迟报送日已过，报送前须推迟首考日。", "warning")
    else:
        flash("方案草稿已保存。下一步：安排日期、地点和人员。", "success")
    return redirect(url_for("plans.arrangement_page", plan_id=plan.id))


def _form(plan: ExamPlan | None, refusal: Refused | None = None) -> str:
    today = local_date(now())
    query = (sa.select(FiledScope).join(FiledScope.standard).join(Standard.occupation)
             .where(viewer().reach(FiledScope.institution_id, Role.EXAM_OFFICER), FiledScope.valid_until >= today)
             .order_by(FiledScope.institution_id, FiledScope.standard_id, FiledScope.level.desc(), FiledScope.valid_from))
    return render_template("plans/edit.html", plan=plan, scopes=db().scalars(query).all(), refusal=refusal, today=today)


@blueprint.get("/<int:plan_id>")
def show(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    officer = on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    office = route.DESKS.get(plan.state)
    return render_template("plans/show.html", plan=plan, standing=steps.standing(db(), plan), officer=officer,
                           decides=office is not None and on_duty(db(), viewer(), plan.institution_id, office, plan_id=plan.id),
                           editable=plan.state in route.EDITABLE, deadline=desk.deadline(db(), plan), today=local_date(now()),
                           to_province=route.goes_to_province(plan.level), decisions=_decisions(plan), held=arrangement.of(plan),
                           lines=arranging.lines(db(), plan, arrangement.of(plan)), amendments=amending.amendments_of(db(), plan),
                           missing=following.missing_times(plan), shortages=arranging.shortages(db(), plan, arrangement.of(plan))
                           if plan.state in route.EDITABLE else [])


def _decisions(plan: ExamPlan) -> list[PlanDecision]:
    query = sa.select(PlanDecision).where(PlanDecision.plan_id == plan.id).options(joinedload(PlanDecision.officer))
    return list(db().scalars(query.order_by(PlanDecision.id.desc())))


@blueprint.route("/<int:plan_id>/edit", methods=["GET", "POST"])
def edit(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    if request.method == "GET":
        route.submitted(plan.state)
        return _form(plan)
    plan.expect(request.form.get("row_version", type=int))
    try:
        desk.edit_plan(db(), plan, request.form.get("title", ""), viewer(), contact=request.form.get("contact", ""),
                       measures=request.form.get("measures"), starts_on=forms.day(request.form.get("starts_on", ""), "首考日"), now=now())
    except Refused as refusal:
        return _form(plan, refusal), 409
    flash("方案已修改。", "success")
    return redirect(url_for("plans.show", plan_id=plan.id))


@blueprint.post("/<int:plan_id>/submit")
def submit(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    plan.expect(request.form.get("row_version", type=int))
    desk.submit(db(), plan, viewer(), now=now())
    flash("方案已报送市鉴定中心。审核期间可以继续准备考生、考场和座位。", "success")
    return redirect(url_for("plans.show", plan_id=plan.id))


@blueprint.post("/<int:plan_id>/decide")
def decide(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    plan.expect(request.form.get("row_version", type=int))
    verdict = request.form.get("verdict", "")
    if verdict not in {"approve", "return"}:
        raise Refused("verdict_missing", "请选择通过或退回。")
    desk.decide(db(), plan, viewer(), verdict == "approve", request.form.get("comment", ""), now=now())
    flash(f"已处理，方案现在“{plan.state.chinese}”。", "success")
    return redirect(url_for("plans.show", plan_id=plan.id))


@blueprint.route("/calendars", methods=["GET", "POST"])
def working_days() -> Any:
    if request.method == "POST":
        form = request.form
        try:
            year = forms.whole_number(form.get("year", ""), "年份", 2000, 2100)
            calendars.store_year(db(), year, calendar.read_days(form.get("holidays", ""), year, "放假日期"),
                                 calendar.read_days(form.get("workdays", ""), year, "调休上班日期"), form.get("source", ""), viewer())
        except Refused as refusal:
            return _calendar_page(refusal), 409
        flash(f"{year} 年的工作日历已保存。", "success")
        return redirect(url_for("plans.working_days"))
    return _calendar_page()


def _calendar_page(refusal: Refused | None = None) -> str:
    year = local_date(now()).year
    stored = db().scalars(visible(WorkingCalendar, viewer()).order_by(WorkingCalendar.year)).all()
    return render_template("plans/working_days.html", stored=stored, refusal=refusal, may_correct=viewer().has(*calendars.OFFICES_ABOVE),
                           built_in=[found for found in range(year - 1, year + 3) if calendar.knows(found)],
                           missing=[found for found in (year, year + 1) if not calendar.knows(found)
                                    and found not in {one.year for one in stored}])
