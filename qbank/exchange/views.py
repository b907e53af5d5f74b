"""Doors: uploading a workbook, its preview, applying, discarding and reverting the batch."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload

from qbank.exchange import batches, models, work, workbooks  # noqa: F401  # work registers its kinds of job
from qbank.items.bank import banks_for
from qbank.items.models import BatchState, ImportBatch, RowVerdict
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.export import Table, workbook
from qbank.kernel.forms import excel_upload
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Point, Range, WeightTable

blueprint = Blueprint("exchange", __name__, url_prefix="/exchange")
MANY = 200  # more rows than this are written off the request
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {BatchState.CHECKING: "busy", BatchState.PREVIEWED: "wait", BatchState.APPLIED: "good", BatchState.REVERTED: "plain",
         BatchState.DISCARDED: "plain", BatchState.REFUSED: "bad"}
blueprint.add_app_template_global(TONES.__getitem__, "batch_tone")


@blueprint.get("/")
def index() -> Any:
    return _index()


@blueprint.post("/")
def upload() -> Any:
    try:
        school, table = _chosen_bank()
        name, content = excel_upload(request.files.get("file"))
        batch = batches.receive(db(), table, school.id, name, content, viewer(), now=now())
    except Refused as refusal:
        return _index(refusal), 409
    return _in_background("exchange.check", batch)


@blueprint.get("/<int:batch_id>")
def show(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    counts = batches.counts(db(), batch)
    wanted = request.args.get("verdict", "")
    verdict = RowVerdict(wanted) if wanted in set(RowVerdict) else None
    rows, total, page, pages = paged(db(), batches.rows(batch, verdict))
    return render_template("exchange/show.html", batch=batch, counts=counts, rows=rows, total=total, page=page,
                           pages=pages, verdict=verdict, verdicts=RowVerdict,
                           earlier=batches.earlier_same(db(), batch))


@blueprint.post("/<int:batch_id>/apply")
def apply(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    if batch.state is BatchState.PREVIEWED and batches.counts(db(), batch)[RowVerdict.GOOD] > MANY:
        return _in_background("exchange.apply", batch)
    added = batches.apply(db(), batch, viewer(), now=now())
    flash(f"已导入 {added} 道题，现为草稿。核对后可以整批提交审核。", "success")
    return redirect(url_for("exchange.show", batch_id=batch.id))


@blueprint.post("/<int:batch_id>/discard")
def discard(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    batches.discard(db(), batch, viewer(), now=now())
    flash(f"已放弃“{batch.file_name}”，题库没有变化。", "success")
    return redirect(url_for("exchange.index"))


@blueprint.post("/<int:batch_id>/revert")
def revert(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    if batch.state is BatchState.APPLIED and batch.added > MANY:
        return _in_background("exchange.revert", batch)
    removed = batches.revert(db(), batch, viewer(), now=now())
    flash(f"已撤销批次 {batch.id}，从题库移除 {removed} 道草稿。", "success")
    return redirect(url_for("exchange.show", batch_id=batch.id))


@blueprint.get("/<int:batch_id>/errors")
def errors(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    wrong = db().scalars(batches.rows(batch, RowVerdict.WRONG)).all()
    return _download([workbooks.error_table(wrong)], f"有错误的行_批次{batch.id}.xlsx")


@blueprint.get("/template")
def template() -> Any:
    key = request.args.get("table", "")
    table = fetch(db(), WeightTable, int(key), viewer()) if key.isdecimal() and len(key) < 10 else None
    points = db().scalars(sa.select(Point).join(Point.range).options(joinedload(Point.range))
                          .where(Range.table_id == table.id).order_by(Range.path, Point.segment)).all() if table else []
    return _download(workbooks.template(table, points), "试题导入模板.xlsx")


def _chosen_bank() -> tuple[Any, WeightTable]:
    for school, table in banks_for(db(), viewer(), Role.ITEM_AUTHOR):
        if request.form.get("bank") == f"{school.id}-{table.id}":
            return school, table
    raise Refused("no_bank", "请选择要导入到哪一个题库（职业、等级）。")


def _index(refusal: Refused | None = None) -> str:
    query = visible(ImportBatch, viewer()).order_by(ImportBatch.id.desc())
    rows, total, page, pages = paged(db(), query.options(joinedload(ImportBatch.uploader), joinedload(ImportBatch.table)))
    return render_template("exchange/index.html", rows=rows, total=total, page=page, pages=pages, refusal=refusal,
                           banks=banks_for(db(), viewer(), Role.ITEM_AUTHOR))


def _in_background(name: str, batch: ImportBatch) -> Any:
    result = url_for("exchange.show", batch_id=batch.id)
    job = enqueue(db(), name, {"batch": batch.id, "result": result}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


def _download(tables: list[Table], name: str) -> Any:
    return send_file(BytesIO(workbook(tables)), SPREADSHEET, as_attachment=True, download_name=name)
