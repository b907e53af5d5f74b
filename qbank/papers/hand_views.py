"""Doors: a draft paper changed by hand, two papers side by side."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import whole_number
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.papers import comparing, hand
from qbank.papers.blueprint import blueprint, sees_items
from qbank.papers.contents import items_of
from qbank.papers.forms import a_seed, read_seed
from qbank.papers.models import Paper, PaperState
from qbank.papers.questions import settings_in
from qbank.papers.rules import KINDS_OF_RULES, MODES
from qbank.papers.specification import KIND_NAMES

LARGEST_ID = 2**31 - 1
MOST_ITEMS = 1000


@blueprint.get("/<int:paper_id>/hand")
def by_hand(paper_id: int) -> Any:
    paper = _draft(paper_id)
    items = items_of(paper)
    return render_template("papers/hand.html", paper=paper, items=items, sheet=paper.compliance, changes=hand.changes_of(db(), paper),
                           last=hand.last_change(db(), paper), actions=hand.ACTIONS, seed=a_seed(), kinds=KIND_NAMES,
                           locked=sum(item.locked for item in items))


@blueprint.get("/<int:paper_id>/hand/<int:number>")
def offers(paper_id: int, number: int) -> Any:
    paper = _draft(paper_id)
    table = hand.table_of(db(), paper, viewer(), now=now())
    item = hand.item_at(paper, number)
    offered = hand.offers(db(), table, number)
    return render_template(
        "papers/offers.html", paper=paper, item=item, offers=offered, outlook=comparing.outlook(table, offered), table=table,
        uses=comparing.uses(db(), [one.version.item_id for one in offered] + [item.version.item_id]), kinds=KIND_NAMES,
        settings=settings_in(db(), paper.specification), rows=KINDS_OF_RULES, modes=MODES)


@blueprint.post("/<int:paper_id>/hand/<int:number>")
def swap(paper_id: int, number: int) -> Any:
    paper = _draft(paper_id)
    paper.expect(request.form.get("seen", type=int))
    version_id = whole_number(request.form.get("version", ""), "替换的题", 1, LARGEST_ID)
    hand.swap(db(), paper, number, version_id, viewer(), reason=request.form.get("reason", ""), now=now())
    flash(f"第 {number} 题已换。不满意可以撤销。", "success")
    return redirect(url_for("papers.by_hand", paper_id=paper.id, _anchor=f"item{number}"))


@blueprint.post("/<int:paper_id>/hand/undo")
def undo_swap(paper_id: int) -> Any:
    paper = _draft(paper_id)
    change = hand.undo(db(), paper, viewer(), now=now())
    flash(f"已撤销：{hand.ACTIONS[change.action]}，恢复了 {len(change.numbers)} 道题。", "success")
    return redirect(url_for("papers.by_hand", paper_id=paper.id, _anchor=f"item{change.numbers[0][0]}"))


@blueprint.post("/<int:paper_id>/hand/lock")
def lock(paper_id: int) -> Any:
    """Keep the ticked items; with ``anew``, choose all others anew."""
    paper = _draft(paper_id)
    numbers = {whole_number(text, "题号", 1, MOST_ITEMS) for text in request.form.getlist("locked")}
    count = hand.lock(db(), paper, numbers, viewer())
    if "anew" not in request.form:
        flash(f"已锁定 {count} 道题。", "success")
        return redirect(url_for("papers.by_hand", paper_id=paper.id))
    if count == len(paper.items):
        raise Refused("all_locked", "所有的题都锁定了，没有可以重选的题。请先解除一部分。")
    db().flush()
    job = enqueue(db(), "papers.anew", {"paper": paper.id, "specification": paper.specification_id, "row": paper.row_version,
                                        "seed": read_seed(request.form.get("seed", ""))}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/<int:paper_id>/compare")
def compare(paper_id: int) -> Any:
    """Two papers of one specification's line side by side; items only of drafts that this person composed."""
    paper = fetch(db(), Paper, paper_id, viewer())
    others = comparing.others(db(), visible(Paper, viewer()), paper)
    asked = request.args.get("with", "")
    other = next((one for one in others if str(one.id) == asked), others[0] if others else None)
    mine = other is not None and sees_items(paper) and sees_items(other)
    return render_template("papers/compare.html", paper=paper, other=other, others=others, kinds=KIND_NAMES,
                           sides=comparing.sides(paper, other) if other else None,
                           pairs=comparing.pairs(items_of(paper), items_of(other)) if mine and other else None)


def _draft(paper_id: int) -> Paper:
    """A draft of the person who composed it; anybody else finds no such page."""
    paper = fetch(db(), Paper, paper_id, viewer())
    if paper.composer_id != viewer().account_id:
        raise NotFound
    if paper.state is not PaperState.DRAFT:
        raise Refused("wrong_state", f"试卷“{paper.name}”现在是“{paper.state.chinese}”，只有待封存的试卷可以换题。")
    return paper
