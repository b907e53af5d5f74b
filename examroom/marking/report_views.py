"""Doors: the report of one sitting, for the school's exam officers and the plan's supervisors."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import abort, redirect, render_template, send_file, url_for

from examroom.marking import cases, desk, sitting_report
from examroom.marking.blueprint import blueprint
from examroom.marking.case_models import KeyCheck
from examroom.marking.models import SittingReport
from examroom.marking.sitting_report import SittingPage
from examroom.marking.work import STATISTICS
from examroom.plans.models import Sitting
from qbank.kernel.access import fetch, visible
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from qbank.statistics.blueprint import SPREADSHEET, picture


def alarm(sitting: Sitting) -> dict[str, Any] | None:
    """What the score page says before anything is published; None: no report, or not for this person."""
    report = db().scalars(visible(SittingReport, viewer()).where(SittingReport.sitting_id == sitting.id)).one_or_none()
    if report is None:
        return None
    found = report.found
    return {"keys": found["keys"], "pairs": len(found["similarity"]["rows"]), "fast": len(found["times"]["rows"]),
            "leaks": len(found["leaks"]["rows"]), "dif": sum(len(group["rows"]) for group in found["dif"])}


@blueprint.get("/sittings/<int:sitting_id>/report")
def report(sitting_id: int) -> Any:
    page = _found(sitting_id)
    sitting = page.report.sitting
    checks = db().scalars(sa.select(KeyCheck).where(KeyCheck.sitting_id == sitting.id)).all()
    return render_template("marking/report.html", page=page, report=page.report, sitting=sitting, found=page.found, words=sitting_report,
                           checks={check.version_id: check for check in checks}, waiting={one["version"] for one in cases.suspects(db(), sitting)})


@blueprint.get("/sittings/<int:sitting_id>/report/distribution.svg")
def report_plot(sitting_id: int) -> Any:
    from qbank.statistics import plots_form
    from qbank.statistics.reports import PASSING

    page = _found(sitting_id)
    if page.report.n < page.minimum:
        abort(404)
    return picture(plots_form.distribution(tuple(page.found["distribution"]), PASSING))


@blueprint.get("/sittings/<int:sitting_id>/report.xlsx")
def report_workbook(sitting_id: int) -> Any:
    from qbank.statistics.reports_print import xlsx

    page = _found(sitting_id)
    return send_file(BytesIO(xlsx(sitting_report.document(page))), SPREADSHEET, as_attachment=True,
                     download_name=f"场次统计报告_{page.report.sitting.name}.xlsx")


@blueprint.get("/sittings/<int:sitting_id>/report.pdf")
def report_pdf(sitting_id: int) -> Any:
    from qbank.statistics.reports_print import pdf

    page = _found(sitting_id)
    return send_file(BytesIO(pdf(sitting_report.document(page), made_at=now())), "application/pdf",
                     download_name=f"场次统计报告_{page.report.sitting.name}.pdf")


@blueprint.post("/sittings/<int:sitting_id>/report")
def recompute(sitting_id: int) -> Any:
    """The statistics of the paper's bank and this sitting's report once more, in the background."""
    found = fetch(db(), Sitting, sitting_id, viewer())
    desk.require_released(db(), found, now=now())
    if found.paper is None:
        raise Refused("no_paper", "本场次没有试卷，不能计算统计。")
    job = enqueue(db(), STATISTICS, {
        "institution": found.paper.institution_id, "table": found.paper.specification.table_id, "sitting": found.id,
        "occasion": f"{viewer().name}要求重新计算", "result": url_for("marking.report", sitting_id=found.id),
        "nothing": url_for("marking.sitting", sitting_id=found.id)}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


def _found(sitting_id: int) -> SittingPage:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    found = db().scalars(visible(SittingReport, viewer()).where(SittingReport.sitting_id == sitting.id)).one_or_none()
    if found is None:
        abort(404)
    desk.require_released(db(), sitting, now=now())
    minimum = pack_for(db(), sitting.plan.institution).statistics_minimum_n
    return sitting_report.page_of(db(), found, viewer(), minimum)
