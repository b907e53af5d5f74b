"""Doors: typing an item, what it will look like, whether a typed answer would be accepted."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from qbank.items import bank, listing, markup, pair_views, review, sets, spoken, stimuli
from qbank.items.blueprint import blueprint
from qbank.items.draft import KINDS, LETTERS, Draft, normalise, stays_last
from qbank.items.form import NEW_MATERIAL, Complaint, beginning, guide_rows, leaf_ranges, read_draft
from qbank.items.models import Item, ItemVersion
from qbank.items.states import ItemState
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.models import WeightTable


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Any:
    banks = bank.banks_for(db(), viewer(), Role.ITEM_AUTHOR)
    chosen = [(school, table) for school, table in banks if str(table.id) == request.args.get("table")
              and request.args.get("school", str(school.id)) == str(school.id)]
    if not chosen and len(banks) != 1:
        return render_template("items/choose.html", banks=banks)
    school, table = chosen[0] if chosen else banks[0]
    if request.method == "GET":
        return _form(table, school, beginning(db(), request.args, table, school.id))
    draft = read_draft(db(), request.form, table, school.id)
    if page := pair_views.before_saving(table, school, draft):
        return page
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
    draft = read_draft(db(), request.form, item.table, school.id)
    try:
        if request.form.get("number") != str(item.newest.number):
            raise Refused("stale", f"您打开页面后，这道题已有第 {item.newest.number} 版。请另开窗口查看新版本，再决定怎样修改。")
        if page := pair_views.before_saving(item.table, school, draft, item):
            return page
        if request.form.get("material") == NEW_MATERIAL:  # a material of its own, not the next text of the old set's
            stimuli.keep(db(), item.table, school.id, [normalise(draft).stimulus], viewer(), now=now())
        version = bank.edit(db(), item.newest, draft, viewer(), now=now(), reason=request.form.get("reason", ""))
        return _saved(version)
    except Refused as refusal:
        return _form(item.table, school, draft, item=item, refusal=refusal), 409


@blueprint.post("/preview")
def preview() -> Any:
    """The item as its page will show it, from a form that is still being typed; nothing is stored."""
    found = [(school, table) for school, table in bank.banks_for(db(), viewer(), Role.ITEM_AUTHOR)
             if f"{school.id}:{table.id}" == request.form.get("bank")]
    if not found:
        return render_template("items/preview.html", draft=None, problems=["请先选择题库。"])
    school, table = found[0]
    draft = normalise(read_draft(db(), request.form, table, school.id))
    texts = (draft.stimulus, draft.stem, *draft.options, draft.explanation, draft.guide)
    problems = [problem for text in texts for problem in markup.formula_problems(text)]
    return render_template("items/preview.html", draft=draft, problems=problems, letters=LETTERS, stays_last=stays_last)


@blueprint.post("/try-answer")
def try_answer() -> Any:
    """Whether each blank of a fill-in key accepts what was typed."""
    key = "\n".join(line for line in request.form.get("fill_key", "").split("\n") if line.strip())
    try:
        return {"accepted": spoken.outcome(key, request.form.getlist("answer")), "means": spoken.blanks(key), "sentence": ""}
    except ValueError as error:
        return {"accepted": [], "means": [], "sentence": str(error)}


def _form(table: WeightTable, school: Institution, draft: Draft, *, item: Item | None = None,
          refusal: Refused | None = None) -> str:
    offered = sets.materials(db(), table.id, school.id)
    known = {material.stimulus.text: material.stimulus.id for material in offered}
    mine = item.newest.stimulus if item else None
    material = request.form.get("material") or ((mine.id if mine else known.get(draft.stimulus, "")) if draft.stimulus else "")
    return render_template(
        "items/form.html", table=table, school=school, draft=draft, item=item, ranges=leaf_ranges(db(), table),
        complaint=Complaint.of(refusal, draft) if refusal else None, kinds=KINDS, letters=LETTERS, materials=offered,
        mine=mine, material=str(material), guide=guide_rows(draft.guide), difficulties=listing.DIFFICULTIES,
        reason=request.form.get("reason", ""))


def _saved(version: ItemVersion) -> Any:
    pair_views.after_saving(version)
    if request.form.get("then") == "submit":
        bank.submit(db(), version, viewer(), now=now())
    flash(f"{bank.label(version)}已保存{'并提交审核' if version.state is ItemState.SUBMITTED else '为草稿'}。", "success")
    if request.form.get("then") == "another" and version.stimulus:
        return redirect(url_for("items.new", table=version.item.table_id, school=version.item.institution_id,
                                material=version.stimulus.id, point=version.point_id, kind=version.kind.value))
    return redirect(url_for("items.show", item_id=version.item_id))
