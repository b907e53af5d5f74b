"""Doors: evaluation reports of the pilot, removals from the directory, what is reported on to the ministry's centre."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import selectinload

from examroom.filing import annexes, evaluation_document, evaluations, ministry, removals, standing
from examroom.filing.blueprint import blueprint
from examroom.filing.duties import on_duty
from examroom.filing.material_views import PDF, SHEET
from examroom.filing.models import FiledScope
from examroom.filing.scopes import HIGHEST_LEVEL
from examroom.filing.standing_models import Evaluation, MinistryReport, Removal
from examroom.filing.states import Ground, RemovalState, Verdict
from qbank.kernel import attachments, forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer

KEY = 2**31 - 1


@blueprint.get("/evaluations", endpoint="evaluations")
def evaluation_list() -> Any:
    rows, total, page, pages = paged(db(), visible(Evaluation, viewer()).order_by(Evaluation.id.desc()))
    return render_template("filing/evaluations.html", rows=rows, total=total, page=page, pages=pages, told=evaluations.told)


@blueprint.get("/evaluations.xlsx")
def evaluations_workbook() -> Any:
    """All reports that this person may see, collected."""
    book = evaluations.collected(db().scalars(visible(Evaluation, viewer()).order_by(Evaluation.id)).all())
    return send_file(BytesIO(book), SHEET, as_attachment=True, download_name="试点评估报告汇总.xlsx")


@blueprint.route("/evaluations/new", methods=["GET", "POST"])
def new_evaluation() -> Any:
    schools = _schools(Role.CITY_OFFICER)
    if request.method == "GET":
        return render_template("filing/evaluation_form.html", schools=schools, evaluation=None, annexes=annexes, verdicts=list(Verdict), refusal=None)
    try:
        made = _write(None)
    except Refused as refusal:
        return render_template("filing/evaluation_form.html", schools=schools, evaluation=None, annexes=annexes, verdicts=list(Verdict),
                               refusal=refusal), 409
    flash("评估报告已保存，统计数字已按系统数据填入。", "success")
    return redirect(url_for("filing.evaluation", evaluation_id=made.id))


@blueprint.get("/evaluations/<int:evaluation_id>")
def evaluation(evaluation_id: int) -> Any:
    one = fetch(db(), Evaluation, evaluation_id, viewer())
    return render_template("filing/evaluation.html", evaluation=one, annexes=annexes, told=evaluations.told,
                           city=on_duty(db(), viewer(), one.institution_id, Role.CITY_OFFICER),
                           province=on_duty(db(), viewer(), one.institution_id, Role.PROVINCE_OFFICER))


@blueprint.route("/evaluations/<int:evaluation_id>/edit", methods=["GET", "POST"])
def edit_evaluation(evaluation_id: int) -> Any:
    one, refusal = fetch(db(), Evaluation, evaluation_id, viewer()), None
    if request.method == "POST":
        try:
            one.expect(request.form.get("row_version", type=int))
            _write(one)
            flash("评估报告已保存。", "success")
            return redirect(url_for("filing.evaluation", evaluation_id=one.id))
        except Refused as refused:
            refusal = refused
    return render_template("filing/evaluation_form.html", schools=[one.institution], evaluation=one, annexes=annexes, verdicts=list(Verdict),
                           refusal=refusal), 409 if refusal else 200


def _write(held: Evaluation | None) -> Evaluation:
    form = request.form
    school = held.institution if held else fetch(db(), Institution, forms.whole_number(form.get("institution_id", ""), "学校", 1, KEY), viewer())
    if form.get("verdict") not in set(Verdict):
        raise Refused("no_verdict", "请选择评估结论。")
    return evaluations.write(db(), school, viewer(), starts_on=forms.day(form.get("starts_on", ""), "评估期间起"),
                             ends_on=forms.day(form.get("ends_on", ""), "评估期间止"), verdict=Verdict(form["verdict"]), sections=form,
                             upload=request.files.get("file"), held=held, now=now())


@blueprint.post("/evaluations/<int:evaluation_id>/report")
def report_evaluation(evaluation_id: int) -> Any:
    evaluations.report(db(), fetch(db(), Evaluation, evaluation_id, viewer()), viewer(), now=now())
    flash("评估报告已上报省厅。", "success")
    return redirect(url_for("filing.evaluation", evaluation_id=evaluation_id))


@blueprint.post("/evaluations/<int:evaluation_id>/decide")
def decide_evaluation(evaluation_id: int) -> Any:
    one = fetch(db(), Evaluation, evaluation_id, viewer())
    answer = forms.whole_number(request.form.get("continues", ""), "决定", 0, 1)
    evaluations.decide(db(), one, viewer(), continues=bool(answer), decision=request.form.get("decision", ""), now=now())
    flash("决定已登记。" if answer else "决定已登记，已转“目录调整”办理取消试点资格。", "success")
    return redirect(url_for("filing.evaluation", evaluation_id=one.id))


@blueprint.get("/evaluations/<int:evaluation_id>/report.pdf")
def evaluation_pdf(evaluation_id: int) -> Any:
    one = fetch(db(), Evaluation, evaluation_id, viewer())
    return send_file(BytesIO(evaluation_document.pdf(one, made_at=now())), PDF, as_attachment=True, download_name=f"{one.institution.name}试点评估报告.pdf")


@blueprint.get("/evaluations/<int:evaluation_id>/file")
def evaluation_file(evaluation_id: int) -> Any:
    return _file(fetch(db(), Evaluation, evaluation_id, viewer()).attachment)


def _file(held: attachments.Attachment | None) -> Any:
    if held is None:
        raise Refused("no_file", "这里没有上传附件。")
    return attachments.download(db(), held)


@blueprint.get("/removals", endpoint="removals")
def removal_list() -> Any:
    rows, total, page, pages = paged(db(), visible(Removal, viewer()).order_by(Removal.id.desc()).options(
        selectinload(Removal.institution), selectinload(Removal.proposer), selectinload(Removal.decider), selectinload(Removal.attachment),
        selectinload(Removal.scope).joinedload(FiledScope.standard)))
    today = local_date(now())
    offices = (Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
    schools = standing.filed_schools(db(), viewer(), *offices, today=today)
    lapses = standing.lapses_on(db(), [school.id for school in schools], today=today)
    deciding = set(db().scalars(sa.select(Removal.id).where(Removal.id.in_([row.id for row in rows]),
                                                            viewer().reach(Removal.institution_id, Role.PROVINCE_OFFICER))))
    idle = [(school, lapses[school.id]) for school in schools if lapses[school.id] <= today]
    return render_template("filing/removals.html", rows=rows, total=total, page=page, pages=pages, idle=idle, RemovalState=RemovalState,
                           deciding=deciding, today=today)


@blueprint.route("/removals/new", methods=["GET", "POST"])
def propose_removal() -> Any:
    refusal = None
    if request.method == "POST":
        try:
            _propose()
            flash("已提出，待省鉴定中心决定。", "success")
            return redirect(url_for("filing.removals"))
        except Refused as refused:
            refusal = refused
    schools = _schools(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
    grounds = [ground for ground, roles in removals.PROPOSERS.items() if viewer().has(*roles)]
    scopes = db().scalars(visible(FiledScope, viewer()).where(FiledScope.valid_until >= local_date(now())).order_by(FiledScope.id)).all()
    return render_template("filing/removal_form.html", schools=schools, grounds=grounds, scopes=scopes, refusal=refusal), 409 if refusal else 200


def _propose() -> None:
    form = request.form
    school = fetch(db(), Institution, forms.whole_number(form.get("institution_id", ""), "学校", 1, KEY), viewer())
    key = form.get("scope_id", "")
    scope = fetch(db(), FiledScope, forms.whole_number(key, "备案", 1, KEY), viewer()) if key else None
    if form.get("ground") not in set(Ground):
        raise Refused("no_ground", "请选择事由。")
    removals.propose(db(), school, Ground(form["ground"]), form.get("reason", ""), viewer(), scope=scope, upload=request.files.get("file"), now=now())


@blueprint.post("/removals/<int:removal_id>/decide")
def decide_removal(removal_id: int) -> Any:
    one = fetch(db(), Removal, removal_id, viewer())
    one.expect(request.form.get("row_version", type=int))
    answer = forms.whole_number(request.form.get("removes", ""), "决定", 0, 1)
    last_day = request.form.get("last_day", "").strip()
    removals.decide(db(), one, viewer(), bool(answer), request.form.get("decision", ""),
                    last_day=forms.day(last_day, "最后有效日") if last_day else None, now=now())
    flash("已移出目录，公开目录同时更新。" if answer else "已决定不予处理。", "success")
    return redirect(url_for("filing.removals"))


@blueprint.get("/removals/<int:removal_id>/file")
def removal_file(removal_id: int) -> Any:
    return _file(fetch(db(), Removal, removal_id, viewer()).attachment)


def _schools(*roles: Role) -> list[Institution]:
    return list(db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, *roles), Institution.kind.in_(HIGHEST_LEVEL))
                             .order_by(Institution.name)))


@blueprint.get("/ministry", endpoint="ministry")
def ministry_page() -> Any:
    reports = db().scalars(visible(MinistryReport, viewer()).order_by(MinistryReport.id.desc())).all()
    return render_template("filing/ministry.html", events=ministry.waiting(db(), viewer()), reports=reports, today=local_date(now()))


@blueprint.get("/ministry.xlsx")
def ministry_workbook() -> Any:
    return send_file(BytesIO(ministry.book(ministry.waiting(db(), viewer()), now())), SHEET, as_attachment=True, download_name="报部备案（待报）.xlsx")


@blueprint.get("/ministry/<int:report_id>/report.xlsx")
def ministry_reported(report_id: int) -> Any:
    one = fetch(db(), MinistryReport, report_id, viewer())
    return send_file(BytesIO(ministry.book(one.events, one.at)), SHEET, as_attachment=True, download_name=f"报部备案{one.reported_on}.xlsx")


@blueprint.post("/ministry/report")
def report_ministry() -> Any:
    keys = [forms.whole_number(key, "事项", 1, KEY) for key in request.form.getlist("event")]
    made = ministry.report(db(), viewer(), keys, reported_on=forms.day(request.form.get("reported_on", ""), "报送日期"),
                           receipt=request.form.get("receipt", ""), now=now())
    flash(f"已登记报部 {len(made.events)} 项。", "success")
    return redirect(url_for("filing.ministry"))
