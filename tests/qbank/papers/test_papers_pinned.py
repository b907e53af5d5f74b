"""Items pinned to every form: the database alone does not tell them, nor does the program while a paper with them is shut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import verify as unbroken
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers import lists, packs, pins
from qbank.papers.commands import group
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, copy, seal, specify
from qbank.papers.models import Paper, Specification
from qbank.papers.reproduction import reproduce
from qbank.papers.sealed import SealedLists
from qbank.papers.specification import Part
from tests.conftest import People, TestClock
from tests.paper_world import open_paper
from tests.plan_world import run
from tests.qbank.papers.conftest import Bank
from tests.qbank.papers.test_sealing import everything

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
WHY = "新规程要求每套都考"


@pytest.fixture
def asked(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> Specification:
    return specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())


@pytest.fixture
def item(session: Session, bank: Bank) -> int:
    return session.scalars(sa.select(ItemVersion.item_id).order_by(ItemVersion.id).offset(41).limit(1)).one()


@pytest.fixture
def sealed(session: Session, asked: Specification, item: int, composer: Viewer, clock: TestClock) -> Paper:
    paper, = assemble(session, pins.add(session, asked, "pinned", item, WHY, composer, now=clock()), composer, now=clock(), seed=4)
    assert item in {one.version.item_id for one in items_of(paper)}
    seal(session, paper, composer, now=clock.forward(minutes=1))
    session.commit()
    return paper


def test_a_dump_of_the_database_holds_neither_the_pinned_item_nor_why(
        session: Session, asked: Specification, item: int, sealed: Paper, composer: Viewer, clock: TestClock) -> None:
    session.expire_all()
    cells = list(everything(session))
    assert [(table, column) for table, column, value in cells if WHY in value] == []
    # No text of a specification, a version's reason, a job or the audit trail names the item.
    told = [(table, column, value) for table, column, value in cells if '"item"' in value or "'item'" in value or f"题 {item}" in value]
    assert told == []
    assert session.get_one(Specification, asked.id).rules.keys().isdisjoint({"pinned", "barred"})
    assert len(session.scalars(sa.select(SealedLists)).all()) == 1
    assert unbroken(session) == []
    assert reproduce(session, sealed, composer, now=clock()) == []  # rules still see it


def test_versions_say_that_something_was_pinned_never_what(
        session: Session, item: int, sealed: Paper, composer: Viewer, clock: TestClock) -> None:
    made = pins.remove(session, sealed.specification, "pinned", item, composer, now=clock())
    assert (made.number, made.reason) == (2, "必选题去掉 1 道")
    assert lists.lists_of(session, made) == {}
    assert [row["item"] for row in lists.lists_of(session, sealed.specification)["pinned"]] == [item]


def test_while_a_paper_is_shut_only_its_composer_sees_what_is_pinned(
        session: Session, item: int, sealed: Paper, composer: Viewer, people: People, clock: TestClock,
        enter: Callable[[Viewer], FlaskClient]) -> None:
    other = people("冯组卷", Role.PAPER_COMPOSER)
    address = f"/papers/specifications/{sealed.specification_id}/items"
    session.commit()
    shown = {who.name: enter(who).get(address).get_data(as_text=True) for who in (composer, other)}
    assert WHY in shown[composer.name]
    assert WHY not in shown[other.name]
    assert f"题 {item}" not in shown[other.name]
    assert "启封前只有组卷人能看" in shown[other.name]
    for act in (lambda: pins.add(session, sealed.specification, "pinned", item, "试试", other, now=clock()),
                lambda: assemble(session, sealed.specification, other, now=clock(), seed=5)):
        with pytest.raises(Refused, match=r"^lists_shut:"):
            act()
    copied = copy(session, sealed.specification, "副本", other, now=clock())
    assert lists.lists_of(session, copied) == {}
    open_paper(session, sealed, people, now=clock())
    session.commit()
    assert WHY in enter(other).get(address).get_data(as_text=True)


def test_changed_bytes_are_noticed_and_a_new_key_wraps_lists_too(session: Session, sealed: Paper, settings: Settings) -> None:
    session.commit()
    assert run(group, settings, "rotate-key").startswith("2 packs and prints")  # a pack and a list
    session.expire_all()
    assert lists.lists_of(session, sealed.specification)["pinned"]
    assert packs.unused_keys(session) == []
    held = bytearray(session.scalars(sa.select(SealedLists.content)).one())
    held[20] ^= 1
    session.execute(sa.text("UPDATE sealed_lists SET content = :held"), {"held": bytes(held)})
    session.expire_all()
    with pytest.raises(Refused, match=r"^pack_damaged:"):
        lists.lists_of(session, sealed.specification)


def test_lists_written_in_clear_by_an_older_release_are_read_and_then_encrypted(
        session: Session, asked: Specification, item: int, composer: Viewer, settings: Settings, clock: TestClock) -> None:
    row = {"item": item, "why": WHY, "who": "郑组卷", "account": composer.account_id, "at": clock().isoformat()}
    table = Specification.metadata.tables["specifications"]
    session.connection().execute(table.update().values(rules={"pinned": [row], "barred": []}))
    session.expire_all()
    assert lists.lists_of(session, asked) == {"pinned": [row]}
    session.commit()
    assert "1 specifications" in run(group, settings, "encrypt-lists")
    session.expire_all()
    assert asked.rules == {}
    assert lists.lists_of(session, asked) == {"pinned": [row]}
    session.commit()
    assert "0 specifications" in run(group, settings, "encrypt-lists")
