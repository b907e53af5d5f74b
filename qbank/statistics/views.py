"""Doors: item statistics (试题统计): the list, the workbook, one item with its plots."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import abort, render_template, request, send_file

from qbank.items.models import ItemVersion
from qbank.items.review import require_key
from qbank.items.states import ItemKind
from qbank.kernel.access import fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.export import workbook
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for
from qbank.statistics import bank_views, form_views, item_page, listing, verdicts  # noqa: F401  # their doors
from qbank.statistics.blueprint import SPREADSHEET, blueprint, chosen_bank, picture
from qbank.statistics.models import ItemStatistic
from qbank.statistics.options import rows_of
from qbank.statistics.verdicts import Thresholds


@blueprint.get("/")
def index() -> Any:
    filters = listing.Filters.read(request.args)
    bank = chosen_bank(filters.bank)
    if bank is None:
        return render_template("statistics/index.html", bank=None)
    place = (bank.school.id, bank.table.id, bank.limits)
    rows, total, page, pages = paged(db(), listing.statistics(viewer(), filters, *place))
    return render_template("statistics/index.html", bank=bank, filters=filters, rows=rows, total=total, page=page, pages=pages,
                           minimum=bank.limits.minimum, sorts=listing.SORTS, kinds=ItemKind, flags=verdicts.Flag,
                           counts=listing.counts(db(), viewer(), filters, *place), suppressed=verdicts.suppressed,
                           flags_of=lambda row: verdicts.flags(listing.numbers_of(row), bank.limits))


@blueprint.get("/export")
def export() -> Any:
    filters = listing.Filters.read(request.args)
    bank = chosen_bank(filters.bank)
    tables = []
    if bank is not None:
        rows = db().scalars(listing.statistics(viewer(), filters, bank.school.id, bank.table.id, bank.limits)).all()
        notes = [bank.table.label, f"作答人数少于 {bank.limits.minimum} 的不列出统计值；收缩后的 p 由作答和专家估计合并得出。",
                 "难度 p＝答对率；题余相关＝与卷面其余部分的点二列相关；B 指数＝合格者与不合格者答对率之差。"]
        tables = [listing.as_table(rows, bank.limits, f"试题统计 {bank.school.name}", notes)]
    content = workbook(tables or [listing.as_table([], Thresholds(), "试题统计", [])])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"试题统计_{now():%Y%m%d}.xlsx")


@blueprint.get("/<int:version_id>")
def show(version_id: int) -> Any:
    version, row, limits = _found(version_id)
    numbers = listing.numbers_of(row) if row else None
    runs = item_page.history(db(), version)
    return render_template("statistics/show.html", version=version, row=row, limits=limits, numbers=numbers, runs=runs,
                           minimum=limits.minimum, verdicts=verdicts, options=rows_of(version, row) if row else [],
                           lines=item_page.lines(row, numbers, limits) if row and numbers else [],
                           points=item_page.points(runs, limits), cut=item_page.cut_of(db(), row) if row else None,
                           flags=verdicts.flags(numbers, limits) if numbers else [])


@blueprint.get("/<int:version_id>/plot.svg")
def plot(version_id: int) -> Any:
    """One plot of the item's current numbers: ``show`` is traces, curve, information or history."""
    from qbank.statistics import plots_item  # matplotlib takes a second to load, and most processes never draw

    version, row, limits = _found(version_id)
    name = request.args.get("show", "traces")
    if row is None or row.n < limits.minimum or name not in {"traces", "curve", "information", "history"}:
        abort(404)
    if name == "history":
        return picture(plots_item.history(item_page.points(item_page.history(db(), version), limits), limits.hard, limits.easy))
    if name == "traces":
        return picture(plots_item.traces(item_page.traces(version, row)))
    if row.a is None or row.b is None:
        abort(404)
    parameters, cut = (row.a, row.b, row.c or 0.0), item_page.cut_of(db(), row)
    if name == "information":
        return picture(plots_item.information(parameters, cut))
    observed = tuple((float(group[0]), float(group[1]), int(group[2])) for group in row.observed)
    return picture(plots_item.curve(parameters, (row.se_a, row.se_b), observed, cut))


def _found(version_id: int) -> tuple[ItemVersion, ItemStatistic | None, Thresholds]:
    version = fetch(db(), ItemVersion, version_id, viewer())
    require_key(db(), version, viewer())
    row = db().scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == version.id, ItemStatistic.current)).one_or_none()
    return version, row, Thresholds.of(pack_for(db(), db().get_one(Institution, version.item.institution_id)))
