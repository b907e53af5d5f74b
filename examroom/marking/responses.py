"""Responses of a sitting as plain arrays: right, omitted, not reached and not presented told apart; what statistics take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Answer, AnswerEvent, HandIn, Sheet, SheetState
from examroom.marking import written
from examroom.marking.keys import Form, effective_key, forms_of
from examroom.marking.models import TheoryScore
from examroom.marking.scoring import Keyed, Ruling, right
from examroom.plans.models import Sitting, SittingPaper, SittingState
from qbank.items.draft import WRITTEN
from qbank.papers.models import Paper, PaperItem, Specification
from qbank.standards.rulepack import PASS_HALF_POINTS
from qbank.statistics.bank_analysis import SatPaper
from qbank.statistics.responses import NOT_PRESENTED, NOT_REACHED, OMITTED

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Persons × items. ``codes``: 1 right, 0 wrong, OMITTED seen and passed over, NOT_REACHED unanswered as is everything
    after it on that person's sheet; ``choices``: canonical letters, "" for none.
    """

    codes: npt.NDArray[np.int8]
    choices: npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class SittingResponses:
    """All forms of one sitting over all items that stood on any of them.

    ``codes`` (persons, versions) int8: 1 right, 0 wrong, of a written item its half-points, and the codes of
    ``qbank.statistics.responses``, NOT_PRESENTED for what was not on the person's form; ``steps`` (versions,) the highest
    code of each; ``choices`` like codes, what was answered; ``seconds`` like codes, from one saved answer to the next,
    NaN unknown; ``forms`` (persons,) the paper that each sat; ``sheets`` (persons,).
    """

    codes: npt.NDArray[np.int8]
    choices: npt.NDArray[np.object_]
    seconds: Floats
    forms: npt.NDArray[np.int64]
    sheets: tuple[int, ...]
    versions: tuple[int, ...]
    steps: tuple[int, ...]


def tabulate(items: Sequence[Keyed], orders: Sequence[Sequence[int]], answers: Sequence[Mapping[int, str]],
             rulings: Mapping[int, Ruling] | None = None) -> Table:
    """The table of some persons: for each the paper numbers in the order shown, and the answers by paper number.

    A person who answered nothing at all did not stop anywhere: everything is omitted.
    """
    shape, ruled = (len(orders), len(items)), rulings or {}
    codes, choices = np.zeros(shape, dtype=np.int8), np.full(shape, "", dtype=object)
    for row, (order, given) in enumerate(zip(orders, answers, strict=True)):
        answered = [place for place, number in enumerate(order) if given.get(number)]
        beyond = set(order[answered[-1] + 1:]) if answered else set()
        for column, item in enumerate(items):
            answer = choices[row, column] = given.get(item.number, "")
            codes[row, column] = (NOT_REACHED if item.number in beyond else OMITTED if not answer
                                  else int(right(item, answer, ruled.get(item.number))))
    return Table(codes, choices)


def answers_of(session: Session, sitting: Sitting) -> dict[int, dict[int, str]]:
    """Sheet id → paper number → canonical letters or text, for a whole sitting in one query."""
    found: dict[int, dict[int, str]] = {}
    rows = session.execute(sa.select(Answer.sheet_id, Answer.number, Answer.answer).join(Sheet, Sheet.id == Answer.sheet_id)
                           .where(Sheet.sitting_id == sitting.id))
    for sheet_id, number, answer in rows:
        found.setdefault(sheet_id, {})[number] = answer
    return found


def counted(item: PaperItem, form: Form) -> bool:
    """Whether the statistics of right and wrong take the item: not what people mark, nor what was taken out of scoring."""
    ruling = form.rulings.get(item.number)
    return item.version.kind.value not in WRITTEN and not (ruling is not None and (ruling.removed or ruling.full_marks))


def sat(session: Session, sitting: Sitting) -> list[tuple[Sheet, TheoryScore]]:
    """Who sat, with their scores: without the absent and without voided scores."""
    rows = session.execute(sa.select(Sheet, TheoryScore).join(TheoryScore, TheoryScore.sheet_id == Sheet.id)
                           .where(Sheet.sitting_id == sitting.id, Sheet.state == SheetState.HANDED_IN,
                                  Sheet.handed_in_how != HandIn.ABSENT, TheoryScore.void.is_(False)).order_by(Sheet.id))
    return [(sheet, score) for sheet, score in rows]


def responses_of(session: Session, sitting: Sitting) -> list[SatPaper]:
    """What the sitting's candidates answered to items that are right or wrong, a part for each form that was sat."""
    rows, given, parts = sat(session, sitting), answers_of(session, sitting), []
    for form in forms_of(session, sitting).values():
        mine = [(sheet, score) for sheet, score in rows if sheet.paper_id == form.paper.id]
        items = [item for item in form.items if counted(item, form)]
        if not mine or not items:
            continue
        numbers = {item.number for item in items}
        keyed = [one for one in form.keyed if one.number in numbers]
        table = tabulate(keyed, [[entry["number"] for entry in sheet.layout] for sheet, _ in mine],
                         [given.get(sheet.id, {}) for sheet, _ in mine], form.rulings)
        passed = np.array([score.half_points >= PASS_HALF_POINTS for _, score in mine])
        parts.append(SatPaper(form.paper.id, form.paper.name, sitting.id, tuple(item.version_id for item in items),
                              tuple(effective_key(item.version, form.rulings.get(item.number)) for item in items),
                              tuple(item.half_points for item in items), table.codes, table.choices, passed))
    return parts


def all_responses(session: Session, sitting: Sitting) -> SittingResponses:
    """Everything that was answered in a marked sitting, with written items in steps and with times, for any analysis."""
    rows, given, people = sat(session, sitting), answers_of(session, sitting), written.marks_of(session, sitting)
    forms = forms_of(session, sitting)
    versions = sorted({item.version_id for form in forms.values() for item in form.items})
    column = {version: at for at, version in enumerate(versions)}
    steps = {item.version_id: item.half_points if item.version.kind.value in WRITTEN else 1
             for form in forms.values() for item in form.items}
    shape = (len(rows), len(versions))
    codes, choices = np.full(shape, NOT_PRESENTED, dtype=np.int8), np.full(shape, "", dtype=object)
    seconds, times = np.full(shape, np.nan), seconds_of_sitting(session, sitting, [sheet for sheet, _ in rows])
    for row, (sheet, _) in enumerate(rows):
        form = forms[sheet.paper_id]
        table = tabulate(form.keyed, [[entry["number"] for entry in sheet.layout]], [given.get(sheet.id, {})], form.rulings)
        for at, item in enumerate(form.items):
            place = row, column[item.version_id]
            marked = people.get(sheet.id, {}).get(item.number)
            answered = item.version.kind.value in WRITTEN and table.codes[0, at] >= 0
            codes[place] = (marked or 0) if answered else table.codes[0, at]
            choices[place], seconds[place] = table.choices[0, at], times[row].get(item.number, np.nan)
    return SittingResponses(codes, choices, seconds, np.array([sheet.paper_id for sheet, _ in rows], dtype=np.int64),
                            tuple(sheet.id for sheet, _ in rows), tuple(versions), tuple(steps[version] for version in versions))


def seconds_of_sitting(session: Session, sitting: Sitting, sheets: Sequence[Sheet]) -> list[dict[int, float]]:
    """For each sheet: paper number → seconds until its answer came."""
    events: dict[int, list[tuple[int, datetime]]] = {}
    for sheet_id, number, at in session.execute(
            sa.select(AnswerEvent.sheet_id, AnswerEvent.number, AnswerEvent.received_at).join(Sheet, Sheet.id == AnswerEvent.sheet_id)
            .where(Sheet.sitting_id == sitting.id).order_by(AnswerEvent.sheet_id, AnswerEvent.sequence)):
        events.setdefault(sheet_id, []).append((number, at))
    return [seconds_of(events.get(sheet.id, []), sheet.started_at) for sheet in sheets]


def seconds_of(events: Sequence[tuple[int, datetime]], started: datetime | None) -> dict[int, float]:
    """Paper number → seconds until its answer came, from the events of one sheet in order.

    Answers that arrived together (a page that was offline) have no time of their own and are left out. Several changes of
    one answer add up.
    """
    times: dict[int, float] = {}
    unknown: set[int] = set()
    before = started
    for at, group in groupby(events, key=lambda event: event[1]):
        together = [number for number, _ in group]
        if len(together) == 1 and before is not None:
            times[together[0]] = times.get(together[0], 0.0) + (at - before).total_seconds()
        else:
            unknown.update(together)
        before = at
    return {number: value for number, value in times.items() if number not in unknown}


def sittings_of(session: Session, institution_id: int, table_id: int) -> list[Sitting]:
    """All marked sittings of one bank's papers."""
    papers = sa.select(Paper.id).join(Paper.specification).where(Paper.institution_id == institution_id,
                                                                 Specification.table_id == table_id)
    return list(session.scalars(sa.select(Sitting).where(Sitting.state == SittingState.MARKED,
                                                         Sitting.forms.any(SittingPaper.paper_id.in_(papers))).order_by(Sitting.id)))
