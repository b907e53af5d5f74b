"""Doors: results (成绩与结果): the office's pages, the public notice, the candidate's own page."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from scoring.practical.duties import may_act
from scoring.results import (  # noqa: F401  # doors register
    credit_views,
    desk,
    listing,
    misconduct,
    misconduct_views,
    objections,
    public_views,
    recheck_views,
    rechecks,
    rescored,
    resit_views,
    work,
)
from scoring.results.blueprint import blueprint
from scoring.results.case_models import Misconduct, Recheck, ScoreProof
from scoring.results.figures import BANDS, PARTS, distribution, figures, score_of
from scoring.results.merge import Verdict, required_parts
from scoring.results.models import Objection, Result, ResultList, ResultState
from scoring.results.notice import last_day
from scoring.results.packs_used import pack_of
from scoring.results.parts import gather, open_sittings
from scoring.results.route import DESKS, OFF_NOTICE


@blueprint.get("/")
def index() -> Any:
    query = (visible(ExamPlan, viewer()).add_columns(ResultList).outerjoin(ResultList, ResultList.plan_id == ExamPlan.id)
             .order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc()))
    page = listing.page_of(db(), listing.plans_by(query, request.args), request.args.get("page", 1, type=int))
    return render_template("results/index.html", lines=[listing.plan_line(db(), plan, found) for plan, found in page.rows],
                           total=page.total, page=page.number, pages=page.pages, states=ResultState, last_day=last_day)


@blueprint.get("/plans/<int:plan_id>")
def show(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    found = desk.list_of(db(), plan)
    in_charge = may_act(db(), plan, viewer(), Role.EXAM_OFFICER)
    early = found is None or found.state in OFF_NOTICE
    gathered = gather(db(), plan) if early else []
    required = required_parts(plan.level, desk.pack_for_list(db(), plan, found))
    shown = {"plan": plan, "list": found, "in_charge": in_charge, "required": required, "now": now(),
             "unmarked": open_sittings(db(), plan) if early else [], "missing": [one for one in gathered if one.missing],
             "outdated": early and found is not None and desk.outdated(db(), found, gathered)}
    if found is None:
        return render_template("results/waiting.html", **shown)
    everyone = listing.all_of(db(), found)
    rows, total, page, pages = paged(db(), listing.filtered(found, request.args))
    decider = DESKS.get(found.state)
    return render_template(
        "results/show.html", **shown, rescored=rescored.changes(db(), found), rows=rows, total=total, page=page, pages=pages, figures=figures(everyone),
        decides=decider is not None and may_act(db(), plan, viewer(), decider[0]), decider=decider, bands=BANDS, verdicts=list(Verdict),
        spread={part: distribution(everyone, part) for part in PARTS if part in required},
        rechecks=rechecks.of_list(db(), found), misconducts=misconduct.of_plan(db(), plan), last_to_ask=rechecks.known_last_day(db(), found),
        may_check=in_charge and found.state is ResultState.DRAFT and found.checked_at is None and found.merged_by != viewer().account_id,
        reopens=found.state is ResultState.FINAL and may_act(db(), plan, viewer(), Role.PROVINCE_OFFICER),
        last_day=last_day(found.notice_ends_at) if found.notice_ends_at else None,
        over=found.notice_ends_at is not None and now() >= found.notice_ends_at)


@blueprint.post("/plans/<int:plan_id>/merge")
def merge(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    if work.takes_long(db(), plan):
        job = enqueue(db(), work.MERGE, {"plan": plan.id}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    made = desk.merge_plan(db(), plan, viewer(), now=now())
    if lacking := sum(not one.is_complete for one in made.results):
        flash(f"已合成 {len(made.results)} 名考生的成绩，其中 {lacking} 名成绩不全：可以查看，补齐并重新合成后才能公示。", "warning")
    else:
        flash(f"已合成 {len(made.results)} 名考生的成绩，请另一名考务员逐项核对，核对后公示。", "success")
    return _to(plan)


@blueprint.post("/lists/<int:list_id>/check")
def check(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    if request.form.get("decision") not in {"approve", "return"}:
        raise Refused("no_decision", "请选择“核对无误”或“退回更正”。")
    found.expect(request.form.get("version", type=int))
    approves = request.form["decision"] == "approve"
    desk.check(db(), found, viewer(), approves=approves, comment=request.form.get("comment", ""), now=now())
    flash("已核对，可以公示。" if approves else "已退回更正。", "success")
    return _to(found.plan)


@blueprint.post("/lists/<int:list_id>/reopen")
def reopen(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    desk.reopen(db(), found, viewer(), request.form.get("reason", ""), now=now())
    flash("已退回学校更正。更正后须重新核对、公示和审核；已制作证书的考生结果改变的，学校须先注销证书。", "success")
    return _to(found.plan)


@blueprint.post("/lists/<int:list_id>/publish")
def publish(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    desk.publish(db(), found, viewer(), now=now())
    flash("已公示。请把公示网址告知考生，并在公示栏张贴。", "success")
    return _to(found.plan)


@blueprint.post("/lists/<int:list_id>/withdraw")
def withdraw(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    desk.withdraw(db(), found, viewer(), request.form.get("reason", ""), now=now())
    flash("公示已撤回。更正并重新公示后，公示天数重新计算。", "success")
    return _to(found.plan)


@blueprint.post("/lists/<int:list_id>/objections")
def objection(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    objections.record_objection(db(), found, request.form.get("raised_by", ""), request.form.get("text", ""), viewer(), now=now())
    flash("异议已登记，答复后才能提交审核。", "success")
    return _to(found.plan)


@blueprint.post("/objections/<int:objection_id>/answer")
def answer(objection_id: int) -> Any:
    found = fetch(db(), Objection, objection_id, viewer())
    objections.answer(db(), found, request.form.get("answer", ""), viewer(), now=now())
    flash("异议已答复。", "success")
    return _to(found.list.plan)


@blueprint.post("/lists/<int:list_id>/submit")
def submit(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    desk.submit(db(), found, viewer(), now=now())
    flash("已提交市鉴定中心初审。", "success")
    return _to(found.plan)


@blueprint.post("/lists/<int:list_id>/decide")
def decide(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    if request.form.get("decision") not in {"approve", "return"}:
        raise Refused("no_decision", "请选择“通过”或“退回”。")
    approves = request.form["decision"] == "approve"
    found.expect(request.form.get("version", type=int))
    desk.decide(db(), found, viewer(), approves, request.form.get("comment", ""), now=now())
    flash("已通过。" if approves else "已退回学校更正。", "success")
    return _to(found.plan)


@blueprint.get("/mine")
def mine() -> Any:
    """A candidate's own results, from the notice on."""
    own = (visible(Result, viewer()).join(Result.enrolment).where(Enrolment.account_id == viewer().account_id)
           .order_by(Result.id.desc()))
    results = db().scalars(own).all()
    asked = db().scalars(visible(Recheck, viewer()).where(Recheck.result_id.in_([one.id for one in results])).order_by(Recheck.id)).all()
    proved = db().scalars(visible(ScoreProof, viewer()).where(ScoreProof.result_id.in_([one.id for one in results]),
                                                              ScoreProof.revoked_at.is_(None)).order_by(ScoreProof.id)).all()
    told = db().scalars(visible(Misconduct, viewer()).where(Misconduct.enrolment.has(account_id=viewer().account_id))
                        .order_by(Misconduct.id.desc())).all()
    last = {one.id: rechecks.known_last_day(db(), one.list) for one in results}
    return render_template("results/mine.html", results=results, parts_of={one.id: required_parts(one.list.plan.level, pack_of(one.list)) for one in results},
                           last_day=last_day, now=now(), asked=asked, proved=proved, last=last, told=told, score_of=score_of,
                           open={key: day is not None and now() < rechecks.end_of(day) for key, day in last.items()})


def _to(plan: ExamPlan) -> Any:
    return redirect(url_for("results.show", plan_id=plan.id))
