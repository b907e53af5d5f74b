"""Doors of pictures, and the words and filters with which templates show what an item says."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from qbank.items import bank, markup, pictures, sets, spoken
from qbank.items.blueprint import blueprint
from qbank.items.models import ItemVersion
from qbank.items.policy import Policy
from qbank.kernel.access import Role
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for


def address_of(sha256: str) -> str:
    return url_for("items.picture", sha256=sha256)


@blueprint.app_template_filter("content")
def content(text: str | None) -> Markup:
    """The text of an item on a page of the bank's people."""
    return markup.to_html(text or "", address_of)


blueprint.add_app_template_filter(markup.plain, "plain")
blueprint.add_app_template_global(spoken.blanks, "spoken_blanks")
blueprint.add_app_template_global(spoken.steps, "spoken_steps")
blueprint.add_app_template_global(spoken.total, "guide_total")


@blueprint.app_template_global("items_of_set")
def items_of_set(version: ItemVersion) -> list[ItemVersion]:
    """The items that share this one's material, itself included."""
    return sets.members(db(), version.stimulus)


@blueprint.app_template_global("scoring_sentence")
def scoring_sentence(version: ItemVersion) -> str:
    """How an answer to this version would be scored by the rule pack of today."""
    pack = pack_for(db(), db().get_one(Institution, version.item.institution_id))
    return Policy(pack.partial_credit_multiple, pack.partial_credit_fill).sentence(version.kind.value)


@blueprint.get("/pictures/<sha256>")
def picture(sha256: str) -> Any:
    found = pictures.find(db(), sha256, viewer())
    if found is None:
        raise NotFound
    return Response(found.content, mimetype=found.media_type)


@blueprint.post("/pictures")
def upload_picture() -> Any:
    """Keep a picture of one of the schools that this author writes for; the answer is the markup to insert."""
    schools = {school.id: school for school, _ in bank.banks_for(db(), viewer(), Role.ITEM_AUTHOR)}
    chosen, upload = request.form.get("school", type=int), request.files.get("picture")
    if chosen not in schools:
        raise NotFound
    if upload is None:
        raise Refused("no_picture", "请先选择一张图片（PNG、JPEG 或 SVG）。")
    kept = pictures.keep(db(), chosen, [upload.read(pictures.LARGEST + 1)], viewer(), now=now())
    sha256, found = next(iter(kept.items()))
    caption = (upload.filename or "").rpartition(".")[0][:40]
    return {"markup": markup.picture(sha256, caption), "address": address_of(sha256), "width": found.width, "height": found.height}
