"""Doors: a school's roster: uploaded, previewed row by row, imported as a whole or only its good rows."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.plans import candidates as enrolling
from examroom.plans import checking, qualification, roster
from examroom.plans.blueprint import blueprint
from examroom.plans.candidate_views import excel, listed
from examroom.plans.models import ExamPlan
from examroom.plans.predicate import meets
from examroom.plans.roster_job import IMPORT_ROSTER
from examroom.plans.roster_models import RosterImport
from qbank.kernel import forms, jobs
from qbank.kernel.access import fetch
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import mask
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, viewer

SHOWN = 500  # rows on one page; all of them are in the list to download
FOR_ALL = ("entry_condition", "graduation", "class_kind", "class_name")  # what may be said once for a whole file


@blueprint.get("/<int:plan_id>/roster-template.xlsx")
def roster_template(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    return excel(roster.template([(one.number, one.text) for one in qualification.options_of(db(), plan)]), "考生名单模板.xlsx")


@blueprint.post("/<int:plan_id>/rosters")
def upload_roster(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    try:
        name, content = forms.excel_upload(request.files.get("file"))
        kept = enrolling.upload(db(), plan, name, content, viewer(), cipher=identity_cipher(), now=now(),
                                declared=bool(request.form.get("own_students")),
                                defaults={field: request.form.get(field, "").strip()[:200] for field in FOR_ALL})
    except Refused as refusal:
        return listed(plan, refusal), 409
    return redirect(url_for("plans.roster_preview", roster_id=kept.id))


def _examined(kept: RosterImport) -> list[checking.Checked]:
    return checking.examine(db(), kept.plan, enrolling.rows_of(kept, identity_cipher()), identity_cipher(), now=now())


@blueprint.get("/rosters/<int:roster_id>")
def roster_preview(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    found = _examined(kept)
    return render_template("plans/roster_preview.html", kept=kept, plan=kept.plan, rows=found, mask=mask, meets=meets, shown=SHOWN,
                           wrong=[one for one in found if one.problems], doubtful=[one for one in found if one.doubts and not one.problems],
                           good=[one for one in found if not one.problems and not one.doubts])


@blueprint.get("/rosters/<int:roster_id>/errors.xlsx")
def roster_errors(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    lines = [(one.row.sheet, one.row.row, one.row.name, mask(one.row.identity_number), one.row.student_number, one.row.class_name,
              "".join(one.problems or one.doubts)) for one in _examined(kept) if one.problems or one.doubts]
    columns = (("工作表", 14), ("行号", 8), ("姓名", 14), ("证件号码", 22), ("学号", 16), ("班级", 20), ("问题", 80))
    return excel(workbook([Table("不能导入的行", columns, lines, f"{kept.file_name}：{len(lines)} 行不能直接导入")]), "名单错误.xlsx")


@blueprint.post("/rosters/<int:roster_id>/import")
def import_roster(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    enrolling.rows_of(kept, identity_cipher())
    job = jobs.enqueue(db(), IMPORT_ROSTER, {"roster_id": kept.id, "only_good": bool(request.form.get("only_good")),
                                             "confirmed": request.form.getlist("confirmed")}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/rosters/<int:roster_id>/discard")
def discard_roster(roster_id: int) -> Any:
    kept = fetch(db(), RosterImport, roster_id, viewer())
    enrolling.rows_of(kept, identity_cipher())
    enrolling.end_import(kept, 0, now=now())
    flash("已放弃这份名单，其中的证件号码已清除。", "success")
    return redirect(url_for("plans.candidates", plan_id=kept.plan_id))
