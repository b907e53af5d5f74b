"""Finding items: filters, order, pages, the tree with its counts; and doing one thing with many of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items import bank, bulk, figures, listing, pairs
from qbank.items.filters import SORTS, Filters
from qbank.items.models import BulkRun, Item, ItemFigures, ItemVersion, Likeness
from qbank.items.states import ItemState, PairKind, Purpose
from qbank.items.tree import tree_of
from qbank.kernel.access import Role, Scope, Viewer
from qbank.standards.models import Point, Range, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_big import fill
from tests.qbank.bank_world import ohm

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def three(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> list[ItemVersion]:
    """Three drafts: A-A-001, A-A-002 and B-A-001, a day apart."""
    made = []
    changes: tuple[dict[str, Any], ...] = ({}, {"point_segment": "002"}, {"range_path": "B-A", "difficulty": 4})
    for number, change in enumerate(changes, start=1):
        made.append(bank.add_item(session, table, people.home.id, ohm(number, **change), chen, now=clock()))
        clock.forward(days=1)
    session.commit()
    return made


def ids(session: Session, viewer: Viewer, **asked: str) -> list[int]:
    filters = Filters.read(asked)
    shown = [version.item_id for version in listing.page(session, viewer, filters, asked).rows]
    assert sorted(shown) == sorted(version.item_id for version in session.scalars(listing.versions(viewer, filters)))
    assert listing.tally(session, viewer, filters).total(filters.state) == len(shown)
    return shown


def test_filters_live_in_the_address_and_read_back_what_they_wrote() -> None:
    asked = {"table": "3", "q": "电压 电流", "kind": "single", "state": "draft", "purpose": "practice", "range": "A-B", "point": "7",
             "importance": "X", "difficulty": "2", "batch": "4", "author": "陈", "mine": "1", "ease_from": "0", "ease_to": "60",
             "rest_below": "0.2", "uses_from": "1", "uses_to": "0", "used_after": "2026-01-02", "used_before": "2026-05-01",
             "made_since": "2025-01-01", "pair": "enemy", "sort": "-ease"}
    assert Filters.read(asked).arguments() == asked
    assert Filters.read(dict.fromkeys(asked, "nonsense")).arguments() == {"q": "nonsense", "range": "nonsense", "author": "nonsense"}
    assert Filters.read({"rest_below": "nan", "ease_to": "101", "used_after": "0001-01-01", "uses_to": "9" * 12}) == Filters()


def test_items_are_found_by_statistics_use_pairs_author_and_time(
        session: Session, three: list[ItemVersion], chen: Viewer, people: People, clock: TestClock) -> None:
    one, two, last = (version.item_id for version in three)
    session.add_all([ItemFigures(item_id=one, uses=3, last_used_at=clock(), answered=40, difficulty=0.35, discrimination=0.1),
                     ItemFigures(item_id=two, uses=0, answered=50, difficulty=0.8, discrimination=0.4)])
    pairs.mark(session, three[0].item, three[1].item, PairKind.ENEMY, "", chen, now=clock())
    session.add(Likeness(first_id=two, second_id=last, score=0.9, found_at=clock()))
    three[2].item.purpose = Purpose.PRACTICE
    session.flush()
    for asked, wanted in (
            ({"ease_to": "40"}, [one]), ({"ease_from": "40"}, [two]), ({"rest_below": "0.2"}, [one]), ({"uses_from": "1"}, [one]),
            ({"uses_to": "0"}, [two, last]), ({"used_after": "2026-06-01"}, [one]), ({"used_before": "2026-06-01"}, [two, last]),
            ({"made_since": "2026-06-02"}, [two, last]), ({"pair": "enemy"}, [one, two]), ({"pair": "similar"}, []),
            ({"pair": "open"}, [two, last]), ({"author": "陈"}, [one, two, last]), ({"author": "李"}, []),
            ({"purpose": "practice"}, [last]), ({"point": str(three[1].point_id)}, [two]), ({"range": "A"}, [one, two]),
            ({"q": "第2题 电阻"}, [two]), ({"q": "安培 第3题"}, [last]), ({"q": "第2题 没有"}, []), ({"q": "#" + str(last)}, [last]),
            ({"q": "ＯＨＭ"}, []), ({"sort": "-uses"}, [one, last, two]), ({"sort": "ease"}, [last, one, two]),
            ({"sort": "-last_used"}, [one, last, two]), ({"sort": "-made"}, [last, two, one])):
        found = ids(session, chen, **asked)
        assert found == wanted if "sort" in asked else sorted(found) == wanted, asked


def test_an_author_bounded_to_an_occupation_sees_that_occupation_only(
        session: Session, three: list[ItemVersion], people: People, clock: TestClock) -> None:
    other = people("王钳工", scopes=[Scope(Role.ITEM_AUTHOR, people.home.id, occupation_code="6-20-01-01")])
    same = people("赵电工", scopes=[Scope(Role.ITEM_AUTHOR, people.home.id, occupation_code="6-31-01-03")])
    stranger = people("外人", Role.ITEM_AUTHOR, school=people.school("外校"))
    assert [len(ids(session, who)) for who in (other, same, stranger)] == [0, 3, 0]


def test_counts_stand_at_the_tree_and_at_the_states(session: Session, three: list[ItemVersion], table: WeightTable,
                                                    chen: Viewer, clock: TestClock) -> None:
    bank.submit(session, three[0], chen, now=clock())
    session.flush()
    ranges = session.scalars(sa.select(Range).where(Range.table_id == table.id).order_by(Range.path)).all()

    def told(**asked: str) -> tuple[dict[str, int], dict[str, int]]:
        tally = listing.tally(session, chen, Filters.read(asked))
        nodes = tree_of(ranges, tally.ranges, asked.get("range", ""))
        counts = {node.path: node.count for top in nodes for node in (top, *top.children)}
        return counts, {state.value: count for state, count in tally.states.items() if count}

    assert told() == ({"A": 2, "A-A": 2, "B": 1, "B-A": 1}, {"submitted": 1, "draft": 2})
    assert told(state="draft") == ({"A": 1, "A-A": 1, "B": 1, "B-A": 1}, {"submitted": 1, "draft": 2})
    assert told(range="B-A") == ({"A": 2, "A-A": 2, "B": 1, "B-A": 1}, {"draft": 1})
    assert [top.unfolded for top in tree_of(ranges, {}, "B-A")] == [True, True]


def test_every_order_pages_through_every_item_once(session: Session, table: WeightTable, people: People, chen: Viewer,
                                                   clock: TestClock) -> None:
    fill(session, table.id, people.home.id, [chen.account_id], 130, clock())
    for sort in (*SORTS, *(f"-{name}" for name in SORTS)):
        filters, asked, seen = Filters(sort=sort), {"after": ""}, []
        for _ in range(3):
            shown = listing.page(session, chen, filters, asked)
            seen += [version.id for version in shown.rows]
            asked = {"after": shown.after}
        assert not shown.after, sort
        assert seen == [version.id for version in session.scalars(listing.versions(chen, filters))], sort
        assert len(set(seen)) == 130


def test_the_page_links_to_the_next_one_and_back(session: Session, table: WeightTable, people: People, chen: Viewer, clock: TestClock,
                                                 enter: Enter) -> None:
    fill(session, table.id, people.home.id, [chen.account_id], 120, clock())
    session.commit()
    client = enter(chen)

    def turn(text: str, rel: str) -> str:
        found = re.search(rf'rel="{rel}" href="([^"]+)"', text)
        assert found
        return client.get(unescape(found[1])).get_data(as_text=True)

    first = client.get("/items/?sort=-difficulty&state=").get_data(as_text=True)
    assert 'rel="prev"' not in first
    assert "共 120 条" in first
    second = turn(first, "next")
    third = turn(second, "next")
    assert 'rel="next"' not in third
    numbers = [re.findall(r'href="/items/(\d+)\?', text) for text in (first, second, third)]
    assert [len(found) for found in numbers] == [50, 50, 20]
    assert re.findall(r'href="/items/(\d+)\?', turn(third, "prev")) == numbers[1]


# -- many at once


def chosen(*versions: ItemVersion, **fields: str) -> dict[str, object]:
    return {"version": [str(version.id) for version in versions], "expected": str(len(versions)), **fields}


def state_of(session: Session, *versions: ItemVersion) -> list[str]:
    found = {key: state.value for key, state in session.execute(sa.select(ItemVersion.id, ItemVersion.state))}
    session.commit()
    return [found[version.id] for version in versions]


def test_the_preview_says_what_will_happen_and_writes_nothing(
        session: Session, three: list[ItemVersion], chen: Viewer, enter: Enter, clock: TestClock) -> None:
    bank.submit(session, three[0], chen, now=clock())
    session.commit()
    client = enter(chen)
    text = client.post("/items/bulk", data=chosen(*three, action="submit")).get_data(as_text=True)
    assert "可以提交审核的 <strong>2</strong> 道，不能的 1 道" in text
    assert "已在审核中" in text
    assert state_of(session, *three) == ["submitted", "draft", "draft"]
    assert client.post("/items/bulk", data={"action": "submit"}).status_code == 409
    assert client.post("/items/bulk", data=chosen(*three, action="nonsense")).status_code == 409
    assert client.post("/items/bulk", data=chosen(*three, action="export")).data[:2] == b"PK"


def test_drafts_are_submitted_together(session: Session, three: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client = enter(chen)
    answer = client.post("/items/bulk/do", data=chosen(three[2], three[0], action="submit"))
    assert answer.status_code == 302
    assert state_of(session, *three) == ["submitted", "draft", "submitted"]
    text = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "提交审核：已办理 2 道" in text
    assert "撤销这次办理" not in text
    assert client.post(answer.headers["Location"] + "/undo").status_code == 409


def test_all_that_the_list_holds_are_submitted_and_a_list_that_changed_is_shown_again(
        session: Session, three: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client = enter(chen)
    stale = client.post("/items/bulk/do?range=A", data={"action": "submit", "all": "1", "expected": "3"})
    assert stale.status_code == 409
    assert "变成了 2 道" in stale.get_data(as_text=True)
    assert client.post("/items/bulk/do?range=A", data={"action": "submit", "all": "1", "expected": "2"}).status_code == 302
    assert state_of(session, *three) == ["submitted", "submitted", "draft"]


def test_many_are_done_off_the_request(session: Session, three: list[ItemVersion], chen: Viewer, enter: Enter,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    client = enter(chen)
    answer = client.post("/items/bulk/do", data=chosen(*three, action="suspend", reason="标准换版"))
    assert answer.status_code == 409  # drafts are not suspended
    answer = client.post("/items/bulk/do", data=chosen(*three, action="retire", reason="标准换版"))
    assert "/accounts/jobs/" in answer.headers["Location"]
    assert state_of(session, *three) == ["retired"] * 3
    run = session.scalars(sa.select(BulkRun)).one()
    assert (run.action, run.reason, [change[0] for change in run.changes]) == ("retire", "标准换版", [version.id for version in three])


def test_items_move_to_another_point_and_back(session: Session, three: list[ItemVersion], chen: Viewer, enter: Enter,
                                              people: People, clock: TestClock) -> None:
    three[1].state = ItemState.APPROVED
    session.commit()
    target = session.scalars(sa.select(Point).join(Range).where(Range.path == "B-A", Point.segment == "002")).one()
    key = str(target.id)
    session.commit()
    client = enter(chen)
    text = client.post("/items/bulk", data=chosen(*three, action="move")).get_data(as_text=True)
    assert "草稿：内容不变" in text
    assert "通过之前，原版本继续使用" in text
    assert client.post("/items/bulk/do", data=chosen(*three, action="move", point="")).status_code == 409
    answer = client.post("/items/bulk/do", data=chosen(*three, action="move", point=key))
    assert answer.status_code == 302
    session.expire_all()
    newest = [session.get_one(Item, version.item_id).newest for version in three]
    assert [version.point_id for version in newest] == [target.id] * 3
    assert [version.number for version in newest] == [2, 2, 2]
    assert [version.state.value for version in three] == ["superseded", "approved", "superseded"]
    session.commit()
    assert client.post(answer.headers["Location"] + "/undo").status_code == 302
    session.expire_all()
    back = [session.get_one(Item, version.item_id).newest for version in three]
    assert [version.point_id for version in back] == [version.point_id for version in three]
    session.commit()
    assert client.post(answer.headers["Location"] + "/undo").status_code == 409


def test_a_suspension_is_taken_back_by_a_reviewer(session: Session, three: list[ItemVersion], people: People, enter: Enter) -> None:
    for version in three[:2]:
        version.state = ItemState.APPROVED
    li = people("李明", Role.ITEM_REVIEWER)
    session.commit()
    client = enter(li)
    assert client.post("/items/bulk/do", data=chosen(*three[:2], action="suspend")).status_code == 409  # no reason
    assert client.post("/items/bulk/do", data=chosen(*three[:2], action="retire", reason="x")).status_code == 409  # no author
    answer = client.post("/items/bulk/do", data=chosen(*three[:2], action="suspend", reason="答案有争议"))
    assert state_of(session, *three) == ["suspended", "suspended", "draft"]
    assert client.post(answer.headers["Location"] + "/undo").status_code == 302
    assert state_of(session, *three) == ["approved", "approved", "draft"]


def test_another_persons_bulk_run_is_not_there(session: Session, three: list[ItemVersion], chen: Viewer, people: People,
                                               enter: Enter) -> None:
    address = enter(chen).post("/items/bulk/do", data=chosen(three[0], action="submit")).headers["Location"]
    wang = people("王芳", Role.ITEM_AUTHOR)
    session.commit()
    assert enter(wang).get(address).status_code == 404


def test_a_strangers_items_are_not_listed_in_a_preview(session: Session, three: list[ItemVersion], people: People, enter: Enter) -> None:
    stranger = people("外人", Role.ITEM_AUTHOR, school=people.school("外校"))
    session.commit()
    assert enter(stranger).post("/items/bulk/do", data=chosen(*three, action="retire", reason="x")).status_code == 409
    assert state_of(session, *three) == ["draft"] * 3


# -- what the rooms above tell


def test_figures_keep_the_newest_measured_version_and_are_rebuilt(session: Session, three: list[ItemVersion], chen: Viewer,
                                                                  clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Row:
        version_id: int
        n: int
        difficulty: float | None
        item_rest: float | None = 0.3

    first = three[0]
    second = bank.edit(session, first, ohm(1, difficulty=5), chen, now=clock(), reason="改难度")
    item_id = first.item_id
    figures.note_statistics(session, [Row(first.id, 40, 0.6)])
    figures.note_statistics(session, [Row(second.id, 30, 0.5), Row(first.id, 60, 0.7)])
    figures.note_statistics(session, [Row(first.id, 80, 0.9)])
    row = session.get_one(ItemFigures, item_id)
    assert (row.measured_id, row.answered, row.difficulty) == (second.id, 30, 0.5)
    figures.note_uses(session, {item_id: 1}, now=clock())
    figures.note_uses(session, {item_id: 1}, now=clock.forward(days=3))
    assert (row.uses, row.last_used_at) == (2, clock())
    monkeypatch.setattr(figures, "USES", [lambda _: {item_id: (7, clock() - timedelta(days=1))}])
    monkeypatch.setattr(figures, "STATISTICS", [lambda _: [Row(second.id, 31, 0.55)]])
    assert figures.rebuild(session) == 1
    row = session.get_one(ItemFigures, item_id)
    assert (row.uses, row.answered, row.difficulty) == (7, 31, 0.55)
