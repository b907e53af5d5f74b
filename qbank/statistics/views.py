"""Doors: item statistics (试题统计)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template, request, send_file

from qbank.items.bank import banks_for
from qbank.items.models import BANK_ROLES, ItemKind, ItemVersion
from qbank.kernel.access import fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.export import workbook
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for
from qbank.statistics import listing, verdicts
from qbank.statistics.models import ItemStatistic
from qbank.statistics.options import rows_of

blueprint = Blueprint("statistics", __name__, url_prefix="/statistics")
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/")
def index() -> Any:
    filters, banks = listing.Filters.read(request.args), banks_for(db(), viewer(), *BANK_ROLES)
    chosen = _chosen(banks, filters)
    if chosen is None:
        return render_template("statistics/index.html", banks=[], table=None, rows=[])
    school, table = chosen
    minimum = pack_for(db(), school).statistics_minimum_n
    rows, total, page, pages = paged(db(), listing.statistics(viewer(), filters, school.id, table.id, minimum))
    return render_template("statistics/index.html", banks=banks, school=school, table=table, filters=filters, rows=rows,
                           total=total, page=page, pages=pages, minimum=minimum, sorts=listing.SORTS, kinds=ItemKind,
                           flags=verdicts.Flag, suppressed=verdicts.suppressed,
                           flags_of=lambda row: verdicts.flags(listing.numbers_of(row), minimum))


@blueprint.get("/export")
def export() -> Any:
    filters = listing.Filters.read(request.args)
    chosen = _chosen(banks_for(db(), viewer(), *BANK_ROLES), filters)
    tables = []
    if chosen is not None:
        school, table = chosen
        minimum = pack_for(db(), school).statistics_minimum_n
        rows = db().scalars(listing.statistics(viewer(), filters, school.id, table.id, minimum)).all()
        notes = [table.label, f"作答人数少于 {minimum} 的不列出统计值。",
                 "难度 p＝答对率；题余相关＝与卷面其余部分的点二列相关；B 指数＝合格者与不合格者答对率之差。"]
        tables = [listing.as_table(rows, minimum, f"试题统计 {school.name}", notes)]
    content = workbook(tables or [listing.as_table([], 0, "试题统计", [])])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"试题统计_{now():%Y%m%d}.xlsx")


@blueprint.get("/<int:version_id>")
def show(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    row = db().scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == version.id, ItemStatistic.current)).one_or_none()
    minimum = pack_for(db(), db().get_one(Institution, version.item.institution_id)).statistics_minimum_n
    numbers = listing.numbers_of(row) if row else None
    return render_template("statistics/show.html", version=version, row=row, minimum=minimum, numbers=numbers,
                           verdicts=verdicts, options=rows_of(version, row) if row else [],
                           flags=verdicts.flags(numbers, minimum) if numbers else [])


def _chosen(banks: list[tuple[Institution, WeightTable]],
            filters: listing.Filters) -> tuple[Institution, WeightTable] | None:
    """The bank in the address, else the first that this person may see; None: there is none."""
    named = [(school, table) for school, table in banks if f"{school.id}:{table.id}" == filters.bank]
    return next(iter([*named, *banks]), None)
