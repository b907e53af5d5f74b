"""GIFT: everything that Moodle documents, Moodle's own example, and what comes back of our own items."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import assume, given, settings

from qbank.exchange import gift, gift_out
from qbank.exchange.drafts import Drafts, Found
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused
from tests.qbank.bank_world import ohm
from tests.qbank.drafts_world import bundles
from tests.qbank.round_trips import assert_same_but_for

EXAMPLES = Path(__file__).parents[3] / "shared/data/exchange/moodle"


def read(text: str) -> Drafts:
    return gift.read(text.encode(), "题库.txt")


def one(text: str) -> Found:
    return read(text).items[0]


@pytest.mark.parametrize(("text", "kind", "key"), [
    ("题{T}", "judge", "T"), ("题{FALSE#不对#对}", "judge", "F"), ("题{=甲 ~乙}", "single", "A"), ("题{~甲\n=乙}", "single", "B"),
    ("题{~%50%甲 ~%-100%乙 ~%50%丙}", "multiple", "AC"), ("题{=接触器 =交流接触器}", "fill", "接触器|交流接触器"), ("题{接触器}", "fill", "接触器"),
    ("题{#220:5}", "fill", "=220±5"), ("题{#1..5}", "fill", "=3±2"), ("题{#=220:0 =%50%221:1}", "fill", "=220"), ("题{#-3.5}", "fill", "=-3.5"),
    ("题{}", "essay", ""), ("题 {=正确 ~错误}", "judge", "T"), ("题{=%50%开关 =%100%接触器}", "fill", "接触器"),
])
def test_every_kind_of_answer(text: str, kind: str, key: str) -> None:
    found = one(text)
    assert (found.draft.kind, found.draft.key, found.problems) == (kind, key, ())


def test_an_answer_in_the_middle_leaves_a_blank_there() -> None:
    assert one("电流的单位是 {=安培} 。一定").draft.stem == "电流的单位是____ 。一定"
    assert one("用{=甲 ~乙}测电流").draft.stem == "用____测电流"
    assert one("电流的单位是什么？{=安培}").draft.stem == "电流的单位是什么？ ____"


def test_escapes_stand_for_themselves() -> None:
    found = one(r"::名\:字::1 \= 1 \{a\} \# \~ \\ C\:\n第二行{=\=甲\~ ~乙\#1#反馈}")
    assert found.draft.stem == "1 = 1 {a} # ~ \\ C:\n第二行"
    assert found.draft.options == ("=甲~", "乙#1")


def test_formats_decide_how_a_text_is_read() -> None:
    found = one("[html]<p>a <b>b</b> \\\\(x\\\\)</p>{=[plain]<i>甲</i> ~[html]<b>乙</b> ~丙 5$}")
    assert found.draft.stem == "a **b** $x$"
    assert found.draft.options == ("<i>甲</i>", "**乙**", "丙 5\\$")


def test_general_feedback_is_the_explanation_and_other_feedback_is_noted() -> None:
    drafts = read("题{=甲#好 ~乙#不对\n####见第 3 章}")
    assert drafts.items[0].draft.explanation == "见第 3 章"
    assert drafts.items[0].draft.options == ("甲", "乙")
    assert drafts.notes == ("第 1 行：作答后的反馈没有读取。",)


def test_categories_comments_and_tags() -> None:
    found = read("// 题库\n$CATEGORY: $course$/top/B-A-C/001\n\n// [tag:难度：4] [tag:出处：GB 50150]\n题{T}\n\n$CATEGORY: 安全/触电\n\n题二{F}").items
    assert (found[0].draft.range_path, found[0].draft.point_segment, found[0].draft.difficulty, found[0].draft.source) == (
        "B-A-C", "001", 4, "GB 50150")
    assert (found[1].knowledge, found[1].draft.difficulty, found[1].place) == ("安全 / 触电", 0, "第 9 行")


@pytest.mark.parametrize(("text", "word"), [("配对{=甲 -> 乙 =丙 -> 丁}", "配对题"), ("题{=甲 ~乙", "花括号"), ("题}=甲{", "花括号"),
                                            ("题{~甲 ~乙}", "没有满分"), ("题{=%50%甲}", "没有满分"), ("题{#abc}", "无法识别"), ("题{=a*}", "通配符")])
def test_what_cannot_be_carried_is_named_at_its_line(text: str, word: str) -> None:
    found = one(f"// 注释\n{text}")
    assert found.place == "第 2 行"
    assert any(word in sentence for sentence in found.problems), found.problems


def test_descriptions_are_said_and_empty_files_refused() -> None:
    drafts = read("看下图，回答问题。\n\n题{T}")
    assert len(drafts.items) == 1
    assert drafts.notes == ("第 1 行是一段说明文字，不是题目，没有读取：“看下图，回答问题。”。",)
    with pytest.raises(Refused, match="没有找到题目"):
        read("// nothing\n\n")


@given(bundles())
@settings(max_examples=50, deadline=None)
def test_items_come_back_as_they_were_but_for_the_loss_report(items: Drafts) -> None:
    stream = io.BytesIO()
    report = gift_out.write(items, stream)
    assume(report.written)
    again = gift.read(stream.getvalue(), "题库.txt")
    assert again.notes == ()
    assert_same_but_for(items, again, report)


def test_plain_items_are_written_plainly() -> None:
    stream = io.BytesIO()
    gift_out.write(Drafts((Found(ohm(), "第 1 题"),), "test"), stream)
    assert stream.getvalue().decode() == ("$CATEGORY: $course$/top/A-A/001\n\n// [tag:难度：1] [tag:出处：电工基础]\n"
                                          "电阻的单位是（　　）。{\n\t~伏特\n\t~安培\n\t=欧姆\n\t~瓦特\n####以欧姆命名。}\n")


def test_the_loss_report_names_what_gift_cannot_say() -> None:
    several = Draft("fill", "____ 和 ____", (), "1\n2", "", "", 3, "A-A", "001")
    written = Draft("short", "步骤", (), "先断电", "", "", 3, "A-A", "001", "2|断电")
    report = gift_out.write(Drafts((Found(several, "第 1 题"), Found(written, "第 2 题")), "test"), io.BytesIO())
    assert [(loss.place, loss.field) for loss in report.losses] == [("第 1 题", "整题"), ("第 2 题", "答案"), ("第 2 题", "评分标准"),
                                                                    ("第 2 题", "题型")]


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} does not lie beside this checkout")
def test_moodles_own_example() -> None:
    drafts = gift.read((EXAMPLES / "questions.gift.txt").read_bytes(), "questions.gift.txt")
    assert [(found.draft.kind, found.draft.key) for found in drafts.items] == [
        ("essay", ""), ("", ""), ("single", "A"), ("multiple", "AC"), ("fill", "=3±2"), ("fill", "Frog"), ("judge", "F"), ("judge", "T"),
        ("judge", "T")]
    assert [found.place for found in drafts.items if found.problems] == ["第 5 行"]  # matching
