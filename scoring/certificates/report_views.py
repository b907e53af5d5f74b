"""Doors: the upward report (上报): its layout, its batches, the office's receipts."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import excel_upload
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, viewer
from scoring.certificates import layout, receipts, report
from scoring.certificates.blueprint import blueprint
from scoring.certificates.layout import FIXED, RECEIPT_NAMES, Column, Layout
from scoring.certificates.report_models import BatchKind, LineState, ReportBatch
from scoring.certificates.views import as_file, excel, final_list, in_charge_of

SPARE = 3  # empty lines of the form for further columns


def _school(institution_id: int) -> Institution:
    """A school that this person reports for."""
    found = fetch(db(), Institution, institution_id, viewer())
    if not on_duty(db(), viewer(), found.id, Role.EXAM_OFFICER):
        raise Refused("not_your_duty", "上报表样由该校的考务员设置。")
    return found


@blueprint.get("/layouts/<int:institution_id>")
def report_layout(institution_id: int) -> Any:
    school = _school(institution_id)
    return _layout_page(school, report.layout_of(db(), school))


def _layout_page(school: Institution, shown: Layout, problem: str = "") -> str:
    return render_template("certificates/layout.html", school=school, layout=shown, problem=problem, fields=layout.FIELDS, dates=layout.DATES,
                           date_forms=layout.DATE_FORMS, receipt_names=RECEIPT_NAMES, spare=SPARE, fixed=FIXED)


@blueprint.post("/layouts/<int:institution_id>")
def set_report_layout(institution_id: int) -> Any:
    school = _school(institution_id)
    if request.form.get("default"):
        wanted = layout.default()
    else:
        wanted = layout.checked(request.form.get("sheet", ""), _columns(), {name: request.form.get(name, "") for name in RECEIPT_NAMES})
    report.set_layout(db(), school, wanted, viewer(), now=now())
    flash("上报表样已保存，以后的上报都用它；已上报的批次不变。", "success")
    return redirect(url_for("certificates.report_layout", institution_id=school.id))


def _columns() -> list[Column]:
    """The lines of the form by their place; a line without a title and a field is none."""
    names = ("place", "title", "source", "text", "date_form", "words")
    lines = zip(*(request.form.getlist(name)[:2 * layout.MOST_COLUMNS] for name in names), strict=False)
    found = []
    for line, (place, title, source, text, date_form, words) in enumerate(lines, 1):
        if title.strip() or source:
            order = float(place) if place.replace(".", "", 1).isdecimal() and len(place) < 8 else 1000.0
            found.append((order, line, Column(title.strip(), source, text.strip()[:200], date_form, layout.words(words, title.strip()))))
    return [column for _, _, column in sorted(found, key=lambda one: one[:2])]


@blueprint.get("/lists/<int:list_id>/reports")
def reports(list_id: int) -> Any:
    found = final_list(list_id)
    batches = db().scalars(visible(ReportBatch, viewer()).where(ReportBatch.list_id == found.id).order_by(ReportBatch.number.desc())).all()
    return render_template("certificates/reports.html", list=found, plan=found.plan, due=report.due(db(), found), in_charge=in_charge_of(found),
                           batches=[(one, _counts(one)) for one in batches])


def _counts(batch: ReportBatch) -> dict[LineState, int]:
    return {state: sum(line.state is state for line in batch.lines) for state in LineState}


@blueprint.post("/lists/<int:list_id>/report")
def make_report(list_id: int) -> Any:
    found = final_list(list_id)
    if request.form.get("kind", "") not in list(BatchKind):
        raise Refused("no_kind", "请选择首次上报、退回后重报或变更上报。")
    batch = report.make_batch(db(), found, BatchKind(request.form["kind"]), viewer(), cipher=identity_cipher(), now=now())
    flash(f"第 {batch.number} 次上报已生成，共 {len(batch.lines)} 人。请下载文件报送，收到回执后在本页读入。", "success")
    return redirect(url_for("certificates.report_batch", report_id=batch.id))


@blueprint.get("/reports/<int:report_id>")
def report_batch(report_id: int) -> Any:
    batch = fetch(db(), ReportBatch, report_id, viewer())
    return render_template("certificates/report.html", batch=batch, list=batch.results, plan=batch.results.plan, counts=_counts(batch),
                           in_charge=in_charge_of(batch.results), states=LineState)


@blueprint.post("/reports/<int:report_id>/file")
def report_file(report_id: int) -> Response:
    """Taking it is a record: by POST only."""
    batch = fetch(db(), ReportBatch, report_id, viewer())
    content = report.take(db(), batch, viewer(), cipher=identity_cipher(), now=now())
    return excel(content, f"证书数据上报_{batch.results.plan.number}_{batch.number}.xlsx")


@blueprint.post("/reports/<int:report_id>/photos")
def report_photos(report_id: int) -> Response:
    batch = fetch(db(), ReportBatch, report_id, viewer())
    content = report.photos(db(), batch, viewer(), now=now())
    return as_file(content, f"证书照片_{batch.results.plan.number}_{batch.number}.zip", "application/zip")


@blueprint.post("/reports/<int:report_id>/receipts")
def read_receipt(report_id: int) -> Any:
    batch = fetch(db(), ReportBatch, report_id, viewer())
    name, content = excel_upload(request.files.get("file"))
    made = receipts.read(db(), batch, name, content, viewer(), cipher=identity_cipher(), now=now())
    flash(f"回执已读入：接收 {made.accepted} 人，退回 {made.rejected} 人"
          + (f"，{len(made.problems)} 行未能读入，见下。" if made.problems else "。"), "warning" if made.problems else "success")
    return redirect(url_for("certificates.report_batch", report_id=batch.id))
