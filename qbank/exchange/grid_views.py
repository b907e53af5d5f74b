"""Doors of the preview: one row mended, many at once, words matched to points, columns of a foreign layout named."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from qbank.exchange import batches, grid
from qbank.exchange.blueprint import ROW_TONES, beside, blueprint, facts_of
from qbank.exchange.mapping import ALL_OPTIONS, COLUMNS, NEEDED, Choice
from qbank.exchange.matching import matcher
from qbank.exchange.sheets import HEAD_ROWS, NO_HEAD
from qbank.items.draft import KINDS
from qbank.items.models import ImportBatch, ImportRow
from qbank.items.states import BatchState, RowVerdict
from qbank.kernel.access import fetch
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer, wants_json

MOST_AT_ONCE = 2000
MANY = 200  # more rows than this are written off the request
ROW_ACTS = {"seen": grid.seen, "undo": grid.undo, "keep": grid.keep_alike}


@blueprint.get("/<int:batch_id>/rows/<int:row_id>")
def row(batch_id: int, row_id: int) -> Any:
    """One row of the grid as a piece of a page, its form open or, with ``?open=0``, closed."""
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    return _piece(batch, _row(batch, row_id), request.args.get("open", "1") == "1")


@blueprint.post("/<int:batch_id>/rows/<int:row_id>")
def mend(batch_id: int, row_id: int) -> Any:
    """Save the fields of a row, or act on it; a script gets verdicts and messages, a form the page again."""
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    one, act = _row(batch, row_id), request.form.get("act", "save")
    if act in ROW_ACTS:
        changed = ROW_ACTS[act](db(), one, viewer())
    elif act in {"drop", "back"}:
        changed = (grid.drop if act == "drop" else grid.bring_back)(db(), [one], viewer())
    else:
        changed = grid.mend(db(), one, _cells(batch, one), viewer())
    if wants_json():
        return _told(batch, changed, one)
    return redirect(url_for("exchange.show", batch_id=batch.id, open=one.id, page=request.form.get("page") or None,
                            verdict=request.form.get("verdict") or None, _anchor=f"row-{one.id}"))


@blueprint.post("/<int:batch_id>/bulk")
def bulk(batch_id: int) -> Any:
    """The same point, kind or grade for the ticked rows, or drop them."""
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    rows = _ticked(batch)
    act = request.form.get("act", "")
    if act == "point":
        point = grid.point_named(db(), batch, request.form.get("point", ""))
        changed = grid.set_cells(db(), rows, {"鉴定范围": point.range.path, "鉴定点": point.segment}, viewer())
        said = f"已把 {len(rows)} 行的鉴定点设为 {point.label}。"
    elif act in {"kind", "grade"}:
        title = "题型" if act == "kind" else "难度"
        changed = grid.set_cells(db(), rows, {title: request.form.get(act, "")[:20]}, viewer())
        said = f"已修改 {len(rows)} 行的{title}。"
    elif act in {"drop", "back"}:
        changed = (grid.drop if act == "drop" else grid.bring_back)(db(), rows, viewer())
        said = f"{len(rows)} 行不导入。" if act == "drop" else f"{len(rows)} 行恢复参加检查。"
    else:
        raise Refused("no_act", "请选择要对勾选的行做什么。")
    flash(said + (f"另有 {more} 行的检查结果随之改变。" if (more := len(changed) - len(rows)) > 0 else ""), "success")
    return redirect(_back(batch))


@blueprint.post("/<int:batch_id>/match")
def match(batch_id: int) -> Any:
    """What equal words mean: one of the queue's lines is worked off."""
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    point = grid.point_named(db(), batch, request.form.get("point", ""))
    words = request.form.get("words", "")
    if len(grid.waiting_for(db(), batch, words)) > MANY:
        job = enqueue(db(), "exchange.match", {"batch": batch.id, "words": words, "point": point.id, "result": _back(batch)},
                      viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    done = grid.choose_point(db(), batch, words, point, viewer(), now=now())
    flash(f"已把 {done} 行的鉴定点设为 {point.label}；以后导入同样的写法会自动匹配。", "success")
    return redirect(_back(batch))


@blueprint.route("/<int:batch_id>/columns", methods=["GET", "POST"])
def columns(batch_id: int) -> Any:
    """Which column of a foreign layout is which of ours."""
    batch = fetch(db(), ImportBatch, batch_id, viewer())
    if request.method == "GET":
        return _columns_page(batch)
    try:
        choices = [_choice(place, sheet) for place, sheet in enumerate(batch.layout)]
        batches.name_columns(db(), batch, choices, viewer(), now=now())
    except Refused as refusal:
        return _columns_page(batch, refusal), 409
    result = url_for("exchange.show", batch_id=batch.id)
    job = enqueue(db(), "exchange.check", {"batch": batch.id, "result": result}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


def _row(batch: ImportBatch, row_id: int) -> ImportRow:
    found = db().scalar(sa.select(ImportRow).where(ImportRow.id == row_id, ImportRow.batch_id == batch.id))
    if found is None:
        raise NotFound
    return found


def _ticked(batch: ImportBatch) -> list[ImportRow]:
    """The ticked rows, or all of a verdict."""
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.id).limit(MOST_AT_ONCE)
    every = request.form.get("all", "")
    if every in set(RowVerdict):
        query = query.where(ImportRow.verdict == RowVerdict(every))
    else:
        keys = [int(key) for key in request.form.getlist("row") if key.isdecimal() and len(key) < 10]
        query = query.where(ImportRow.id.in_(keys[:MOST_AT_ONCE]))
    rows = list(db().scalars(query))
    if not rows:
        raise Refused("nothing_ticked", "请先勾选要修改的行。")
    return rows


def _cells(batch: ImportBatch, one: ImportRow) -> dict[str, str]:
    """The cells that the form sent; the point is one field there, which holds what was picked or typed."""
    cells = {title: request.form[title] for title in COLUMNS if title in request.form}
    if "point" in request.form:
        text = request.form["point"].strip()
        if text != request.form.get("point_shown", "").strip():
            cells |= {"鉴定范围": "", "鉴定点": text}
    return cells


def _piece(batch: ImportBatch, one: ImportRow, opened: bool) -> str:
    return render_template("exchange/row.html", batch=batch, row=one, opened=opened,
                           editable=batch.state is BatchState.PREVIEWED,
                           labels=matcher(db(), batch.table, batch.institution_id).labels)


def _told(batch: ImportBatch, changed: list[ImportRow], one: ImportRow) -> dict[str, Any]:
    counts = batches.counts(db(), batch)
    return {"rows": [{"id": row.id, "verdict": row.verdict.value, "label": row.verdict.chinese, "tone": ROW_TONES[row.verdict],
                      "errors": beside(row), "duplicate": row.duplicate_of, "undo": bool(row.earlier),
                      "stem": row.cells.get("题干", "")[:90], "facts": facts_of(row)["line"]} for row in changed],
            "counts": {verdict.value: number for verdict, number in counts.items()},
            "html": _piece(batch, one, one.verdict is not RowVerdict.DROPPED)}


def _back(batch: ImportBatch) -> str:
    return url_for("exchange.show", batch_id=batch.id, page=request.form.get("page") or None,
                   verdict=request.form.get("verdict") or None)


def _columns_page(batch: ImportBatch, refusal: Refused | None = None) -> str:
    return render_template("exchange/columns.html", batch=batch, refusal=refusal, titles=(*COLUMNS, ALL_OPTIONS),
                           needed=NEEDED, kinds=KINDS, head_rows=HEAD_ROWS,
                           places=matcher(db(), batch.table, batch.institution_id).places)


def _choice(place: int, sheet: dict[str, Any]) -> Choice | None:
    if request.form.get(f"skip-{place}"):
        return None
    head = request.form.get(f"head-{place}", "")
    line = int(head) if head.isdecimal() and int(head) < len(sheet["lines"]) else NO_HEAD
    titles = [request.form.get(f"column-{place}-{column}", "") for column in range(len(sheet["columns"]))]
    known = [title if title in (*COLUMNS, ALL_OPTIONS) else "" for title in titles]
    given = {"题型": request.form.get(f"kind-{place}", ""), "难度": request.form.get(f"grade-{place}", ""),
             "鉴定点": request.form.get(f"point-{place}", "").strip()}
    return Choice(line, known, {title: text[:200] for title, text in given.items() if text and title not in known})
