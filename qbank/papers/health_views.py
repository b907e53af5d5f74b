"""Doors: the health of a bank as a page and as a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any

from flask import render_template, request, send_file

from qbank.items.bank import banks_for
from qbank.items.models import BANK_ROLES
from qbank.items.states import ItemState
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, viewer
from qbank.papers.bank_health import Forecast, backlog, bank_forecast, bank_health, limits_of
from qbank.papers.blueprint import blueprint
from qbank.papers.forecast import Asked
from qbank.papers.forms import PRESETS
from qbank.papers.health_workbook import health_workbook
from qbank.papers.specification import FORMS, KIND_NAMES
from qbank.standards.models import WeightTable

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/health")
def health() -> Any:
    banks = banks_for(db(), viewer(), *BANK_ROLES)
    chosen = _chosen(banks)
    if chosen is None:
        return render_template("papers/health.html", chosen=None, banks=[])
    school, table = chosen
    asked, form, unused, problem = _asked(request.args)
    try:
        coming = bank_forecast(db(), table, school, asked, form, unused)
    except Refused as refusal:  # a table without weights
        coming, problem = Forecast(asked, form, unused, ()), refusal.sentence
    return render_template(
        "papers/health.html", chosen=chosen, banks=banks, found=bank_health(db(), table, school, now=now()), states=ItemState,
        backlog=backlog(db(), table, school, now=now()), limits=limits_of(db(), school), coming=coming, problem=problem,
        presets={name: PRESETS[name] for name in FORMS}, kinds=KIND_NAMES, shade=shade, at=now(),
        stale_since=_years_before(local_date(now()), limits_of(db(), school).stale_years),
        names={leaf.path: leaf.name for leaf in table.ranges})


@blueprint.get("/health/workbook")
def health_book() -> Any:
    chosen = _chosen(banks_for(db(), viewer(), *BANK_ROLES))
    if chosen is None:
        raise Refused("no_bank", "没有您可以查看的题库。")
    school, table = chosen
    asked, form, unused, _ = _asked(request.args)
    content = health_workbook(bank_health(db(), table, school, now=now()), limits_of(db(), school),
                              bank_forecast(db(), table, school, asked, form, unused), f"{school.name} {table.label}",
                              {leaf.path: leaf.name for leaf in table.ranges}, now())
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"题库健康_{now():%Y%m%d}.xlsx")


def shade(items: int, asked: int) -> str:
    """The class of a cell of the map: none, too few, enough, plenty. Colour, border and the number itself tell it."""
    if not items:
        return "none"
    return "few" if items < asked else "enough" if items < 2 * asked else "plenty"


def _years_before(day: date, years: int) -> date:
    """The same day ``years`` earlier; the 28th for a 29th of February that there was not."""
    return day.replace(year=day.year - years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _chosen(banks: list[tuple[Institution, WeightTable]]) -> tuple[Institution, WeightTable] | None:
    wanted, school_id = request.args.get("table", ""), request.args.get("school", "")
    found = [(school, table) for school, table in banks
             if str(table.id) == wanted and school_id in {"", str(school.id)}]
    return next(iter(found or banks), None)


def _asked(args: Mapping[str, str]) -> tuple[Asked, str, bool, str]:
    """What the forecast is for, as the address says; what cannot be read is told and replaced."""
    form = args.get("form", "")
    form, unused = form if form in FORMS else next(iter(FORMS)), args.get("unused") == "1"
    try:
        return Asked(whole_number(args.get("sittings", "4"), "场次", 1, 200), whole_number(args.get("forms", "3"), "每场套数", 1, 20),
                     whole_number(args.get("repeat", "30"), "重复率", 0, 100)), form, unused, ""
    except Refused as refusal:
        return Asked(), form, unused, refusal.sentence
