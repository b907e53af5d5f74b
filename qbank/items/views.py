"""Doors: the bank's list, an item's page and form, review."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for

from qbank.items import bank, listing, work  # noqa: F401  # work registers its kind of job
from qbank.items.blueprint import blueprint
from qbank.items.draft import KINDS, LETTERS, Draft
from qbank.items.form import Complaint, beginning, leaf_ranges, read_draft
from qbank.items.models import BANK_ROLES, Item, ItemKind, ItemState, ItemVersion, Verdict
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.export import workbook
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Importance, Range, WeightTable

MANY = 200  # more than this is submitted off the request
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    content = workbook([listing.as_table(db(), query)])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"题库_{now():%Y%m%d}.xlsx")


@blueprint.get("/<int:item_id>")
def show(item_id: int) -> Any:
    item = fetch(db(), Item, item_id, viewer())
    version = next((v for v in item.versions if str(v.number) == request.args.get("version")), item.newest)
    return render_template(
        "items/show.html", item=item, version=version, needed=bank.approvals_needed(db(), item.institution_id),
        writes=_holds(item, Role.ITEM_AUTHOR), may_review=bank.may_review(db(), version, viewer()))


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


@blueprint.post("/versions/<int:version_id>/retire")
def retire(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    bank.retire(db(), version, viewer(), request.form.get("reason", ""), now=now())
    flash(f"{bank.label(version)}已停用。", "success")
    return redirect(url_for("items.show", item_id=version.item_id))


@blueprint.get("/review")
def review() -> Any:
    """An item that waits for this reviewer: ``?version=`` that one if it still waits, ``?after=`` the one behind it."""
    keys = list(db().scalars(bank.waiting_for(viewer()).with_only_columns(ItemVersion.id)))
    wanted, after = request.args.get("version", type=int), request.args.get("after", type=int)
    if wanted is not None:
        fetch(db(), ItemVersion, wanted, viewer())  # a stranger's is not there
    if not keys:
        return render_template("items/review.html", version=None, left=0)
    following = keys.index(after) + 1 if after in keys else 0
    key = wanted if wanted in keys else keys[following % len(keys)]
    return _review_page(fetch(db(), ItemVersion, key, viewer()), keys)


@blueprint.post("/review/<int:version_id>")
def judge(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    keys = list(db().scalars(bank.waiting_for(viewer()).with_only_columns(ItemVersion.id)))
    verdict = request.form.get("verdict")
    try:
        if verdict not in {"approve", "return"}:
            raise Refused("no_verdict", "请选择“通过”或“退回”。")
        bank.review(db(), version, viewer(), Verdict.ACCEPT if verdict == "approve" else Verdict.MAJOR,
                    request.form.get("comment", ""), now=now())
    except Refused as refusal:
        if version_id not in keys:
            raise
        return _review_page(version, keys, refusal=refusal, comment=request.form.get("comment", "")), 409
    flash(f"{bank.label(version)}：{'已通过' if verdict == 'approve' else '已退回'}。", "success")
    following = next(iter(keys[keys.index(version_id) + 1:]), None)
    return redirect(url_for("items.review", version=following) if following else url_for("items.review"))


def _review_page(version: ItemVersion, keys: list[int], refusal: Refused | None = None, comment: str = "") -> str:
    return render_template("items/review.html", version=version, left=len(keys), nth=keys.index(version.id) + 1,
                           refusal=refusal, comment=comment,
                           needed=bank.approvals_needed(db(), version.item.institution_id),
                           earlier=[other for other in version.item.versions if other.number < version.number])


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


def _holds(item: Item, role: Role) -> bool:
    return db().scalar(sa.select(Item.id).where(Item.id == item.id, Item.within_reach(viewer(), role))) is not None
