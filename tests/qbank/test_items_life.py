"""Moves after approval: in use, suspended, resumed, retired; and the release for practice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange import batches
from qbank.items import bank, moves, practice
from qbank.items.figures import note_uses
from qbank.items.models import ImportBatch, Item, ItemFigures, ItemVersion
from qbank.items.states import ItemState, Purpose
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.refused import Refused
from qbank.papers.pool import pool_of
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import approved, book, ohm, row


@pytest.fixture
def version(session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> ItemVersion:
    made = bank.add_item(session, table, people.home.id, ohm(), chen, now=clock())
    return approved(session, made, chen, li, people("王芳", Role.ITEM_REVIEWER), now=clock())


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, match=f"^{code}:")


def state_of(version: ItemVersion) -> str:
    return version.state.value


def pooled(session: Session, version: ItemVersion, who: Viewer) -> list[int]:
    pool = pool_of(session, version.item.table_id, version.item.institution_id, who.account_id)
    return [int(key) for key in pool.items.keys]


def test_a_suspended_item_is_not_offered_and_comes_back_as_what_it_was(
        session: Session, people: People, clock: TestClock, chen: Viewer, li: Viewer, version: ItemVersion) -> None:
    assert pooled(session, version, li) == [version.id]
    with refused("no_reason"):
        bank.suspend(session, version, li, " ", now=clock())
    bank.suspend(session, version, li, "单位名称有新国标", now=clock())
    session.flush()
    assert (version.state, version.state_reason) == (ItemState.SUSPENDED, "单位名称有新国标")
    assert pooled(session, version, li) == []
    with refused("wrong_state"):
        bank.suspend(session, version, li, "再停一次", now=clock())
    with refused("not_your_bank"):  # an author alone does not clear the doubt
        bank.resume(session, version, chen, "没问题", now=clock())
    bank.resume(session, version, li, "已核对国标", now=clock())
    assert state_of(version) == "approved"
    bank.mark_in_use(session, [version], now=clock())
    assert (state_of(version), version.used_at) == ("in_use", clock())
    bank.suspend(session, version, chen, "再查", now=clock())
    bank.resume(session, version, li, "已查", now=clock())
    assert state_of(version) == "in_use"  # it was in a sealed paper
    with refused("wrong_state"):
        bank.resume(session, version, li, "已查", now=clock())


def test_an_author_who_also_reviews_does_not_resume_the_own_item(
        session: Session, people: People, table: WeightTable, clock: TestClock, li: Viewer) -> None:
    both = people("罗兰", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
    made = bank.add_item(session, table, people.home.id, ohm(2), both, now=clock())
    approved(session, made, both, li, people("赵刚", Role.ITEM_REVIEWER), now=clock())
    bank.suspend(session, made, both, "存疑", now=clock())
    with refused("own_item"):
        bank.resume(session, made, both, "我看没问题", now=clock())


def test_a_new_version_takes_the_place_of_one_in_use_or_suspended(
        session: Session, people: People, clock: TestClock, chen: Viewer, li: Viewer, version: ItemVersion) -> None:
    zhao = people("赵刚", Role.ITEM_REVIEWER)
    bank.mark_in_use(session, [version], now=clock())
    second = bank.edit(session, version, ohm(difficulty=2), chen, now=clock(), reason="调整难度")
    approved(session, second, chen, li, zhao, now=clock())
    session.commit()
    assert (version.state, second.state) == (ItemState.SUPERSEDED, ItemState.APPROVED)
    bank.suspend(session, second, chen, "存疑", now=clock())
    third = bank.edit(session, second, ohm(difficulty=3), chen, now=clock(), reason="再调整")
    approved(session, third, chen, li, zhao, now=clock())
    session.commit()
    assert (second.state, third.state) == (ItemState.SUPERSEDED, ItemState.APPROVED)
    with refused("wrong_state"):
        bank.resume(session, second, li, "旧版", now=clock())


def test_the_table_knows_every_state_and_the_picture_every_move() -> None:
    assert set(moves.PLACES) == set(ItemState)
    assert {ItemState.RETIRED, ItemState.SUPERSEDED} == moves.ENDS
    reached = {to for following in moves.MOVES.values() for to in following}
    assert reached == set(ItemState) - {ItemState.DRAFT}
    assert len(moves.arrows()) == sum(len(following) for following in moves.MOVES.values())
    assert ItemState.SUSPENDED not in moves.MOVES[ItemState.SUBMITTED]


def test_uses_are_counted_for_the_list(session: Session, clock: TestClock, version: ItemVersion) -> None:
    note_uses(session, {version.item_id: 1}, now=clock())
    later = clock.forward(days=1)
    note_uses(session, {version.item_id: 1}, now=later)
    row = session.get_one(ItemFigures, version.item_id)
    assert (row.uses, row.last_used_at) == (2, later)


def test_an_item_goes_to_the_practice_bank_once_and_is_never_offered_to_a_paper_again(
        session: Session, people: People, clock: TestClock, chen: Viewer, li: Viewer, version: ItemVersion) -> None:
    with refused("not_your_bank"):
        practice.release_for_practice(session, version.item, li, "练习用", now=clock())
    with refused("no_reason"):
        practice.release_for_practice(session, version.item, chen, "", now=clock())
    practice.release_for_practice(session, version.item, chen, "已公开多年", now=clock())
    assert (version.item.purpose, version.item.purpose_reason) == (Purpose.PRACTICE, "已公开多年")
    assert pooled(session, version, li) == []
    assert practice.practice_items(session, [version.id]) == [version.item_id]
    with refused("in_practice"):
        practice.release_for_practice(session, version.item, chen, "再来", now=clock())
    second = bank.edit(session, version, ohm(difficulty=2), chen, now=clock(), reason="调整难度")
    approved(session, second, chen, li, people("赵刚", Role.ITEM_REVIEWER), now=clock())
    assert pooled(session, second, li) == []  # a new version is no new secret


def test_what_stands_against_a_release_is_told(
        session: Session, clock: TestClock, chen: Viewer, version: ItemVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "HOLDS", [lambda session, item, now: [f"题 {item.id} 明天要考。"]])
    with refused("held") as refusal:
        practice.release_for_practice(session, version.item, chen, "练习用", now=clock())
    assert refusal.value.details == (f"题 {version.item_id} 明天要考。",)
    monkeypatch.undo()
    bank.suspend(session, version, chen, "存疑", now=clock())
    with refused("not_usable"):
        practice.release_for_practice(session, version.item, chen, "练习用", now=clock())


def test_an_item_may_be_born_in_the_practice_bank(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    made = bank.add_item(session, table, people.home.id, ohm(9), chen, now=clock(), purpose=Purpose.PRACTICE)
    assert made.item.purpose is Purpose.PRACTICE


def test_a_file_may_be_imported_into_the_practice_bank(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    batch = batches.upload(session, table, people.home.id, "练习.xlsx", book(row(1), row(2)), chen, now=clock(), purpose=Purpose.PRACTICE)
    assert batches.apply(session, batch, chen, now=clock()) == 2
    assert set(session.scalars(sa.select(Item.purpose))) == {Purpose.PRACTICE}


def test_who_also_reviews_sees_only_own_batches(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    """The rows of a batch hold the keys of items that wait for a blind answer."""
    both, colleague = people("罗兰", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER), people("孙丽", Role.ITEM_AUTHOR)
    hers, own = (batches.upload(session, table, people.home.id, "题库.xlsx", book(row(number)), who, now=clock())
                 for number, who in ((1, chen), (2, both)))
    assert session.scalars(visible(ImportBatch, both)).all() == [own]
    assert set(session.scalars(visible(ImportBatch, colleague))) == {hers, own}
