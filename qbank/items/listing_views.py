"""Doors: the bank's list, and the list as a workbook."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import render_template, request, send_file

from qbank.items import bank, listing
from qbank.items.blueprint import SPREADSHEET, blueprint
from qbank.items.filters import DIFFICULTIES, PAIR_STATES, Filters
from qbank.items.models import BANK_ROLES
from qbank.items.states import ItemKind, ItemState, Purpose
from qbank.items.tree import tree_of
from qbank.items.words import plain_text
from qbank.kernel.access import Role
from qbank.kernel.export import workbook
from qbank.kernel.web import db, now, viewer
from qbank.standards.models import Importance, Range

ALL_AT_ONCE = 20_000  # rows of one workbook; more is filtered first, or taken from the exchange room


@blueprint.get("/")
def index() -> Any:
    filters = Filters.read(request.args)
    tables = list({table.id: table for _, table in bank.banks_for(db(), viewer(), *BANK_ROLES)}.values())
    if filters.table_id is None and len(tables) == 1:
        filters = dataclasses.replace(filters, table_id=tables[0].id)
    ranges = db().scalars(sa.select(Range).where(Range.table_id == (filters.table_id or 0)).order_by(Range.path)).all()
    if filters.range_path and filters.range_path not in {range.path for range in ranges}:
        filters = dataclasses.replace(filters, range_path="")  # chosen while another bank was shown
    tally = listing.tally(db(), viewer(), filters)
    shown = listing.page(db(), viewer(), filters, request.args)
    return render_template("items/index.html", shown=shown, total=tally.total(filters.state), filters=filters, tables=tables,
                           tree=tree_of(ranges, tally.ranges, filters.range_path), counts=tally.states, kinds=ItemKind,
                           all_here=sum(tally.ranges.values()), states=ItemState, importances=Importance, purposes=Purpose,
                           difficulties=DIFFICULTIES, pair_states=PAIR_STATES, plain=plain_text,
                           acts=viewer().has(Role.ITEM_AUTHOR, Role.ITEM_REVIEWER))


@blueprint.get("/export")
def export() -> Any:
    query = listing.versions(viewer(), Filters.read(request.args)).limit(ALL_AT_ONCE)
    content = workbook([listing.as_table(db(), query, viewer())])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"题库_{now():%Y%m%d}.xlsx")
