"""The blueprint of item statistics, and what its doors share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from qbank.items.bank import banks_for
from qbank.items.models import BANK_ROLES
from qbank.kernel.accounts import Institution
from qbank.kernel.web import db, viewer
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for
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
    """The bank named ``"school:table"`` in the address, else the first that this person may see; None: there is none."""
    banks = banks_for(db(), viewer(), *BANK_ROLES)
    named = [(school, table) for school, table in banks if f"{school.id}:{table.id}" == wanted]
    for school, table in [*named, *banks]:
        return Bank(school, table, banks, Thresholds.of(pack_for(db(), school)))
    return None


def picture(content: bytes) -> Response:
    """A plot."""
    return Response(content, mimetype="image/svg+xml")
