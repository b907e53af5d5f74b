"""Doors without sign-in: the public notice, objections with a receipt, the check of a proof of score."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from werkzeug.exceptions import NotFound

from examroom.plans.models import ExamPlan
from qbank.kernel.identity import masked_name
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now
from scoring.results import listing, objections, proofs
from scoring.results.blueprint import blueprint
from scoring.results.models import ResultList
from scoring.results.notice import last_day

TYPED = ("name", "telephone", "text")


@blueprint.get("/notice/<path:number>")
def notice(number: str) -> Any:
    """公示 for anyone: who is to be certified, with masked name and identity; nobody once the days are over."""
    found = _posted(number)
    over = found.notice_ends_at is None or now() >= found.notice_ends_at
    passed = [] if over else [one for one in listing.all_of(db(), found) if one.passed]
    return render_template("results/notice.html", list=found, plan=found.plan, rows=passed, over=over, masked=masked_name,
                           last_day=last_day(found.notice_ends_at) if found.notice_ends_at else None)


@blueprint.route("/objection/<path:number>", methods=["GET", "POST"])
def object_publicly(number: str) -> Any:
    """An objection from anybody while the notice runs; the answer is found by the receipt."""
    found, refusal = _posted(number), None
    if request.method == "POST":
        form = request.form
        try:
            made = objections.raise_publicly(db(), found, name=form.get("name", ""), telephone=form.get("telephone", ""),
                                             text=form.get("text", ""), address=request.remote_addr or "", now=now())
        except Refused as caught:
            refusal = caught
            db().rollback()
        else:
            return render_template("results/receipt.html", made=made, found=None, asked="", refusal=None)
    open_now = found.notice_ends_at is not None and now() < found.notice_ends_at
    return render_template("results/object.html", list=found, plan=found.plan, open=open_now, refusal=refusal,
                           last_day=last_day(found.notice_ends_at) if found.notice_ends_at else None,
                           typed={name: request.form.get(name, "") for name in TYPED}), 409 if refusal else 200


@blueprint.route("/receipt", methods=["GET", "POST"])
def receipt() -> Any:
    """What became of an objection; asked by POST, so that no receipt stands in an address or a log."""
    found, refusal, asked = None, None, request.form.get("receipt", "").strip()[:40]
    if request.method == "POST":
        try:
            found = objections.look_up(db(), asked, request.remote_addr or "", now=now())
        except Refused as caught:
            refusal = caught
    return render_template("results/receipt.html", made=None, found=found, asked=asked, refusal=refusal), 409 if refusal else 200


@blueprint.route("/proof", methods=["GET", "POST"])
def check_proof() -> Any:
    """单科成绩证明 checked by code and name."""
    found, refusal = None, None
    code, name = request.values.get("code", "").strip()[:40], request.form.get("name", "").strip()[:60]
    if request.method == "POST":
        try:
            found = proofs.look_up(db(), code, name, request.remote_addr or "", now=now())
        except Refused as caught:
            refusal = caught
    return render_template("results/check_proof.html", found=found, code=code, name=name, refusal=refusal,
                           asked=request.method == "POST", now=now()), 409 if refusal else 200


@blueprint.get("/notices")
def notices() -> Any:
    """The notices that run now, for whoever does not know the plan's number."""
    lists = db().scalars(sa.select(ResultList).join(ResultList.plan).where(
        ResultList.noticed_at.is_not(None), ResultList.notice_ends_at > now()).order_by(ResultList.noticed_at.desc(), ResultList.id))
    return render_template("results/notices.html", lists=lists.all(), last_day=last_day)


def _posted(number: str) -> ResultList:
    found = db().scalar(sa.select(ResultList).join(ExamPlan).where(ExamPlan.number == number, ResultList.noticed_at.is_not(None)))
    if found is None:
        raise NotFound
    return found
