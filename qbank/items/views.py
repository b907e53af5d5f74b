"""Doors: an item's page, sending it to review."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from qbank.items import (  # noqa: F401  # doors and kinds of jobs register
    bank,
    bulk_views,
    content_views,
    form_views,
    listing_views,
    review_views,
    version_views,
)
from qbank.items.blueprint import blueprint
from qbank.items.life_views import standing
from qbank.items.models import Item, ItemVersion
from qbank.kernel.access import fetch
from qbank.kernel.web import db, now, viewer


@blueprint.get("/<int:item_id>")
def show(item_id: int) -> Any:
    item = fetch(db(), Item, item_id, viewer())
    version = next((v for v in item.versions if str(v.number) == request.args.get("version")), item.newest)
    return render_template(
        "items/show.html", item=item, version=version, **standing(db(), version, viewer()))


@blueprint.post("/versions/<int:version_id>/submit")
def submit(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    bank.submit(db(), version, viewer(), now=now())
    flash(f"{bank.label(version)}已提交审核。", "success")
    return redirect(url_for("items.show", item_id=version.item_id))
