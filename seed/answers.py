"""How the demo's candidates answer: people of some ability before items of some difficulty."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn, Sheet
from examroom.delivery.sheets import Event
from qbank.items.states import ItemKind
from qbank.papers.models import PaperItem
from seed import written
from seed.stage import Stage


def answer(stage: Stage, sitting_id: int, *, ability: float, spread: float, seed: int, until: float = 1.0,
           absent: int = 0, leave_out: int = 0) -> None:
    """Candidates answer as people of some ability do (a logistic curve over the graded difficulty).

    ``until``: the share of the paper that they reach; below 1 they do not hand in. ``absent`` never start,
    ``leave_out`` have not come yet.
    """
    draw = random.Random(seed)
    with stage.database.open(None, reads_only=True) as session:
        keys = list(session.scalars(sa.select(Sheet.id).where(Sheet.sitting_id == sitting_id).order_by(Sheet.id)))
    for sheet_id in keys[absent + leave_out:]:
        theta = draw.gauss(ability, spread)
        with stage.acting("officer", stage.now) as (session, _):
            sheet = session.get_one(Sheet, sheet_id)
            started = sheet.sitting.starts_at + timedelta(seconds=draw.randrange(5, 90))
            minutes = draw.uniform(35, 80) if until == 1.0 else 0.4  # nothing lies in the future
            finished = started + timedelta(minutes=minutes)
            account = sheet.enrolment.candidate
            session.info["actor"] = account.viewer().actor  # candidates hold no password: they act by themselves here
            session.info["clock"] = lambda: finished  # noqa: B023  # used before the loop goes on
            sheets.start(session, sheet, now=started)
            events = _events(session, sheet, theta, draw, until)
            for first in range(0, len(events), 20):
                sheets.save(session, sheet, events[first:first + 20], now=started + (finished - started) * (first / 200))
            if until == 1.0:
                sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=finished)


def _events(session: Session, sheet: Sheet, theta: float, draw: random.Random, until: float) -> list[Event]:
    paper = {item.number: item for item in session.scalars(
        sa.select(PaperItem).where(PaperItem.paper_id == sheet.paper_id))}
    shown = [paper[entry["number"]] for entry in sheet.layout]
    events = []
    for sequence, item in enumerate(shown[:round(len(shown) * until)], start=1):
        if draw.random() < 0.01:
            continue  # skipped
        events.append(Event(sequence, item.number, _choice(item, theta, draw), draw.random() < 0.04))
    return events


def _choice(item: PaperItem, theta: float, draw: random.Random) -> str:
    version = item.version
    if version.kind is ItemKind.ESSAY:
        return written.answer(theta, draw)
    right = 1 / (1 + math.exp(-1.2 * (theta - (version.difficulty - 3) * 0.8)))
    if draw.random() < right:
        return version.key
    if version.kind is ItemKind.JUDGE:
        return "F" if version.key == "T" else "T"
    letters = [option.letter for option in version.options]
    if version.kind is ItemKind.SINGLE:
        return draw.choice([letter for letter in letters if letter != version.key])
    wrong = sorted(draw.sample(letters, draw.randrange(2, len(letters))))
    return "".join(wrong) if "".join(wrong) != version.key else letters[0] + letters[1]
