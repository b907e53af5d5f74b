"""Doors: opening a sealed paper by two persons, who saw which paper, content shown by recorded looks only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from qbank.items import markup, pictures
from qbank.items.models import occupation_code_of
from qbank.kernel.access import Role, fetch
from qbank.kernel.forms import moment
from qbank.kernel.jobs import enqueue
from qbank.kernel.web import db, now, paged, viewer
from qbank.papers import embargo, looks, opening
from qbank.papers.blueprint import blueprint
from qbank.papers.booklet import sections_of, texts_of
from qbank.papers.contents import items_of, policy_of
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.reproduction import reproduce as made_again
from qbank.papers.sealing import findings
from qbank.standards.models import WeightTable

AT_ONCE = 6  # forms opened within the request: a tenth of a second each; more are a job's work


@blueprint.get("/openings")
def openings() -> Any:
    """Sealed papers of one's school, shut ones first: for those who open them."""
    reach = viewer().reach(Paper.institution_id, *opening.OPENERS, occupation=occupation_code_of(Specification.table_id))
    query = (sa.select(Paper).join(Specification, Specification.id == Paper.specification_id)
             .where(Paper.state == PaperState.SEALED, reach)
             .options(joinedload(Paper.specification).joinedload(Specification.table).joinedload(WeightTable.standard))
             .order_by(Paper.opened_at.is_not(None), Paper.sealed_at.desc(), Paper.id.desc()))
    rows, total, page, pages = paged(db(), query)
    waiting = {paper.id: opening.pending(db(), paper, now=now()) for paper in rows if paper.is_shut}
    return render_template("papers/openings.html", rows=rows, total=total, page=page, pages=pages, waiting=waiting)


@blueprint.get("/<int:paper_id>/opening")
def open_page(paper_id: int) -> Any:
    paper = opening.reachable(db(), paper_id, viewer())
    mine = paper.composer_id == viewer().account_id or viewer().account_id in looks.openers(db(), paper)
    return render_template("papers/opening.html", paper=paper, requests=opening.openings_of(db(), paper), at=now(),
                           pending=opening.pending(db(), paper, now=now()) if paper.is_shut else None,
                           problems=findings(paper), me=viewer().account_id,
                           whole=request.args.get("family") == "1" or bool(paper.family and paper.family.is_pool), may_look=mine and not paper.is_shut,
                           siblings=[one for one in paper.family.papers if one.is_shut] if paper.family else [])


@blueprint.post("/<int:paper_id>/opening")
def ask_opening(paper_id: int) -> Any:
    paper = opening.reachable(db(), paper_id, viewer())
    start = moment(request.form.get("from", ""), "最早启封时间") if request.form.get("from", "").strip() else None
    made = opening.ask(db(), paper, viewer(), request.form.get("reason", ""), now=now(), from_=start,
                       family=request.form.get("family") == "1")
    flash(f"启封申请已登记。还须 {made.needed - 1} 名其他人员在有效时间内登录本页确认。", "success")
    return redirect(url_for("papers.open_page", paper_id=paper.id))


@blueprint.post("/<int:paper_id>/opening/confirm")
def confirm_opening(paper_id: int) -> Any:
    paper = opening.reachable(db(), paper_id, viewer())
    agreed = opening.agree(db(), paper, viewer(), now=now())
    if agreed.is_agreed and len(opening.shut_papers(agreed)) > AT_ONCE:
        db().flush()
        job = enqueue(db(), "papers.open_family", {"opening": agreed.id}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    if agreed.is_agreed:
        opening.open_agreed(db(), agreed, now=now())
    flash("试卷已启封，可以发卷和打印。启封人已记录在案。" if not paper.is_shut else "已确认，还须其他人员确认。", "success")
    return redirect(url_for("papers.open_page", paper_id=paper.id))


@blueprint.post("/<int:paper_id>/opening/withdraw")
def withdraw_opening(paper_id: int) -> Any:
    paper = opening.reachable(db(), paper_id, viewer())
    opening.withdraw(db(), paper, viewer(), now=now())
    flash("启封申请已撤回。", "success")
    return redirect(url_for("papers.open_page", paper_id=paper.id))


@blueprint.get("/<int:paper_id>/looks")
def looks_page(paper_id: int) -> Any:
    paper = opening.reachable(db(), paper_id, viewer(), (*opening.OPENERS, Role.QUALITY_SUPERVISOR))
    return render_template("papers/looks.html", paper=paper, looks=looks.looks_at(db(), paper), what=looks.WHAT,
                           requests=opening.openings_of(db(), paper))


@blueprint.post("/<int:paper_id>/content")
def content(paper_id: int) -> Any:
    """Items and keys of an opened paper: the look is written before the page leaves."""
    paper = opening.reachable(db(), paper_id, viewer())
    looks.require(db(), paper, viewer())
    embargo.require(db(), [paper.id], now=now())
    looks.record(db(), paper, viewer(), "content", now=now())
    policy, items = policy_of(db(), paper), items_of(paper)
    texts = [text for item in items for text in texts_of(item.version)]
    address = pictures.inline(db(), paper.institution_id, texts)  # whoever opened it need not be of the bank
    return render_template("papers/content.html", paper=paper, sections=sections_of(items, policy), at=now(),
                           reader=viewer().name, html=lambda text: markup.to_html(text, address))


@blueprint.post("/<int:paper_id>/reproduce")
def reproduce(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    found = made_again(db(), paper, viewer(), now=now())
    flash("；".join(found) if found else "用封存的种子和现在的题库重新组卷，得到完全相同的试卷。", "warning" if found else "success")
    return redirect(url_for("papers.show", paper_id=paper.id))
