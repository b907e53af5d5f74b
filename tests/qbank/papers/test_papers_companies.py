"""Enemies, similar items and sets of one shared material on papers, told by an independent count of the stored rows."""

from __future__ import annotations

from itertools import combinations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items import pairs
from qbank.items.models import ItemPair, ItemVersion, Stimulus
from qbank.items.states import ItemKind, ItemState, PairKind, Purpose
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import Paper
from qbank.papers.pool import pool_of
from qbank.papers.specification import Part
from qbank.standards.tables import leaves
from tests.conftest import TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))


def versions(session: Session, bank: Bank, leaf: int, kind: ItemKind = ItemKind.SINGLE) -> list[ItemVersion]:
    path = leaves(bank.table)[leaf].path
    found = session.scalars(sa.select(ItemVersion).where(ItemVersion.kind == kind).order_by(ItemVersion.id))
    return [version for version in found if version.point.range.path == path]


def share(session: Session, bank: Bank, members: list[ItemVersion], text: str = "某车间的配电系统如下。") -> Stimulus:
    stimulus = Stimulus(institution_id=bank.school, table_id=bank.table.id, text=text, author_id=bank.author.account_id,
                        created_at=session.info["clock"]())
    session.add(stimulus)
    session.flush()
    for version in members:
        version.stimulus = stimulus
    session.flush()
    return stimulus


def made(session: Session, bank: Bank, composer: Viewer, clock: TestClock, forms: int = 1, seed: int = 1) -> list[Paper]:
    asked = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    return assemble(session, asked, composer, now=clock(), seed=seed, forms=forms)


def item_ids(paper: Paper) -> set[int]:
    return {item.version.item_id for item in items_of(paper)}


@pytest.mark.parametrize("forms", [1, 3])
def test_no_paper_holds_a_marked_pair_and_sets_are_whole(session: Session, bank: Bank, composer: Viewer, clock: TestClock,
                                                        forms: int) -> None:
    first = versions(session, bank, 0)
    for one, other in combinations(first[:10], 2):  # of ten of the fifteen choices of A-A-A at most one may be used
        pairs.mark(session, one.item, other.item, PairKind.ENEMY, "", bank.author, now=clock())
    pairs.mark(session, first[10].item, first[11].item, PairKind.DISTINCT, "已核对", bank.author, now=clock())
    members = versions(session, bank, 5)[:2] + versions(session, bank, 6, ItemKind.JUDGE)[:1]
    share(session, bank, members)
    whole = {version.item_id for version in members}
    marked = {(pair.first_id, pair.second_id) for pair in session.scalars(sa.select(ItemPair))
              if pair.kind is not PairKind.DISTINCT}
    for paper in made(session, bank, composer, clock, forms):
        held = item_ids(paper)
        assert not [pair for pair in marked if set(pair) <= held]
        assert held & whole in (set(), whole)
        assert paper.compliance["apart_marked"] == 45
        assert paper.compliance["apart_met"] == paper.compliance["sets_broken"] == 0
        assert paper.compliance["sets"] == (1 if held & whole else 0)
        seal(session, paper, composer, now=clock())


def test_a_paper_with_a_pair_that_was_marked_later_cannot_be_sealed(session: Session, bank: Bank, composer: Viewer,
                                                                  clock: TestClock) -> None:
    paper = made(session, bank, composer, clock)[0]
    one, other = items_of(paper)[2:4]
    pair = pairs.mark(session, one.version.item, other.version.item, PairKind.ENEMY, "", bank.author, now=clock())
    with pytest.raises(Refused) as refused:
        seal(session, paper, composer, now=clock())
    low, high = sorted((one, other), key=lambda item: item.version.item_id)
    assert list(refused.value.details) == [
        f"第 {low.number} 题和第 {high.number} 题（题 {low.version.item_id}、题 {high.version.item_id}）已标记为“互相提示”，不能出现在同一套卷里。"]
    pairs.unmark(session, pair, bank.author, now=clock())
    seal(session, paper, composer, now=clock())


def test_a_paper_with_a_part_of_a_set_cannot_be_sealed(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    paper = made(session, bank, composer, clock)[0]
    held = items_of(paper)[0]
    outside = next(version for version in versions(session, bank, 5) if version.item_id not in item_ids(paper))
    share(session, bank, [held.version, outside])
    with pytest.raises(Refused) as refused:
        seal(session, paper, composer, now=clock())
    assert list(refused.value.details) == ["第 1 题所在的共用题干题组共 2 道题，本卷只有 1 道，应当整组使用。"]


def test_a_set_waits_until_all_its_items_are_in_the_exam_bank_with_one_material(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    members = versions(session, bank, 5)[:3]
    stimulus = share(session, bank, members)
    keys = frozenset(version.id for version in members)

    def pool() -> tuple[tuple[frozenset[int], ...], frozenset[int]]:
        session.flush()
        found = pool_of(session, bank.table.id, bank.school, composer.account_id)
        return tuple(found.items.together), found.torn

    assert pool() == ((keys,), frozenset())
    members[0].state = ItemState.SUSPENDED
    assert pool() == ((), keys - {members[0].id})
    members[0].state = ItemState.RETIRED  # taken out of the set for good: the other two are the set
    assert pool() == ((keys - {members[0].id},), frozenset())
    members[0].state = ItemState.APPROVED
    members[1].item.purpose = Purpose.PRACTICE
    assert pool() == ((), keys - {members[1].id})
    members[1].item.purpose = Purpose.EXAM
    newer = Stimulus(institution_id=bank.school, table_id=bank.table.id, text="改写后的材料。", root_id=stimulus.id,
                     author_id=bank.author.account_id, created_at=clock())
    session.add(newer)
    session.flush()
    members[2].stimulus = newer
    assert pool() == ((), keys)
