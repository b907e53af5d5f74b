"""Review on the page: 李明 and 王芳 see no key before they answer, 陈晓 replies, work is dealt out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items import bank, tasks, todo
from qbank.items.models import Item, ItemVersion, Review, ReviewTask, SecondKey
from qbank.items.states import ItemState, Purpose, Verdict
from qbank.kernel.access import Role, Viewer
from qbank.kernel.times import local_date
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import approved, judged, ohm

Enter = Callable[[Viewer], FlaskClient]
SECRETS = ("只有命题员知道的解析", "只有命题员知道的出处", "改答案为C", "is-key", "正确答案")
SECRET = {"explanation": SECRETS[0], "source": SECRETS[1]}


@pytest.fixture
def both(people: People) -> Viewer:
    return people("罗兰", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)


@pytest.fixture
def version(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> ItemVersion:
    """The second version of an item, submitted; the reason of the edit gives the key away."""
    first = bank.add_item(session, table, people.home.id, ohm(1, **SECRET), chen, now=clock())
    made = bank.edit(session, first, ohm(1, difficulty=2, **SECRET), chen, now=clock(), reason="改答案为C")
    bank.submit(session, made, chen, now=clock())
    session.commit()
    return made


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address, follow_redirects=True)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def sheet(data: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(BytesIO(data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["li", "both"])
def test_no_page_shows_the_key_before_the_blind_answer(
        session: Session, version: ItemVersion, who: str, enter: Enter, request: pytest.FixtureRequest) -> None:
    """As a reviewer, and as one who may also write here but wrote nothing of this item."""
    reviewer: Viewer = request.getfixturevalue(who)
    session.commit()
    client, item = enter(reviewer), version.item_id
    for address in (f"/items/{item}", f"/items/{item}?version=1", f"/items/{item}?version=2", "/items/", f"/items/?q={item}",
                    "/items/review", f"/items/review?version={version.id}", "/items/desk", "/items/tasks"):
        text = page(client, address)
        assert version.stem in text or address == "/items/desk"
        assert not [secret for secret in SECRETS if secret in text.split("</head>")[1]], address
    [head, line] = sheet(client.get("/items/export").data)
    shown = dict(zip(head, line, strict=True))
    assert (shown["题干"], shown["答案"], shown["解析"], shown["出处"]) == (version.stem, None, None, None)
    for address in (f"/items/{item}/difference", f"/statistics/{version.item.versions[0].id}", f"/statistics/{version.id}"):
        answer = client.get(address)
        assert answer.status_code == 409
        assert "请先盲答" in answer.get_data(as_text=True)
    edit = client.get(f"/items/{item}/edit")
    assert edit.status_code == (409 if reviewer.has(Role.ITEM_AUTHOR) else 403)
    assert SECRETS[0] not in edit.get_data(as_text=True)
    assert client.post(f"/items/review/{version.id}/answer", data={"answer": "A"}).status_code == 302
    text = page(client, f"/items/review?version={version.id}")
    assert all(secret in text for secret in SECRETS)
    assert "不一致" in text
    [head, line] = sheet(client.get("/items/export").data)
    assert dict(zip(head, line, strict=True))["答案"] == "C"


def test_the_disagreement_is_flagged_for_the_author_and_for_those_who_answered(
        session: Session, version: ItemVersion, people: People, chen: Viewer, li: Viewer, clock: TestClock, enter: Enter) -> None:
    wang = people("王芳", Role.ITEM_REVIEWER)
    session.commit()
    enter(li).post(f"/items/review/{version.id}/answer", data={"answer": "A"})
    assert "与您的答案不一致" in todo.todo(session, chen, now=clock())[0].detail
    session.commit()
    assert "请核对答案" in page(enter(chen), f"/items/{version.item_id}")
    client = enter(wang)
    assert "不一致" not in page(client, f"/items/{version.item_id}")
    assert "李明" not in page(client, f"/items/review?version={version.id}")
    client.post(f"/items/review/{version.id}/answer", data={"answer": "C"})
    assert "李明的盲答是“A”" in page(client, f"/items/review?version={version.id}")


def test_a_reply_reaches_the_reviewer_of_the_next_version(
        session: Session, version: ItemVersion, chen: Viewer, li: Viewer, clock: TestClock, enter: Enter) -> None:
    judged(session, version, li, Verdict.MINOR, "选项D不妥", now=clock())
    session.commit()
    client = enter(chen)
    assert "选项D不妥" in page(client, "/items/desk")
    comment = session.scalars(sa.select(Review)).one()
    session.commit()
    assert client.post(f"/items/reviews/{comment.id}/reply", data={"reply": " "}).status_code == 409
    assert client.post(f"/items/reviews/{comment.id}/reply", data={"reply": "已改为焦耳。"}).status_code == 302
    assert enter(li).post(f"/items/reviews/{comment.id}/reply", data={"reply": "x"}).status_code == 403
    session.expire_all()
    third = bank.edit(session, version, ohm(1, options=("伏特", "安培", "欧姆", "焦耳")), chen, now=clock(), reason="改选项D")
    bank.submit(session, third, chen, now=clock())
    session.commit()
    reviewer = enter(li)
    assert "已改为焦耳" not in page(reviewer, f"/items/review?version={third.id}")  # comments may tell the key
    reviewer.post(f"/items/review/{third.id}/answer", data={"answer": "C"})
    text = page(reviewer, f"/items/review?version={third.id}")
    assert "选项D不妥" in text
    assert "命题员回复：已改为焦耳。" in text


def test_a_verdict_is_undone_from_the_page(session: Session, version: ItemVersion, li: Viewer, clock: TestClock, enter: Enter) -> None:
    judged(session, version, li, now=clock())
    session.commit()
    client = enter(li)
    assert f"/items/review/{version.id}/undo" in page(client, "/items/desk")
    assert client.post(f"/items/review/{version.id}/undo").status_code == 302
    assert client.post(f"/items/review/{version.id}/undo").status_code == 409
    assert session.scalars(sa.select(Review)).all() == []
    assert session.scalars(sa.select(SecondKey)).one().answer == "C"


def test_tasks_are_dealt_out_on_the_page_and_shown_to_the_reviewer(
        session: Session, version: ItemVersion, people: People, li: Viewer, chen: Viewer, clock: TestClock, enter: Enter) -> None:
    wang = people("王芳", Role.ITEM_REVIEWER)
    session.commit()
    client, due = enter(li), local_date(clock()) + timedelta(days=2)
    good = {"which": "ticked", "version": str(version.id), "reviewer": [str(li.account_id), str(wang.account_id)], "due": str(due)}
    wrong: dict[str, Any]
    for wrong in ({"version": "x"}, {"reviewer": []}, {"due": "明天"}, {"each": "很多"}, {"which": "first", "count": "0"},
                  {"reviewer": [str(li.account_id)]}, {"reviewer": ["99999"]}):
        assert client.post("/items/tasks", data=good | wrong).status_code == 409
    assert client.post("/items/tasks", data=good).status_code == 302
    assert "2026年6月3日前" in page(client, "/items/tasks")
    assert "李明分配" in page(enter(wang), "/items/desk")
    clock.forward(days=3)
    assert "1 道已超过审题期限" in todo.todo(session, wang, now=clock())[0].detail
    session.commit()
    assert "已超期" in page(enter(wang), "/items/desk")
    task = session.scalars(sa.select(ReviewTask).where(ReviewTask.reviewer_id == wang.account_id)).one()
    session.commit()
    assert enter(chen).post(f"/items/tasks/{task.id}/drop").status_code == 403
    client = enter(li)
    assert client.post(f"/items/tasks/{task.id}/drop").status_code == 302
    assert client.post(f"/items/tasks/{task.id}/drop").status_code == 404
    assert client.post("/items/tasks", data={**good, "which": "first", "count": "30", "due": str(due + timedelta(days=9))}).status_code == 409


def test_strangers_reach_no_task_no_comment_and_no_review(
        session: Session, version: ItemVersion, people: People, li: Viewer, clock: TestClock, enter: Enter) -> None:
    judged(session, version, li, Verdict.ACCEPT, "好题", now=clock())
    tasks.assign(session, [version], [people("王芳", Role.ITEM_REVIEWER).account_id], li, due=local_date(clock()), now=clock())
    roles = (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.PAPER_COMPOSER)
    stranger = people("外校教师", *roles, school=people.school("衡州技师学院（演示）"))
    comment, task = session.scalars(sa.select(Review)).one(), session.scalars(sa.select(ReviewTask)).one()
    session.commit()
    client = enter(stranger)
    for address in (f"/items/reviews/{comment.id}/reply", f"/items/tasks/{task.id}/drop", f"/items/review/{version.id}/answer",
                    f"/items/review/{version.id}/undo", f"/items/versions/{version.id}/suspend", f"/items/versions/{version.id}/resume",
                    f"/items/{version.item_id}/release"):
        assert client.post(address, data={"reply": "x", "reason": "x", "answer": "C"}).status_code == 404
    assert len(sheet(client.get(f"/items/estimates.xlsx?table={version.item.table_id}").data)) == 1  # the head alone
    assert client.get("/items/estimates.xlsx?table=99999").status_code == 404
    for address in ("/items/desk", "/items/tasks", "/items/life"):
        assert version.stem not in page(client, address)


def test_the_item_page_says_who_may_do_what_next(
        session: Session, version: ItemVersion, people: People, chen: Viewer, li: Viewer, clock: TestClock, enter: Enter) -> None:
    wang, zheng = people("王芳", Role.ITEM_REVIEWER), people("郑华", Role.PAPER_COMPOSER)
    for reviewer in (li, wang):
        judged(session, version, reviewer, now=clock())
    session.commit()
    author, reviewer_page, address = enter(chen), enter(wang), f"/items/{version.item_id}"
    text = page(author, address)
    assert "刚好合格的考生约 60% 答对（2 人估计，标准差 0 个百分点）" in text
    for words in ("封存入卷", f"/items/versions/{version.id}/suspend", f"/items/versions/{version.id}/retire", f"{address}/release"):
        assert words in text
    assert "/suspend" not in page(enter(zheng), address)
    assert author.post(f"/items/versions/{version.id}/suspend", data={"reason": ""}).status_code == 409
    assert author.post(f"/items/versions/{version.id}/suspend", data={"reason": "国标改了"}).status_code == 302
    assert "暂停原因：国标改了" in page(author, address)
    assert "/resume" not in page(author, address)
    assert reviewer_page.post(f"/items/versions/{version.id}/resume", data={"reason": "核对无误"}).status_code == 302
    assert "核对无误" in page(author, address)
    rows = sheet(author.get(f"/items/estimates.xlsx?table={version.item.table_id}").data)
    assert rows[1][6:9] == (60, 60, 2)


def test_the_picture_of_the_life_cycle_counts_and_is_drawn_from_the_table(
        session: Session, version: ItemVersion, li: Viewer, enter: Enter) -> None:
    session.commit()
    text = page(enter(li), f"/items/life?table={version.item.table_id}")
    for state in ItemState:
        assert state.chinese in text
    assert text.count('class="way') > 10
    page(enter(li), "/items/life?table=99999999999999999999")


def test_an_item_is_released_for_practice_from_its_page(
        session: Session, people: People, table: WeightTable, chen: Viewer, li: Viewer, clock: TestClock, enter: Enter) -> None:
    version = approved(session, bank.add_item(session, table, people.home.id, ohm(7), chen, now=clock()), chen, li,
                       people("王芳", Role.ITEM_REVIEWER), now=clock())
    session.commit()
    client, address = enter(chen), f"/items/{version.item_id}/release"
    assert client.post(address, data={}).status_code == 409
    assert client.post(address, data={"reason": "教材已公开"}).status_code == 302
    assert "教材已公开" in page(client, f"/items/{version.item_id}")
    session.expire_all()
    assert session.get_one(Item, version.item_id).purpose is Purpose.PRACTICE
    session.commit()
    assert client.post(address, data={"reason": "教材已公开"}).status_code == 409
