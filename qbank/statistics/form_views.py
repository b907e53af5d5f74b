"""Doors: the report of one paper as page, workbook and PDF."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import abort, render_template, request, send_file

from qbank.kernel.access import fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for
from qbank.statistics import listing, verdicts
from qbank.statistics.bank_views import forms_of
from qbank.statistics.blueprint import SPREADSHEET, blueprint, chosen_bank, picture
from qbank.statistics.holds import require_released, shut
from qbank.statistics.models import FormStatistic
from qbank.statistics.reports import FormReport, form_report
from qbank.statistics.verdicts import Thresholds


@blueprint.get("/forms")
def forms() -> Any:
    chosen = chosen_bank(request.args.get("bank", ""))
    rows = forms_of(chosen) if chosen else []
    return render_template("statistics/forms.html", bank=chosen, rows=rows, shut=shut(db(), [row.paper_id for row in rows], now=now()),
                           minimum=chosen.limits.minimum if chosen else 0)


@blueprint.get("/forms/<int:form_id>")
def form(form_id: int) -> Any:
    from qbank.statistics.form_document import PLOTS, plot

    report, limits = _found(form_id)
    return render_template("statistics/form.html", report=report, form=report.form, run=report.run, limits=limits,
                           plots=[name for name in PLOTS if plot(report, name) is not None] if _enough(report, limits) else [],
                           suppressed=verdicts.suppressed, bank_value=f"{report.run.institution_id}:{report.run.table_id}",
                           flags_of=lambda row: verdicts.flags(listing.numbers_of(row), limits))


@blueprint.get("/forms/<int:form_id>/plot.svg")
def form_plot(form_id: int) -> Any:
    """One plot of the paper: ``show`` is distribution, information or expected."""
    from qbank.statistics.form_document import plot

    report, limits = _found(form_id)
    drawn = plot(report, request.args.get("show", "distribution")) if _enough(report, limits) else None
    if drawn is None:
        abort(404)
    return picture(drawn)


@blueprint.get("/forms/<int:form_id>.xlsx")
def form_workbook(form_id: int) -> Any:
    from qbank.statistics.form_document import form_document
    from qbank.statistics.reports_print import xlsx

    report, limits = _shown(form_id)
    return send_file(BytesIO(xlsx(form_document(report, limits))), SPREADSHEET, as_attachment=True,
                     download_name=f"试卷统计报告_{report.form.name}.xlsx")


@blueprint.get("/forms/<int:form_id>.pdf")
def form_pdf(form_id: int) -> Any:
    from qbank.statistics.form_document import form_document
    from qbank.statistics.reports_print import pdf

    report, limits = _shown(form_id)
    return send_file(BytesIO(pdf(form_document(report, limits), made_at=now())), "application/pdf",
                     download_name=f"试卷统计报告_{report.form.name}.pdf")


def _found(form_id: int) -> tuple[FormReport, Thresholds]:
    found = fetch(db(), FormStatistic, form_id, viewer())
    require_released(db(), found.paper_id, now=now())
    limits = Thresholds.of(pack_for(db(), db().get_one(Institution, found.run.institution_id)))
    return form_report(db(), found, limits.minimum), limits


def _enough(report: FormReport, limits: Thresholds) -> bool:
    return report.form.n >= limits.minimum


def _shown(form_id: int) -> tuple[FormReport, Thresholds]:
    report, limits = _found(form_id)
    if not _enough(report, limits):
        raise Refused("too_few", f"{verdicts.suppressed(report.form.n, limits.minimum)}，暂不能出具报告。考生增加后再来。")
    return report, limits
