"""A draft changed by hand: swaps, undo, locks, the rest chosen anew; two papers side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers import comparing, hand
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import Paper, PaperChange
from qbank.papers.specification import Part
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))


@pytest.fixture
def papers(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> list[Paper]:
    """Two forms that share nothing; sharing is forbidden."""
    overlap = {"overlap": {"mode": "hard", "weight": 1, "numbers": {"percent": 0, "pool": 30}}}
    form = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock(), rules=overlap)
    return assemble(session, form, composer, now=clock(), seed=9, forms=2)


def versions(paper: Paper) -> list[int]:
    return [item.version_id for item in items_of(paper)]


def code(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_offers_are_equivalents_that_break_nothing_and_the_best_comes_first(
        session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    paper, other = papers
    old = hand.item_at(paper, 3)
    table = hand.table_of(session, paper, composer, now=clock())
    offered = hand.offers(session, table, 3, limit=5)
    assert 0 < len(offered) <= 5
    for offer in offered:
        assert (offer.version.kind, offer.version.point.range.path) == (old.version.kind, old.version.point.range.path)
        assert offer.version.id not in {*versions(paper), *versions(other)}
    told = comparing.outlook(table, offered)
    assert told.keys() == {offer.version.id for offer in offered}
    assert all(change.kept or not change.hard for changes in told.values() for change in changes)


def test_a_swap_is_made_noted_and_taken_back(session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    paper = papers[0]
    before = versions(paper)
    best = hand.offers(session, hand.table_of(session, paper, composer, now=clock()), 3)[0].version.id
    hand.swap(session, paper, 3, best, composer, reason=" 图号过时 ", now=clock())
    assert versions(paper) == [*before[:2], best, *before[3:]]
    assert paper.compliance["by_hand"]
    noted, = hand.changes_of(session, paper)
    assert (noted.numbers, noted.action, noted.reason) == ([[3, before[2], best]], hand.SWAP, "图号过时")
    undone = hand.undo(session, paper, composer, now=clock())
    assert versions(paper) == before
    assert undone is noted
    assert noted.undone
    assert code(partial(hand.undo, session, paper, composer, now=clock())) == "nothing_to_undo"
    hand.swap(session, paper, 3, best, composer, reason="", now=clock())
    seal(session, paper, composer, now=clock.forward(minutes=1))
    assert session.scalars(sa.select(PaperChange)).all() == []  # what was swapped would tell items


def test_what_is_no_equivalent_or_breaks_a_hard_rule_is_refused(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock) -> None:
    paper, other = papers
    swap = partial(hand.swap, session, paper, reason="", now=clock())
    cell = (items_of(paper)[2].version.point.range.path, items_of(paper)[2].version.kind)
    elsewhere = next(item.version_id for item in items_of(other) if (item.version.point.range.path, item.version.kind) != cell)
    theirs = next(item.version_id for item in items_of(other) if (item.version.point.range.path, item.version.kind) == cell)
    assert code(partial(swap, 3, elsewhere, composer)) == "not_equivalent"
    assert code(partial(swap, 3, versions(paper)[2], composer)) == "not_equivalent"
    with pytest.raises(Refused, match=r"^breaks_rule:") as refused:
        swap(3, theirs, composer)
    assert any("共用" in line for line in refused.value.details)
    assert code(partial(swap, 21, theirs, composer)) == "no_such_number"
    assert code(partial(swap, 3, theirs, people("冯组卷", Role.PAPER_COMPOSER))) == "not_composer"
    hand.lock(session, paper, {3}, composer)
    best = hand.offers(session, hand.table_of(session, paper, composer, now=clock()), 3)[0].version.id
    assert code(partial(swap, 3, best, composer)) == "locked"
    seal(session, paper, composer, now=clock())
    assert code(partial(swap, 3, best, composer)) == "wrong_state"


def test_locked_items_stay_when_the_rest_is_chosen_anew_and_it_is_taken_back_as_one(
        session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    paper, other = papers
    before, theirs = versions(paper), versions(other)
    assert hand.lock(session, paper, {1, 2, 20}, composer) == 3
    kept = {before[0], before[1], before[19]}
    count = hand.keep_anew(session, paper, hand.anew(session, paper, composer, seed=77, now=clock()), composer, now=clock())
    after = versions(paper)
    assert kept <= set(after)
    assert count == len(set(before) - set(after)) > 0
    assert {item.version_id for item in items_of(paper) if item.locked} == kept
    assert not set(after) & set(theirs)
    assert versions(other) == theirs
    hand.undo(session, paper, composer, now=clock())
    assert versions(paper) == before


def test_two_papers_side_by_side(session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    one, other = papers
    rows = comparing.sides(one, other)
    assert [row.group for row in rows if row.differs and row.group in {"鉴定范围", "题型"}] == []  # parallel forms
    assert ("单选题", "16 题", "16", "16") in [(row.name, row.asked, row.one, row.other) for row in rows]
    assert {"难度", "答案", "重要程度", "测量"} <= {row.group for row in rows}
    pairs = comparing.pairs(items_of(one), items_of(other))
    assert len(pairs) == 20
    assert not any(shared for _, _, shared in pairs)
    assert all(shared for _, _, shared in comparing.pairs(items_of(one), items_of(one)))
    short = comparing.pairs(items_of(one), items_of(other)[:3])
    assert [theirs is None for _, theirs, _ in short].count(True) == 17
    listed = comparing.others(session, sa.select(Paper), one)
    assert listed == [other]
    later = assemble(session, one.specification, composer, now=clock(), seed=2)
    assert comparing.others(session, sa.select(Paper), one) == [other, *later]  # made together first


@pytest.mark.parametrize(("low", "high", "words"), [
    (3, 3, "3"), (2, 5, "2 ～ 5"), (2, None, "≥ 2"), (None, 5, "≤ 5"), (0, float("inf"), ""), (float("-inf"), 4.5, "≤ 4.5")])
def test_limits_in_words(low: float | None, high: float | None, words: str) -> None:
    assert comparing.asked(low, high) == words
