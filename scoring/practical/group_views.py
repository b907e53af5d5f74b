"""Doors of the exam officer: forming a group, drawing its assessors by lot, substitutes, the chief assessor, absences."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import moment, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.views import safe_next
from qbank.kernel.web import db, now, viewer
from scoring.practical import calling, desk, overview, settling
from scoring.practical.blueprint import blueprint
from scoring.practical.duties import may_act, qualified
from scoring.practical.mark_models import Discrepancy
from scoring.practical.models import GroupMember, Part, PracticalGroup, PracticalScore, Rubric
from scoring.practical.modules import drawn_rubrics


@blueprint.route("/plans/<int:plan_id>/groups/new", methods=["GET", "POST"])
def new_group(plan_id: int) -> Any:
    """The form; ``act=draw`` fills in assessors drawn by lot and shows it again."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    refusal, called = None, request.form.getlist("assessor", type=int)
    if request.method == "POST":
        try:
            if request.form.get("act") == "draw":
                called = _draw(plan)
            else:
                return _formed(plan)
        except Refused as refused:
            refusal = refused
    tasks = drawn_rubrics(db(), plan)
    chosen = next((one for one in tasks if one.version.rubric_id == request.values.get("rubric_id", type=int)), None)
    page = render_template("practical/new_group.html", plan=plan, refusal=refusal, form=request.form, called=called, tasks=tasks,
                           chosen=chosen, rubrics=[chosen.version.rubric] if chosen else overview.rubrics_for(db(), plan, viewer()),
                           waiting=chosen.left if chosen else desk.ungrouped(db(), plan),
                           assessors=qualified(db(), plan, Role.PRACTICAL_ASSESSOR), demands=calling.demands(db(), plan),
                           draws=calling.draws_of(db(), plan), names=_names(plan))
    return page, 422 if refusal else 200


def _formed(plan: ExamPlan) -> Any:
    form = request.form
    chosen = fetch(db(), Rubric, whole_number(form.get("rubric_id", ""), "评分表", 1, 2**31 - 1), viewer())
    made = desk.form_group(db(), plan, chosen, form.get("name", ""), viewer(), place=form.get("place", ""),
                           assessor_ids=form.getlist("assessor", type=int), enrolment_ids=form.getlist("enrolment", type=int),
                           starts_at=moment(form.get("starts_at", ""), "开始时间"))
    flash(f"已编成“{made.name}”，共 {len(made.members)} 名考生、{len(made.assessors)} 名考评员。", "success")
    return redirect(url_for("practical.group", group_id=made.id))


def _draw(plan: ExamPlan) -> list[int]:
    wanted = set(request.form.getlist("enrolment", type=int))
    enrolments = [one for one in plan.enrolments if one.id in wanted]
    drawn = calling.draw_assessors(db(), plan, enrolments, viewer(), at=moment(request.form.get("starts_at", ""), "开始时间"), now=now())
    flash(f"已从 {len(drawn.eligible)} 名符合条件的考评员中随机抽取 {len(drawn.drawn)} 名，抽取已记录。", "success")
    return drawn.drawn


def _names(plan: ExamPlan) -> dict[int, str]:
    return {one.id: one.name for one in qualified(db(), plan, Role.PRACTICAL_ASSESSOR)}


@blueprint.get("/groups/<int:group_id>")
def group(group_id: int) -> Any:
    found = fetch(db(), PracticalGroup, group_id, viewer())
    scores = {one.enrolment_id: one for one in db().scalars(visible(PracticalScore, viewer()).where(
        PracticalScore.enrolment_id.in_([member.enrolment_id for member in found.members])))}
    spreads = {one.member_id: one for one in db().scalars(visible(Discrepancy, viewer()).join(Discrepancy.member)
                                                          .where(GroupMember.group_id == found.id))}
    in_charge = may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER)
    return render_template(
        "practical/group.html", group=found, scores=scores, in_charge=in_charge, progress=overview.progress(db(), found),
        mine=viewer().account_id in {one.account_id for one in found.assessors}, spreads=spreads,
        chief=viewer().account_id == found.chief_id, waits=settling.waiting_for(db(), found.plan),
        absent=desk.absent_from(db(), found.plan, Part.PRACTICAL),
        others=qualified(db(), found.plan, Role.PRACTICAL_ASSESSOR) if in_charge else [])


@blueprint.post("/groups/<int:group_id>/replace")
def replace(group_id: int) -> Any:
    found = fetch(db(), PracticalGroup, group_id, viewer())
    desk.replace_assessor(db(), found, request.form.get("out", 0, type=int), request.form.get("in", 0, type=int), viewer())
    flash("考评员已更换。", "success")
    return redirect(url_for("practical.group", group_id=found.id))


@blueprint.post("/groups/<int:group_id>/chief")
def chief(group_id: int) -> Any:
    found = fetch(db(), PracticalGroup, group_id, viewer())
    settling.name_chief(db(), found, request.form.get("account", 0, type=int), viewer())
    flash(f"考评组长：{found.chief.name if found.chief else ''}。", "success")
    return redirect(url_for("practical.group", group_id=found.id))


@blueprint.post("/groups/<int:group_id>/disband")
def disband(group_id: int) -> Any:
    desk.disband(db(), fetch(db(), PracticalGroup, group_id, viewer()), viewer())
    flash("考核组已撤销，考生可以重新编组。", "success")
    return redirect(url_for("practical.index"))


@blueprint.post("/enrolments/<int:enrolment_id>/absence")
def absence(enrolment_id: int) -> Any:
    """Record an absence, or take it back (``withdraw``)."""
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    if request.form.get("withdraw"):
        desk.withdraw_absence(db(), enrolment, Part.PRACTICAL, viewer())
        flash(f"已撤销{enrolment.candidate.name}的操作技能缺考登记。", "success")
    else:
        desk.record_absence(db(), enrolment, Part.PRACTICAL, viewer(), reason=request.form.get("reason", ""), now=now())
        flash(f"已登记{enrolment.candidate.name}操作技能缺考。", "success")
    return redirect(safe_next(request.form.get("next", "")))
