"""Doors: 资格审核: the list of applications, one of them, its proofs, the check, the summary."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from examroom.plans import listing, qualification, summary
from examroom.plans.blueprint import blueprint
from examroom.plans.candidate_views import choices, excel, typed_facts
from examroom.plans.condition_models import EntryCondition, Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import Facts, meets
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from examroom.plans.staffing import require_officer
from qbank.kernel import attachments, forms
from qbank.kernel.access import LARGEST_KEY, Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer

SHOWN = 10  # names in a message


@blueprint.get("/<int:plan_id>/qualification")
def qualifications(plan_id: int) -> Any:
    return _list(fetch(db(), ExamPlan, plan_id, viewer()))


def _list(plan: ExamPlan, refusal: Refused | None = None) -> str:
    rows, total, page, pages = paged(db(), listing.searched(plan, request.args, viewer()))
    proofs = qualification.proofs_of(db(), rows)
    return render_template(
        "plans/qualification.html", plan=plan, rows=rows, total=total, page=page, pages=pages, refusal=refusal, states=Qualification,
        proofs=proofs, lacks={row.id: qualification.lacks(row, proofs[row.id]) for row in rows}, kept=listing.kept(request.args),
        counts=qualification.counts(db(), plan.id), checks=qualification.checks_of(db(), rows),
        officer=on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id))


def _ticked(plan: ExamPlan) -> list[Enrolment]:
    """Who is ticked, or everybody that the filters show."""
    if request.form.get("all"):
        return list(db().scalars(listing.searched(plan, request.args, viewer())).unique())
    wanted = {forms.whole_number(text, "考生", 1, LARGEST_KEY) for text in request.form.getlist("enrolment")}
    found = db().scalars(visible(Enrolment, viewer()).where(Enrolment.plan_id == plan.id, Enrolment.id.in_(wanted))
                         .order_by(Enrolment.ticket_number)).all()
    if len(found) != len(wanted):
        raise NotFound
    return list(found)


def _back(plan: ExamPlan) -> str:
    """The list with the same filters."""
    values: dict[str, Any] = dict(listing.kept(request.args))
    return url_for("plans.qualifications", plan_id=plan.id, **values)


@blueprint.post("/<int:plan_id>/qualification/accept")
def accept(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        chosen, by_hand = _ticked(plan), bool(request.form.get("by_hand"))
        require_officer(db(), plan, viewer())
        left = qualification.unacceptable(db(), chosen, viewer(), by_hand=by_hand)
        good = [enrolment for enrolment in chosen if enrolment.id not in left] or chosen
        count = qualification.accept(db(), good, viewer(), now=now(), by_hand=by_hand)
    except Refused as refusal:
        return _list(plan, refusal), 409
    flash(f"{count} 名考生审核通过。", "success")
    if left:
        names = [f"{enrolment.candidate.name}：{left[enrolment.id][0]}" for enrolment in chosen if enrolment.id in left]
        flash(f"{len(left)} 名考生没有通过：{''.join(names[:SHOWN])}", "warning")
    return redirect(_back(plan))


@blueprint.post("/<int:plan_id>/qualification/proofs")
def attach(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        count = qualification.attach(db(), _ticked(plan), request.files.get("file"), request.form.get("title", ""), viewer(), now=now())
    except Refused as refusal:
        return _list(plan, refusal), 409
    flash(f"证明材料已附到 {count} 名考生的报名。", "success")
    return redirect(_back(plan))


@blueprint.get("/<int:plan_id>/qualification.xlsx")
def qualification_workbook(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    rows = db().scalars(listing.searched(plan, request.args, viewer())).unique().all()
    return excel(summary.workbook_of(db(), plan, rows, now=now()), f"资格审核数据汇总表 {plan.number}.xlsx")


@blueprint.get("/enrolments/<int:enrolment_id>")
def application(enrolment_id: int) -> Any:
    return _application(fetch(db(), Enrolment, enrolment_id, viewer()))


def _application(enrolment: Enrolment, refusal: Refused | None = None) -> str:
    plan = enrolment.plan
    proofs = qualification.proofs_of(db(), [enrolment])[enrolment.id]
    checks = db().scalars(visible(QualificationCheck, viewer()).where(QualificationCheck.enrolment_id == enrolment.id)
                          .order_by(QualificationCheck.id.desc())).all()
    found = qualification.findings(enrolment)
    return render_template("plans/application.html", one=enrolment, plan=plan, facts=Facts.read(enrolment.facts), proofs=proofs, checks=checks,
                           findings=found, meets=meets(found), lacks=qualification.lacks(enrolment, proofs), refusal=refusal, choices=choices(),
                           options=qualification.options_of(db(), plan),
                           officer=on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id))


@blueprint.post("/enrolments/<int:enrolment_id>")
def record_application(enrolment_id: int) -> Any:
    """One form for what an officer does with an application; ``act`` names it."""
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    acts = {"record": _record, "attach": _attach, "accept": _accept, "return": _send_back}
    act = acts.get(request.form.get("act", ""))
    if act is None:
        raise Refused("act", "请用页面上的按钮办理。")
    try:
        told = act(enrolment)
    except Refused as refusal:
        return _application(enrolment, refusal), 409
    flash(told, "success")
    return redirect(url_for("plans.application", enrolment_id=enrolment.id))


def _record(enrolment: Enrolment) -> str:
    key = forms.whole_number(request.form.get("condition_id", ""), "申报条件", 1, LARGEST_KEY)
    qualification.record(db(), enrolment, typed_facts(), fetch(db(), EntryCondition, key, viewer()), viewer(), now=now())
    return "报名信息已保存。"


def _attach(enrolment: Enrolment) -> str:
    qualification.attach(db(), [enrolment], request.files.get("file"), request.form.get("title", ""), viewer(), now=now())
    return "证明材料已上传。"


def _accept(enrolment: Enrolment) -> str:
    qualification.accept(db(), [enrolment], viewer(), now=now(), by_hand=bool(request.form.get("by_hand")))
    return f"{enrolment.candidate.name}的资格审核通过。"


def _send_back(enrolment: Enrolment) -> str:
    qualification.send_back(db(), enrolment, request.form.get("reason", ""), viewer(), now=now())
    return f"已退回{enrolment.candidate.name}的报名。"


@blueprint.get("/proofs/<int:proof_id>")
def proof(proof_id: int) -> Any:
    found = fetch(db(), EntryProof, proof_id, viewer())
    return attachments.download(db(), found.attachment)


@blueprint.post("/proofs/<int:proof_id>/withdraw")
def withdraw_proof(proof_id: int) -> Any:
    found = fetch(db(), EntryProof, proof_id, viewer())
    qualification.withdraw_proof(db(), found, viewer(), now=now())
    flash(f"“{found.title}”已撤下。", "success")
    own = viewer().has(Role.CANDIDATE) and found.enrolment.account_id == viewer().account_id
    return redirect(url_for("plans.own") if own else url_for("plans.application", enrolment_id=found.enrolment_id))


