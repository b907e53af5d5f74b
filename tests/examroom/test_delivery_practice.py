"""Practice: 陈晓 practises with what her school released, and what was practised with never enters an exam."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.delivery import practice
from examroom.delivery.dealing import deal
from examroom.plans import sittings
from qbank.items.models import Item, ItemVersion
from qbank.items.practice import release_for_practice
from qbank.items.states import ItemKind, ItemState, Purpose
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.papers import desk
from qbank.papers.models import PaperItem
from qbank.papers.pool import pool_of
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(b"i" * 32)).make(clock())


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, match=f"^{code}:")


def practising(world: SittingWorld, count: int, where: str = "") -> list[ItemVersion]:
    """So many more items of this table, all in the practice bank."""
    table, point = world.table, world.point
    made = [ItemVersion(number=1, point=point, kind=ItemKind.JUDGE, stem=f"练习第{i}题{where}", key="TF"[i % 2], difficulty=2,
                        explanation=f"练习解析{i}", state=ItemState.APPROVED, content_hash=f"p{where}{i}", author_id=world.author.account_id,
                        created_at=world.now, item=Item(institution_id=world.school.id, table_id=table.id, purpose=Purpose.PRACTICE))
            for i in range(count)]
    world.session.add_all(made)
    world.session.flush()
    return made


def test_ten_items_are_drawn_answered_and_told_at_once(
        session: Session, world: SittingWorld, clock: TestClock, app: Flask) -> None:
    practising(world, 12)
    session.commit()
    client = world.enter(app, "陈晓")
    listed = client.get("/practice").get_data(as_text=True)
    assert "共 12 道练习题" in listed
    answer = client.get(f"/practice/{world.table.id}", follow_redirects=True)
    text = answer.get_data(as_text=True)
    assert text.count('name="version"') == 10
    assert "练习解析" not in text  # nothing of the key before the answer
    drawn = practice.draw(session, world.viewer("陈晓"), world.table.id, "", 5)
    assert [one.id for one in drawn] == [one.id for one in practice.draw(session, world.viewer("陈晓"), world.table.id, "A", 5)]
    first, second = drawn[:2]
    before = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    session.commit()
    form = {"version": [str(one.id) for one in drawn], f"answer-{first.id}": first.key, "show": str(first.id)}
    text = client.post(f"/practice/{world.table.id}", data=form).get_data(as_text=True)
    assert "答对了" in text
    assert first.explanation in text
    assert second.explanation not in text
    wrong = "F" if second.key == "T" else "T"
    text = client.post(f"/practice/{world.table.id}", data={**form, f"answer-{second.id}": wrong, "all": "1"}).get_data(as_text=True)
    assert "答错了" in text
    assert "已看 2 道，答对 <strong>1</strong> 道" in text
    assert text.count("请选择“正确”或“错误”") == 8
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == before


def test_only_what_the_candidate_is_enrolled_in_and_only_the_practice_bank(
        session: Session, world: SittingWorld, people: People, clock: TestClock, app: Flask, enter: Enter) -> None:
    exam_version = session.scalars(sa.select(ItemVersion)).first()
    assert exam_version
    [shown] = practising(world, 1)
    retired = practising(world, 1, "停用")[0]
    retired.state = ItemState.SUSPENDED
    elsewhere = practising(world, 1, "外校")[0]
    elsewhere.item.institution_id = people.school("衡州技师学院（演示）").id
    stranger = people("外人", Role.CANDIDATE)
    session.commit()
    who = world.viewer("陈晓")
    keys = [one.id for one in (shown, retired, elsewhere, exam_version)]
    assert practice.these(session, who, world.table.id, keys) == [shown]
    assert practice.offers(session, stranger) == []
    session.commit()
    client = world.enter(app, "陈晓")
    form = {"version": [str(exam_version.id)], f"answer-{exam_version.id}": "T", "all": "1"}
    assert client.post(f"/practice/{world.table.id}", data=form).status_code == 404
    assert client.get("/practice/99999?draw=1").status_code == 404
    assert client.get(f"/practice/{world.table.id}?draw=1&range=Z").status_code == 404
    assert enter(stranger).get(f"/practice/{world.table.id}?draw=1").status_code == 404
    for address in (f"/items/{shown.item_id}", "/items/"):
        assert client.get(address).status_code == 403


def test_nobody_practises_during_the_exam(
        session: Session, world: SittingWorld, clock: TestClock, app: Flask) -> None:
    practising(world, 2)
    world.deal()
    session.commit()
    client = world.enter(app, "陈晓")
    assert client.get("/practice").status_code == 200  # an hour before
    clock.forward(hours=1, minutes=1)
    client = world.enter(app, "陈晓")
    listed = client.get("/practice").get_data(as_text=True)
    assert "交卷后才能练习" in listed
    assert f"/practice/{world.table.id}" not in listed
    for method, address in (("GET", f"/practice/{world.table.id}?draw=1"), ("POST", f"/practice/{world.table.id}")):
        assert client.open(address, method=method).status_code == 409


def test_an_item_of_a_sitting_to_come_is_not_released(
        session: Session, world: SittingWorld, people: People, clock: TestClock) -> None:
    version = session.scalars(sa.select(ItemVersion).join(PaperItem, PaperItem.version_id == ItemVersion.id)
                              .where(PaperItem.paper_id == world.paper.id)).first()
    assert version
    with refused("held") as refusal:
        release_for_practice(session, version.item, world.author, "公开", now=clock())
    assert "收卷后" in refusal.value.details[0]
    draft = world.sealed_paper("未封存卷", sealed=False)
    other = draft.items[0].version
    with refused("held") as refusal:
        release_for_practice(session, other.item, world.author, "公开", now=clock())
    assert "待封存的试卷“未封存卷”" in refusal.value.details[0]


def test_what_was_practised_with_never_enters_an_exam(
        session: Session, world: SittingWorld, people: People, clock: TestClock, enter: Enter) -> None:
    """Not by assembly, not by sealing a paper that was drafted before, not by choosing a sealed one, not by dealing it."""
    reserve, draft = world.sealed_paper("备用卷"), world.sealed_paper("未封存卷", sealed=False)
    version = reserve.items[0].version
    release_for_practice(session, version.item, world.author, "教材已公开", now=clock())
    composer = people("郑华", Role.PAPER_COMPOSER)
    assert version.id not in pool_of(session, world.table.id, world.school.id, composer.account_id).items.keys
    with refused("practice_items") as choosing:
        sittings.choose_paper(session, world.sitting, reserve.id, world.officer)
    assert f"题 {version.item_id}" in choosing.value.sentence
    drafted = draft.items[0].version
    drafted.item.purpose = Purpose.PRACTICE  # as if two transactions had met
    world.paper.items[0].version.item.purpose = Purpose.PRACTICE
    session.flush()
    with refused("cannot_seal") as sealing:
        desk.seal(session, draft, composer, now=clock())
    assert any(f"题 {drafted.item_id}）已转入练习题库" in line for line in sealing.value.details)
    with refused("sitting_not_ready") as dealing:
        deal(session, world.sitting, world.officer, now=clock())
    assert any("练习题库" in line for line in dealing.value.details)
    session.commit()
    officer = enter(world.officer)
    answer = officer.post(f"/plans/sittings/{world.sitting.id}/paper", data={"paper_id": str(reserve.id)}, follow_redirects=False)
    assert answer.status_code in {404, 409}
    assert session.get_one(type(world.sitting), world.sitting.id).paper_id == world.paper.id
    assert clock() + timedelta(hours=1) == world.sitting.starts_at
