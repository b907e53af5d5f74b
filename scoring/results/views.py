"""Doors: results (成绩与结果): the office's pages, the public notice, the candidate's own page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from scoring.practical.duties import may_act
from scoring.results import credit_views, desk, listing, rescored  # noqa: F401  # doors register
from scoring.results.blueprint import blueprint
from scoring.results.figures import BANDS, PARTS, distribution, figures
from scoring.results.merge import Verdict, required_parts
from scoring.results.models import Objection, Result, ResultList, ResultState
from scoring.results.notice import last_day
from scoring.results.parts import gather, open_sittings
from scoring.results.route import DESKS, OFF_NOTICE

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/")
def index() -> Any:
    query = (visible(ExamPlan, viewer()).add_columns(ResultList).outerjoin(ResultList, ResultList.plan_id == ExamPlan.id)
             .order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc()))
    state = request.args.get("state", "")
    if state == "none":
        query = query.where(ResultList.id.is_(None))
    elif state in set(ResultState):
        query = query.where(ResultList.state == ResultState(state))
    page = listing.page_of(db(), query, request.args.get("page", 1, type=int))
    return render_template("results/index.html", lines=[listing.plan_line(db(), plan, found) for plan, found in page.rows],
                           total=page.total, page=page.number, pages=page.pages, states=ResultState, last_day=last_day)


@blueprint.get("/plans/<int:plan_id>")
def show(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    found = desk.list_of(db(), plan)
    in_charge = may_act(db(), plan, viewer(), Role.EXAM_OFFICER)
    early = found is None or found.state in OFF_NOTICE
    gathered = gather(db(), plan) if early else []
    shown = {"plan": plan, "list": found, "in_charge": in_charge, "required": required_parts(plan.level), "now": now(),
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
        spread={part: distribution(everyone, part) for part in PARTS if part in required_parts(plan.level)},
        last_day=last_day(found.notice_ends_at) if found.notice_ends_at else None,
        over=found.notice_ends_at is not None and now() >= found.notice_ends_at)


@blueprint.post("/plans/<int:plan_id>/merge")
def merge(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    made = desk.merge_plan(db(), plan, viewer(), now=now())
    if lacking := sum(not one.is_complete for one in made.results):
        flash(f"已合成 {len(made.results)} 名考生的成绩，其中 {lacking} 名成绩不全：可以查看，补齐并重新合成后才能公示。", "warning")
    else:
        flash(f"已合成 {len(made.results)} 名考生的成绩，请逐项核对后公示。", "success")
    return _to(plan)


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
    desk.record_objection(db(), found, request.form.get("raised_by", ""), request.form.get("text", ""), viewer(), now=now())
    flash("异议已登记，答复后才能提交审核。", "success")
    return _to(found.plan)


@blueprint.post("/objections/<int:objection_id>/answer")
def answer(objection_id: int) -> Any:
    found = fetch(db(), Objection, objection_id, viewer())
    desk.answer(db(), found, request.form.get("answer", ""), viewer(), now=now())
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


@blueprint.get("/lists/<int:list_id>/workbook")
def workbook(list_id: int) -> Any:
    """The rows that the page shows with the same filters, as ``.xlsx``."""
    found = fetch(db(), ResultList, list_id, viewer())
    content = desk.workbook(found, list(db().scalars(listing.filtered(found, request.args))))
    return Response(content, mimetype=SPREADSHEET, headers={
        "Content-Disposition": f"attachment; filename=results-{found.id}.xlsx"})


@blueprint.get("/lists/<int:list_id>/print")
def sheet(list_id: int) -> Any:
    """认定结果汇总表 for the binder, with lines for signatures."""
    found = fetch(db(), ResultList, list_id, viewer())
    rows = listing.all_of(db(), found)
    return render_template("results/sheet.html", list=found, plan=found.plan, rows=rows, figures=figures(rows),
                           required=required_parts(found.plan.level), now=now())


@blueprint.get("/notice/<path:number>")
def notice(number: str) -> Any:
    """公示 for anyone: who is to be certified, with masked identity; no names once the days are over."""
    found = db().scalar(sa.select(ResultList).join(ExamPlan).where(ExamPlan.number == number,
                                                                   ResultList.noticed_at.is_not(None)))
    if found is None or found.notice_ends_at is None:
        raise NotFound
    over = now() >= found.notice_ends_at
    passed = [] if over else [one for one in listing.all_of(db(), found) if one.passed]
    return render_template("results/notice.html", list=found, plan=found.plan, rows=passed, over=over,
                           last_day=last_day(found.notice_ends_at))


@blueprint.get("/mine")
def mine() -> Any:
    """A candidate's own results, from the notice on."""
    own = (visible(Result, viewer()).join(Result.enrolment).where(Enrolment.account_id == viewer().account_id)
           .order_by(Result.id.desc()))
    return render_template("results/mine.html", results=db().scalars(own).all(), required_parts=required_parts,
                           last_day=last_day, now=now())


def _to(plan: ExamPlan) -> Any:
    return redirect(url_for("results.show", plan_id=plan.id))
