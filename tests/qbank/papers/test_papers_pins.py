"""Items pinned to every form or barred from all by hand, and sets of one material that change places as a whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion, Stimulus
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers import comparing, hand, pins
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, specify
from qbank.papers.models import Paper, Specification
from qbank.papers.specification import Part
from tests.conftest import TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))


@pytest.fixture
def asked(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> Specification:
    return specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())


def choices(session: Session, path: str) -> list[ItemVersion]:
    found = session.scalars(sa.select(ItemVersion).where(ItemVersion.kind == ItemKind.SINGLE).order_by(ItemVersion.id))
    return [version for version in found if version.point.range.path == path]


def code(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_a_pinned_item_is_on_every_form_and_a_barred_one_on_none(
        session: Session, asked: Specification, composer: Viewer, clock: TestClock) -> None:
    pinned, barred, *_ = choices(session, "B-B-B")
    found = pins.add(session, asked, "pinned", pinned.item_id, " 新规程  必考 ", composer, now=clock())
    found = pins.add(session, found, "barred", barred.item_id, "图号过时", composer, now=clock())
    (row,) = pins.listed(session, found, "pinned")
    assert (row["item"], row["why"], row["who"]) == (pinned.item_id, "新规程 必考", "郑组卷")
    for paper in assemble(session, found, composer, now=clock(), seed=3, forms=2):
        used = {item.version_id for item in items_of(paper)}
        assert pinned.id in used
        assert barred.id not in used


def test_what_is_taken_off_the_list_is_off_it(session: Session, asked: Specification, composer: Viewer, clock: TestClock) -> None:
    one, other, *_ = choices(session, "B-B-B")
    found = pins.add(session, asked, "pinned", one.item_id, "必考", composer, now=clock())
    found = pins.add(session, found, "pinned", other.item_id, "必考", composer, now=clock())
    found = pins.remove(session, found, "pinned", one.item_id, composer, now=clock())
    assert [row["item"] for row in pins.listed(session, found, "pinned")] == [other.item_id]
    assert [version.id for _, version in pins.rows_of(session, found, "pinned") if version] == [other.id]
    assert code(lambda: pins.remove(session, found, "pinned", one.item_id, composer, now=clock())) == "not_listed"


def test_pins_without_a_reason_twice_or_of_no_item_of_the_bank_are_refused(
        session: Session, asked: Specification, composer: Viewer, clock: TestClock) -> None:
    item = choices(session, "B-B-B")[0].item_id

    def add(specification: Specification, name: str, item_id: int, why: str) -> Specification:
        return pins.add(session, specification, name, item_id, why, composer, now=clock())

    assert code(lambda: add(asked, "pinned", item, "  ")) == "no_reason"
    assert code(lambda: add(asked, "pinned", item, "长" * 201)) == "no_reason"
    assert code(lambda: add(asked, "pinned", 10 ** 9, "必考")) == "no_such_item"
    found = add(asked, "pinned", item, "必考")
    assert code(lambda: add(found, "pinned", item, "必考")) == "listed_already"
    assert code(lambda: add(found, "barred", item, "不考")) == "listed_already"


def test_a_pin_that_is_not_usable_any_more_is_shown_as_such(
        session: Session, asked: Specification, composer: Viewer, clock: TestClock) -> None:
    version = choices(session, "B-B-B")[0]
    found = pins.add(session, asked, "pinned", version.item_id, "必考", composer, now=clock())
    version.state = ItemState.RETIRED
    session.flush()
    ((row, now_),) = pins.rows_of(session, found, "pinned")
    assert (row["item"], now_) == (version.item_id, None)


def test_items_are_found_by_number_and_by_words(session: Session, asked: Specification) -> None:
    version = choices(session, "B-B-B")[0]
    assert version.item_id in {found.item_id for found in pins.search(session, asked, f" {version.item_id} ")}
    assert pins.search(session, asked, "   ") == []
    assert pins.search(session, asked, "9" * 30) == []


def test_a_set_is_offered_for_a_set_and_swapped_as_a_whole(
        session: Session, bank: Bank, asked: Specification, composer: Viewer, clock: TestClock) -> None:
    first, second = choices(session, "B-B-B")[:2], choices(session, "B-B-B")[2:4]
    for members, text in ((first, "某车间的配电系统如下。"), (second, "某电机的铭牌如下。")):
        stimulus = Stimulus(institution_id=bank.school, table_id=bank.table.id, text=text, author_id=bank.author.account_id, created_at=clock())
        for version in members:
            version.stimulus = stimulus
    session.flush()
    found = pins.add(session, asked, "pinned", first[0].item_id, "必考", composer, now=clock())
    (paper,) = assemble(session, found, composer, now=clock(), seed=3)
    paper_items = {item.version_id: item.number for item in items_of(paper)}
    found = pins.remove(session, found, "pinned", first[0].item_id, composer, now=clock())
    number = paper_items[first[1].id]
    single = next(version for version in choices(session, "B-B-B")[4:] if version.id not in paper_items)
    assert code(lambda: hand.swap(session, paper, number, single.id, composer, reason="", now=clock())) == "not_equivalent"
    unpinned(paper, found)
    table = hand.table_of(session, paper, composer, now=clock())
    (offer,) = hand.offers(session, table, number)
    assert {*offer.swap.come} == {version.id for version in second}
    assert comparing.outlook(table, [offer]).keys() == {offer.version.id}
    hand.swap(session, paper, number, offer.version.id, composer, reason="", now=clock())
    after = {item.version_id for item in items_of(paper)}
    assert {version.id for version in second} <= after
    assert not {version.id for version in first} & after
    hand.undo(session, paper, composer, now=clock())
    assert {item.version_id for item in items_of(paper)} == set(paper_items)


def unpinned(paper: Paper, found: Specification) -> None:
    """The draft goes on under the version of the specification that pins nothing."""
    paper.specification = found
