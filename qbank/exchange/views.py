"""Doors: uploading a file or typed text, its preview, applying, discarding and reverting the batch."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload

from qbank.exchange import batches, export_views, grid_views, work, workbooks  # noqa: F401  # they register doors and jobs
from qbank.exchange.blueprint import SPREADSHEET, blueprint
from qbank.exchange.drafts import Drafts
from qbank.exchange.grid import queue
from qbank.exchange.matching import matcher
from qbank.exchange.readers import FORMATS, read_content
from qbank.items.bank import banks_for
from qbank.items.models import ImportBatch, ImportRow
from qbank.items.states import BatchState, Purpose, RowVerdict
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.export import Table, workbook
from qbank.kernel.forms import plain_name
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, settings, viewer
from qbank.standards.models import Point, Range, WeightTable

MANY = 200  # more rows than this are written off the request
LONGEST_TYPED = 200_000  # characters that the live preview reads
MOST_SHOWN = 60  # items of the live preview
V = RowVerdict
TABS = {"open": ("需要处理", (V.WRONG, V.UNMATCHED)), "wrong": ("有错误", (V.WRONG,)), "unmatched": ("待匹配鉴定点", (V.UNMATCHED,)),
        "good": ("可导入", (V.GOOD,)), "duplicate": ("重复，跳过", (V.DUPLICATE,)), "dropped": ("不导入", (V.DROPPED,)),
        "imported": ("已导入", (V.IMPORTED,))}


@blueprint.get("/")
def index() -> Any:
    return _index()


@blueprint.post("/")
def upload() -> Any:
    try:
        school, table = _chosen_bank()
        form = request.form.get("format", "")
        name, content, form = _sent(form if form in FORMATS else "")
        purpose = Purpose.PRACTICE if request.form.get("purpose") == Purpose.PRACTICE.value else Purpose.EXAM
        batch = batches.receive(db(), table, school.id, name, content, viewer(), now=now(), format=form, purpose=purpose)
    except Refused as refusal:
        return _index(refusal), 409
    return in_background("exchange.check", batch)


@blueprint.post("/preview")
def preview() -> Any:
    """What typed text would give, while it is typed; writes nothing."""
    db().rollback()  # reading text holds no lock
    text = request.form.get("text", "")[:LONGEST_TYPED]
    found, problem = Drafts((), "text"), ""
    try:
        if text.strip():
            found = read_content(text.encode("utf-8", "replace"), "粘贴的文字", "text")
    except Refused as refusal:
        problem = refusal.sentence
    return render_template("exchange/typed.html", found=found, problem=problem, most=MOST_SHOWN)


@blueprint.get("/<int:batch_id>")
def show(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    counts = batches.counts(db(), batch)
    tab = request.args.get("verdict", "")
    query = batches.rows(batch, *(TABS[tab][1] if tab in TABS else ()))
    if tab == "alike":
        query = query.where(sa.cast(ImportRow.alike, sa.Text) != "[]")
    rows, total, page, pages = paged(db(), query)
    editable = batch.state is BatchState.PREVIEWED
    points = matcher(db(), batch.table, batch.institution_id)
    return render_template(
        "exchange/show.html", batch=batch, counts=counts, rows=rows, total=total, page=page, pages=pages, tab=tab, tabs=TABS,
        verdicts=RowVerdict, editable=editable, opened=request.args.get("open", ""), format=FORMATS.get(batch.format),
        earlier=batches.earlier_same(db(), batch), waiting=queue(db(), batch) if editable and counts[V.UNMATCHED] else [],
        alike=_alike(batch), places=points.places, labels=points.labels)


@blueprint.post("/<int:batch_id>/apply")
def apply(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    if batch.state is BatchState.APPLYING or (
            batch.state is BatchState.PREVIEWED and batches.counts(db(), batch)[V.GOOD] > MANY):
        return in_background("exchange.apply", batch)
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
    if batch.state is BatchState.REVERTING or (batch.state is BatchState.APPLIED and batch.added > MANY):
        return in_background("exchange.revert", batch)
    removed = batches.revert(db(), batch, viewer(), now=now())
    flash(f"已撤销批次 {batch.id}，从题库移除 {removed} 道题。", "success")
    return redirect(url_for("exchange.show", batch_id=batch.id))


@blueprint.get("/<int:batch_id>/errors")
def errors(batch_id: int) -> Any:
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    wrong = db().scalars(batches.rows(batch, V.WRONG, V.UNMATCHED)).all()
    return _download([workbooks.error_table(wrong)], f"有错误的行_批次{batch.id}.xlsx")


@blueprint.get("/template")
def template() -> Any:
    key = request.args.get("table", "")
    table = fetch(db(), WeightTable, int(key), viewer()) if key.isdecimal() and len(key) < 10 else None
    points = db().scalars(sa.select(Point).join(Point.range).options(joinedload(Point.range))
                          .where(Range.table_id == table.id).order_by(Range.path, Point.segment)).all() if table else []
    return _download(workbooks.template(table, points), "试题导入模板.xlsx")


def in_background(name: str, batch: ImportBatch) -> Any:
    result = url_for("exchange.show", batch_id=batch.id)
    job = enqueue(db(), name, {"batch": batch.id, "result": result}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


def _sent(form: str) -> tuple[str, bytes, str]:
    """Name, content and format (empty: to be found out) of what was sent: a file, or typed text."""
    sent, typed = request.files.get("file"), request.form.get("text", "")
    if sent is not None and sent.filename:
        content = sent.read()
        if not content:
            raise Refused("empty_file", f"“{sent.filename}”是空文件，请检查后重新上传。")
        return plain_name(sent.filename), content, form
    if typed.strip():
        return f"粘贴的文字_{now():%m%d}.txt", typed.encode("utf-8", "replace"), form or "text"
    raise Refused("no_file", "请先选择要上传的文件，或粘贴文字。")


def _chosen_bank() -> tuple[Any, WeightTable]:
    for school, table in banks_for(db(), viewer(), Role.ITEM_AUTHOR):
        if request.form.get("bank") == f"{school.id}-{table.id}":
            return school, table
    raise Refused("no_bank", "请选择要导入到哪一个题库（职业、等级）。")


def _index(refusal: Refused | None = None) -> str:
    query = visible(ImportBatch, viewer()).order_by(ImportBatch.id.desc())
    rows, total, page, pages = paged(db(), query.options(joinedload(ImportBatch.uploader), joinedload(ImportBatch.table)))
    return render_template("exchange/index.html", rows=rows, total=total, page=page, pages=pages, refusal=refusal,
                           banks=banks_for(db(), viewer(), Role.ITEM_AUTHOR), most=settings().upload_megabytes,
                           formats=[one for one in FORMATS.values() if one.readable], all_formats=FORMATS)


def _alike(batch: ImportBatch) -> int:
    return db().scalar(sa.select(sa.func.count()).where(ImportRow.batch_id == batch.id,
                                                        sa.cast(ImportRow.alike, sa.Text) != "[]")) or 0


def _download(tables: list[Table], name: str) -> Any:
    return send_file(BytesIO(workbook(tables)), SPREADSHEET, as_attachment=True, download_name=name)
