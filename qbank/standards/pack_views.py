"""Doors of the rule packs: which numbers hold where, and setting them."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, redirect, render_template, request, url_for

from qbank.kernel.access import fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, viewer
from qbank.standards.blueprint import blueprint
from qbank.standards.models import StoredRulePack
from qbank.standards.packs import may_set, read_fields, save_pack
from qbank.standards.rulepack import GROUPS, LABELS, RulePack


@blueprint.get("/packs")
def packs() -> Any:
    stored = db().scalars(visible(StoredRulePack, viewer()).order_by(StoredRulePack.region)).all()
    return render_template("standards/packs.html", stored=[(pack, RulePack.read(pack.values)) for pack in stored],
                           default=RulePack(), groups=GROUPS, labels=LABELS,
                           may={pack.id: may_set(db(), viewer(), pack.region) for pack in stored})


@blueprint.route("/packs/new", methods=["GET", "POST"])
def new_pack() -> Any:
    return _form(None)


@blueprint.route("/packs/<int:pack_id>", methods=["GET", "POST"])
def pack(pack_id: int) -> Any:
    found = fetch(db(), StoredRulePack, pack_id, viewer())
    if not may_set(db(), viewer(), found.region):
        flask.abort(404)
    return _form(found)


def _form(found: StoredRulePack | None) -> Any:
    values = RulePack.read(found.values) if found else RulePack()
    problem = None
    if request.method == "POST":
        form = request.form
        try:
            if found:
                found.expect(form.get("seen", type=int))
            region = found.region if found else form.get("region", "").strip()
            saved = save_pack(db(), found, region, form.get("name", ""), read_fields(form), viewer())
        except Refused as refusal:
            problem = refusal
        else:
            flash(f"规则包“{saved.name}”已保存。", "success")
            return redirect(url_for("standards.packs"))
    return render_template("standards/pack.html", pack=found, values=values, default=RulePack(), groups=GROUPS,
                           labels=LABELS, problem=problem, typed=request.form), 409 if problem else 200
