"""Doors: statistics of a region for its centres."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import abort, render_template, request, send_file

from examroom.oversight.kinds import InspectionKind, Severity
from qbank.kernel.export import workbook
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, viewer
from qbank.statistics.blueprint import picture
from qbank.statistics.reports_print import pdf, tables_of
from scoring.reports import region, region_document
from scoring.reports.blueprint import MEDIA, blueprint
from scoring.reports.region import Line, Wish


@blueprint.get("/region", endpoint="region")
def overview() -> Any:
    """Schools, plans, candidates, pass rates, inspections and findings of a year."""
    wish, lines, whole, cities = _gathered()
    return render_template("reports/region.html", wish=wish, lines=lines, whole=whole, cities=cities if len(cities) > 1 else [],
                           years=region.years(db(), viewer(), local_date(now())), regions=sorted({one.region[:4] for one in region.schools(db(), viewer())}),
                           kinds=InspectionKind, severities=Severity, outlying=region_document.outlying_words(lines, whole),
                           coverage=region_document.coverage_words(whole))


@blueprint.get("/region.svg")
def region_picture() -> Any:
    """``show``: rates of schools, rates of cities, or findings."""
    _, lines, whole, cities = _gathered()
    drawn = {"rates": lambda: region_document.rates_picture(lines, whole), "cities": lambda: region_document.rates_picture(cities, whole),
             "findings": lambda: region_document.findings_picture(lines)}.get(request.args.get("show", "rates"))
    return picture(drawn()) if drawn else abort(404)


@blueprint.get("/region/file")
def region_file() -> Any:
    """As PDF or Excel (``form``)."""
    wish, lines, whole, cities = _gathered()
    form = request.args.get("form", "xlsx")
    if form not in {"pdf", "xlsx"}:
        abort(404)
    document = region_document.region_document(wish, lines, cities, whole)
    content = pdf(document, made_at=now()) if form == "pdf" else workbook(tables_of(document), made_at=now())
    return send_file(BytesIO(content), MEDIA[form], as_attachment=True, download_name=f"区域统计_{wish.year}.{form}")


def _gathered() -> tuple[Wish, list[Line], Line, list[Line]]:
    today = local_date(now())
    wish = Wish.read(request.args, today)
    lines = region.lines(db(), wish, viewer(), today=today)
    return wish, lines, region.total(lines, "全体"), region.by_city(db(), lines)
