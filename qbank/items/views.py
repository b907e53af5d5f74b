"""Doors: the bank's list, an item's page and form, review."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for

from qbank.items import bank, content_views, listing, review, review_views, work  # noqa: F401  # doors and a kind of job register
from qbank.items.blueprint import SPREADSHEET, blueprint
from qbank.items.draft import KINDS, LETTERS, Draft
from qbank.items.form import Complaint, beginning, leaf_ranges, read_draft
from qbank.items.life_views import standing
from qbank.items.models import BANK_ROLES, Item, ItemKind, ItemState, ItemVersion
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.export import workbook
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Importance, Range, WeightTable

MANY = 200  # more than this is submitted off the request


@blueprint.get("/")
def index() -> Any:
    filters = listing.Filters.read(request.args)
    tables = list({table.id: table for _, table in bank.banks_for(db(), viewer(), *BANK_ROLES)}.values())
    chosen = tables[0].id if filters.table_id is None and len(tables) == 1 else filters.table_id or 0
    ranges = db().scalars(sa.select(Range).where(Range.table_id == chosen).order_by(Range.path)).all()
    if ranges and filters.range_path not in {range.path for range in ranges}:
        filters = dataclasses.replace(filters, range_path="")  # chosen while another bank was shown
    rows, total, page, pages = paged(db(), listing.versions(viewer(), filters))
    return render_template("items/index.html", rows=rows, total=total, page=page, pages=pages, filters=filters,
                           tables=tables, ranges=ranges, counts=listing.counts(db(), viewer(), filters),
                           kinds=ItemKind, states=ItemState, importances=Importance,
                           difficulties=listing.DIFFICULTIES)


@blueprint.get("/export")
def export() -> Any:
    query = listing.versions(viewer(), listing.Filters.read(request.args))
    content = workbook([listing.as_table(db(), query, viewer())])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"题库_{now():%Y%m%d}.xlsx")


@blueprint.get("/<int:item_id>")
def show(item_id: int) -> Any:
    item = fetch(db(), Item, item_id, viewer())
    version = next((v for v in item.versions if str(v.number) == request.args.get("version")), item.newest)
    return render_template(
        "items/show.html", item=item, version=version, **standing(db(), version, viewer()))


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Any:
    banks = bank.banks_for(db(), viewer(), Role.ITEM_AUTHOR)
    chosen = [(school, table) for school, table in banks if str(table.id) == request.args.get("table")
              and request.args.get("school", str(school.id)) == str(school.id)]
    if not chosen and len(banks) != 1:
        return render_template("items/choose.html", banks=banks)
    school, table = chosen[0] if chosen else banks[0]
    if request.method == "GET":
        return _form(table, school, beginning(db(), request.args, table))
    draft = read_draft(db(), request.form, table)
    try:
        version = bank.add_item(db(), table, school.id, draft, viewer(), now=now())
        return _saved(version)
    except Refused as refusal:
        return _form(table, school, draft, refusal=refusal), 409


@blueprint.route("/<int:item_id>/edit", methods=["GET", "POST"])
def edit(item_id: int) -> Any:
    item = fetch(db(), Item, item_id, viewer())
    school = db().get_one(Institution, item.institution_id)
    if item.newest.state is ItemState.SUBMITTED and review.hides_key(db(), item.newest, viewer()):
        raise Refused("blind", f"题 {item.id} 正在审核，您是可以审核它的审题员，请先盲答，再看答案或修改。")
    if request.method == "GET":
        return _form(item.table, school, bank.draft_of(item.newest), item=item)
    draft = read_draft(db(), request.form, item.table)
    try:
        if request.form.get("number") != str(item.newest.number):
            raise Refused("stale", f"您打开页面后，这道题已有第 {item.newest.number} 版。请另开窗口查看新版本，再决定怎样修改。")
        version = bank.edit(db(), item.newest, draft, viewer(), now=now(), reason=request.form.get("reason", ""))
        return _saved(version)
    except Refused as refusal:
        return _form(item.table, school, draft, item=item, refusal=refusal), 409


@blueprint.post("/versions/<int:version_id>/submit")
def submit(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    bank.submit(db(), version, viewer(), now=now())
    flash(f"{bank.label(version)}已提交审核。", "success")
    return redirect(url_for("items.show", item_id=version.item_id))


@blueprint.post("/submit")
def submit_many() -> Any:
    filters = dataclasses.replace(listing.Filters.read(request.args), state=ItemState.DRAFT)
    query = listing.versions(viewer(), filters).where(Item.within_reach(viewer(), Role.ITEM_AUTHOR))
    if "all" not in request.form:
        ticked = [int(key) for key in request.form.getlist("version") if key.isdecimal() and len(key) < 10]
        query = query.where(ItemVersion.id.in_(ticked))
    drafts = list(db().scalars(query).unique())
    if not drafts:
        raise Refused("nothing_ticked", "没有可以提交的草稿：请先勾选状态为“草稿”的试题。")
    back = url_for("items.index", **filters.arguments(state=ItemState.SUBMITTED))
    if len(drafts) > MANY:
        job = enqueue(db(), "items.submit", {"versions": [draft.id for draft in drafts], "result": back}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    flash(f"已提交 {bank.submit_many(db(), drafts, viewer(), now=now())} 道题，等待审核。", "success")
    return redirect(back)


def _form(table: WeightTable, school: Institution, draft: Draft, *, item: Item | None = None,
          refusal: Refused | None = None) -> str:
    return render_template(
        "items/form.html", table=table, school=school, draft=draft, item=item, ranges=leaf_ranges(db(), table),
        complaint=Complaint.of(refusal, draft) if refusal else None, kinds=KINDS, letters=LETTERS,
        difficulties=listing.DIFFICULTIES, reason=request.form.get("reason", ""))


def _saved(version: ItemVersion) -> Any:
    if request.form.get("then") == "submit":
        bank.submit(db(), version, viewer(), now=now())
    flash(f"{bank.label(version)}已保存{'并提交审核' if version.state is ItemState.SUBMITTED else '为草稿'}。", "success")
    return redirect(url_for("items.show", item_id=version.item_id))
