"""Doors: the list of papers, a paper and its compliance sheet, sealing and giving up (组卷)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from qbank.items.states import ItemKind
from qbank.kernel.access import fetch
from qbank.kernel.accounts import Account
from qbank.kernel.web import db, now, paged, viewer
from qbank.papers import (  # noqa: F401  # these register doors and kinds of job
    desk,
    family_views,
    family_work,
    hand_views,
    health_views,
    listing,
    opening_views,
    print_views,
    prints,
    rule_views,
    spec_views,
    work,
)
from qbank.papers.blueprint import blueprint, sees_items
from qbank.papers.contents import items_of, policy_of
from qbank.papers.models import Paper, PaperState
from qbank.papers.specification import KIND_NAMES


@blueprint.get("/")
def index() -> Any:
    filters = listing.Filters.read(request.args)
    rows, total, page, pages = paged(db(), listing.papers(viewer(), filters))
    return render_template("papers/index.html", rows=rows, total=total, page=page, pages=pages, filters=filters,
                           states=PaperState, specifications=db().scalars(listing.specifications(viewer()).limit(200)).all())


@blueprint.get("/<int:paper_id>")
def show(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    sealer = db().get(Account, paper.sealed_by) if paper.sealed_by else None
    return render_template("papers/show.html", paper=paper, sheet=paper.compliance, kinds=KIND_NAMES, sealer=sealer,
                           intact=desk.verify(paper) if paper.state is PaperState.SEALED else None,
                           items=items_of(paper) if sees_items(paper) else None, kind_of=ItemKind,
                           policy=policy_of(db(), paper))


@blueprint.post("/<int:paper_id>/seal")
def seal(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    desk.seal(db(), paper, viewer(), now=now())
    flash(f"试卷已封存，指纹 {str(paper.fingerprint)[:16]}…。内容已加密，任何人都看不到；使用前由两人共同启封。", "success")
    return redirect(url_for("papers.show", paper_id=paper.id))


@blueprint.post("/<int:paper_id>/discard")
def discard(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    desk.discard(db(), paper, viewer(), now=now())
    flash(f"“{paper.name}”已作废，其中的题可用于其他试卷。", "success")
    return redirect(url_for("papers.index"))
