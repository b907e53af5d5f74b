"""Doors: what is charged (published), what everybody owes and has paid, receipts, what an examination cost."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for

from examroom.filing.duties import on_duty
from examroom.filing.models import FiledScope
from examroom.plans import costs, fees, money, receipts
from examroom.plans.blueprint import blueprint
from examroom.plans.fee_models import CostEntry, FeeEntry, FeeKind, FeeSchedule
from examroom.plans.models import ExamPlan
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TOP = 2**31 - 1
COLUMNS = (("序号", 6), ("准考证号", 18), ("姓名", 14), ("班级", 20), ("应缴", 10), ("减免", 10), ("已缴", 10), ("已退", 10), ("尚欠", 10))


@blueprint.get("/fees")
def public_fees() -> Any:
    """收费公示: open to everybody (五(五))."""
    query = fees.published(db(), local_date(now()))
    if text := request.args.get("q", "").strip():
        query = query.where(Institution.name.contains(text, autoescape=True))
    rows, total, page, pages = paged(db(), query)
    return render_template("plans/public_fees.html", rows=rows, total=total, page=page, pages=pages, yuan=money.yuan, today=local_date(now()))


@blueprint.get("/fee-schedules")
def fee_schedules() -> Any:
    return _schedules()


def _schedules(refusal: Refused | None = None) -> str:
    rows = db().scalars(visible(FeeSchedule, viewer()).order_by(FeeSchedule.institution_id, FeeSchedule.standard_id, FeeSchedule.level.desc(),
                                                                FeeSchedule.valid_from.desc())).all()
    today = local_date(now())
    scopes = db().scalars(sa.select(FiledScope).where(viewer().reach(FiledScope.institution_id, Role.EXAM_OFFICER), FiledScope.valid_until >= today)
                          .order_by(FiledScope.institution_id, FiledScope.standard_id, FiledScope.level.desc())).all()
    return render_template("plans/fee_schedules.html", rows=rows, scopes=scopes, refusal=refusal, yuan=money.yuan, today=today,
                           sees_sums=viewer().has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER))


@blueprint.post("/fee-schedules")
def publish_fee() -> Any:
    form = request.form
    try:
        scope = fetch(db(), FiledScope, forms.whole_number(form.get("scope_id", ""), "职业和等级", 1, TOP), viewer())
        amounts = fees.Amounts(money.read(form.get("theory", ""), "理论"), money.read(form.get("practical", ""), "技能"),
                               money.read(form.get("review", "") or "0", "评审"))
        fees.publish_fee(db(), scope.institution, scope.standard, scope.level, amounts, viewer(), basis=form.get("basis", ""),
                         filed_with=form.get("filed_with", ""), filing_reference=form.get("filing_reference", ""),
                         valid_from=forms.day(form.get("valid_from", ""), "执行日期"), now=now())
    except Refused as refusal:
        return _schedules(refusal), 409
    flash("收费标准已公示，任何人可以在“收费公示”中查看。", "success")
    return redirect(url_for("plans.fee_schedules"))


@blueprint.post("/fee-schedules/<int:schedule_id>/end")
def end_fee(schedule_id: int) -> Any:
    found = fetch(db(), FeeSchedule, schedule_id, viewer())
    found.expect(request.form.get("row_version", type=int))
    fees.end_fee(db(), found, viewer(), last_day=forms.day(request.form.get("last_day", ""), "终止日期"))
    flash("已终止这项收费标准。", "success")
    return redirect(url_for("plans.fee_schedules"))


@blueprint.get("/<int:plan_id>/fees")
def fee_register(plan_id: int) -> Any:
    return _register(fetch(db(), ExamPlan, plan_id, viewer()))


def _register(plan: ExamPlan, refusal: Refused | None = None) -> str:
    rows = fees.register(db(), plan)
    owing = request.args.get("owing") == "1"
    return render_template("plans/fee_register.html", plan=plan, rows=[one for one in rows if one.owed > 0] if owing else rows, everybody=rows,
                           refusal=refusal, entries=fees.entries_of(db(), plan), schedule=fees.fee_on(db(), plan, local_date(now())),
                           officer=on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id), yuan=money.yuan,
                           costs=costs.costs_of(db(), plan), categories=costs.CATEGORIES, balance=costs.balance_of(db(), plan), kinds=FeeKind)


@blueprint.get("/<int:plan_id>/fees.xlsx")
def fee_workbook(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    rows = [(number, one.ticket_number or "已移出名单", one.person.name, one.class_name,
             *(fen / 100 for fen in (one.charged, one.waived, one.paid, one.refunded, one.owed)))
            for number, one in enumerate(fees.register(db(), plan), 1)]
    table = Table("缴费登记", COLUMNS, rows, f"{plan.institution.name} {plan.title} {LEVEL_NAMES[plan.level]} 缴费登记",
                  [f"计划编号 {plan.number}，单位：元，导出时间 {spoken(now())}"])
    return send_file(BytesIO(workbook([table])), mimetype=EXCEL, as_attachment=True, download_name=f"缴费登记 {plan.number}.xlsx")


@blueprint.post("/<int:plan_id>/charges")
def charge(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        count = fees.charge_all(db(), plan, viewer(), now=now())
    except Refused as refusal:
        return _register(plan, refusal), 409
    flash(f"已按公示的收费标准为 {count} 名考生登记应缴。", "success")
    return redirect(url_for("plans.fee_register", plan_id=plan.id))


@blueprint.post("/<int:plan_id>/fees")
def enter_fee(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        person, kind = _person(plan, form.get("account_id", "")), form.get("kind", "")
        if kind not in set(FeeKind):
            raise Refused("kind", "请选择收款、退款或减免。")
        made = fees.enter(db(), plan, person, FeeKind(kind), money.read(form.get("amount", ""), "金额", least=1), viewer(),
                          note=form.get("note", ""), now=now())
    except Refused as refusal:
        return _register(plan, refusal), 409
    flash(f"{person.name}{made.kind.chinese} {money.yuan(made.fen)} 元" + (f"，收据号 {made.receipt}。" if made.receipt else "。"), "success")
    return redirect(url_for("plans.fee_register", plan_id=plan.id))


def _person(plan: ExamPlan, text: str) -> Account:
    """Somebody of this plan's register; a stranger's number names nobody."""
    key = forms.whole_number(text, "考生", 1, TOP)
    found = next((one.person for one in fees.register(db(), plan) if one.person.id == key), None)
    if found is None:
        raise Refused("no_person", "该人员不在本方案的缴费登记中，请刷新页面。")
    return found


@blueprint.get("/fees/<int:entry_id>/receipt.pdf")
def receipt(entry_id: int) -> Any:
    entry = fetch(db(), FeeEntry, entry_id, viewer())
    return send_file(BytesIO(receipts.pdf(db(), entry, now=now())), mimetype="application/pdf", as_attachment=True,
                     download_name=f"{entry.kind.chinese}收据 {entry.receipt}.pdf")


@blueprint.post("/<int:plan_id>/costs")
def enter_cost(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    try:
        costs.enter_cost(db(), plan, form.get("category", ""), money.read(form.get("amount", ""), "支出金额", least=1), viewer(),
                         note=form.get("note", ""), now=now())
    except Refused as refusal:
        return _register(plan, refusal), 409
    flash("支出已登记。", "success")
    return redirect(url_for("plans.fee_register", plan_id=plan.id, _anchor="balance"))


@blueprint.post("/costs/<int:cost_id>/cancel")
def cancel_cost(cost_id: int) -> Any:
    found = fetch(db(), CostEntry, cost_id, viewer())
    costs.cancel_cost(db(), found, viewer(), now=now())
    flash("这笔支出已作废，记录保留。", "success")
    return redirect(url_for("plans.fee_register", plan_id=found.plan_id, _anchor="balance"))


@blueprint.get("/fee-summary")
def fee_summary() -> Any:
    """收支情况 of a year: no profit may be made."""
    year = min(max(request.args.get("year", local_date(now()).year, type=int), 2000), 2100)
    rows = costs.balances(db(), viewer(), year)
    return render_template("plans/fee_summary.html", rows=rows, year=year, yuan=money.yuan, income=sum(one.income for one in rows),
                           spent=sum(one.costs for one in rows))
