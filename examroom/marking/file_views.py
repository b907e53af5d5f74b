"""Doors: answer files of a room that lost its server."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.delivery.models import Sheet
from examroom.marking import answer_files
from examroom.marking.blueprint import blueprint
from examroom.marking.case_models import AnswerFile, FileState
from examroom.plans.models import Enrolment
from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import plain_name
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer


@blueprint.get("/answer-files")
def answer_file_list() -> Any:
    """Files that came in, and the way to a candidate's sheet by ticket number."""
    ticket = request.args.get("ticket", "").strip()
    sheets = db().scalars(visible(Sheet, viewer()).join(Sheet.enrolment).where(
        Enrolment.ticket_number == ticket, Sheet.started_at.is_not(None)).order_by(Sheet.id.desc())).all() if ticket else []
    rows, total, page, pages = paged(db(), visible(AnswerFile, viewer()).order_by(AnswerFile.id.desc()))
    return render_template("marking/answer_file_list.html", rows=rows, total=total, page=page, pages=pages, ticket=ticket, sheets=sheets)


@blueprint.route("/sheets/<int:sheet_id>/answer-file", methods=["GET", "POST"])
def upload_answer_file(sheet_id: int) -> Any:
    sheet = fetch(db(), Sheet, sheet_id, viewer())
    if request.method == "GET":
        return render_template("marking/upload_answer_file.html", sheet=sheet, problem="")
    upload, text = request.files.get("file"), request.form.get("text", "")
    try:
        if (upload is None or not upload.filename) and not text.strip():
            raise Refused("no_file", "请选择考生页面保存的答案文件，或把考生页面上的文字粘贴进来。")
        name = plain_name(upload.filename) if upload is not None and upload.filename else "粘贴的文字"
        content = upload.read() if upload is not None and upload.filename else text.strip().encode("utf-8", "surrogatepass")
        kept = answer_files.upload(db(), sheet, str(name), content, viewer(), now=now())
    except Refused as refusal:
        return render_template("marking/upload_answer_file.html", sheet=sheet, problem=refusal.sentence), 409
    return redirect(url_for("marking.answer_file", file_id=kept.id))


@blueprint.get("/answer-files/<int:file_id>")
def answer_file(file_id: int) -> Any:
    kept = fetch(db(), AnswerFile, file_id, viewer())
    rows = answer_files.differences(db(), kept)
    return render_template("marking/answer_file.html", kept=kept, sheet=kept.sheet, rows=rows, waiting=kept.state is FileState.UPLOADED,
                           changing=sum(row.effect == answer_files.NEW for row in rows), own=kept.uploaded_by == viewer().account_id)


@blueprint.post("/answer-files/<int:file_id>/decide")
def decide_answer_file(file_id: int) -> Any:
    kept = fetch(db(), AnswerFile, file_id, viewer())
    takes = request.form.get("decision") == "take"
    answer_files.decide(db(), kept, takes, request.form.get("reason", ""), viewer(), now=now())
    flash("答案已计入。" if takes else "文件不予计入，答卷没有改动。", "success")
    return redirect(url_for("marking.answer_file", file_id=kept.id))
