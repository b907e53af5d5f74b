"""Doors: the rules of a specification with a live check against the bank; items pinned and barred by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from qbank.kernel.access import fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.papers import desk, pins
from qbank.papers.blueprint import blueprint
from qbank.papers.contents import quotas_of
from qbank.papers.lists import lists_of, may_see
from qbank.papers.models import Specification
from qbank.papers.pool import pool_of
from qbank.papers.questions import MOST_IN_POOL, of_values, settings_in
from qbank.papers.rule_forms import RuleForm
from qbank.papers.rules import GROUPS, KINDS_OF_RULES, LISTS, MODES, SOFT, Setting, defaults, stored
from qbank.papers.supply import Stock, Supply, supplies
from qbank.standards.packs import pack_for

LARGEST_ID = 2**31 - 1


@blueprint.route("/specifications/<int:specification_id>/rules", methods=["GET", "POST"])
def rules(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    settings = settings_in(db(), found)
    if request.method == "GET":
        return _page(found, RuleForm.of(_relaxed(settings)))
    form = RuleForm.read(request.form, settings)
    try:
        form.refuse()
        plain = stored(form.settings, lists_of(db(), found))
        wanted = dataclasses.replace(desk.contents_of(db(), found), rules=plain)
        made = desk.revise(db(), found, wanted, viewer(), reason=request.form.get("reason", ""), now=now())
    except Refused as refusal:
        return _page(found, form, refusal), 409
    flash("组卷要求已保存。" if made is found else f"已用上一版组过卷，修改已另存为第 {made.number} 版。", "success")
    return redirect(url_for("papers.specification", specification_id=made.id))


def _relaxed(settings: dict[str, Setting]) -> dict[str, Setting]:
    """The rule that an explanation offers to relax stands one step softer on the page; nothing is saved yet."""
    code = request.args.get("relax", "")
    kind = KINDS_OF_RULES.get(code)
    if kind is None or settings[code].mode not in kind.modes[:-1]:
        return settings
    softer = kind.modes[kind.modes.index(settings[code].mode) + 1]
    return {**settings, code: dataclasses.replace(settings[code], mode=softer)}


def _page(found: Specification, form: RuleForm, refusal: Refused | None = None) -> str:
    pack = pack_for(db(), db().get_one(Institution, found.institution_id))
    return render_template(
        "papers/rules.html", found=found, form=form, refusal=refusal, groups=GROUPS, modes=MODES, soft=SOFT, plain=defaults(pack),
        marked=request.args.get("relax") or request.args.get("mark", ""), lists=lists_of(db(), found),
        titles=LISTS, used=desk.was_used(db(), found), newest=desk.versions_of(db(), found)[-1] is found,
        supply=_supplies(found, form, _forms(request.args.get("forms", ""))))


@blueprint.post("/specifications/<int:specification_id>/rules/check")
def check_rules(specification_id: int) -> Any:
    """What the bank says to the rules as they are typed; nothing is saved."""
    found = fetch(db(), Specification, specification_id, viewer())
    form = RuleForm.read(request.form, settings_in(db(), found))
    told = _supplies(found, form, _forms(request.form.get("forms", "")))
    return {"problems": form.problems, "supply": {code: dataclasses.asdict(one) for code, one in told.items()}}


def _supplies(found: Specification, form: RuleForm, forms: int) -> dict[str, Supply]:
    pool = pool_of(db(), found.table_id, found.institution_id, viewer().account_id, now=now())
    put = of_values(pool, quotas_of(db(), found), form.settings, lists_of(db(), found), forms=forms)
    return supplies(Stock(put.items, pool.parameters, put.quotas, put.settings, forms, put.barred))


def _forms(text: str) -> int:
    """For how many forms the check counts; three where it does not say."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST_IN_POOL else 3


@blueprint.get("/specifications/<int:specification_id>/items")
def pinned(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    text = request.args.get("q", "")
    seen = may_see(db(), found, viewer())
    return render_template("papers/pinned.html", found=found, titles=LISTS, text=text, most=pins.MOST_FOUND, seen=seen,
                           lists={name: pins.rows_of(db(), found, name) for name in LISTS} if seen else {},
                           hits=pins.search(db(), found, text) if seen else [],
                           used=desk.was_used(db(), found))


@blueprint.post("/specifications/<int:specification_id>/items")
def pin(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    item_id = whole_number(request.form.get("item", ""), "题号", 1, LARGEST_ID)
    name = request.form.get("list", "")
    if "remove" in request.form:
        made = pins.remove(db(), found, name, item_id, viewer(), now=now())
    else:
        made = pins.add(db(), found, name, item_id, request.form.get("why", ""), viewer(), now=now())
    flash(f"已保存{'' if made is found else f'为第 {made.number} 版'}。", "success")
    return redirect(url_for("papers.pinned", specification_id=made.id, q=request.form.get("q") or None))
