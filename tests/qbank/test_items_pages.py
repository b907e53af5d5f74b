"""The bank's pages as 陈晓 (author), 李明 and 王芳 (reviewers), 郑华 (composer) and strangers meet them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.exchange.tabular import look_at_excel as read_workbook
from qbank.items import bank, todo
from qbank.items.listing import Filters
from qbank.items.models import ItemVersion
from qbank.items.states import ItemState, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.standards.models import Point, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import judged, ohm

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def bank_of_four(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> list[ItemVersion]:
    """Two submitted single-choice items, a draft judgement, a draft on range B."""
    made = [bank.add_item(session, table, people.home.id, draft, chen, now=clock()) for draft in (
        ohm(1), ohm(2, difficulty=3), ohm(3, kind="judge", options=(), key="F", point_segment="002"),
        ohm(4, range_path="B-A", point_segment="003", stem="含有 100%_ 的题干"))]
    bank.submit_many(session, made[:2], chen, now=clock())
    session.commit()
    return made


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def form(session: Session, **changes: object) -> dict[str, object]:
    point = session.scalars(sa.select(Point).order_by(Point.id)).first()
    assert point is not None
    session.commit()  # SQLite has one writer, and this session takes the lock when it reads
    return {"kind": "single", "point": str(point.id), "stem": "电流的单位是（　　）。", "option_A": "安培", "option_B": "伏特",
            "key": "A", "difficulty": "2", "explanation": "", "source": "", "then": ""} | changes


def states(session: Session, versions: list[ItemVersion]) -> list[str]:
    """The states as they are in the database now."""
    found = dict(session.execute(sa.select(ItemVersion.id, ItemVersion.state)).all())
    session.commit()
    return [found[version.id].value for version in versions]


def test_the_list_is_filtered_by_its_address(session: Session, bank_of_four: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client = enter(chen)
    one, two, three, four = (f"/items/{version.item_id}?" for version in bank_of_four)
    for query, wanted in (("", {one, two, three, four}), ("kind=judge", {three}), ("state=submitted", {one, two}),
                          ("range=B", {four}), ("range=B-A", {four}), ("importance=Y", {three}), ("difficulty=3", {two}),
                          ("q=第2题", {two}), ("q=%23" + str(bank_of_four[0].item_id), {one}), ("q=100%25_", {four}),
                          ("mine=1", {one, two, three, four}), ("kind=nonsense&difficulty=9&sort=x&page=x", {one, two, three, four}),
                          (f"table={bank_of_four[0].item.table_id}&sort=-difficulty", {one, two, three, four})):
        text = page(client, f"/items/?{query}")
        assert {address for address in (one, two, three, four) if address in text} == wanted, query
    assert "没有符合条件的试题" in page(client, "/items/?q=没有这样的题")
    assert page(client, "/items/?sort=-difficulty").index(two) < page(client, "/items/?sort=-difficulty").index(one)


def test_an_empty_bank_says_how_to_fill_it(session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    assert ">导入</a>一批试题" in page(enter(chen), "/items/")


def test_the_export_holds_what_is_shown_and_can_be_imported_again(
        session: Session, bank_of_four: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    answer = enter(chen).get("/items/export?kind=single&sort=-number")
    rows = list(openpyxl.load_workbook(BytesIO(answer.data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert [line[3] for line in rows[1:]] == [bank_of_four[3].stem, bank_of_four[1].stem, bank_of_four[0].stem]
    assert rows[1][14] == "C"
    again = read_workbook(answer.data, "题库.xlsx")
    assert (len(again.rows), again.notes) == (3, [])


def test_an_item_is_typed_saved_and_submitted(session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    assert "编写新题" in page(client, "/items/new")
    answer = client.post("/items/new", data=form(session, then="submit"))
    assert answer.status_code == 302
    version = session.scalars(sa.select(ItemVersion)).one()
    assert (version.state, version.key, version.author_id) == (ItemState.SUBMITTED, "A", chen.account_id)


def test_a_form_with_mistakes_comes_back_with_everything_typed(
        session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    answer = client.post("/items/new", data=form(session, option_B="安培", key="C", difficulty="", explanation="仔细写好的解析"))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    for word in ("选项A与选项B内容相同", "“C”不是这道题的选项", "难度应填写", "仔细写好的解析", "电流的单位是"):
        assert word in text
    for odd in ({}, {"kind": "单选"}, {"point": "99999999999999999999"}, {"point": "x", "difficulty": "²"}):
        assert client.post("/items/new", data=form(session) | odd if odd else {}).status_code == 409
    assert client.post("/items/new", data=form(session) | {"stem": "\x00"}).status_code == 400  # for every form, in the kernel
    assert session.scalars(sa.select(ItemVersion)).all() == []


def test_editing_makes_a_version_and_a_stale_form_is_told_so(
        session: Session, bank_of_four: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client, item_id = enter(chen), bank_of_four[2].item_id
    changed = form(session, kind="judge", judgement="T", stem="改过的题干", reason="答案有误", number="1")
    assert client.post(f"/items/{item_id}/edit", data=changed).status_code == 302
    late = client.post(f"/items/{item_id}/edit", data=changed | {"stem": "晚到的修改"})
    assert late.status_code == 409
    assert "已有第 2 版" in late.get_data(as_text=True)
    assert "晚到的修改" in late.get_data(as_text=True)
    text = page(client, f"/items/{item_id}")
    assert "改过的题干" in text
    assert "答案有误" in text
    assert "第 1 版" in page(client, f"/items/{item_id}?version=1")


def test_reviewers_work_down_their_list_by_themselves(
        session: Session, bank_of_four: list[ItemVersion], people: People, li: Viewer, enter: Enter) -> None:
    wang = people("王芳", Role.ITEM_REVIEWER)
    session.commit()
    first, second = bank_of_four[0], bank_of_four[1]
    client = enter(li)
    assert f"题 {first.item_id} 第 1 版" in page(client, "/items/review")
    assert f"题 {second.item_id} 第 1 版" in page(client, f"/items/review?after={first.id}")  # skipped for now
    assert client.post(f"/items/review/{first.id}", data={"verdict": "accept", "estimate": "60"}).status_code == 409  # no answer yet
    assert "请先选出" in client.post(f"/items/review/{first.id}/answer", data={}).get_data(as_text=True)
    for version in (first, second):
        assert client.post(f"/items/review/{version.id}/answer", data={"answer": "C"}).status_code == 302
    empty = client.post(f"/items/review/{first.id}", data={"verdict": "major", "comment": ""})
    assert empty.status_code == 409
    assert "请写明问题" in empty.get_data(as_text=True)
    for wrong in ({"verdict": "maybe"}, {"verdict": "accept"}, {"verdict": "accept", "estimate": "很多"}, {"verdict": "accept", "estimate": "101"}):
        assert client.post(f"/items/review/{first.id}", data=wrong).status_code == 409
    answer = client.post(f"/items/review/{first.id}", data={"verdict": "accept", "estimate": "60", "comment": "只有李明知道的意见"})
    assert f"version={second.id}" in answer.headers["Location"]
    assert f"/items/review/{first.id}/undo" in page(client, answer.headers["Location"])
    client.post(f"/items/review/{second.id}", data={"verdict": "minor", "comment": "选项不妥"})
    assert "现在没有等您审核的试题" in page(client, "/items/review")
    assert client.post(f"/items/review/{second.id}", data={"verdict": "accept", "estimate": "60"}).status_code == 409
    other = enter(wang)
    assert "只有李明知道的意见" not in page(other, f"/items/{first.item_id}")  # independent: not before her own verdict
    other.post(f"/items/review/{first.id}/answer", data={"answer": "A"})
    assert "不一致" in page(other, f"/items/review?version={first.id}")
    other.post(f"/items/review/{first.id}", data={"verdict": "accept", "estimate": "70", "comment": "看错了"})
    assert "只有李明知道的意见" in page(other, f"/items/{first.item_id}")
    assert states(session, [first, second]) == ["approved", "returned"]


def test_the_work_list_counts_what_waits(
        session: Session, bank_of_four: list[ItemVersion], people: People, chen: Viewer, li: Viewer, clock: TestClock, enter: Enter) -> None:
    assert [entry.waits_for for entry in todo.todo(session, chen, now=clock())] == ["审题员"]  # two of them are submitted
    judged(session, bank_of_four[0], li, Verdict.MAJOR, "退回", now=clock())
    session.commit()
    assert [entry.title for entry in todo.todo(session, chen, now=clock())] == ["修改被退回的试题（1 道）", "您的试题正在审核（1 道）"]
    assert [entry.title for entry in todo.todo(session, li, now=clock())] == ["审核试题（1 道）"]
    session.commit()
    assert f"/items/{bank_of_four[0].item_id}?" in page(enter(chen), "/items/?state=returned&mine=1")


def test_a_composer_reads_and_writes_nothing(session: Session, bank_of_four: list[ItemVersion], people: People, enter: Enter) -> None:
    zheng = people("郑华", Role.PAPER_COMPOSER)
    session.commit()
    client, version = enter(zheng), bank_of_four[2]
    assert "修改" not in page(client, f"/items/{version.item_id}").split("<main")[1]
    assert "提交" not in page(client, "/items/").split("<main")[1]
    for address in ("/items/new", f"/items/{version.item_id}/edit", "/items/review", "/items/desk", "/items/tasks"):
        page(client, address, 403)
    for address in (f"/items/versions/{version.id}/submit", f"/items/versions/{version.id}/retire", "/items/bulk", f"/items/review/{version.id}"):
        assert client.post(address).status_code == 403


def test_strangers_find_nothing_and_candidates_have_no_door(
        session: Session, bank_of_four: list[ItemVersion], people: People, enter: Enter) -> None:
    elsewhere = people.school("衡州技师学院（演示）")
    roles = (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.PAPER_COMPOSER)
    fitter = [Scope(role, people.home.id, occupation_code="6-20-01-01") for role in roles]
    strangers = [people("外校教师", *roles, school=elsewhere), people("钳工教师", scopes=fitter)]
    candidate = people("考生", Role.CANDIDATE)
    session.commit()
    version = bank_of_four[0]
    for stranger in strangers:
        client = enter(stranger)
        assert version.stem not in page(client, "/items/")
        assert version.stem.encode() not in client.get("/items/export").data
        for address in (f"/items/{version.item_id}", f"/items/{version.item_id}/edit", f"/items/review?version={version.id}"):
            page(client, address, 404)
        for address in (f"/items/versions/{version.id}/submit", f"/items/versions/{version.id}/retire", f"/items/review/{version.id}",
                        f"/items/{version.item_id}/edit"):
            assert client.post(address, data={"verdict": "approve", "reason": "x"}).status_code == 404
    client = enter(candidate)
    for address in ("/items/", f"/items/{version.item_id}", "/items/export", "/items/review", "/exchange/"):
        assert client.get(address).status_code == 403


def test_numbers_too_large_for_a_database_are_not_there(session: Session, bank_of_four: list[ItemVersion], people: People, enter: Enter) -> None:
    sun, huge = people("孙丽", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER), 10 ** 30
    session.commit()
    client = enter(sun)
    for address in (f"/items/{huge}", f"/items/review?version={huge}", f"/exchange/{huge}"):
        page(client, address, 404)
    assert client.get(f"/items/?page={huge}&table={huge}&batch={huge}&difficulty={huge}").status_code == 200


def test_retiring_asks_why(session: Session, bank_of_four: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client, version = enter(chen), bank_of_four[2]
    assert client.post(f"/items/versions/{version.id}/retire", data={"reason": ""}).status_code == 409
    assert client.post(f"/items/versions/{version.id}/retire", data={"reason": "标准更新"}).status_code == 302
    assert "标准更新" in page(client, f"/items/{version.item_id}")


def test_filters_and_their_address_are_two_writings_of_one_thing() -> None:
    address = {"table": "3", "kind": "judge", "state": "draft", "range": "A-B", "importance": "X", "difficulty": "2", "q": "接地",
               "batch": "7", "mine": "1", "sort": "-point"}
    assert Filters.read(address).arguments() == address
    assert Filters.read({}).arguments() == {}


def test_the_next_item_begins_at_the_same_point(session: Session, bank_of_four: list[ItemVersion], chen: Viewer,
                                                enter: Enter) -> None:
    last = bank_of_four[2]
    client = enter(chen)
    assert f"point={last.point_id}&amp;kind=judge" in page(client, f"/items/{last.item_id}")
    again = page(client, f"/items/new?table={last.item.table_id}&point={last.point_id}&kind=judge")
    assert f'<option value="{last.point_id}" selected>' in again
    assert 'value="judge" checked' in again
    assert 'value="single" checked' in page(client, f"/items/new?table={last.item.table_id}&point=999999&kind=poem")
