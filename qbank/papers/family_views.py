"""Doors: composing a family of papers, what came of it, and why there is none."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from qbank.items.blueprint import SPREADSHEET
from qbank.kernel.access import fetch
from qbank.kernel.forms import whole_number
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.papers import listing
from qbank.papers.blueprint import blueprint
from qbank.papers.checking import title_named
from qbank.papers.forms import read_seed
from qbank.papers.models import PaperFamily, PaperState, Specification
from qbank.papers.questions import MOST_IN_POOL, settings_in
from qbank.papers.rules import KINDS_OF_RULES, LISTS, MODES
from qbank.papers.sealing import drafts_of
from qbank.papers.specification import KIND_NAMES
from qbank.papers.writing import task_book

MOST_LISTED = 30  # of a pool's papers on its page


@blueprint.post("/specifications/<int:specification_id>/assemble")
def assemble(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    seed = read_seed(request.form.get("seed", ""))
    forms = whole_number(request.form.get("forms", ""), "套数", 1, MOST_IN_POOL)
    job = enqueue(db(), "papers.assemble", {"specification": found.id, "seed": seed, "forms": forms}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/families/")
def families() -> Any:
    rows, total, page, pages = paged(db(), listing.families(viewer()))
    return render_template("papers/families.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/families/<int:family_id>")
def family(family_id: int) -> Any:
    found = fetch(db(), PaperFamily, family_id, viewer())
    papers = [paper for paper in found.papers if paper.state is not PaperState.DISCARDED]
    settings = settings_in(db(), found.specification)
    return render_template(
        "papers/family.html", found=found, papers=papers[:MOST_LISTED], total=len(papers), report=found.report, kinds=KIND_NAMES,
        drafts=sum(paper.state is PaperState.DRAFT for paper in papers), shut=[paper for paper in papers if paper.is_shut],
        mine=found.composer_id == viewer().account_id,
        explanation=found.report.get("explanation"), rule_title=title_named, rows=KINDS_OF_RULES, lists=LISTS, modes=MODES, settings=settings,
        names={place.path: place.name for place in found.specification.table.ranges})


@blueprint.post("/families/<int:family_id>/nearest")
def keep_nearest(family_id: int) -> Any:
    """Keep the paper that misses the demands least, as a draft that can never be sealed."""
    found = fetch(db(), PaperFamily, family_id, viewer())
    if found.composer_id != viewer().account_id or not found.report.get("explanation", {}).get("nearest") or found.papers:
        raise Refused("no_nearest", "这次组卷没有可以保留的最接近的试卷。")
    job = enqueue(db(), "papers.nearest", {"specification": found.specification_id, "seed": found.seed, "forms": found.forms},
                  viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/families/<int:family_id>/seal")
def seal_family(family_id: int) -> Any:
    """Seal every form of the call as one act, off the request."""
    found = fetch(db(), PaperFamily, family_id, viewer())
    drafts_of(found)
    job = enqueue(db(), "papers.seal_family", {"family": found.id}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/families/<int:family_id>/writing.xlsx")
def writing_task(family_id: int) -> Any:
    found = fetch(db(), PaperFamily, family_id, viewer())
    if not found.report.get("explanation", {}).get("short"):
        raise NotFound
    return send_file(BytesIO(task_book(db(), found)), SPREADSHEET, as_attachment=True, download_name=f"命题任务 {found.name}.xlsx")
