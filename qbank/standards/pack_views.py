"""Doors of the rule packs: which numbers hold where, and setting them."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, redirect, render_template, request, url_for

from qbank.kernel.access import fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.blueprint import blueprint
from qbank.standards.models import RulePackVersion, StoredRulePack
from qbank.standards.packs import changes, may_set, read_fields, save_pack
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


@blueprint.get("/packs/<int:pack_id>/history")
def pack_history(pack_id: int) -> Any:
    """Every version with its author and reason, what it changed, and any two side by side."""
    found = fetch(db(), StoredRulePack, pack_id, viewer())
    read = [(version, RulePack.read(version.values)) for version in found.versions]
    steps = [(version, changes(before, pack)) for (version, pack), before in
             zip(read, [RulePack(), *(pack for _, pack in read)], strict=False)]
    numbers = {version.number: pack for version, pack in read}
    older, newer = (request.args.get(name, 0, type=int) for name in ("from", "to"))
    between = changes(numbers.get(older, RulePack()), numbers[newer]) if newer in numbers else None
    return render_template("standards/pack_history.html", pack=found, steps=steps[::-1], labels=LABELS, older=older, newer=newer,
                           between=between, may=may_set(db(), viewer(), found.region))


@blueprint.get("/packs/versions/<int:version_id>")
def pack_version(version_id: int) -> Any:
    """All settings of one version: what a result that names it was computed under."""
    found = fetch(db(), RulePackVersion, version_id, viewer())
    return render_template("standards/pack_version.html", version=found, values=RulePack.read(found.values), default=RulePack(),
                           groups=GROUPS, labels=LABELS, newest=found.pack.versions[-1] is found)


def _form(found: StoredRulePack | None) -> Any:
    values = RulePack.read(found.values) if found else RulePack()
    problem = None
    if request.method == "POST":
        form = request.form
        try:
            if found:
                found.expect(form.get("seen", type=int))
            region = found.region if found else form.get("region", "").strip()
            saved = save_pack(db(), found, region, form.get("name", ""), read_fields(form), viewer(),
                              reason=form.get("reason", ""), now=now())
        except Refused as refusal:
            problem = refusal
        else:
            flash(f"规则包“{saved.name}”已保存为第 {saved.versions[-1].number} 版，以后合成的成绩按这一版计算。", "success")
            return redirect(url_for("standards.pack_history", pack_id=saved.id))
    return render_template("standards/pack.html", pack=found, values=values, default=RulePack(), groups=GROUPS,
                           labels=LABELS, problem=problem, typed=request.form), 409 if problem else 200
