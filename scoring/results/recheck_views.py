"""Doors: rechecks (成绩复核): asked for by candidates, looked at and decided by officers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from scoring.practical.duties import may_act
from scoring.results import rechecks
from scoring.results.blueprint import blueprint
from scoring.results.case_models import Recheck, RecheckOutcome
from scoring.results.figures import score_of
from scoring.results.models import Result, ResultList


@blueprint.post("/mine/<int:result_id>/recheck")
def ask_recheck(result_id: int) -> Any:
    result = fetch(db(), Result, result_id, viewer())
    made = rechecks.ask(db(), result, request.form.get("part", ""), request.form.get("reason", ""), viewer(), now=now())
    flash(f"已提交{made.part}的复核申请，学校应在 {made.due_on.year}年{made.due_on.month}月{made.due_on.day}日前答复，结果在本页查看。", "success")
    return redirect(url_for("results.mine"))


@blueprint.get("/rechecks")
def recheck_list() -> Any:
    """Every recheck that this office sees; the open ones first, by their last day."""
    query = (visible(Recheck, viewer()).join(Recheck.result).join(Result.enrolment).join(Enrolment.candidate).join(Result.list)
             .join(ResultList.plan).order_by(Recheck.decided_at.is_not(None), Recheck.due_on, Recheck.id))
    if (state := request.args.get("state", "")) == "open":
        query = query.where(Recheck.outcome.is_(None))
    elif state in set(RecheckOutcome):
        query = query.where(Recheck.outcome == RecheckOutcome(state))
    if text := request.args.get("q", "").strip():
        columns = (Account.name, Enrolment.ticket_number, ExamPlan.number, ExamPlan.title)
        query = query.where(sa.or_(*(column.contains(text, autoescape=True) for column in columns)))
    rows, total, page, pages = paged(db(), query)
    return render_template("results/recheck_list.html", rows=rows, total=total, page=page, pages=pages, outcomes=RecheckOutcome)


@blueprint.get("/rechecks/<int:recheck_id>")
def recheck(recheck_id: int) -> Any:
    found = fetch(db(), Recheck, recheck_id, viewer())
    return render_template("results/recheck.html", one=found, plan=found.result.list.plan, outcomes=RecheckOutcome,
                           in_charge=may_act(db(), found.result.list.plan, viewer(), Role.EXAM_OFFICER), me=viewer().account_id,
                           score=score_of(found.result, found.part))


@blueprint.post("/rechecks/<int:recheck_id>/look")
def look_recheck(recheck_id: int) -> Any:
    found = fetch(db(), Recheck, recheck_id, viewer())
    found.expect(request.form.get("version", type=int))
    rechecks.look(db(), found, request.form.get("found", ""), viewer(), now=now())
    flash("核查结果已记录，等待另一名考务员决定。", "success")
    return redirect(url_for("results.recheck", recheck_id=found.id))


@blueprint.post("/rechecks/<int:recheck_id>/decide")
def decide_recheck(recheck_id: int) -> Any:
    found = fetch(db(), Recheck, recheck_id, viewer())
    found.expect(request.form.get("version", type=int))
    if (outcome := request.form.get("outcome", "")) not in set(RecheckOutcome):
        raise Refused("no_decision", "请选择复核结论。")
    rechecks.decide(db(), found, RecheckOutcome(outcome), request.form.get("answer", ""), viewer(), now=now())
    flash("复核已办结，考生可以在“我的成绩”看到答复。", "success")
    return redirect(url_for("results.recheck", recheck_id=found.id))
