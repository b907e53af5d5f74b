"""Doors: candidates of a plan: the list, one by hand, the list as a workbook."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for

from examroom.filing.duties import on_duty
from examroom.plans import candidates as enrolling
from examroom.plans import listing, qualification
from examroom.plans.blueprint import blueprint
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import CLASS_KINDS, GRADUATIONS, LEVELS, SCHOOL_KINDS, SEXES, Facts
from examroom.plans.roster_models import RosterImport
from examroom.plans.sheets_in import day_of, level_of, number_of
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import KIND_NAMES
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.kernel.web import db, identity_cipher, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UPLOADS_SHOWN = 5


def excel(content: bytes, name: str) -> Any:
    return send_file(BytesIO(content), mimetype=EXCEL, as_attachment=True, download_name=name)


@blueprint.get("/<int:plan_id>/candidates")
def candidates(plan_id: int) -> Any:
    return listed(fetch(db(), ExamPlan, plan_id, viewer()))


def listed(plan: ExamPlan, refusal: Refused | None = None) -> str:
    """The page of the list, with what was refused."""
    rows, total, page, pages = paged(db(), listing.searched(plan, request.args, viewer()))
    officer = on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    uploads = db().scalars(visible(RosterImport, viewer()).where(RosterImport.plan_id == plan.id)
                           .order_by(RosterImport.id.desc()).limit(UPLOADS_SHOWN)).all() if officer else []
    return render_template("plans/candidates.html", plan=plan, rows=rows, total=total, page=page, pages=pages, refusal=refusal,
                           officer=officer, uploads=uploads, closed="" if enrolling.is_open(db(), plan) else enrolling.CLOSED,
                           options=qualification.options_of(db(), plan), states=Qualification, kept=listing.kept(request.args),
                           counts=qualification.counts(db(), plan.id), choices=choices())


def choices() -> dict[str, Any]:
    """What the forms about a candidate offer."""
    return {"kinds": list(KIND_NAMES.values()), "school_kinds": SCHOOL_KINDS, "class_kinds": CLASS_KINDS, "graduations": GRADUATIONS,
            "levels": LEVELS, "sexes": SEXES}


def typed_facts() -> Facts:
    """The facts of the form, read at the border."""
    form = request.form
    return Facts(level_of(form.get("certificate_level", "")), form.get("certificate_number", "").strip()[:60],
                 day_of(form.get("certificate_on", ""), "证书发证日期"), number_of(form.get("years", ""), "从业年限"),
                 form.get("school_kind", ""), form.get("class_kind", ""), form.get("graduation", ""), form.get("education", ""), form.get("sex", ""))


@blueprint.get("/<int:plan_id>/candidates.xlsx")
def export_candidates(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    columns = (("序号", 6), ("准考证号", 18), ("姓名", 14), ("证件类型", 12), ("证件号码", 22), ("学号", 16), ("班级", 20), ("申报条件", 50), ("资格审核", 12),
               ("照片", 8), ("场次、考场和座号", 40))
    rows = [(number, found.ticket_number, found.candidate.name, found.candidate.identity_kind.chinese, found.candidate.identity_masked,
             found.student_number, found.class_name, found.entry_condition, found.qualification.chinese, "有" if found.photo_id else "没有",
             "；".join(f"{seat.sitting_room.sitting.name} {seat.sitting_room.room.name} {seat.number}号" for seat in found.seats))
            for number, found in enumerate(db().scalars(listing.searched(plan, request.args, viewer())).unique(), 1)]
    title = f"{plan.institution.name} {plan.title} {LEVEL_NAMES[plan.level]} 考生名单"
    return excel(workbook([Table("考生名单", columns, rows, title, [f"计划编号 {plan.number}，共 {len(rows)} 人，导出时间 {spoken(now())}"])]),
                 f"考生名单 {plan.number}.xlsx")


@blueprint.post("/<int:plan_id>/candidates")
def enrol(plan_id: int) -> Any:
    plan, form = fetch(db(), ExamPlan, plan_id, viewer()), request.form
    fields = {name: form.get(name, "") for name in ("name", "identity_number", "identity_kind", "born", "student_number", "class_name",
                                                    "entry_condition")}
    try:
        enrolment = enrolling.enrol(db(), plan, viewer(), cipher=identity_cipher(), now=now(), declared=bool(form.get("own_students")),
                                    confirmed=bool(form.get("confirmed")), facts=typed_facts(), **fields)
    except Refused as refusal:
        return listed(plan, refusal), 409
    flash(f"已登记{enrolment.candidate.name}，准考证号 {enrolment.ticket_number}。请上传证明材料，审核资格。", "success")
    return redirect(url_for("plans.application", enrolment_id=enrolment.id))


@blueprint.post("/enrolments/<int:enrolment_id>/remove")
def remove_candidate(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    name, plan_id = enrolment.candidate.name, enrolment.plan_id
    enrolling.remove(db(), enrolment, viewer())
    flash(f"已把{name}移出名单，准考证号不再使用。", "success")
    return redirect(url_for("plans.candidates", plan_id=plan_id))
