"""Responses of a sitting as plain arrays: right, omitted and not reached told apart; what statistics take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Answer, HandIn, Sheet, SheetState
from examroom.marking.models import TheoryScore
from examroom.marking.scoring import Keyed, earned
from examroom.plans.models import Sitting, SittingState
from qbank.papers.models import PaperItem
from qbank.standards.rulepack import PASS_HALF_POINTS
from qbank.statistics.records import Responses


@dataclass(frozen=True)
class Table:
    """Persons × items. ``right``: 1.0 or 0.0, NaN where not reached; ``choices``: canonical letters, "" for none;

    ``omitted``: seen and passed over; ``not_reached``: unanswered, and so is everything after it on that person's sheet.
    """

    right: npt.NDArray[np.float64]
    choices: npt.NDArray[np.object_]
    omitted: npt.NDArray[np.bool_]
    not_reached: npt.NDArray[np.bool_]


def tabulate(items: Sequence[Keyed], orders: Sequence[Sequence[int]], answers: Sequence[Mapping[int, str]]) -> Table:
    """The table of some persons: for each the paper numbers in the order shown, and the answers by paper number.

    A person who answered nothing at all did not stop anywhere: everything is omitted.
    """
    shape = (len(orders), len(items))
    right, choices = np.zeros(shape), np.full(shape, "", dtype=object)
    not_reached = np.zeros(shape, dtype=bool)
    for row, (order, given) in enumerate(zip(orders, answers, strict=True)):
        answered = [place for place, number in enumerate(order) if given.get(number)]
        beyond = set(order[answered[-1] + 1:]) if answered else set()
        for column, item in enumerate(items):
            choices[row, column] = given.get(item.number, "")
            not_reached[row, column] = item.number in beyond
            right[row, column] = np.nan if item.number in beyond else float(earned(item, choices[row, column]) > 0)
    return Table(right, choices, (choices == "") & ~not_reached, not_reached)


def keyed_items(session: Session, paper_id: int) -> list[PaperItem]:
    """The items of a paper with their versions, by number."""
    return list(session.scalars(sa.select(PaperItem).where(PaperItem.paper_id == paper_id).order_by(PaperItem.number)
                                .options(sa.orm.joinedload(PaperItem.version))))


def keyed(item: PaperItem) -> Keyed:
    return Keyed(item.number, item.version.kind, item.version.key, item.half_points)


def answers_of(session: Session, sitting: Sitting) -> dict[int, dict[int, str]]:
    """Sheet id → paper number → canonical letters, for a whole sitting in one query."""
    found: dict[int, dict[int, str]] = {}
    rows = session.execute(sa.select(Answer.sheet_id, Answer.number, Answer.answer).join(Sheet, Sheet.id == Answer.sheet_id)
                           .where(Sheet.sitting_id == sitting.id))
    for sheet_id, number, answer in rows:
        found.setdefault(sheet_id, {})[number] = answer
    return found


def responses_of(session: Session, sitting: Sitting) -> Responses | None:
    """What the sitting's candidates answered: without the absent and without voided scores. None when nobody is left."""
    if sitting.paper_id is None:
        return None
    rows = session.execute(sa.select(Sheet, TheoryScore).join(TheoryScore, TheoryScore.sheet_id == Sheet.id)
                           .where(Sheet.sitting_id == sitting.id, Sheet.state == SheetState.HANDED_IN,
                                  Sheet.handed_in_how != HandIn.ABSENT, TheoryScore.void.is_(False))
                           .order_by(Sheet.id)).all()
    if not rows:
        return None
    items = keyed_items(session, sitting.paper_id)
    given = answers_of(session, sitting)
    table = tabulate([keyed(item) for item in items], [[entry["number"] for entry in sheet.layout] for sheet, _ in rows],
                     [given.get(sheet.id, {}) for sheet, _ in rows])
    passed = np.array([score.half_points >= PASS_HALF_POINTS for _, score in rows])
    return Responses([item.version_id for item in items], table.right, table.choices, passed, sitting.id)


def sittings_with(session: Session, sitting: Sitting) -> list[Sitting]:
    """All marked sittings whose papers share an item version with this one's, itself included."""
    mine = sa.select(PaperItem.version_id).where(PaperItem.paper_id == sitting.paper_id)
    papers = sa.select(PaperItem.paper_id).where(PaperItem.version_id.in_(mine))
    return list(session.scalars(sa.select(Sitting).where(Sitting.state == SittingState.MARKED,
                                                         Sitting.paper_id.in_(papers)).order_by(Sitting.id)))
