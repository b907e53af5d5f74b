"""The blueprint of item statistics, and what its doors share."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, Response

from qbank.items.bank import banks_for
from qbank.items.models import BANK_ROLES
from qbank.kernel.accounts import Institution
from qbank.kernel.web import db, viewer
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for
from qbank.statistics.models import StatisticRun
from qbank.statistics.verdicts import Thresholds

blueprint = Blueprint("statistics", __name__, url_prefix="/statistics")
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Bank:
    """The bank that a page is about, among those that this person may see."""

    school: Institution
    table: WeightTable
    banks: list[tuple[Institution, WeightTable]]
    limits: Thresholds

    @property
    def value(self) -> str:
        return f"{self.school.id}:{self.table.id}"


def chosen_bank(wanted: str) -> Bank | None:
    """The bank named ``"school:table"`` in the address, else the one that most candidates sat; None: there is none."""
    banks = banks_for(db(), viewer(), *BANK_ROLES)
    named = [(school, table) for school, table in banks if f"{school.id}:{table.id}" == wanted]
    sat = {(school_id, table_id): persons for school_id, table_id, persons in db().execute(
        sa.select(StatisticRun.institution_id, StatisticRun.table_id, sa.func.max(StatisticRun.persons))
        .group_by(StatisticRun.institution_id, StatisticRun.table_id))}
    for school, table in [*named, *sorted(banks, key=lambda bank: -sat.get((bank[0].id, bank[1].id), 0))]:
        return Bank(school, table, banks, Thresholds.of(pack_for(db(), school)))
    return None


def picture(content: bytes) -> Response:
    """A plot."""
    return Response(content, mimetype="image/svg+xml")
