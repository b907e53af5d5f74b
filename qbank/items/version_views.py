"""Doors: what changed from one version to another, an older version again, the material of a set."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from qbank.items import bank, review, sets
from qbank.items.blueprint import blueprint
from qbank.items.difference import compare
from qbank.items.models import Item, ItemVersion
from qbank.kernel.access import fetch
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer


@blueprint.app_template_filter("short_hashes")
def short_hashes(text: str) -> str:
    """Pictures by the first digits of their names: enough to see that one was exchanged."""
    return re.sub(r"\(media:([0-9a-f]{8})[0-9a-f]{56}\)", r"(图 \1)", text)


@blueprint.get("/<int:item_id>/difference")
def difference(item_id: int) -> Any:
    """Two versions of an item beside each other; ``?old=``, ``?new=``, else the newest and the one before it."""
    item = fetch(db(), Item, item_id, viewer())
    new = _version(item, request.args.get("new", ""), item.newest)
    old = _version(item, request.args.get("old", ""), next((v for v in reversed(item.versions) if v.number < new.number), new))
    for version in {old, new, item.newest}:
        _not_before_the_blind_answer(version)
    return render_template("items/difference.html", item=item, old=old, new=new,
                           fields=compare(bank.draft_of(old), bank.draft_of(new)))


@blueprint.post("/versions/<int:version_id>/restore")
def restore(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    _not_before_the_blind_answer(version.item.newest)
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise Refused("no_reason", "请写明恢复这一版的原因，审题员要据此复核。")
    made = bank.edit(db(), version.item.newest, bank.draft_of(version), viewer(), now=now(),
                     reason=f"恢复第 {version.number} 版的内容：{reason}")
    flash(f"已按第 {version.number} 版的内容生成{bank.label(made)}，状态为草稿，提交审核通过后使用。", "success")
    return redirect(url_for("items.show", item_id=version.item_id))


@blueprint.route("/<int:item_id>/material", methods=["GET", "POST"])
def material(item_id: int) -> Any:
    """The material that this item shares with others, to be changed for all of them."""
    item = fetch(db(), Item, item_id, viewer())
    stimulus = item.newest.stimulus
    if stimulus is None:
        raise NotFound
    members = sets.members(db(), stimulus)
    if request.method == "GET":
        return render_template("items/material.html", item=item, stimulus=stimulus, members=members, text=stimulus.text, refusal=None)
    text = request.form.get("text", "")
    try:
        if request.form.get("stimulus") != str(stimulus.id):
            raise Refused("stale", "您打开页面后，这份材料已被修改。请另开窗口查看，再决定怎样修改。")
        made = sets.change_material(db(), stimulus, text, viewer(), now=now(), reason=request.form.get("reason", ""))
    except Refused as refusal:
        return render_template("items/material.html", item=item, stimulus=stimulus, members=members, text=text,
                               refusal=refusal, reason=request.form.get("reason", "")), 409
    flash(f"材料已修改，{len(made)} 道题各生成一个新版本（草稿），需重新提交审核。", "success")
    return redirect(url_for("items.show", item_id=item.id))


def _version(item: Item, number: str, otherwise: ItemVersion) -> ItemVersion:
    if not number:
        return otherwise
    found = next((version for version in item.versions if str(version.number) == number), None)
    if found is None:
        raise NotFound
    return found


def _not_before_the_blind_answer(version: ItemVersion) -> None:
    if review.hides_key(db(), version, viewer()):
        raise Refused("blind", f"{bank.label(version)} 正在审核，您是可以审核它的审题员，请先盲答，再看各版本的答案。")
