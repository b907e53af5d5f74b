"""Doors: the compliance sheet of a form and of a family as page, PDF and workbook, and its plots. It names no item."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from flask import Response, render_template, request, send_file
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.web import db, now, viewer
from qbank.papers.blueprint import blueprint
from qbank.papers.compliance_document import PLOTS, family_document, paper_document, plot
from qbank.papers.curves import Curves, curves_of
from qbank.papers.models import Paper, PaperFamily, PaperState
from qbank.papers.sealing import together
from qbank.papers.specification import KIND_NAMES
from qbank.statistics.reports_print import Document, pdf, xlsx

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def curves_by_form(papers: Sequence[Paper]) -> dict[str, Curves]:
    return {paper.form: found for paper in papers if paper.state is not PaperState.DISCARDED and (found := curves_of(db(), paper))}


def _made_with(paper: Paper) -> list[Paper]:
    """The forms of the same call that are still in use; of a discarded paper only itself."""
    return [one for one in together(db(), paper) if one.state is not PaperState.DISCARDED] or [paper]


def _family(family_id: int) -> tuple[PaperFamily, list[Paper]]:
    family = fetch(db(), PaperFamily, family_id, viewer())
    papers = [paper for paper in family.papers if paper.state is not PaperState.DISCARDED]
    if not papers:
        raise NotFound
    return family, papers


def _pdf(document: Document, name: str) -> Any:
    return send_file(BytesIO(pdf(document, made_at=now())), "application/pdf", download_name=f"{name}.pdf")


def _workbook(document: Document, name: str) -> Any:
    return send_file(BytesIO(xlsx(document)), SPREADSHEET, as_attachment=True, download_name=f"{name}.xlsx")


def _drawn(papers: Sequence[Paper], name: str) -> Any:
    picture = plot(papers, curves_by_form(papers), name) if name in PLOTS else None
    if picture is None:
        raise NotFound
    return Response(picture, mimetype="image/svg+xml")


@blueprint.get("/<int:paper_id>/compliance")
def compliance(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    return render_template("papers/compliance.html", paper=paper, sheet=paper.compliance, kinds=KIND_NAMES, at=now(),
                           school=db().get_one(Institution, paper.institution_id), forms=len(_made_with(paper)),
                           sealer=db().get(Account, paper.sealed_by) if paper.sealed_by else None)


@blueprint.get("/<int:paper_id>/compliance.xlsx")
def compliance_workbook(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    return _workbook(paper_document(paper, curves_by_form(_made_with(paper))), f"组卷合规性报告_{paper.id}")


@blueprint.get("/<int:paper_id>/compliance.pdf")
def compliance_pdf(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    return _pdf(paper_document(paper, curves_by_form(_made_with(paper))), f"组卷合规性报告_{paper.id}")


@blueprint.get("/<int:paper_id>/plot.svg")
def paper_plot(paper_id: int) -> Any:
    """Of all forms made with this one, over each other; ``show`` is one of PLOTS."""
    return _drawn(_made_with(fetch(db(), Paper, paper_id, viewer())), request.args.get("show", PLOTS[0]))


@blueprint.get("/families/<int:family_id>/compliance.xlsx")
def family_workbook(family_id: int) -> Any:
    family, papers = _family(family_id)
    return _workbook(family_document(family, papers, curves_by_form(papers)), f"组卷合规性报告_批次{family.id}")


@blueprint.get("/families/<int:family_id>/compliance.pdf")
def family_pdf(family_id: int) -> Any:
    family, papers = _family(family_id)
    return _pdf(family_document(family, papers, curves_by_form(papers)), f"组卷合规性报告_批次{family.id}")


@blueprint.get("/families/<int:family_id>/plot.svg")
def family_plot(family_id: int) -> Any:
    return _drawn(_family(family_id)[1], request.args.get("show", PLOTS[0]))
