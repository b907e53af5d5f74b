"""Items that read alike on the pages: when one is saved, over a whole bank, on an item's own page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items import bank, pairs
from qbank.items.models import Item, ItemPair, ItemVersion, Likeness
from qbank.items.states import PairKind
from qbank.kernel.access import Role, Viewer
from qbank.standards.models import Point, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import ohm

Enter = Callable[[Viewer], FlaskClient]
LONG = "某车间三相异步电动机的额定电压为 {} V，启动电流过大时应当采用的启动方法{}（　　）。"


@pytest.fixture
def stood(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> ItemVersion:
    made = bank.add_item(session, table, people.home.id, ohm(stem=LONG.format(380, "是")), chen, now=clock())
    session.commit()
    return made


def form(session: Session, **changes: object) -> dict[str, object]:
    point = session.scalars(sa.select(Point.id).order_by(Point.id)).first()
    session.commit()
    return {"kind": "single", "point": str(point), "stem": LONG.format(220, "不是"), "option_A": "直接启动", "option_B": "星三角降压启动",
            "key": "A", "difficulty": "2", "explanation": "", "source": "", "then": ""} | changes


def count(session: Session, model: type) -> int:
    found = session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
    session.commit()
    return found


def test_saving_shows_what_is_alike_first_and_is_not_kept_from_it(session: Session, stood: ItemVersion, chen: Viewer,
                                                                 enter: Enter) -> None:
    client, typed = enter(chen), form(session)
    text = client.post("/items/new", data=typed).get_data(as_text=True)
    assert "题库里有相近的题" in text
    assert "两题数值不同：220V ↔ 380V。" in text
    assert "肯定与否定不同：不是 ↔ 无。" in text
    assert "<mark>" in text
    assert 'name="option_B" value="星三角降压启动"' in text
    assert count(session, Item) == 1
    answer = client.post("/items/new", data=typed | {"alike": "seen", "alike_item": str(stood.item_id)})
    assert answer.status_code == 302
    assert (count(session, Item), count(session, Likeness), count(session, ItemPair)) == (2, 1, 0)


def test_the_choice_made_on_saving_is_kept(session: Session, stood: ItemVersion, chen: Viewer, enter: Enter) -> None:
    typed = form(session, alike="seen", alike_item=[str(stood.item_id), "x"], **{f"pair_{stood.item_id}": "enemy"})
    client = enter(chen)
    answer = client.post("/items/new", data=typed)
    pair = session.scalars(sa.select(ItemPair)).one()
    session.commit()
    assert (pair.kind, pair.first_id) == (PairKind.ENEMY, stood.item_id)
    assert "互相提示（不同卷）" in client.get(answer.headers["Location"]).get_data(as_text=True)


def test_an_exact_double_is_still_refused_and_mistakes_come_first(session: Session, stood: ItemVersion, chen: Viewer,
                                                                 enter: Enter) -> None:
    client = enter(chen)
    double = form(session, stem=LONG.format(380, "是"), option_A="伏特", option_B="安培", option_C="欧姆", option_D="瓦特", key="C")
    answer = client.post("/items/new", data=double)
    assert (answer.status_code, "题库里已有相同的题" in answer.get_data(as_text=True)) == (409, True)
    answer = client.post("/items/new", data=form(session, key=""))
    assert (answer.status_code, "答案是空的" in answer.get_data(as_text=True)) == (409, True)


def test_an_edit_is_not_held_against_its_own_item_nor_against_decided_ones(
        session: Session, stood: ItemVersion, chen: Viewer, enter: Enter, people: People, table: WeightTable, clock: TestClock) -> None:
    other = bank.add_item(session, table, people.home.id, ohm(stem=LONG.format(220, "是")), chen, now=clock())
    session.commit()
    client = enter(chen)
    typed = form(session, stem=LONG.format(36, "是"), number="1", reason="改电压")
    address = f"/items/{stood.item_id}/edit"
    assert "题库里有相近的题" in client.post(address, data=typed).get_data(as_text=True)
    pairs.mark(session, stood.item, other.item, PairKind.DISTINCT, "", chen, now=clock())
    session.commit()
    assert client.post(address, data=typed).status_code == 302


def test_a_bank_is_searched_and_its_pairs_decided(session: Session, stood: ItemVersion, chen: Viewer, enter: Enter, people: People,
                                                  table: WeightTable, clock: TestClock) -> None:
    twin = bank.add_item(session, table, people.home.id, ohm(stem=LONG.format(220, "是")), chen, now=clock())
    bank.add_item(session, table, people.home.id, ohm(stem="变压器空载时铁损与铜损的关系是（　　）。"), chen, now=clock())
    session.commit()
    client = enter(chen)
    assert "点“查找相近题”比对整个题库" in client.get("/items/pairs").get_data(as_text=True)
    here = {"table": str(table.id), "school": str(people.home.id)}
    session.commit()
    assert client.post("/items/pairs/search", data=here).status_code == 302  # the job runs inline
    text = client.get("/items/pairs").get_data(as_text=True)
    assert text.count("pair-box") == 1
    assert "两题只有数值不同：380V ↔ 220V。" in text
    answer = client.post(f"/items/{stood.item_id}/pair", data={"other": str(twin.item_id), "kind": "similar", "back": "pairs"})
    assert answer.headers["Location"].startswith("/items/pairs")
    assert count(session, Likeness) == 0
    assert "pair-box" in client.get("/items/pairs?kind=similar").get_data(as_text=True)
    assert client.post("/items/pairs/search", data=here).status_code == 302
    assert count(session, Likeness) == 0  # decided pairs are not shown again
    pair = session.scalars(sa.select(ItemPair)).one()
    session.commit()
    assert client.post(f"/items/pairs/{pair.id}/unmark", data={"item": str(twin.item_id)}).status_code == 302
    assert count(session, ItemPair) == 0


def test_what_is_typed_on_an_items_page_is_checked(session: Session, stood: ItemVersion, chen: Viewer, enter: Enter) -> None:
    client = enter(chen)
    address = f"/items/{stood.item_id}/pair"
    for typed, status in (({}, 409), ({"other": "abc", "kind": "enemy"}, 409), ({"other": "99999", "kind": "enemy"}, 404),
                          ({"other": str(stood.item_id), "kind": "enemy"}, 409), ({"other": "1", "kind": "x"}, 409)):
        assert client.post(address, data=typed).status_code == status, typed
    assert client.post("/items/pairs/search", data={"table": "x"}).status_code == 409


def test_strangers_find_no_pairs_and_composers_decide_nothing(session: Session, stood: ItemVersion, chen: Viewer, enter: Enter,
                                                             people: People, table: WeightTable, clock: TestClock) -> None:
    other = bank.add_item(session, table, people.home.id, ohm(5), chen, now=clock())
    pair = pairs.mark(session, stood.item, other.item, PairKind.ENEMY, "", chen, now=clock())
    stranger = people("外人", Role.ITEM_AUTHOR, school=people.school("外校"))
    composer = people("郑组卷", Role.PAPER_COMPOSER)
    session.commit()
    client = enter(stranger)
    assert client.post(f"/items/pairs/{pair.id}/unmark").status_code == 404
    assert client.post(f"/items/{stood.item_id}/pair", data={"other": str(other.item_id), "kind": "distinct"}).status_code == 404
    assert "额定电压" not in client.get(f"/items/pairs?table={table.id}&kind=enemy").get_data(as_text=True)
    session.commit()
    reading = enter(composer)
    assert "额定电压" in reading.get("/items/pairs?kind=enemy").get_data(as_text=True)
    assert reading.post(f"/items/pairs/{pair.id}/unmark").status_code == 403
