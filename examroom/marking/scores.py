"""Scores of a sitting for the officer's pages: the list, its distribution, one marked sheet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.content import JUDGE_TEXTS, html_of
from examroom.delivery.models import Sheet
from examroom.marking import scoring
from examroom.marking.keys import form_of, keyed
from examroom.marking.models import TheoryScore
from examroom.marking.written_models import Script
from examroom.plans.models import Enrolment, Sitting
from qbank.items.states import ItemKind
from qbank.kernel.accounts import Account
from qbank.standards.rulepack import PASS_HALF_POINTS

EDGES = (0, 80, 100, PASS_HALF_POINTS, 140, 160, 180, 201)  # half-points; the last one is beyond full marks
ORDERS: dict[str, Any] = {"ticket": Enrolment.ticket_number, "name": Account.name, "class": Enrolment.class_name,
                          "score": TheoryScore.half_points}


@dataclass(frozen=True)
class Band:
    """So many candidates from ``low`` to ``high`` half-points, both included."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class MarkedItem:
    """One item of a marked sheet. ``shown``: the number the candidate saw; letters are canonical."""

    shown: int
    number: int
    kind: str
    material: Markup  # empty: the item stands alone, or the row above shows the same
    stem: Markup
    options: dict[str, Markup]
    answer: str
    key: str
    earned: int
    half_points: int
    verdict: str


def listing(sitting: Sitting, search: str, order: str, descending: bool) -> sa.Select[Sheet, TheoryScore | None]:
    """Sheets with their scores (none for the absent), searched by name or ticket number, sorted."""
    query = (sa.select(Sheet, TheoryScore).join(Sheet.enrolment).join(Enrolment.candidate)
             .outerjoin(TheoryScore, TheoryScore.sheet_id == Sheet.id).where(Sheet.sitting_id == sitting.id))
    if search:
        query = query.where(sa.or_(Account.name.contains(search, autoescape=True),
                                   Enrolment.ticket_number.contains(search, autoescape=True)))
    column = ORDERS.get(order, Enrolment.ticket_number)
    if order == "score":  # both databases put the absent last
        query = query.order_by(TheoryScore.half_points.is_(None))
    return query.order_by(column.desc() if descending else column, Enrolment.ticket_number)


def distribution(session: Session, sitting: Sitting) -> list[Band]:
    """How many scored in each band; voided scores are left out."""
    points = session.scalars(sa.select(TheoryScore.half_points).join(TheoryScore.sheet)
                             .where(Sheet.sitting_id == sitting.id, TheoryScore.void.is_(False))).all()
    return [Band(low, high - 1, sum(low <= point < high for point in points)) for low, high in pairwise(EDGES)]


def marked_items(session: Session, score: TheoryScore) -> list[MarkedItem]:
    """The sheet item by item in the order the candidate saw."""
    sheet = score.sheet
    form = form_of(session, sheet.paper)
    items = {item.number: item for item in form.items}
    given = sheets.answers(session, sheet)
    html = html_of(session, sheet.paper.institution_id, [item.version for item in items.values()])
    rows = session.execute(sa.select(Script.number, Script.how).where(Script.sheet_id == sheet.id))
    how = {number: settled.chinese for number, settled in rows if settled is not None}
    found: list[MarkedItem] = []
    above = None
    for shown, entry in enumerate(sheet.layout, 1):
        item = items[entry["number"]]
        answer = given[item.number].answer if item.number in given else ""
        texts = {option.letter: option.text for option in item.version.options} or (
            JUDGE_TEXTS if item.version.kind is ItemKind.JUDGE else {})
        stimulus = item.version.stimulus
        material = html(stimulus.text) if stimulus and stimulus.id != above else Markup("")
        above = item.version.stimulus_id
        found.append(MarkedItem(shown, item.number, item.version.kind.chinese, material, html(item.version.stem),
                                {letter: html(text) for letter, text in texts.items()}, answer,
                                item.version.key, score.earned[str(item.number)], item.half_points,
                                how[item.number] if item.number in how and item.number not in form.rulings
                                else scoring.verdict(keyed(item), answer, form.rulings.get(item.number))))
    return found
