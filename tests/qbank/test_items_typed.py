"""Every kind of item typed in the form, its preview, its sets, and what its versions say otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from qbank.items import bank, sets
from qbank.items.difference import GONE, NEW, compare, pieces
from qbank.items.draft import Draft
from qbank.items.form import guide_rows
from qbank.items.models import ItemVersion, Stimulus
from qbank.items.spoken import blanks, outcome, steps, total
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import ohm

Enter = Callable[[Viewer], FlaskClient]
MATERIAL = "某车间电动机铭牌：\n| 项目 | 数值 |\n|---|---|\n| 电压 | $380\\,\\mathrm{V}$ |"


def typed(session: Session, **changes: Any) -> dict[str, Any]:
    point = session.scalars(sa.select(Point).order_by(Point.id)).first()
    assert point
    session.commit()  # SQLite has one writer, and a request is about to be it
    return {"kind": "single", "point": str(point.id), "stem": "电阻的单位是（　　）。", "option_A": "欧", "option_B": "伏", "key": "A",
            "difficulty": "2", "source": "教材", "source_page": "第 3 页", "source_author": "出版社"} | changes


def newest(session: Session) -> ItemVersion:
    found = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id.desc())).first()
    assert found
    return found


def draft(stem: str, **changes: Any) -> Draft:
    return dataclasses.replace(ohm(), stem=stem, **changes)


def essay(stem: str = "试述停电检修的步骤。", **changes: Any) -> Draft:
    return draft(stem, kind="essay", options=(), key="停电，验电，接地", guide="2|停电\n1.5|验电", **changes)


def test_each_kind_is_typed_kept_and_shown_again_for_editing(session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    base = typed(session)
    client = enter(chen)
    ten = {f"option_{letter}": f"选项{letter}" for letter in "ABCDEFGHIJ"}
    forms: list[tuple[dict[str, Any], str, tuple[str, ...], str]] = [
        (base, "A", ("欧", "伏"), ""),
        (base | ten | {"kind": "multiple", "stem": "多选", "key": ["A", "J"]}, "AJ", tuple(ten.values()), ""),
        (base | {"kind": "judge", "stem": "判断", "judgement": "F"}, "F", (), ""),
        (base | {"kind": "fill", "stem": "电压____，电器____", "fill_key": "=220±5% V\n接触器|交流接触器"},
         "=220±5% V\n接触器|交流接触器", (), ""),
        (base | {"kind": "short", "stem": "简答", "model_answer": "要点", "guide_points": ["2", "", "1.5"], "guide_text": ["甲", "", "乙"]},
         "要点", (), "2|甲\n1.5|乙"),
        (base | {"kind": "essay", "stem": "论述", "model_answer": "答", "guide_points": "3", "guide_text": "丙"}, "答", (), "3|丙")]
    for form, key, options, guide in forms:
        answer = client.post("/items/new", data=form)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        version = newest(session)
        session.refresh(version)
        assert (version.key, tuple(option.text for option in version.options), version.guide) == (key, options, guide)
        assert (version.source_page, version.source_author) == ("第 3 页", "出版社")
        item_id = version.item_id
        session.commit()
        page = client.get(f"/items/{item_id}").get_data(as_text=True)
        assert "评分：" in page
        assert "第 3 页" in page
        form_page = client.get(f"/items/{item_id}/edit").get_data(as_text=True)
        assert all(len(line) < 3 or line in form_page for line in key.split("\n"))
        session.commit()


def test_a_wrong_form_of_a_written_item_keeps_its_rows(session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    form = typed(session, kind="short", model_answer="要点", guide_points=["二", "1"], guide_text=["甲", "乙"])
    answer = enter(chen).post("/items/new", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "评分标准“二|甲”无法识别" in page
    assert 'value="二"' in page
    assert ">乙</textarea>" in page


def test_the_preview_shows_safe_content_and_names_what_cannot_be_shown(session: Session, table: WeightTable, people: People, chen: Viewer,
                                                                       enter: Enter) -> None:
    reviewer, bank_key = people("李明", Role.ITEM_REVIEWER), f"{people.home.id}:{table.id}"
    form = typed(session, bank=bank_key, stem="<script>x</script> $U=IR$ 与 $\\foo$", option_A="**粗**")
    client = enter(chen)
    page = client.post("/items/preview", data=form).get_data(as_text=True)
    assert "&lt;script&gt;x" in page
    assert "<script" not in page
    assert '<math display="inline" alttext="U=IR">' in page
    assert "\\foo 无法识别" in page
    assert "<strong>粗</strong>" in page
    assert "请先选择题库" in client.post("/items/preview", data=form | {"bank": "9:9"}).get_data(as_text=True)
    assert client.post("/items/preview", data={}).status_code == 200
    assert client.post("/items/preview", data={"bank": bank_key, "kind": "fill", "fill_key": "=x"}).status_code == 200
    assert enter(reviewer).post("/items/preview").status_code == 403
    assert session.scalar(sa.select(sa.func.count(ItemVersion.id))) == 0


def test_trying_an_answer(session: Session, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    told = client.post("/items/try-answer", data={"fill_key": "=220±5% V\n\n接触器|KM", "answer": ["215 V", "km"]}).get_json()
    assert told == {"accepted": [True, True], "means": ["数值 209～231（单位 V）", "“接触器” 或 “KM”"], "sentence": ""}
    assert client.post("/items/try-answer", data={"fill_key": "甲", "answer": []}).get_json()["accepted"] == [False]
    assert "无法识别" in client.post("/items/try-answer", data={"fill_key": "=x"}).get_json()["sentence"]


def test_keys_are_read_out_whatever_they_are() -> None:
    assert blanks("=50 Hz、赫兹\n=-1.50\n甲||乙") == ["=50 Hz、赫兹", "=-1.50", "甲||乙"]
    assert blanks("=50 Hz、赫兹\n=-1.50") == ["数值 50（单位 Hz、赫兹）", "数值 -1.5"]
    assert outcome("=-1.5\n甲", ["−1.5"]) == [True, False]
    assert (steps("2|停电\n1.5|验电"), total("2|停电\n1.5|验电")) == ([("2", "停电"), ("1.5", "验电")], "3.5")
    assert (steps("没有分值"), total("没有分值")) == ([("", "没有分值")], "")
    assert guide_rows("2|甲\n乙") == [("2", "甲"), ("", "乙")]


def test_a_set_is_shown_together_and_grows(session: Session, table: WeightTable, people: People, chen: Viewer, clock: TestClock,
                                           enter: Enter) -> None:
    first = bank.add_item(session, table, people.home.id, essay(stimulus=MATERIAL), chen, now=clock())
    material, item_id = first.stimulus_id, first.item_id
    form = typed(session)
    client = enter(chen)
    assert f'<option value="{material}" selected>' in client.get(
        f"/items/new?table={table.id}&school={people.home.id}&material={material}").get_data(as_text=True)
    answer = client.post("/items/new", data=form | {"material": str(material), "stem": "铭牌上的电压是（　　）。", "then": "another"})
    assert f"material={material}" in answer.headers["Location"]
    page = client.get(f"/items/{item_id}").get_data(as_text=True)
    assert "同一材料的题（2 道）" in page
    assert page.count("<th>项目</th>") == 1
    other = client.post("/items/new", data=form | {"material": "new", "stimulus": "另一份材料", "stem": "接触器的用途是（　　）。"})
    assert other.status_code == 302
    assert client.post("/items/new", data=form | {"material": "999999", "stem": "没有这份材料"}).status_code == 302
    assert [version.stimulus_id for version in sets.members(session, first.stimulus)] == [material, material]
    assert [found.items for found in sets.materials(session, table.id, people.home.id)] == [1, 2]
    assert newest(session).stimulus_id is None


def test_a_new_text_of_a_material_makes_a_new_version_of_every_item_of_the_set(
        session: Session, table: WeightTable, people: People, chen: Viewer, clock: TestClock, enter: Enter) -> None:
    one, two, three = (bank.add_item(session, table, people.home.id, essay(f"第 {n} 题", stimulus=MATERIAL), chen, now=clock()) for n in range(3))
    bank.retire(session, three, chen, "不要了", now=clock())
    session.commit()
    client, address = enter(chen), f"/items/{one.item_id}/material"
    assert "2 道题各生成一个新版本" in client.get(address).get_data(as_text=True)
    for wrong, told in (({"text": ""}, "不能为空"), ({"text": MATERIAL}, "没有任何改动"), ({"text": "新", "reason": ""}, "修改原因"),
                        ({"text": "新", "stimulus": "0"}, "已被修改")):
        refused = client.post(address, data={"stimulus": one.stimulus_id, "reason": "铭牌有误"} | wrong)
        assert (refused.status_code, told in refused.get_data(as_text=True)) == (409, True)
    assert client.post(address, data={"stimulus": one.stimulus_id, "text": MATERIAL + "\n补充", "reason": "铭牌有误"}).status_code == 302
    session.expire_all()
    for version in (one, two):
        made = version.item.newest
        assert (made.number, made.reason, made.state) == (2, "共用材料修改：铭牌有误", ItemState.DRAFT)
        assert made.stimulus
        assert made.stimulus.text.endswith("补充")
    assert len(three.item.versions) == 1
    assert len({found.line for found in session.scalars(sa.select(Stimulus))}) == 1
    with pytest.raises(Refused):
        sets.change_material(session, one.item.newest.stimulus or Stimulus(), "x", people("旁人", Role.ITEM_REVIEWER), now=clock(), reason="x")


def test_editing_with_a_new_material_leaves_the_old_set_alone(session: Session, table: WeightTable, people: People, chen: Viewer,
                                                              clock: TestClock, enter: Enter) -> None:
    one, two = (bank.add_item(session, table, people.home.id, essay(f"第 {n} 题", stimulus=MATERIAL), chen, now=clock()) for n in range(2))
    item_id = one.item_id
    form = typed(session, kind="essay", stem="第 0 题", model_answer="答", guide_points="2", guide_text="甲", number="1", reason="换材料",
                 material="new", stimulus="全新的材料", alike="seen")
    assert enter(chen).post(f"/items/{item_id}/edit", data=form).status_code == 302
    session.expire_all()
    assert [version.item_id for version in sets.members(session, two.stimulus)] == [two.item_id]


@settings(max_examples=150, deadline=None)
@given(st.text("电流压 ab12$\n", max_size=40), st.text("电流压 ab12$\n", max_size=40))
def test_the_pieces_of_a_difference_give_both_texts_again(old: str, new: str) -> None:
    found = pieces(old, new)
    assert "".join(piece.text for piece in found if piece.state != NEW) == old
    assert "".join(piece.text for piece in found if piece.state != GONE) == new
    assert all(piece.text for piece in found)


def test_a_difference_names_every_field_that_changed() -> None:
    old, new = essay(source="教材"), draft("额定电压____", kind="fill", options=(), key="=220 V", source="教材", difficulty=4)
    changed = {field.name: field for field in compare(old, new) if field.changed}
    assert list(changed) == ["题型", "题干", "答案", "评分标准", "难度"]
    assert "".join(piece.text for piece in changed["题型"].after) == "填空题"
    assert "选项A" not in {field.name for field in compare(old, new)}
    long = "".join(chr(0x4E00 + n % 500) for n in range(6000))
    assert any(piece.text == "增" for piece in pieces(long, long[:3000] + "增" + long[3000:]))


def test_versions_are_compared_and_an_older_one_comes_back_as_a_new_version(
        session: Session, table: WeightTable, people: People, chen: Viewer, clock: TestClock, enter: Enter) -> None:
    stranger, reviewer = people("外校教师", Role.ITEM_AUTHOR, school=people.school("衡州技师学院（演示）")), people("李明", Role.ITEM_REVIEWER)
    composer = people("郑华", Role.PAPER_COMPOSER)
    first = bank.add_item(session, table, people.home.id, ohm(), chen, now=clock())
    second = bank.edit(session, first, dataclasses.replace(ohm(), stem="电阻的符号是（　　）。", key="D"), chen, now=clock(), reason="题干有误")
    session.commit()
    client, address = enter(chen), f"/items/{first.item_id}/difference"
    page = client.get(address).get_data(as_text=True)
    assert "<del>单位</del>" in page
    assert "<ins>符号</ins>" in page
    assert "改动了 <strong>2</strong> 处：题干、答案" in page
    assert "两版内容完全相同" in client.get(f"{address}?old=2&new=2").get_data(as_text=True)
    assert client.get(f"{address}?old=1&new=9").status_code == 404
    assert enter(stranger).get(address).status_code == 404
    assert enter(composer).get(address).status_code == 200
    assert enter(stranger).post(f"/items/versions/{first.id}/restore", data={"reason": "x"}).status_code == 404
    assert client.post(f"/items/versions/{first.id}/restore", data={"reason": " "}).status_code == 409
    assert client.post(f"/items/versions/{second.id}/restore", data={"reason": "x"}).status_code == 409  # it says that already
    assert client.post(f"/items/versions/{first.id}/restore", data={"reason": "改错了"}).status_code == 302
    session.expire_all()
    made = first.item.newest
    assert (made.number, made.stem, made.key, made.reason) == (3, first.stem, "C", "恢复第 1 版的内容：改错了")
    bank.submit(session, made, chen, now=clock())
    session.commit()
    blind = enter(reviewer).get(address)
    assert (blind.status_code, "盲答" in blind.get_data(as_text=True)) == (409, True)


def test_a_picture_that_the_bank_does_not_hold_is_refused(session: Session, table: WeightTable, people: People, chen: Viewer,
                                                          clock: TestClock) -> None:
    with pytest.raises(Refused, match="no_picture"):
        bank.add_item(session, table, people.home.id, draft(f"见图 ![](media:{'0' * 64})"), chen, now=clock())
