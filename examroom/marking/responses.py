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
from qbank.papers.models import Paper, PaperItem, Specification
from qbank.standards.rulepack import PASS_HALF_POINTS
from qbank.statistics.bank_analysis import SatPaper
from qbank.statistics.responses import NOT_REACHED, OMITTED


@dataclass(frozen=True)
class Table:
    """Persons × items. ``codes``: 1 right, 0 wrong, OMITTED seen and passed over, NOT_REACHED unanswered as is everything
    after it on that person's sheet; ``choices``: canonical letters, "" for none.
    """

    codes: npt.NDArray[np.int8]
    choices: npt.NDArray[np.object_]


def tabulate(items: Sequence[Keyed], orders: Sequence[Sequence[int]], answers: Sequence[Mapping[int, str]]) -> Table:
    """The table of some persons: for each the paper numbers in the order shown, and the answers by paper number.

    A person who answered nothing at all did not stop anywhere: everything is omitted.
    """
    shape = (len(orders), len(items))
    codes, choices = np.zeros(shape, dtype=np.int8), np.full(shape, "", dtype=object)
    for row, (order, given) in enumerate(zip(orders, answers, strict=True)):
        answered = [place for place, number in enumerate(order) if given.get(number)]
        beyond = set(order[answered[-1] + 1:]) if answered else set()
        for column, item in enumerate(items):
            answer = choices[row, column] = given.get(item.number, "")
            codes[row, column] = (NOT_REACHED if item.number in beyond else OMITTED if not answer
                                  else int(earned(item, answer) == item.half_points))
    return Table(codes, choices)


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


def responses_of(session: Session, sitting: Sitting) -> SatPaper | None:
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
    paper = session.get_one(Paper, sitting.paper_id)
    return SatPaper(paper.id, paper.name, sitting.id, tuple(item.version_id for item in items),
                    tuple(item.version.key for item in items), tuple(item.half_points for item in items), table.codes,
                    table.choices, passed)


def sittings_of(session: Session, institution_id: int, table_id: int) -> list[Sitting]:
    """All marked sittings of one bank's papers."""
    papers = sa.select(Paper.id).join(Paper.specification).where(Paper.institution_id == institution_id,
                                                                 Specification.table_id == table_id)
    return list(session.scalars(sa.select(Sitting).where(Sitting.state == SittingState.MARKED,
                                                         Sitting.paper_id.in_(papers)).order_by(Sitting.id)))
