"""Doors: the compliance sheet on paper and as a workbook."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import render_template, send_file

from qbank.kernel.access import fetch
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.export import workbook
from qbank.kernel.web import db, now, viewer
from qbank.papers.blueprint import blueprint
from qbank.papers.models import Paper
from qbank.papers.specification import KIND_NAMES
from qbank.papers.workbooks import compliance_tables

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/<int:paper_id>/compliance")
def compliance(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    return render_template("papers/compliance.html", paper=paper, sheet=paper.compliance, kinds=KIND_NAMES, at=now(),
                           school=db().get_one(Institution, paper.institution_id),
                           sealer=db().get(Account, paper.sealed_by) if paper.sealed_by else None)


@blueprint.get("/<int:paper_id>/compliance.xlsx")
def compliance_workbook(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    content = workbook(compliance_tables(paper))
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"组卷合规性报告_{paper.id}.xlsx")
