"""Doors: candidates of a plan: list, roster import with preview, tickets."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from markupsafe import Markup
from sqlalchemy.orm import joinedload, selectinload

from examroom.filing.duties import on_duty
from examroom.plans import candidates as enrolling
from examroom.plans import codes, roster
from examroom.plans.blueprint import blueprint
from examroom.plans.desk import require_officer
from examroom.plans.models import Enrolment, ExamPlan, PlanState, RosterImport, Seat, SittingRoom
from examroom.plans.roster_job import IMPORT_ROSTER
from qbank.kernel import forms, jobs
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import mask
from qbank.kernel.printing import qr_code
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.kernel.web import db, identity_cipher, now, paged, settings, viewer
from qbank.standards.models import LEVEL_NAMES

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ERRORS_SHOWN = 200
UPLOADS_SHOWN = 5


def _excel(content: bytes, name: str) -> Any:
    return send_file(BytesIO(content), mimetype=EXCEL, as_attachment=True, download_name=name)


def _searched(plan: ExamPlan) -> sa.Select[Enrolment]:
    """The candidates that the page's filters leave."""
    query = visible(Enrolment, viewer()).where(Enrolment.plan_id == plan.id).join(Enrolment.candidate)
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(*(column.contains(text, autoescape=True) for column in
                                     (Account.name, Enrolment.ticket_number, Enrolment.student_number, Enrolment.class_name))))
    if request.args.get("seat") == "none":
        query = query.where(~Enrolment.seats.any())
    return query.order_by(Enrolment.ticket_number).options(
        joinedload(Enrolment.candidate), selectinload(Enrolment.seats).joinedload(Seat.sitting_room).options(
            joinedload(SittingRoom.room), joinedload(SittingRoom.sitting)))


@blueprint.get("/<int:plan_id>/candidates")
def candidates(plan_id: int) -> Any:
    return _list(fetch(db(), ExamPlan, plan_id, viewer()))


def _list(plan: ExamPlan, refusal: Refused | None = None) -> str:
    rows, total, page, pages = paged(db(), _searched(plan))
    officer = on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    uploads = db().scalars(visible(RosterImport, viewer()).where(RosterImport.plan_id == plan.id)
                           .order_by(RosterImport.id.desc()).limit(UPLOADS_SHOWN)).all() if officer else []
    return render_template("plans/candidates.html", plan=plan, rows=rows, total=total, page=page, pages=pages, refusal=refusal,
                           officer=officer, uploads=uploads, closed="" if enrolling.is_open(db(), plan) else enrolling.CLOSED)


@blueprint.get("/<int:plan_id>/candidates.xlsx")
def export_candidates(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    columns = (("序号", 6), ("准考证号", 18), ("姓名", 14), ("身份证号码", 22), ("学号", 16), ("班级", 20), ("申报条件", 50), ("场次、考场和座号", 40))
    rows = [(number, found.ticket_number, found.candidate.name, found.candidate.identity_masked, found.student_number,
             found.class_name, found.entry_condition,
             "；".join(f"{seat.sitting_room.sitting.name} {seat.sitting_room.room.name} {seat.number}号" for seat in found.seats))
            for number, found in enumerate(db().scalars(_searched(plan)).unique(), 1)]
    title = f"{plan.institution.name} {plan.title} {LEVEL_NAMES[plan.level]} 考生名单"
    return _excel(workbook([Table("考生名单", columns, rows, title, [f"计划编号 {plan.number}，共 {len(rows)} 人，导出时间 {spoken(now())}"])]),
                  f"考生名单 {plan.number}.xlsx")


@blueprint.get("/<int:plan_id>/roster-template.xlsx")
def roster_template(plan_id: int) -> Any:
    fetch(db(), ExamPlan, plan_id, viewer())
    return _excel(roster.template(), "考生名单模板.xlsx")


@blueprint.post("/<int:plan_id>/candidates")
def enrol(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    fields = {name: request.form.get(name, "") for name in roster.HEADS}
    try:
        enrolment = enrolling.enrol(db(), plan, viewer(), cipher=identity_cipher(), now=now(), **fields)
    except Refused as refusal:
        return _list(plan, refusal), 409
    flash(f"已登记{enrolment.candidate.name}，准考证号 {enrolment.ticket_number}。", "success")
    return redirect(url_for("plans.candidates", plan_id=plan.id))


@blueprint.post("/enrolments/<int:enrolment_id>/remove")
def remove_candidate(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    name, plan_id = enrolment.candidate.name, enrolment.plan_id
    enrolling.remove(db(), enrolment, viewer())
    flash(f"已把{name}移出名单，准考证号不再使用。", "success")
    return redirect(url_for("plans.candidates", plan_id=plan_id))


@blueprint.post("/<int:plan_id>/rosters")
def upload_roster(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        name, content = forms.excel_upload(request.files.get("file"))
        kept = enrolling.upload(db(), plan, name, content, viewer(), cipher=identity_cipher(), now=now())
    except Refused as refusal:
        return _list(plan, refusal), 409
    return redirect(url_for("plans.roster_preview", roster_id=kept.id))


@blueprint.get("/rosters/<int:roster_id>")
def roster_preview(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    rows = enrolling.rows_of(kept, identity_cipher())
    wrong = enrolling.check_rows(db(), kept.plan, rows, identity_cipher())
    return render_template("plans/roster_preview.html", kept=kept, plan=kept.plan, rows=rows, wrong=wrong, mask=mask,
                           good=[row for row in rows if row.row not in wrong], shown=ERRORS_SHOWN)


@blueprint.get("/rosters/<int:roster_id>/errors.xlsx")
def roster_errors(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    rows = enrolling.rows_of(kept, identity_cipher())
    wrong = enrolling.check_rows(db(), kept.plan, rows, identity_cipher())
    lines = [(row.row, row.name, mask(row.identity_number), row.student_number, row.class_name, "".join(wrong[row.row]))
             for row in rows if row.row in wrong]
    columns = (("行号", 8), ("姓名", 14), ("身份证号码", 22), ("学号", 16), ("班级", 20), ("问题", 70))
    return _excel(workbook([Table("不能导入的行", columns, lines, f"{kept.file_name}：{len(lines)} 行不能导入")]), "名单错误.xlsx")


@blueprint.post("/rosters/<int:roster_id>/import")
def import_roster(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    enrolling.rows_of(kept, identity_cipher())
    job = jobs.enqueue(db(), IMPORT_ROSTER, {"roster_id": kept.id, "only_good": bool(request.form.get("only_good"))}, viewer(),
                       now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/rosters/<int:roster_id>/discard")
def discard_roster(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    enrolling.rows_of(kept, identity_cipher())
    enrolling.end_import(kept, 0, now=now())
    flash("已放弃这份名单，其中的身份证号码已清除。", "success")
    return redirect(url_for("plans.candidates", plan_id=kept.plan_id))


@blueprint.get("/<int:plan_id>/tickets")
def tickets(plan_id: int) -> Any:
    """准考证, one a page; the filters of the candidate list hold here too."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    require_officer(db(), plan, viewer())
    if plan.state != PlanState.APPROVED:
        raise Refused("plan_not_approved", f"方案{plan.state.chinese}，批准后才能打印准考证。")
    query = _searched(plan)
    if one := request.args.get("enrolment", type=int):
        query = query.where(Enrolment.id == fetch(db(), Enrolment, one, viewer()).id)
    rows = db().scalars(query).unique().all()
    key = settings().code_key
    printed = {row.id: _printed_code(codes.make(key, row.id, row.code_issue)) for row in rows}
    return render_template("plans/tickets.html", plan=plan, rows=rows, codes=printed, missing=sum(not found.seats for found in rows))


def _printed_code(code: str) -> tuple[str, Markup]:
    """As text in groups and as a QR code that a scanner types."""
    return codes.grouped(code), qr_code(code)


@blueprint.post("/enrolments/<int:enrolment_id>/code")
def reissue_code(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    enrolling.reissue_code(db(), enrolment, viewer(), request.form.get("reason", ""), now=now())
    flash(f"已为{enrolment.candidate.name}换发考试码，原来的考试码作废。请打印新的准考证。", "success")
    return redirect(url_for("plans.tickets", plan_id=enrolment.plan_id, enrolment=enrolment.id))
