"""Doors: scores that candidates bring along (成绩认可), and what a new merge would change."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Account
from qbank.kernel.forms import day
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from scoring.practical.duties import may_act
from scoring.results import credits, desk
from scoring.results.blueprint import blueprint
from scoring.results.merge import THEORY, Source, required_parts
from scoring.results.models import Credit
from scoring.results.parts import gather
from scoring.results.route import OFF_NOTICE

TYPED = ("ticket", "part", "source", "points", "basis", "achieved_on")


@blueprint.get("/plans/<int:plan_id>/credits")
def credits_of(plan_id: int) -> Any:
    return _page(fetch(db(), ExamPlan, plan_id, viewer()))


@blueprint.post("/plans/<int:plan_id>/credits")
def propose(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        made = credits.propose(
            db(), candidate_of(plan), request.form.get("part", THEORY), _source(), _half_points(), viewer(),
            basis=request.form.get("basis", ""), achieved_on=day(request.form.get("achieved_on", ""), "取得成绩的日期"),
            evidence=request.files.get("evidence"), now=now())
    except Refused as refusal:
        db().rollback()
        return _page(plan, refusal), 409
    flash(f"已提出 {made.enrolment.candidate.name} 的{made.part}成绩认可，等待另一名考务员审批。", "success")
    return _to(plan)


@blueprint.post("/enrolments/<int:enrolment_id>/carry")
def carry(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    made = credits.carry_over(db(), enrolment, request.form.get("part", ""), viewer(), now=now())
    flash(f"已提出保留 {enrolment.candidate.name} 的{made.part}成绩，等待另一名考务员审批。", "success")
    return _to(enrolment.plan)


@blueprint.post("/credits/<int:credit_id>/decide")
def decide_credit(credit_id: int) -> Any:
    found = fetch(db(), Credit, credit_id, viewer())
    if request.form.get("decision") not in {"approve", "reject"}:
        raise Refused("no_decision", "请选择“认可”或“不予认可”。")
    found.expect(request.form.get("version", type=int))
    credits.decide(db(), found, request.form["decision"] == "approve", request.form.get("comment", ""), viewer(), now=now())
    flash(f"{found.enrolment.candidate.name} 的{found.part}：{found.state.chinese}。重新合成后计入结果。", "success")
    return _to(found.enrolment.plan)


@blueprint.post("/credits/<int:credit_id>/withdraw")
def withdraw_credit(credit_id: int) -> Any:
    found = fetch(db(), Credit, credit_id, viewer())
    credits.withdraw(db(), found, request.form.get("comment", ""), viewer(), now=now())
    flash("已撤回，记录保留。", "success")
    return _to(found.enrolment.plan)


@blueprint.get("/credits/<int:credit_id>/evidence")
def evidence(credit_id: int) -> Any:
    found = fetch(db(), Credit, credit_id, viewer())
    if found.evidence is None:
        raise NotFound
    return attachments.download(db(), found.evidence)


@blueprint.get("/plans/<int:plan_id>/difference")
def difference(plan_id: int) -> Any:
    """What merging again would change, candidate by candidate; nothing is changed by looking."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    found = desk.list_of(db(), plan)
    if found is None:
        raise NotFound
    fresh = desk.outcomes(found, plan, gather(db(), plan), pack_for(db(), plan.institution))
    return render_template("results/difference.html", plan=plan, list=found, lines=[line for line in fresh if line.differs],
                           required=required_parts(plan.level, pack_for(db(), plan.institution)), crossing=sum(line.crosses for line in fresh),
                           in_charge=may_act(db(), plan, viewer(), Role.EXAM_OFFICER) and found.state in OFF_NOTICE)


def _page(plan: ExamPlan, refusal: Refused | None = None) -> str:
    found = desk.list_of(db(), plan)
    pack = pack_for(db(), plan.institution)
    in_charge = may_act(db(), plan, viewer(), Role.EXAM_OFFICER) and (found is None or found.state in OFF_NOTICE)
    sources = [source for source, allowed in ((Source.SUBSTITUTE, pack.theory_substitution),
                                              (Source.COMPETITION, pack.competition_scores)) if allowed]
    return render_template("results/credits_of.html", plan=plan, list=found, rows=credits.of_plan(db(), plan),
                           carriable=credits.carriable(db(), plan) if in_charge else [], sources=sources, live=credits.LIVE,
                           in_charge=in_charge, parts_of_level=required_parts(plan.level, pack), refusal=refusal, pack=pack,
                           typed={name: request.form.get(name, "") for name in TYPED}, me=viewer().account_id)


def candidate_of(plan: ExamPlan) -> Enrolment:
    """The candidate of this plan by ticket, student number or name."""
    text = request.form.get("ticket", "").strip()
    rows = db().scalars(sa.select(Enrolment).join(Enrolment.candidate).where(
        Enrolment.plan_id == plan.id, sa.or_(Enrolment.ticket_number == text, Enrolment.student_number == text,
                                             Account.name == text))).all() if text else []
    if len(rows) != 1:
        raise Refused("no_candidate", "请填写本计划中一名考生的准考证号、学号或姓名" +
                      ("；有多名同名考生，请用准考证号。" if rows else "，没有找到这名考生。"))
    return rows[0]


def _source() -> Source:
    try:
        return Source(request.form.get("source", ""))
    except ValueError:
        raise Refused("wrong_source", "请选择成绩的来源。") from None


def _half_points() -> int:
    text = request.form.get("points", "").strip()
    try:
        doubled = float(text) * 2
    except ValueError:
        doubled = -1.0
    if doubled != int(doubled) if abs(doubled) < 1e6 else True:
        raise Refused("score_range", f"成绩应是 0 到 100 的数，以 0.5 分为单位，现在是“{text}”。")
    return int(doubled)


def _to(plan: ExamPlan) -> Any:
    return redirect(url_for("results.credits_of", plan_id=plan.id))
