"""Doors: printing an opened paper (or one's own draft), and taking away what was printed. Each is a recorded look."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch
from qbank.kernel.forms import whole_number
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, settings, viewer
from qbank.papers import embargo, looks, opening
from qbank.papers.blueprint import blueprint
from qbank.papers.models import Paper, PaperState
from qbank.papers.print_work import MOST_COPIES, TITLES, prints_of, take
from qbank.papers.sealed import PaperPrint


def printable(paper_id: int) -> Paper:
    """A sealed paper for those who open papers, a draft for its composer; for anybody else there is none."""
    try:
        return opening.reachable(db(), paper_id, viewer())
    except NotFound:
        paper = fetch(db(), Paper, paper_id, viewer())
        if paper.state is not PaperState.DRAFT or paper.composer_id != viewer().account_id:
            raise
        return paper


@blueprint.get("/<int:paper_id>/prints")
def prints(paper_id: int) -> Any:
    paper = printable(paper_id)
    return render_template("papers/prints.html", paper=paper, rows=prints_of(db(), paper), titles=TITLES, most=MOST_COPIES,
                           allowed=looks.may_look(db(), paper, viewer()), embargo=embargo.sentences(db(), [paper.id], now=now()))


@blueprint.post("/<int:paper_id>/prints")
def order_print(paper_id: int) -> Any:
    paper, what = printable(paper_id), request.form.get("what", "")
    looks.require(db(), paper, viewer())
    if what not in TITLES:
        raise Refused("no_print", "请选择要打印的内容。")
    if what == "key":
        embargo.require(db(), [paper.id], now=now())
    copies = whole_number(request.form.get("copies", ""), "份数", 1, MOST_COPIES) if what == "copies" else 0
    job = enqueue(db(), "papers.print", {"paper": paper.id, "what": what, "copies": copies,
                                         "items": request.form.get("items") == "1", "options": request.form.get("options") == "1"},
                  viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/prints/<int:print_id>")
def take_print(print_id: int) -> Any:
    row = db().get(PaperPrint, print_id) if 0 < print_id < 2**31 else None
    if row is None:
        raise NotFound
    printable(row.paper_id)
    content = take(db(), row, viewer(), settings().folder, now=now())
    return send_file(BytesIO(content), "application/zip", as_attachment=True, download_name=f"{row.title}_{row.id}.zip")
