"""Doors: items that proved wrong after the exam, and keys that were checked by name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from examroom.delivery.models import Sheet
from examroom.marking import case_work, cases, desk, released  # noqa: F401  # the jobs register
from examroom.marking.blueprint import blueprint
from examroom.marking.case_models import ItemCase, Remedy, ScoreChange
from examroom.marking.keys import keyed_items, spoken_key, told
from examroom.plans.models import Enrolment, Sitting
from qbank.items import markup, pictures
from qbank.kernel import forms
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import PASS_HALF_POINTS

TOP = 2**31 - 1


@blueprint.get("/cases")
def item_cases() -> Any:
    rows, total, page, pages = paged(db(), visible(ItemCase, viewer()).order_by(ItemCase.id.desc()))
    return render_template("marking/item_cases.html", rows=rows, total=total, page=page, pages=pages, told=told)


@blueprint.route("/sittings/<int:sitting_id>/cases/new", methods=["GET", "POST"])
def new_case(sitting_id: int) -> Any:
    """An officer says that an item of the sitting is wrong."""
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    desk.require_released(db(), sitting, now=now())
    items = {item.version_id: item for form in sitting.forms for item in keyed_items(db(), form.paper_id)}
    chosen, reason = request.values.get("version", 0, type=int), request.form.get("reason", "")
    page = {"sitting": sitting, "items": sorted(items.values(), key=lambda item: item.number), "problem": "",
            "chosen": chosen, "reason": reason}
    if request.method == "GET":
        return render_template("marking/new_case.html", **page)
    try:
        case = cases.report(db(), sitting, chosen, reason, viewer(), now=now())
    except Refused as refusal:
        return render_template("marking/new_case.html", **page | {"problem": refusal.sentence}), 409
    return redirect(url_for("marking.item_case", case_id=case.id))


@blueprint.get("/cases/<int:case_id>")
def item_case(case_id: int) -> Any:
    case = fetch(db(), ItemCase, case_id, viewer())
    version = case.version
    address = pictures.inline(db(), case.institution_id, [version.stem, *(option.text for option in version.options)])
    crossing = [row for row in case.preview if (row[1] >= PASS_HALF_POINTS) != (row[2] >= PASS_HALF_POINTS)]
    sittings = cases.sittings_with(db(), case)
    return render_template(
        "marking/item_case.html", case=case, html=lambda text: markup.to_html(text, address), remedies=list(Remedy), told=told,
        spoken_key=spoken_key, people=_people(case), crossing=crossing, sittings=sittings, bar=PASS_HALF_POINTS, approvals=cases.approvals_of(case),
        standings=released.standings(db(), {sitting.plan_id for sitting in sittings}), viewer_id=viewer().account_id,
        rescaled=bool(sittings) and pack_for(db(), sittings[0].plan.institution).removed_item_rescaled,
        changes=db().scalars(sa.select(ScoreChange).where(ScoreChange.case_id == case.id).order_by(ScoreChange.id)).all())


@blueprint.post("/cases/<int:case_id>/propose")
def propose(case_id: int) -> Any:
    case = fetch(db(), ItemCase, case_id, viewer())
    try:
        remedy = Remedy(request.form.get("remedy", ""))
    except ValueError:
        raise Refused("no_remedy", "请选择处理办法。") from None
    keys = [request.form.get("key", "")] if remedy is Remedy.NEW_KEY else request.form.get("keys", "").split("、")
    job = cases.propose(db(), case, remedy, keys, viewer(), now=now(), result=url_for("marking.item_case", case_id=case.id))
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/cases/<int:case_id>/approve")
def approve_case(case_id: int) -> Any:
    case = fetch(db(), ItemCase, case_id, viewer())
    decision = request.form.get("decision")
    if decision not in {"approve", "reject"}:
        raise BadRequest
    case.expect(forms.whole_number(request.form.get("version", ""), "页面版本", 1, TOP))
    job = cases.approve(db(), case, decision == "approve", request.form.get("comment", ""), viewer(), now=now(),
                        result=url_for("marking.item_case", case_id=case.id))
    if job is not None:
        return redirect(url_for("accounts.job", job_id=job.id))
    flash("已登记您的意见。" + ("还须另一人批准。" if decision == "approve" else "处理办法已退回。"), "success")
    return redirect(url_for("marking.item_case", case_id=case.id))


@blueprint.post("/cases/<int:case_id>/remark")
def remark_case(case_id: int) -> Any:
    case = fetch(db(), ItemCase, case_id, viewer())
    job = cases.remark(db(), case, viewer(), now=now(), result=url_for("marking.item_case", case_id=case.id))
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/cases/<int:case_id>/withdraw")
def withdraw_case(case_id: int) -> Any:
    case = fetch(db(), ItemCase, case_id, viewer())
    cases.withdraw(db(), case, request.form.get("reason", ""), viewer())
    flash("已撤销登记，成绩没有改动。", "success")
    return redirect(url_for("marking.item_case", case_id=case.id))


@blueprint.post("/sittings/<int:sitting_id>/key-check")
def check_key(sitting_id: int) -> Any:
    """A named person compared a suspect key with its source."""
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    desk.require_released(db(), sitting, now=now())
    version_id = forms.whole_number(request.form.get("version", ""), "题目", 1, TOP)
    cases.check_key(db(), sitting, version_id, request.form.get("comment", ""), viewer(), now=now())
    flash("已登记答案核对无误。", "success")
    return redirect(url_for("marking.report", sitting_id=sitting.id))


def _people(case: ItemCase) -> dict[int, tuple[str, str]]:
    """Sheet id → name and ticket number of everybody whose score changes."""
    wanted = [row[0] for row in case.preview]
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), 1000):
        rows = db().execute(sa.select(Sheet.id, Account.name, Enrolment.ticket_number).join(Sheet.enrolment).join(Enrolment.candidate)
                            .where(Sheet.id.in_(wanted[start:start + 1000])))
        found |= {sheet_id: (name, ticket) for sheet_id, name, ticket in rows}
    return found
