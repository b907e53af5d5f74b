"""Doors: days, places and people of a plan, and the amendments of an approved one."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, jsonify, redirect, render_template, request, send_file, url_for

from examroom.filing.duties import on_duty
from examroom.filing.models import FiledScope
from examroom.plans import amending, arrangement, arranging, desk, following, plan_document, route, staffing
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.arrangement import PART_NAMES, Site
from examroom.plans.arranging import Target
from examroom.plans.blueprint import blueprint
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Room
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.times import local, local_date, spoken
from qbank.kernel.web import db, now, viewer
from qbank.standards.ratios import PEOPLE

TOP = 2**31 - 1


@blueprint.get("/<int:plan_id>/arrangement")
def arrangement_page(plan_id: int) -> Any:
    return _page(fetch(db(), ExamPlan, plan_id, viewer()))


@blueprint.get("/amendments/<int:amendment_id>")
def amendment(amendment_id: int) -> Any:
    return _page(fetch(db(), PlanAmendment, amendment_id, viewer()))


def _page(target: Target, refusal: Refused | None = None) -> str:
    plan, held = arranging.plan_of(target), arrangement.of(target)
    officer = on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    changing = officer and target.state in route.EDITABLE
    parts = arranging.parts_of(db(), plan)
    change = target if isinstance(target, PlanAmendment) else None
    office = route.DESKS.get(target.state)
    return render_template(
        "plans/arrangement.html", plan=plan, change=change, held=held, lines=arranging.lines(db(), plan, held), refusal=refusal,
        officer=officer, changing=changing, parts_told=[(part, PART_NAMES[part], PEOPLE[part]) for part in parts],
        site=held.site(request.values.get("key", "")), local=local, shortages=arranging.shortages(db(), plan, held) if changing else [],
        demands={part: staffing.demand_of(db(), plan, part) for part in parts},
        staff={part: staffing.staff_for(db(), plan, part) for part in parts} if changing else {}, rooms=_rooms(plan) if changing else [],
        enrolled=db().scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == plan.id)) or 0,
        changes=amending.changes(change) if change else [], deadline=desk.deadline(db(), plan), to_province=route.goes_to_province(plan.level),
        decides=change is not None and office is not None
        and on_duty(db(), viewer(), plan.institution_id, office, plan_id=plan.id))


def _rooms(plan: ExamPlan) -> list[Room]:
    return list(db().scalars(visible(Room, viewer()).where(Room.institution_id == plan.institution_id).order_by(Room.name)))


@blueprint.post("/<int:plan_id>/sites")
def keep_site(plan_id: int) -> Any:
    return _keep(fetch(db(), ExamPlan, plan_id, viewer()))


@blueprint.post("/amendments/<int:amendment_id>/sites")
def amend_site(amendment_id: int) -> Any:
    return _keep(fetch(db(), PlanAmendment, amendment_id, viewer()))


def _keep(target: Target) -> Any:
    """Save one site, or with ``act=drop`` take it out."""
    form = request.form
    target.expect(form.get("row_version", type=int))
    try:
        if form.get("act") == "drop":
            arranging.drop_site(db(), target, form.get("key", ""), viewer())
            flash("已取消这项安排。", "success")
        else:
            made = _kept(target)
            flash(f"已保存：{made.title}，{PEOPLE[made.part]} {len(made.staff)} 人。", "success")
    except Refused as refusal:
        return _page(target, refusal), 409
    return redirect(_address(target))


def _kept(target: Target) -> Site:
    form, part = request.form, request.form.get("part", "")
    staff = [forms.whole_number(value, "人员", 1, TOP) for value in form.getlist(f"staff_{part}")]
    room_id = form.get("room_id", "") if part == "theory" else ""
    room = fetch(db(), Room, forms.whole_number(room_id, "考场", 1, TOP), viewer()) if room_id else None
    site = Site(form.get("key", ""), part, form.get("place", ""), forms.moment(form.get("starts_at", ""), "开始时间"),
                forms.whole_number(form.get("minutes", ""), "时长", 1, arranging.LONGEST_MINUTES),
                forms.whole_number(form.get("candidates", ""), "考生人数", 1, arranging.MOST_CANDIDATES))
    return arranging.keep_site(db(), target, site, staff, viewer(), room=room, now=now())


def _address(target: Target) -> str:
    if isinstance(target, PlanAmendment):
        return url_for("plans.amendment", amendment_id=target.id)
    return url_for("plans.arrangement_page", plan_id=target.id)


@blueprint.post("/<int:plan_id>/amendments")
def start_amendment(plan_id: int) -> Any:
    made = amending.start(db(), fetch(db(), ExamPlan, plan_id, viewer()), viewer(), now=now())
    flash("请在下面修改需要变更的安排，写明原因后报送。批准以前仍按原方案实施。", "success")
    return redirect(_address(made))


@blueprint.post("/amendments/<int:amendment_id>/submit")
def submit_amendment(amendment_id: int) -> Any:
    found = fetch(db(), PlanAmendment, amendment_id, viewer())
    found.expect(request.form.get("row_version", type=int))
    try:
        amending.submit(db(), found, request.form.get("reason", ""), viewer(), now=now())
    except Refused as refusal:
        return _page(found, refusal), 409
    flash("变更已报送市鉴定中心。批准以前仍按原方案实施。", "success")
    return redirect(_address(found))


@blueprint.post("/amendments/<int:amendment_id>/decide")
def decide_amendment(amendment_id: int) -> Any:
    found = fetch(db(), PlanAmendment, amendment_id, viewer())
    found.expect(request.form.get("row_version", type=int))
    verdict = request.form.get("verdict", "")
    if verdict not in {"approve", "return"}:
        raise Refused("verdict_missing", "请选择通过或退回。")
    amending.decide(db(), found, viewer(), verdict == "approve", request.form.get("comment", ""), now=now())
    told = "变更已批准，方案同时更新；原安排保留在变更记录中。" if found.state is PlanState.APPROVED else f"已处理，变更现在“{found.state.chinese}”。"
    flash(told, "success")
    return redirect(_address(found))


@blueprint.post("/amendments/<int:amendment_id>/discard")
def discard_amendment(amendment_id: int) -> Any:
    found = fetch(db(), PlanAmendment, amendment_id, viewer())
    plan_id = found.plan_id
    amending.discard(db(), found, viewer())
    flash("已撤销这份变更草稿，方案不变。", "success")
    return redirect(url_for("plans.show", plan_id=plan_id))


@blueprint.post("/<int:plan_id>/lay-out")
def lay_out(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    made = following.lay_out(db(), plan, viewer(), now=now())
    flash(f"已按方案生成 {len(made)} 个理论场次，考场和监考员一并安排。下一步：选用试卷、编排座位。", "success")
    return redirect(url_for("plans.show", plan_id=plan.id, _anchor="sittings"))


@blueprint.route("/<int:plan_id>/copy", methods=["GET", "POST"])
def copy(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    refusal = None
    if request.method == "POST":
        try:
            made = following.copy_plan(db(), plan, request.form.get("title", ""), viewer(), now=now(),
                                       starts_on=forms.day(request.form.get("starts_on", ""), "首考日"))
        except Refused as refused:
            refusal = refused
        else:
            flash("已复制为新的方案草稿，日期顺延。请核对日期、地点和人员后报送；考生名单不复制。", "success")
            return redirect(url_for("plans.arrangement_page", plan_id=made.id))
    page = render_template("plans/copy.html", plan=plan, refusal=refusal, held=arrangement.of(plan))
    return page, 409 if refusal else 200


@blueprint.get("/<int:plan_id>/plan.pdf")
def document(plan_id: int) -> Any:
    """考务方案, to be signed and sent."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    return send_file(BytesIO(plan_document.pdf(db(), plan, now=now())), mimetype="application/pdf", as_attachment=True,
                     download_name=f"考务方案 {plan.number}.pdf")


@blueprint.get("/latest-day")
def latest_day() -> Any:
    """最迟报送日 of a first day that is being typed."""
    held = request.args.get("plan_id", ""), request.args.get("scope_id", "")
    owner = (fetch(db(), ExamPlan, forms.whole_number(held[0], "方案", 1, TOP), viewer()) if held[0] else
             fetch(db(), FiledScope, forms.whole_number(held[1], "备案范围", 1, TOP), viewer()))
    found = desk.deadline_for(db(), owner.institution, forms.day(request.args.get("starts_on", ""), "首考日"))
    if found.latest is None:
        return jsonify(sentence=found.problem, late=True)
    late = found.latest < local_date(now())
    told = f"首考日前 {found.needed} 个工作日：最迟报送日 {spoken(found.latest)}。" + ("已经错过，请推迟首考日。" if late else "")
    return jsonify(sentence=told, late=late)
