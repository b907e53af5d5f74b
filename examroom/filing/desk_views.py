"""Doors of the two offices: the site assessment, the city's opinion, the province's recheck, returns."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.filing import annexes, evaluations, review
from examroom.filing.application_models import Application, SiteAssessment
from examroom.filing.application_views import found
from examroom.filing.blueprint import blueprint
from examroom.filing.form import basis
from examroom.filing.states import ApplicationState
from qbank.kernel import attachments, forms
from qbank.kernel.access import fetch
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, viewer


@blueprint.route("/applications/<int:application_id>/assess", methods=["GET", "POST"])
def assess(application_id: int) -> Any:
    """现场评估记录."""
    one = found(application_id)
    review.require_desk(db(), one, viewer())
    refusal = None
    if request.method == "POST":
        try:
            _assess(one)
            flash("现场评估记录已保存。", "success")
            return redirect(url_for("filing.decide", application_id=one.id))
        except Refused as refused:
            refusal = refused
    return render_template("filing/assess.html", application=one, checks=annexes.CHECKS, refusal=refusal,
                           today=local_date(now())), 409 if refusal else 200


def _assess(one: Application) -> None:
    form = request.form
    answers = {key: form.get(f"ok-{key}", "") for key, _, _ in annexes.CHECKS}
    review.assess(db(), one, viewer(), visited_on=forms.day(form.get("visited_on", ""), "评估日期"), members=form.get("members", ""),
                  oks={key: answer == "1" for key, answer in answers.items() if answer in {"0", "1"}},
                  notes={key: form.get(f"note-{key}", "") for key in answers}, opinion=form.get("opinion", ""),
                  upload=request.files.get("file"), now=now())


@blueprint.get("/assessments/<int:assessment_id>/file")
def assessment_file(assessment_id: int) -> Any:
    record = fetch(db(), SiteAssessment, assessment_id, viewer())
    if record.attachment is None:
        raise Refused("no_file", "这次现场评估没有上传附件。")
    return attachments.download(db(), record.attachment)


@blueprint.route("/applications/<int:application_id>/decide", methods=["GET", "POST"])
def decide(application_id: int) -> Any:
    """The opinion of the office where the application lies."""
    one = found(application_id)
    review.require_desk(db(), one, viewer())
    city, refusal = one.state is ApplicationState.SUBMITTED, None
    if request.method == "POST":
        try:
            one.expect(request.form.get("row_version", type=int))
            _decide(one, city)
            flash("备案意见已提交，申请转省鉴定中心复核。" if city else "复核意见已提交" + (
                "，备案已公布到评价机构目录。" if one.state is ApplicationState.DECIDED else "。"), "success")
            return redirect(url_for("filing.application", application_id=one.id))
        except Refused as refused:
            refusal = refused
    evaluation = evaluations.latest(db(), one.institution_id)
    return render_template("filing/decide.html", application=one, city=city, refusal=refusal, today=local_date(now()), basis=basis,
                           consent_from=review.CONSENT_FROM, evaluation=evaluation, told=evaluations.told), 409 if refusal else 200


def _decide(one: Application, city: bool) -> None:
    form = request.form
    agreed = {row.id: form[f"agrees-{row.id}"] == "1" for row in one.occupations if form.get(f"agrees-{row.id}") in {"0", "1"}}
    notes = {row.id: form.get(f"note-{row.id}", "") for row in one.occupations}
    comment = form.get("comment", "")
    if city:
        review.pass_on(db(), one, viewer(), agreed, notes, comment, now=now())
    else:
        review.decide(db(), one, viewer(), agreed, notes, comment, consents={row.id for row in one.occupations if form.get(f"consent-{row.id}") == "1"},
                      valid_from=forms.day(form.get("valid_from", ""), "有效期起"), now=now())


@blueprint.post("/applications/<int:application_id>/send-back")
def send_back(application_id: int) -> Any:
    one = found(application_id)
    one.expect(request.form.get("row_version", type=int))
    review.send_back(db(), one, viewer(), request.form.get("comment", ""), now=now())
    flash("申请已退回学校补正。", "success")
    return redirect(url_for("filing.application", application_id=one.id))
