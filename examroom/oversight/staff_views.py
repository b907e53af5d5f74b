"""Doors: misconduct of staff (工作人员违规), from the proposal to the decision; and what is held against oneself."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from examroom.oversight import staff_cases
from examroom.oversight.blueprint import TOP, blueprint
from examroom.oversight.inspection_models import Finding
from examroom.oversight.regions import CENTRES
from examroom.oversight.staff_models import StaffCase
from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import day, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer

TYPED = ("account_id", "duty", "tier", "happened_on", "evidence", "plan_id", "finding_id")


@blueprint.get("/staff-cases")
def staff_case_list() -> Any:
    query = visible(StaffCase, viewer()).options(joinedload(StaffCase.account), joinedload(StaffCase.institution), joinedload(StaffCase.plan))
    rows, total, page, pages = paged(db(), query.order_by(StaffCase.id.desc()))
    schools = db().scalars(visible(Institution, viewer()).where(viewer().reach(Institution.id, *staff_cases.PROPOSERS)).order_by(Institution.name)).all()
    return render_template("oversight/staff_case_list.html", rows=rows, total=total, page=page, pages=pages, schools=schools, today=local_date(now()))


@blueprint.route("/schools/<int:institution_id>/staff-cases/new", methods=["GET", "POST"])
def new_staff_case(institution_id: int) -> Any:
    school = fetch(db(), Institution, institution_id, viewer())
    if not on_duty(db(), viewer(), school.id, *staff_cases.PROPOSERS):
        raise NotFound
    if request.method == "GET":
        return _form(school)
    try:
        made = _proposed(school)
    except Refused as refusal:
        db().rollback()
        return _form(school, refusal), 409
    flash("已提出。请告知当事人，听取陈述申辩后由鉴定中心另一人决定。", "success")
    return redirect(url_for("oversight.staff_case", case_id=made.id))


def _proposed(school: Institution) -> StaffCase:
    form = request.form

    def key(name: str) -> int | None:
        return whole_number(form[name], name, 1, TOP) if form.get(name) else None

    plan, finding = key("plan_id"), key("finding_id")
    return staff_cases.propose(
        db(), school, key("account_id") or 0, form.get("tier", ""), viewer(), duty=form.get("duty", ""), evidence=form.get("evidence", ""),
        happened_on=day(form.get("happened_on", ""), "发生日期"), plan=fetch(db(), ExamPlan, plan, viewer()) if plan else None,
        finding=fetch(db(), Finding, finding, viewer()) if finding else None, file=request.files.get("file"), now=now())


def _form(school: Institution, refusal: Refused | None = None) -> str:
    plans = db().scalars(visible(ExamPlan, viewer()).where(ExamPlan.institution_id == school.id).order_by(ExamPlan.id.desc()).limit(50)).all()
    return render_template("oversight/new_staff_case.html", school=school, plans=plans, people=staff_cases.staff_of(db(), school),
                           tiers=staff_cases.tiers(db(), school), typed={name: request.values.get(name, "") for name in TYPED}, refusal=refusal)


@blueprint.get("/staff-cases/<int:case_id>")
def staff_case(case_id: int) -> Any:
    return _page(fetch(db(), StaffCase, case_id, viewer()))


def _page(case: StaffCase, refusal: Refused | None = None) -> str:
    own, person = case.account_id == viewer().account_id, viewer()
    charge = on_duty(db(), person, case.institution_id, *staff_cases.PROPOSERS, plan_id=case.plan_id) and not own
    centre = on_duty(db(), person, case.institution_id, *CENTRES, plan_id=case.plan_id)
    return render_template("oversight/staff_case.html", case=case, own=own, charge=charge, refusal=refusal, today=local_date(now()),
                           decides=centre and not own and case.proposed_by != person.account_id)


@blueprint.post("/staff-cases/<int:case_id>/tell")
def tell_staff(case_id: int) -> Any:
    return _done(case_id, lambda case: staff_cases.tell(db(), case, viewer(), now=now()), "已告知当事人，陈述申辩期限开始计算。")


@blueprint.post("/staff-cases/<int:case_id>/statement")
def staff_statement(case_id: int) -> Any:
    return _done(case_id, lambda case: staff_cases.state(db(), case, request.form.get("statement", ""), viewer(), file=request.files.get("file"), now=now()),
                 "陈述申辩已提交。")


@blueprint.post("/staff-cases/<int:case_id>/decide")
def decide_staff(case_id: int) -> Any:
    def act(case: StaffCase) -> None:
        if request.form.get("decision") not in {"approve", "reject"}:
            raise Refused("no_decision", "请选择“认定”或“不予认定”。")
        case.expect(request.form.get("version", type=int))
        staff_cases.decide(db(), case, request.form["decision"] == "approve", request.form.get("comment", ""), viewer(), now=now())

    return _done(case_id, act, "已作出决定。")


@blueprint.post("/staff-cases/<int:case_id>/withdraw")
def withdraw_staff(case_id: int) -> Any:
    return _done(case_id, lambda case: staff_cases.withdraw(db(), case, request.form.get("comment", ""), viewer(), now=now()), "已撤回，记录保留。")


def _done(case_id: int, act: Any, told: str) -> Any:
    case = fetch(db(), StaffCase, case_id, viewer())
    try:
        act(case)
    except Refused as refusal:
        db().rollback()
        return _page(case, refusal), 409
    flash(told, "success")
    return redirect(url_for("oversight.staff_case", case_id=case.id))


@blueprint.get("/staff-cases/<int:case_id>/file/<name>")
def staff_file(case_id: int, name: str) -> Any:
    """The evidence (``evidence``) or what came with the statement (``statement``)."""
    case = fetch(db(), StaffCase, case_id, viewer())
    found = {"evidence": case.file, "statement": case.statement_file}.get(name)
    if found is None:
        raise NotFound
    return attachments.download(db(), found)
