"""When an item was last used is counted in sittings held, not in papers sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import PaperUse
from qbank.papers.past import past_of, turns_of
from qbank.papers.pool import pool_of
from qbank.papers.specification import Part
from qbank.papers.uses import note_sitting
from tests.conftest import TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
DAY = [datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=count) for count in range(9)]


def test_turns_count_sittings_whatever_was_sealed_in_between() -> None:
    sealed = [(1, DAY[0]), (2, DAY[0]), (3, DAY[1]), (4, DAY[3]), (5, DAY[8])]
    uses = {70: {1: DAY[2], 2: DAY[2]}, 80: {1: DAY[5]}, 90: {3: DAY[4]}}
    # The last sitting was 80, before it 90, before it 70. Paper 4 was dealt nowhere and waited through two of them.
    assert turns_of(sealed, uses) == {1: 1, 2: 3, 3: 2, 4: 2, 5: 0}
    assert turns_of(sealed, {}) == dict.fromkeys(range(1, 6), 0)


def test_two_papers_sealed_for_one_sitting_are_one_sitting(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    made = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    used, spare, later = (assemble(session, made, composer, now=clock(), seed=seed)[0] for seed in (1, 2, 3))
    items = {paper: [item.version.item_id for item in items_of(paper)] for paper in (used, spare, later)}
    for paper in (used, spare):
        seal(session, paper, composer, now=clock.forward(hours=1))
    note_sitting(session, 41, {used.id}, now=clock.forward(days=1))
    note_sitting(session, 41, {used.id}, now=clock.forward(days=1))  # dealt again: still the first time
    assert session.scalars(sa.select(PaperUse.at)).all() == [clock() - timedelta(days=1)]
    seal(session, later, composer, now=clock.forward(hours=1))
    turns = {past.id: past.turn for past in past_of(session, bank.table.id, bank.school)}
    assert turns == {used.id: 1, spare.id: 1, later.id: 0}  # the spare one lay ready at the sitting
    note_sitting(session, 42, {later.id}, now=clock.forward(days=1))
    pool = pool_of(session, bank.table.id, bank.school, composer.account_id)
    last = {pool.item_ids[int(key)]: turn for key, turn in zip(pool.items.keys, pool.items.numbers("last_used"), strict=True)}
    assert {last[item] for item in items[later]} == {1}
    assert {last[item] for item in set(items[used]) - set(items[later])} <= {2}
    note_sitting(session, 42, {spare.id}, now=clock())  # dealt with another paper after all
    assert {past.id: past.turn for past in past_of(session, bank.table.id, bank.school)}[later.id] <= 1
