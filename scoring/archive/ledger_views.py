"""Doors: the work ledger (工作台账): all batches, the steps of one, both searched, exported and printed."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Response, render_template, request, send_file

from examroom.plans.models import ExamPlan
from qbank.kernel.access import fetch, visible
from qbank.kernel.export import workbook
from qbank.kernel.times import local
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES
from qbank.statistics.reports_print import pdf, tables_of
from scoring.archive import ledger
from scoring.archive.blueprint import blueprint
from scoring.archive.ledger import Asked, Standing
from scoring.archive.models import ArchiveAccess, ArchivePack, Destruction
from scoring.archive.steps import PHASES, steps_of

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _asked() -> Asked:
    """What the address asks for; what cannot be read asks for nothing."""
    year, level = request.args.get("year", type=int), request.args.get("level", type=int)
    standing = request.args.get("standing", "")
    return Asked(request.args.get("q", "")[:100], year if year and 2000 <= year <= 2100 else None,
                 level if level in LEVEL_NAMES else None, Standing(standing) if standing in set(Standing) else None)


def _sought() -> tuple[str, str]:
    phase = request.args.get("phase", "")
    return phase if phase in PHASES else "", request.args.get("q", "")[:100]


@blueprint.get("/ledger")
def batches() -> Any:
    asked = _asked()
    plans, total, page, pages = paged(db(), ledger.query(viewer(), asked))
    years = db().scalars(sa.select(sa.extract("year", ExamPlan.starts_on)).where(ExamPlan.visible_to(viewer())).distinct()).all()
    return render_template("archive/batches.html", lines=ledger.batches(db(), plans), total=total, page=page, pages=pages, asked=asked,
                           years=sorted({int(year) for year in years}, reverse=True), standings=Standing,
                           args={name: value for name, value in request.args.items() if name != "page"})


@blueprint.get("/ledger.xlsx")
def ledger_book() -> Response:
    content = ledger.book(db(), viewer(), _asked(), now=now())
    return send_file(BytesIO(content), EXCEL, as_attachment=True, download_name=f"工作台账_{local(now()):%Y%m%d}.xlsx")


@blueprint.get("/plans/<int:plan_id>/ledger")
def batch(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    phase, words = _sought()
    return render_template("archive/batch.html", plan=plan, steps=steps_of(db(), plan, phase=phase, words=words), phases=PHASES,
                           phase=phase, words=words, line=ledger.batches(db(), [plan])[0])


@blueprint.get("/plans/<int:plan_id>/ledger.pdf")
def batch_pdf(plan_id: int) -> Response:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    phase, words = _sought()
    document = ledger.document(db(), plan, phase=phase, words=words)
    return send_file(BytesIO(pdf(document, made_at=now())), "application/pdf", download_name=f"工作台账_{plan.number}.pdf")


@blueprint.get("/plans/<int:plan_id>/ledger.xlsx")
def batch_book(plan_id: int) -> Response:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    phase, words = _sought()
    document = ledger.document(db(), plan, phase=phase, words=words)
    return send_file(BytesIO(workbook(tables_of(document), made_at=now())), EXCEL, as_attachment=True,
                     download_name=f"工作台账_{plan.number}.xlsx")


@blueprint.get("/accesses")
def accesses() -> Any:
    """保密查阅登记: who took what out of which pack, and what was destroyed."""
    rows, total, page, pages = paged(db(), visible(ArchiveAccess, viewer()).order_by(ArchiveAccess.id.desc()))
    gone = db().scalars(visible(Destruction, viewer()).join(ArchivePack).order_by(Destruction.id.desc()).limit(200)).all()
    return render_template("archive/accesses.html", rows=rows, total=total, page=page, pages=pages, destructions=gone)
