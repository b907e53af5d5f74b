"""Doors: the same thing done with many items of the list."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for

from qbank.items import bulk as rules
from qbank.items import listing
from qbank.items.blueprint import SPREADSHEET, blueprint
from qbank.items.filters import Filters
from qbank.items.form import leaf_ranges
from qbank.items.listing_views import ALL_AT_ONCE
from qbank.items.models import BulkRun, ItemVersion
from qbank.kernel.access import fetch
from qbank.kernel.export import workbook
from qbank.kernel.jobs import Work, enqueue, kind
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.models import Point, WeightTable


@blueprint.post("/bulk")
def bulk() -> Any:
    """What would happen; nothing is written."""
    action = request.form.get("action", "")
    if action == "export":
        content = workbook([listing.as_table(db(), _chosen().limit(ALL_AT_ONCE), viewer())])
        return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"题库_{now():%Y%m%d}.xlsx")
    return _preview(action, _rows(action))


@blueprint.post("/bulk/do")
def do_bulk() -> Any:
    action = request.form.get("action", "")
    rows = _rows(action)
    reason = " ".join(request.form.get("reason", "").split())[:500]
    try:
        point = _point(rows) if action == "move" else None
        if action in {"retire", "suspend"} and not reason:
            raise Refused("no_reason", f"请写明{rules.ACTIONS[action]}的原因。")
        plan = rules.plan(action, rows, point)
        if request.form.get("expected") != str(len(rows)):
            raise Refused("list_changed", f"您查看之后，所列的试题变成了 {len(rows)} 道。请核对下面的清单后再办理。")
        if not plan.able:
            raise Refused("nothing_to_do", "没有可以办理的试题，原因见下。")
    except Refused as refusal:
        return _preview(action, rows, refusal), 409
    keys = [row.id for row in plan.able]
    if len(keys) > rules.AT_ONCE:
        job = enqueue(db(), "items.bulk", {"action": action, "versions": keys, "refused": plan.refused[:rules.MOST_NAMED],
                                           "reason": reason, "point": point.id if point else None}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    changes, refused = rules.do(db(), action, keys, viewer(), reason=reason, point=point, now=now())
    run = rules.remember(db(), action, viewer(), changes, [*plan.refused, *refused], reason=reason, point=point, now=now())
    return redirect(url_for("items.bulk_run", run_id=run.id))


@blueprint.get("/bulk/<int:run_id>")
def bulk_run(run_id: int) -> Any:
    run = fetch(db(), BulkRun, run_id, viewer())
    return render_template("items/bulk_run.html", run=run, title=rules.ACTIONS[run.action], undoable=run.action in rules.UNDOABLE,
                           versions=[db().get(ItemVersion, after) for _, after, _ in run.changes[:rules.MOST_NAMED]])


@blueprint.post("/bulk/<int:run_id>/undo")
def undo_bulk(run_id: int) -> Any:
    run = fetch(db(), BulkRun, run_id, viewer())
    if len(run.changes) > rules.AT_ONCE:
        job = enqueue(db(), "items.bulk_undo", {"run": run.id}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    done, left = rules.undo(db(), run, viewer(), now=now())
    run.refused = [*run.refused, *left[:rules.MOST_NAMED]]
    flash(f"已撤销 {done} 道{f'，{len(left)} 道没有撤销' if left else ''}。", "success" if done else "warning")
    return redirect(url_for("items.bulk_run", run_id=run.id))


@kind("items.bulk", "批量办理试题")
def do_in_parts(work: Work) -> str:
    """Arguments: action, versions, reason, point, refused. 200 in a transaction: nobody waits long for the write lock."""
    asked, refused = work.arguments, list(work.arguments["refused"])
    changes: list[list[int]] = []
    keys, action, reason = asked["versions"], str(asked["action"]), str(asked["reason"])
    for start in range(0, len(keys), rules.AT_ONCE):
        work.progress(start, len(keys), f"正在{rules.ACTIONS[action]}…")
        with work.transaction() as session:
            point = session.get(Point, asked["point"]) if asked["point"] else None
            made, left = rules.do(session, action, keys[start:start + rules.AT_ONCE], work.who, reason=reason, point=point,
                                  now=work.now())
            changes, refused = changes + made, refused + left
    with work.transaction() as session:
        point = session.get(Point, asked["point"]) if asked["point"] else None
        run = rules.remember(session, action, work.who, changes, refused, reason=reason, point=point, now=work.now())
        return f"/items/bulk/{run.id}"


@kind("items.bulk_undo", "撤销批量办理")
def undo_all(work: Work) -> str:
    """Arguments: run."""
    with work.transaction() as session:
        run = fetch(session, BulkRun, int(work.arguments["run"]), work.who)
        work.progress(0, len(run.changes), "正在撤销…")
        _, left = rules.undo(session, run, work.who, now=work.now())
        run.refused = [*run.refused, *left[:rules.MOST_NAMED]]
        return f"/items/bulk/{run.id}"


def _chosen() -> Any:
    """The versions that were ticked, or all that the list holds."""
    query = listing.versions(viewer(), Filters.read(request.args))
    if "all" in request.form:
        return query
    ticked = [int(key) for key in request.form.getlist("version") if key.isdecimal() and len(key) < 10]
    return query.where(ItemVersion.id.in_(ticked))


def _rows(action: str) -> list[rules.Row]:
    if action not in rules.ACTIONS:
        raise Refused("no_action", "请选择要办的事。")
    rows = rules.rows_of(db(), _chosen(), action, viewer())
    if not rows:
        raise Refused("nothing_ticked", "请先勾选试题，或按条件列出试题后办理全部。")
    return rows


def _point(rows: list[rules.Row]) -> Point:
    return rules.point_named(db(), {row.table_id for row in rows}, request.form.get("point", ""))


def _preview(action: str, rows: list[rules.Row], refusal: Refused | None = None) -> str:
    tables = {row.table_id for row in rows}
    ranges = leaf_ranges(db(), db().get_one(WeightTable, next(iter(tables)))) if action == "move" and len(tables) == 1 else []
    return render_template("items/bulk.html", plan=rules.plan(action, rows), action=action, title=rules.ACTIONS[action], rows=rows,
                           ranges=ranges, refusal=refusal, undoable=action in rules.UNDOABLE, filters=Filters.read(request.args),
                           everything="all" in request.form, at_once=rules.AT_ONCE, several=len(tables) > 1)
